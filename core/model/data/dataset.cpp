#include "data/dataset.h"

#include <cassert>

#include <fmt/format.h>

#include "base/error.h"
#include "base/sha256.h"
#include "base/units.h"
#include "data/corpus.h"
#include "data/findings.h"
#include "data/shard_data.h"
#include "data/token_plan.h"
#include "tokenize/byte_alphabet.h"
#include "tokenize/byte_tokenizer.h"

namespace bitsweep::data {
namespace {

CorpusParts corpus_of(const spec::DataSpec& spec) {
  if (spec.mixture.empty()) return {{spec.corpus, spec.glob, spec.field}};
  CorpusParts parts;
  for (const spec::CorpusPart& part : spec.mixture) parts.push_back({part.corpus, part.glob, part.field});
  return parts;
}

// The validation text is read as the corpus is; a glob has a meaning only where it is a folder.
CorpusParts val_of(const spec::DataSpec& spec) {
  std::error_code unreadable;  // said when it is opened
  return {{spec.val, fs::is_directory(spec.val, unreadable) ? spec.glob : "", spec.field}};
}

// Runs both, so that what is wrong with each is told at once.
template <class Open>
auto open_both(const spec::DataSpec& spec, Open open) {
  decltype(open(corpus_of(spec))) train{}, val{};
  Findings findings;
  findings.collect([&] { train = open(corpus_of(spec)); });
  if (!spec.val.empty()) findings.collect([&] { val = open(val_of(spec)); });
  findings.throw_if_any();
  return std::pair(std::move(train), std::move(val));
}

std::string hash_segments(std::span<const uint8_t> text, const std::vector<Segment>& segments) {
  Sha256 hash;
  for (const Segment& segment : segments) hash.update(text.data() + segment.begin, segment.size());
  return hash.hex();
}

}  // namespace

Dataset Dataset::open(const spec::DataSpec& spec, const fs::path& cache, const BuildOptions& build) {
  if (!spec.examples.file.empty()) return Dataset(spec, open_examples(spec));
  if (spec.is_shards()) return of_shards(spec, cache);
  if (!spec.has_corpus()) return without_text(spec);
  if (!spec.is_bytes()) open_file_tokenizer(spec);  // what is wrong with it is told before a text is read
  if (spec.is_bytes()) tokenize::ByteAlphabet{spec.tokenizer};
  if (!spec.sha256.empty() && spec.val.empty() && spec.mixture.empty())
    if (auto text = find_cached_corpus(spec.sha256, cache, spec.documents_sha256))
      return of_texts(spec, cache, {text, text}, build);
  const CorpusNeeds needs{.documents = documents_matter(spec)};
  auto [train, val] = open_both(spec, [&](const CorpusParts& corpus) { return open_corpus(corpus, cache, needs); });
  return of_texts(spec, cache, {train, val ? val : train}, build);
}

Dataset Dataset::of_texts(const spec::DataSpec& spec, const fs::path& cache, Texts texts, const BuildOptions& build) {
  const CorpusText *train = texts.train.get(), *val = texts.val == texts.train ? nullptr : texts.val.get();
  const CorpusFacts* val_facts = val != nullptr ? &val->facts : nullptr;
  Split split = split_texts(spec, train->facts, val_facts, train->document_ends());
  DatasetInfo info = describe_texts(spec, train->facts, val_facts, split);
  info.val_sha256 = hash_segments(texts.val->bytes(), split.val);
  const Mixture& mixture = texts.mixture = Mixture(spec, train->facts.part_ends, split, val != nullptr);
  if (spec.is_bytes()) {
    auto tokenizer = tokenize::make_byte_tokenizer(spec.tokenizer);
    choose_documents(spec, tokenizer->facts(), train->facts, val_facts, info);
    const auto tokens = [&](const auto& text) -> std::shared_ptr<const TokenSource> {
      return std::make_shared<ByteTokens>(text, tokenize::ByteAlphabet(spec.tokenizer));
    };
    Tokens bytes{tokens(texts.train), nullptr, split};
    bytes.val = val == nullptr ? bytes.train : tokens(texts.val);
    return Dataset(spec, cache, std::move(texts), std::move(split), std::move(tokenizer), std::move(bytes),
                   std::move(info));
  }
  auto tokenizer = open_file_tokenizer(spec);
  info.tokenizer_sha256 = tokenizer_name(spec, tokenizer.get(), train->facts, val_facts);
  if (tokenizer == nullptr)
    tokenizer = trained_tokenizer(spec, info.tokenizer_sha256, train->bytes(), training_sample(spec, mixture, split),
                                  cache, build.notes);
  choose_documents(spec, tokenizer->facts(), train->facts, val_facts, info);
  const TokenStore store(cache, store_source(tokenizer, *train, val, split, info));
  CollectedNotes nobody;
  info.vocab = model_vocab(spec, tokenizer->vocab());
  const StoreFacts facts = store.build(build.threads, build.notes != nullptr ? *build.notes : nobody);
  tell_store(facts, tokenizer->facts(), spec.context, info);
  Tokens tokens{store.open_train(), store.open_val(), {facts.train.segments, facts.val.segments}};
  tokens.bytes_per_train_token = facts.train.bytes_per_token();
  mixture.require_windows(tokens.split, spec.context);
  return Dataset(spec, cache, std::move(texts), std::move(split), std::move(tokenizer), std::move(tokens),
                 std::move(info));
}

DatasetInfo Dataset::inspect(const spec::DataSpec& spec, const fs::path& cache) {
  if (!spec.examples.file.empty()) return open_examples(spec).info;
  if (spec.is_shards()) return open_shards(spec, cache, false).info;
  if (!spec.has_corpus()) return without_text(spec).info_;
  if (spec.is_bytes()) tokenize::ByteAlphabet{spec.tokenizer};
  auto tokenizer = spec.is_bytes() ? nullptr : open_file_tokenizer(spec);
  const CorpusNeeds needs{.documents = documents_matter(spec),
                          .sample = !spec.is_bytes(),
                          .ends = spec.split == "documents" && spec.val.empty()};
  const auto [train, val] =
      open_both(spec, [&](const CorpusParts& corpus) { return inspect_corpus(corpus, cache, needs); });
  const CorpusFacts* val_facts = spec.val.empty() ? nullptr : &val.facts;
  const Split split = split_texts(spec, train.facts, val_facts, train.document_ends());
  DatasetInfo info = describe_texts(spec, train.facts, val_facts, split);
  if (const auto& text = val_facts != nullptr ? val.text : train.text)
    info.val_sha256 = hash_segments(text->bytes(), split.val);
  const Mixture mixture(spec, train.facts.part_ends, split, val_facts != nullptr);
  const auto tell_parts = [&](const std::vector<Segment>& tokens) {
    for (std::string& note : mixture.notes(tokens, spec.context)) info.notes.push_back(std::move(note));
  };
  if (spec.is_bytes()) {
    tell_parts(split.train);
    choose_documents(spec, tokenize::make_byte_tokenizer(spec.tokenizer)->facts(), train.facts, val_facts, info);
    return info;
  }
  info.tokenizer_sha256 = tokenizer_name(spec, tokenizer.get(), train.facts, val_facts);
  if (tokenizer == nullptr) tokenizer = find_trained_tokenizer(spec, info.tokenizer_sha256, cache);
  choose_documents(spec, tokenizer != nullptr ? tokenizer->facts() : trained_facts(), train.facts, val_facts, info);
  info.vocab = model_vocab(spec, tokenizer != nullptr ? tokenizer->vocab() : spec.recipe.vocab);
  const CorpusText* val_text = val_facts != nullptr ? val.text.get() : train.text.get();
  if (tokenizer != nullptr && train.text != nullptr && val_text != nullptr) {
    const CorpusText* other = val_facts != nullptr ? val_text : nullptr;
    if (auto facts = TokenStore(cache, store_source(tokenizer, *train.text, other, split, info)).find()) {
      tell_store(*facts, tokenizer->facts(), spec.context, info);
      tell_parts(facts->train.segments);
      return info;
    }
  }
  estimate_tokens(spec, tokenizer.get(), train, split, info);
  return info;
}

Dataset Dataset::of_shards(const spec::DataSpec& spec, const fs::path& cache) {
  ShardData shards = open_shards(spec, cache, true);
  const ShardTexts decoded = decode_shards(shards, cache);
  Texts texts{decoded.train, decoded.val};
  Split text_split;
  if (decoded.train != nullptr) text_split = {{{0, decoded.train->bytes().size()}}, {{0, decoded.val->bytes().size()}}};
  Tokens tokens{shards.train, shards.val, split_separate(shards.train->size(), shards.val->size(), spec.context),
                shards.bytes_per_train_token};
  return Dataset(spec, cache, std::move(texts), std::move(text_split), std::move(shards.tokenizer), std::move(tokens),
                 std::move(shards.info));
}

Dataset Dataset::over(const spec::DataSpec& spec, DatasetInfo named, std::shared_ptr<const TokenSource> train,
                      std::shared_ptr<const TokenSource> val) {
  Tokens tokens{train, val,
                val == train ? split_corpus(train->size(), spec.val_fraction, spec.context)
                             : split_separate(train->size(), val->size(), spec.context)};
  count_tokens(tokens.split, spec.context, named);
  named.vocab = train->vocab();
  uint64_t bytes = 0, count = 0;
  for (const Segment& segment : tokens.split.train) {
    bytes += train->text_bytes(segment);
    count += segment.size();
  }
  tokens.bytes_per_train_token = static_cast<double>(bytes) / static_cast<double>(count);
  const Split split = tokens.split;
  return Dataset(spec, {}, {}, split, nullptr, std::move(tokens), std::move(named));
}

Dataset::Dataset(const spec::DataSpec& spec, fs::path cache, Texts texts, Split text_split,
                 std::shared_ptr<const tokenize::Tokenizer> tokenizer, Tokens tokens, DatasetInfo info)
    : cache_(std::move(cache)),
      tokenizer_(std::move(tokenizer)),
      alphabet_(spec.is_bytes() ? spec.tokenizer : "bytes256"),
      context_(spec.context),
      mixture_(std::move(texts.mixture)),
      texts_(std::move(texts)),
      text_split_(std::move(text_split)),
      tokens_(std::move(tokens)),
      order_(mixture_.order(tokens_.split.train, context_)),
      info_(std::move(info)) {
  for (std::string& note : mixture_.notes(tokens_.split.train, context_)) info_.notes.push_back(std::move(note));
}

Dataset::Dataset(const spec::DataSpec& spec, ExampleData data)
    : tokenizer_(std::move(data.tokenizer)),
      context_(spec.context),
      examples_(std::move(data.train)),
      held_out_(std::move(data.val)),
      info_(std::move(data.info)) {
  tokens_.bytes_per_train_token = info_.bytes_per_token;
}

Dataset::Dataset(const spec::DataSpec& spec, std::shared_ptr<const tokenize::Tokenizer> tokenizer, DatasetInfo info)
    : tokenizer_(std::move(tokenizer)), context_(spec.context), info_(std::move(info)) {}

Dataset Dataset::without_text(const spec::DataSpec& spec) {
  DatasetInfo info;
  info.name = "no text";
  std::shared_ptr<const tokenize::Tokenizer> tokenizer;
  if (spec.is_bytes())
    tokenizer = tokenize::make_byte_tokenizer(spec.tokenizer);
  else if (!spec.tokenizer.empty())
    tokenizer = open_file_tokenizer(spec);
  if (tokenizer != nullptr && !spec.is_bytes()) info.tokenizer_sha256 = tokenizer->facts().sha256;
  if (!spec.documents.empty()) info.documents = spec.documents;
  info.vocab = model_vocab(spec, tokenizer != nullptr ? tokenizer->vocab() : 1);
  return Dataset(spec, std::move(tokenizer), std::move(info));
}

void Dataset::require_text() const {
  if (of_examples() || tokens_.train != nullptr) return;
  throw Error(ErrorKind::input,
              "the run has no text to train or to be scored on, because its weights were imported: "
              "start one from it that names a text (train.init_from), ask it tasks, or probe it on a --text");
}

void Dataset::require_known_text() const {
  require_text();
  if (!knows_text())
    throw Error(ErrorKind::input,
                fmt::format("nobody says what the tokens of '{}' stand for (data.tokenizer)", info_.name));
}

std::span<const uint8_t> Dataset::train_text() const {
  require_known_text();
  return texts_.train->bytes();
}

std::span<const uint8_t> Dataset::val_text() const {
  require_known_text();
  return texts_.val->bytes();
}

void Dataset::sequences(uint64_t seed, int64_t first_index, int64_t count, TokenSpan out) const {
  assert(first_index >= 0 && count >= 0);
  require_text();
  if (of_examples()) {
    const auto rows = rows_of(seed, first_index, count);
    return std::visit(
        [&](auto to) {
          for (size_t i = 0; i < rows.size(); ++i) {
            const auto row = to.subspan(i * static_cast<size_t>(context_ + 1), static_cast<size_t>(context_) + 1);
            const auto tokens = examples_->tokens(rows[i]);
            std::copy(tokens.begin(), tokens.end(), row.begin());
            std::fill(row.begin() + static_cast<std::ptrdiff_t>(tokens.size()), row.end(), 0);
          }
        },
        out);
  }
  std::vector<uint64_t> starts(static_cast<size_t>(count));
  order_->starts(seed, static_cast<uint64_t>(first_index), starts);
  tokens_.train->windows(starts, static_cast<size_t>(context_) + 1, out);
}

std::vector<int64_t> Dataset::rows_of(uint64_t seed, int64_t first_index, int64_t count) const {
  const auto all = static_cast<uint64_t>(examples_->count());
  std::vector<int64_t> rows;
  for (auto index = static_cast<uint64_t>(first_index); rows.size() < static_cast<size_t>(count);) {
    const uint64_t epoch = index / all;
    // Those of one epoch at once: a permutation costs more to set up than to ask.
    const uint64_t some = std::min(all - index % all, static_cast<uint64_t>(count) - rows.size());
    std::vector<uint64_t> places(some);
    for (uint64_t i = 0; i < some; ++i) places[i] = index % all + i;
    Permutation(all, seed, epoch).apply(places);
    rows.insert(rows.end(), places.begin(), places.end());
    index += some;
  }
  return rows;
}

void Dataset::counted(uint64_t seed, int64_t first_index, int64_t count, std::span<uint8_t> out) const {
  assert(of_examples() && out.size() == static_cast<size_t>(count * context_));
  std::fill(out.begin(), out.end(), uint8_t{0});
  const auto rows = rows_of(seed, first_index, count);
  for (size_t i = 0; i < rows.size(); ++i)
    for (const examples::Counted& run : examples_->counted(rows[i]))
      std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(i) * context_ + run.from, run.to - run.from, uint8_t{1});
}

ValidationWindows Dataset::validation(int64_t wanted) const {
  require_text();
  if (of_examples()) return ValidationWindows::of_examples(held_out_, *tokenizer_, context_, wanted);
  return ValidationWindows::fixed(tokens_.val, context_, mixture_.windows(tokens_.split.val, context_, wanted),
                                  info_.task, texts_.val);
}

ValidationWindows Dataset::validation(const spec::EvalSpec& eval) const {
  if (eval.bytes == 0 || of_examples()) return validation(eval.windows);
  assert(tokenizer_ != nullptr);
  require_known_text();
  return ValidationWindows::over_text(
      *tokenizer_, marked_text(*texts_.val, info_.documents), marks_of(info_.documents, tokenizer_->facts()),
      mixture_.stretches(val_text(), text_split_.val, static_cast<uint64_t>(eval.bytes)), context_, eval.stride);
}

std::vector<Segment> Dataset::counted_segments() const {
  return mixture_.sample(text_split_.train, yardstick_sample_bytes, 64);
}

std::string Dataset::yardsticks_key(const ScoredBytes& part) const {
  Sha256 key;
  key.update(fmt::format("count models {}1\n{}\n{}\n{}", part.windows ? "of windows " : "", alphabet_,
                         texts_.train->facts.sha256, texts_.val->facts.sha256));
  const std::vector<Segment> counted = counted_segments();
  for (const auto* segments : {&counted, &part.segments})
    for (const Segment& segment : *segments) key.update(fmt::format("\n{} {}", segment.begin, segment.end));
  return key.hex();
}

void Dataset::tell_counting(Notes& notes) const {
  const auto size_of = [](const std::vector<Segment>& segments) {
    uint64_t bytes = 0;
    for (const Segment& segment : segments) bytes += segment.size();
    return format_bytes(static_cast<double>(bytes));
  };
  notes.progress(fmt::format("data: {}, {} to train on, {} to validate on; counting n-grams", info_.name,
                             size_of(text_split_.train), size_of(text_split_.val)));
}

DatasetYardsticks Dataset::yardsticks(const std::vector<int64_t>& windows, const std::vector<int64_t>& bytes,
                                      Notes* notes) const {
  require_text();
  assert(texts_.train != nullptr && (windows.empty() || info_.tokenizer_sha256.empty()));
  std::vector<ScoredBytes> parts{{text_split_.val, false}};
  for (const int64_t wanted : windows) {
    ScoredBytes& part = parts.emplace_back();
    part.windows = true;
    for (const uint64_t start : mixture_.windows(text_split_.val, context_, wanted))
      part.segments.push_back({start, start + static_cast<uint64_t>(context_) + 1});
  }
  for (const int64_t wanted : bytes)
    parts.push_back({mixture_.stretches(val_text(), text_split_.val, static_cast<uint64_t>(wanted)), false});
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
    if (notes != nullptr) tell_counting(*notes);
    std::vector<Yardsticks> counted =
        compute_yardsticks(train_text(), counted_segments(), val_text(), asked, tokenize::ByteAlphabet(alphabet_));
    for (size_t k = 0; k < missing.size(); ++k) {
      cache.save("yardsticks", yardsticks_key(asked[k]), data::to_json(counted[k]));
      found[missing[k]] = std::move(counted[k]);
    }
  }
  const auto stretches = found.begin() + 1 + static_cast<std::ptrdiff_t>(windows.size());
  return {found[0], {found.begin() + 1, stretches}, {stretches, found.end()}};
}

}  // namespace bitsweep::data
