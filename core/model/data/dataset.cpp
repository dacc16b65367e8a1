#include "data/dataset.h"

#include <cassert>

#include <fmt/format.h>

#include "base/error.h"
#include "base/sha256.h"
#include "base/units.h"
#include "data/corpus.h"

namespace bitsweep::data {
namespace {

CorpusSpec corpus_of(const spec::DataSpec& spec) { return {spec.corpus, spec.glob, spec.field}; }

// The validation text is read as the corpus is; a glob has a meaning only where it is a folder.
CorpusSpec val_of(const spec::DataSpec& spec) {
  std::error_code unreadable;  // said when it is opened
  return {spec.val, fs::is_directory(spec.val, unreadable) ? spec.glob : "", spec.field};
}

// Runs both, so that what is wrong with each is told at once.
template <class Open>
auto open_both(const spec::DataSpec& spec, Open open) {
  decltype(open(corpus_of(spec))) train{}, val{};
  std::vector<Diagnostic> wrong;
  const auto attempt = [&](auto& into, const CorpusSpec& corpus) {
    try {
      into = open(corpus);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input) throw;
      wrong.insert(wrong.end(), error.diagnostics().begin(), error.diagnostics().end());
    }
  };
  attempt(train, corpus_of(spec));
  if (!spec.val.empty()) attempt(val, val_of(spec));
  if (!wrong.empty()) throw Error(ErrorKind::input, std::move(wrong));
  return std::pair(std::move(train), std::move(val));
}

Split split_for(const spec::DataSpec& spec, const CorpusFacts& train, const CorpusFacts* val) try {
  return val != nullptr ? split_separate(train.stats.bytes, val->stats.bytes, spec.context)
                        : split_corpus(train.stats.bytes, spec.val_fraction, spec.context);
} catch (const Error& error) {
  std::vector<Diagnostic> named = error.diagnostics();
  for (Diagnostic& diagnostic : named) diagnostic.file = spec.corpus;
  throw Error(error.kind(), std::move(named));
}

std::string hash_segments(std::span<const uint8_t> text, const std::vector<Segment>& segments) {
  Sha256 hash;
  for (const Segment& segment : segments) hash.update(text.data() + segment.begin, segment.size());
  return hash.hex();
}

int64_t total_tokens(const std::vector<Segment>& segments) {
  int64_t sum = 0;
  for (const Segment& segment : segments) sum += static_cast<int64_t>(segment.size());
  return sum;
}

uint64_t unknown_bytes(const tokenize::ByteAlphabet& alphabet, const TextStats& stats) {
  return alphabet.knows_high_bytes() ? 0 : stats.high_bytes;
}

void note_bytes(const tokenize::ByteAlphabet& tokenizer, const CorpusFacts& facts, std::vector<std::string>& notes) {
  const TextStats& stats = facts.stats;
  if (stats.looks_binary())
    notes.push_back(fmt::format("'{}' looks like binary data, not text: {:.1f} % of its bytes are control characters.",
                                facts.name,
                                100.0 * static_cast<double>(stats.control_bytes) / static_cast<double>(stats.bytes)));
  if (const uint64_t unknown = unknown_bytes(tokenizer, stats); unknown > 0)
    notes.push_back(fmt::format(
        "{} of the {} bytes of '{}' ({:.2g} %) are outside {} and become one token, {}: "
        "which of them it was is neither learned nor scored.",
        format_thousands(static_cast<int64_t>(unknown)), format_thousands(static_cast<int64_t>(stats.bytes)),
        facts.name, 100.0 * static_cast<double>(unknown) / static_cast<double>(stats.bytes), tokenizer.name(),
        tokenize::unknown_token));
}

void count_split(const Split& split, int64_t context, DatasetInfo& info) {
  info.train_tokens = total_tokens(split.train);
  info.train_windows = WindowOrder(split.train, context).windows_per_epoch();
  info.val_tokens = total_tokens(split.val);
  info.val_windows = count_validation_windows(split.val, context);
}

// Everything but the hash of the validation split, which needs the text.
DatasetInfo summarize(const spec::DataSpec& spec, const tokenize::ByteAlphabet& tokenizer, const CorpusFacts& train,
                      const CorpusFacts* val, const Split& split) {
  DatasetInfo info;
  info.name = train.name;
  info.sha256 = val != nullptr ? sha256_hex(train.sha256 + val->sha256) : train.sha256;
  info.bytes = train.stats.bytes + (val != nullptr ? val->stats.bytes : 0);
  count_split(split, spec.context, info);
  info.vocab = tokenizer.vocab();
  info.entropy_bits_per_byte = train.entropy_bits_per_byte;
  if (val == nullptr) info.task = find_induction_task(spec.corpus);
  for (const CorpusFacts* facts : {&train, val}) {
    if (facts == nullptr) continue;
    info.unknown_bytes += unknown_bytes(tokenizer, facts->stats);
    info.notes.insert(info.notes.end(), facts->notes.begin(), facts->notes.end());
    note_bytes(tokenizer, *facts, info.notes);
  }
  if (info.task && spec.context < induction_longest_line(*info.task))
    info.notes.push_back(
        fmt::format("data.context {} is shorter than the longest line of '{}', {} bytes: answers whose evidence a "
                    "window cuts off do "
                    "not count.",
                    spec.context, spec.corpus, induction_longest_line(*info.task)));
  if (!spec.sha256.empty() && spec.sha256 != info.sha256)
    throw Error(
        ErrorKind::input,
        fmt::format("'{}' is no longer the text that the run was planned on (SHA-256 {:.12}, then {:.12}); plan and "
                    "submit it anew",
                    spec.corpus, info.sha256, spec.sha256));
  return info;
}

}  // namespace

json::object to_json(const DatasetInfo& info) {
  json::value entropy = nullptr;
  if (info.entropy_bits_per_byte) entropy = *info.entropy_bits_per_byte;
  return {{"name", info.name},
          {"sha256", info.sha256},
          {"bytes", info.bytes},
          {"train_tokens", info.train_tokens},
          {"train_windows", info.train_windows},
          {"val_tokens", info.val_tokens},
          {"val_windows", info.val_windows},
          {"val_sha256", info.val_sha256},
          {"unknown_bytes", info.unknown_bytes},
          {"vocab", info.vocab},
          {"entropy_bits_per_byte", std::move(entropy)},
          {"notes", json::array(info.notes.begin(), info.notes.end())}};
}

void ValidationWindows::fill(int64_t first, int64_t count, TokenSpan out) const {
  assert(first >= 0 && first + count <= this->count());
  tokens_->windows(std::span(starts_).subspan(static_cast<size_t>(first), static_cast<size_t>(count)),
                   static_cast<size_t>(context_) + 1, out);
}

int64_t ValidationWindows::target_bytes(int64_t first, int64_t count) const {
  uint64_t bytes = 0;
  for (int64_t w = first; w < first + count; ++w) {
    const uint64_t start = starts_[static_cast<size_t>(w)];
    bytes += tokens_->text_bytes({start + 1, start + 1 + static_cast<uint64_t>(context_)});
  }
  return static_cast<int64_t>(bytes);
}

std::vector<int64_t> ValidationWindows::answers(int64_t first, int64_t count) const {
  std::vector<int64_t> places;
  if (!task_) return places;
  for (int64_t w = 0; w < count; ++w) {
    const auto window =
        text_->bytes().subspan(starts_[static_cast<size_t>(first + w)], static_cast<size_t>(context_) + 1);
    for (const InductionAnswer& answer : induction_answers(*task_, window))
      places.push_back(w * context_ + answer.position - 1);
  }
  return places;
}

Dataset Dataset::open(const spec::DataSpec& spec, const fs::path& cache) {
  const tokenize::ByteAlphabet tokenizer(spec.tokenizer);
  if (!spec.sha256.empty() && spec.val.empty())
    if (auto text = find_cached_corpus(spec.sha256, cache)) return Dataset(spec, cache, {text, text});
  auto [train, val] = open_both(spec, [&](const CorpusSpec& corpus) { return open_corpus(corpus, cache); });
  return Dataset(spec, cache, {train, val ? val : train});
}

DatasetInfo Dataset::inspect(const spec::DataSpec& spec, const fs::path& cache) {
  const tokenize::ByteAlphabet tokenizer(spec.tokenizer);
  const auto [train, val] = open_both(spec, [&](const CorpusSpec& corpus) { return inspect_corpus(corpus, cache); });
  const CorpusFacts* val_facts = spec.val.empty() ? nullptr : &val.facts;
  const Split split = split_for(spec, train.facts, val_facts);
  DatasetInfo info = summarize(spec, tokenizer, train.facts, val_facts, split);
  if (const auto& text = val_facts != nullptr ? val.text : train.text)
    info.val_sha256 = hash_segments(text->bytes(), split.val);
  return info;
}

Dataset Dataset::over(const spec::DataSpec& spec, DatasetInfo named, std::shared_ptr<const TokenSource> train,
                      std::shared_ptr<const TokenSource> val) {
  Split split = val == train ? split_corpus(train->size(), spec.val_fraction, spec.context)
                             : split_separate(train->size(), val->size(), spec.context);
  count_split(split, spec.context, named);
  named.vocab = train->vocab();
  return Dataset(spec.context, std::move(split), std::move(named), std::move(train), std::move(val));
}

Dataset::Dataset(int64_t context, Split split, DatasetInfo info, std::shared_ptr<const TokenSource> train,
                 std::shared_ptr<const TokenSource> val)
    : context_(context),
      train_tokens_(std::move(train)),
      val_tokens_(std::move(val)),
      split_(std::move(split)),
      order_(split_.train, context_),
      info_(std::move(info)) {}

Dataset::Dataset(const spec::DataSpec& spec, fs::path cache, Texts texts)
    : cache_(std::move(cache)),
      tokenizer_(spec.tokenizer),
      context_(spec.context),
      texts_(std::move(texts)),
      train_tokens_(std::make_shared<ByteTokens>(texts_.train, tokenize::ByteAlphabet(spec.tokenizer))),
      val_tokens_(texts_.val == texts_.train
                      ? train_tokens_
                      : std::make_shared<ByteTokens>(texts_.val, tokenize::ByteAlphabet(spec.tokenizer))),
      split_(split_for(spec, texts_.train->facts, texts_.val == texts_.train ? nullptr : &texts_.val->facts)),
      order_(split_.train, context_),
      info_(summarize(spec, tokenize::ByteAlphabet(spec.tokenizer), texts_.train->facts,
                      texts_.val == texts_.train ? nullptr : &texts_.val->facts, split_)) {
  info_.val_sha256 = hash_segments(texts_.val->bytes(), split_.val);
}

std::span<const uint8_t> Dataset::train_text() const { return texts_.train->bytes(); }
std::span<const uint8_t> Dataset::val_text() const { return texts_.val->bytes(); }

double Dataset::bytes_per_train_token() const {
  uint64_t bytes = 0, tokens = 0;
  for (const Segment& segment : split_.train) {
    bytes += train_tokens_->text_bytes(segment);
    tokens += segment.size();
  }
  return static_cast<double>(bytes) / static_cast<double>(tokens);
}

void Dataset::sequences(uint64_t seed, int64_t first_index, int64_t count, TokenSpan out) const {
  assert(first_index >= 0 && count >= 0);
  std::vector<uint64_t> starts(static_cast<size_t>(count));
  order_.starts(seed, static_cast<uint64_t>(first_index), starts);
  train_tokens_->windows(starts, static_cast<size_t>(context_) + 1, out);
}

ValidationWindows Dataset::validation(int64_t wanted) const {
  ValidationWindows windows;
  windows.tokens_ = val_tokens_;
  windows.text_ = texts_.val;
  windows.context_ = context_;
  windows.task_ = info_.task;
  windows.starts_ = validation_windows(split_.val, context_, wanted);
  return windows;
}

std::string Dataset::yardsticks_key(const ScoredBytes& part) const {
  Sha256 key;
  key.update(fmt::format("count models {}1\n{}\n{}\n{}", part.windows ? "of windows " : "", tokenizer_,
                         texts_.train->facts.sha256, texts_.val->facts.sha256));
  for (const auto* segments : {&split_.train, &part.segments})
    for (const Segment& segment : *segments) key.update(fmt::format("\n{} {}", segment.begin, segment.end));
  return key.hex();
}

DatasetYardsticks Dataset::yardsticks(const std::vector<int64_t>& windows) const {
  assert(texts_.train != nullptr);
  std::vector<ScoredBytes> parts{{split_.val, false}};
  for (const int64_t wanted : windows) {
    ScoredBytes& part = parts.emplace_back();
    part.windows = true;
    for (const uint64_t start : validation_windows(split_.val, context_, wanted))
      part.segments.push_back({start, start + static_cast<uint64_t>(context_) + 1});
  }
  const CorpusCache cache(cache_);
  std::vector<Yardsticks> found(parts.size());
  std::vector<size_t> missing;
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto known = cache.load("yardsticks", yardsticks_key(parts[i]));
    try {
      if (known) found[i] = yardsticks_from_json(*known);
    } catch (const Error&) {  // damaged: counted again
      found[i] = {};
    }
    if (found[i].method.empty()) missing.push_back(i);
  }
  std::vector<ScoredBytes> asked;
  for (const size_t i : missing) asked.push_back(parts[i]);
  if (!asked.empty()) {
    std::vector<Yardsticks> counted =
        compute_yardsticks(train_text(), split_.train, val_text(), asked, tokenize::ByteAlphabet(tokenizer_));
    for (size_t k = 0; k < missing.size(); ++k) {
      cache.save("yardsticks", yardsticks_key(asked[k]), data::to_json(counted[k]));
      found[missing[k]] = std::move(counted[k]);
    }
  }
  return {found[0], {found.begin() + 1, found.end()}};
}

}  // namespace bitsweep::data
