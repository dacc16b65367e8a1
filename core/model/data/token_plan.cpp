#include "data/token_plan.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "base/error.h"
#include "base/sha256.h"
#include "base/units.h"
#include "data/text_sample.h"
#include "spec/corpus_value.h"
#include "spec/tokenizer_value.h"
#include "tokenize/open.h"
#include "tokenize/sentence_piece.h"
#include "tokenize/train.h"

namespace bitsweep::data {
namespace {

constexpr uint64_t kSamplePieces = 64;

std::string shown_recipe(const spec::TokenizerRecipe& recipe) {
  return spec::tokenizer_text(json::value(spec::to_json(recipe)));
}

std::string has_not(const tokenize::TokenizerFacts& tokenizer, const std::string& token) {
  const auto has = [&](const char* name, const auto& id) { return id ? fmt::format(" (it has {})", name) : ""; };
  return fmt::format("data.documents is {}, but '{}' has no such token{}", token, tokenizer.name,
                     token == "bos" ? has("eos", tokenizer.eos) : has("bos", tokenizer.bos));
}

// Adds the split of one corpus that begins `begin` bytes behind the text's, and what is wrong with it, by its name.
void add_split(const std::string& corpus, uint64_t begin, const std::function<Split()>& of, Split& all,
               std::vector<Diagnostic>& wrong) {
  try {
    const Split split = of();
    for (const Segment& train : split.train) all.train.push_back({begin + train.begin, begin + train.end});
    for (const Segment& val : split.val) all.val.push_back({begin + val.begin, begin + val.end});
  } catch (const Error& error) {
    for (Diagnostic diagnostic : error.diagnostics()) {
      diagnostic.file = corpus;
      wrong.push_back(std::move(diagnostic));
    }
  }
}

// Of the texts' bytes, whatever the tokenizer and where documents end. Each part of a mixture is split for itself, as
// it would be alone.
Split split_bytes(const spec::DataSpec& spec, const CorpusFacts& train, const CorpusFacts* val) {
  std::vector<uint64_t> ends = train.part_ends;
  if (ends.empty()) ends.push_back(train.stats.bytes);
  Split all;
  std::vector<Diagnostic> wrong;
  uint64_t begin = 0;
  for (size_t i = 0; i < ends.size(); ++i) {
    const uint64_t bytes = ends[i] - begin;
    add_split(
        train.part_ends.empty() ? spec.corpus : spec.mixture.at(i).corpus, begin,
        [&] {
          return val != nullptr ? split_separate(bytes, val->stats.bytes, spec.context)
                                : split_corpus(bytes, spec.val_fraction, spec.context);
        },
        all, wrong);
    begin = ends[i];
  }
  if (!wrong.empty()) throw Error(ErrorKind::input, std::move(wrong));
  if (val != nullptr) all.val = {{0, val->stats.bytes}};
  return all;
}

// As the whole is, with a word on each part of the mixture that is left without text on one side.
Split parts_between_documents(const spec::DataSpec& spec, const CorpusFacts& train, const Split& split,
                              std::span<const uint64_t> ends) {
  Split all;
  std::vector<Diagnostic> wrong;
  uint64_t begin = 0;
  for (size_t i = 0; i < train.part_ends.size(); ++i) {
    const uint64_t end = train.part_ends[i];
    const auto within = [&](const std::vector<Segment>& segments) {
      std::vector<Segment> some;
      for (const Segment& segment : segments)
        if (segment.begin >= begin && segment.end <= end) some.push_back(segment);
      return some;
    };
    const auto behind = std::upper_bound(ends.begin(), ends.end(), end);
    add_split(
        spec.mixture.at(i).corpus, 0,
        [&] {
          return split_between_documents({within(split.train), within(split.val)}, {ends.begin(), behind});
        },
        all, wrong);
    begin = end;
  }
  if (!wrong.empty()) throw Error(ErrorKind::input, std::move(wrong));
  return all;
}

}  // namespace

int64_t model_vocab(const spec::DataSpec& spec, int64_t tokens) {
  if (spec.vocab_rows == 0) return tokens;
  if (spec.vocab_rows < tokens)
    throw Error(ErrorKind::input,
                fmt::format("data.vocab_rows: expected 0, or at least the {} tokens of '{}', found {}", tokens,
                            spec::tokenizer_text(spec::tokenizer_json(spec)), spec.vocab_rows));
  return spec.vocab_rows;
}

fs::path trained_tokenizer_file(const fs::path& cache, const std::string& name) {
  return cache / "tokenizers" / (name.substr(0, 12) + ".model");
}

spec::DataSpec text_beside(const spec::DataSpec& own, const spec::AlsoSpec& text, const fs::path& cache) {
  spec::DataSpec data = text.data();
  data.context = own.context;
  data.tokenizer = own.recipe.vocab > 0 ? trained_tokenizer_file(cache, own.tokenizer_sha256).string() : own.tokenizer;
  return data;
}

std::shared_ptr<const tokenize::Tokenizer> open_file_tokenizer(const spec::DataSpec& spec) {
  if (spec.recipe.vocab > 0) return nullptr;
  auto tokenizer = tokenize::open_tokenizer(spec.tokenizer);
  const std::string& sha256 = tokenizer->facts().sha256;
  if (!spec.tokenizer_sha256.empty() && spec.tokenizer_sha256 != sha256)
    throw Error(
        ErrorKind::input,
        fmt::format("'{}' is no longer the tokenizer that the run was planned with (SHA-256 {:.12}, then {:.12}); "
                    "plan and submit it anew",
                    spec.tokenizer, sha256, spec.tokenizer_sha256));
  return tokenizer;
}

std::shared_ptr<const tokenize::Tokenizer> find_trained_tokenizer(const spec::DataSpec& spec, const std::string& name,
                                                                  const fs::path& cache) try {
  const fs::path path = trained_tokenizer_file(cache, name);
  std::error_code code;
  if (!fs::exists(path, code)) return nullptr;
  return tokenize::read_sentence_piece(read_file(path), shown_recipe(spec.recipe));
} catch (const Error&) {
  return nullptr;  // damaged: trained again
}

std::vector<Segment> training_sample(const spec::DataSpec& spec, const Mixture& mixture, const Split& split) {
  const auto limit = static_cast<uint64_t>(spec.recipe.sample_bytes);
  return sample_segments(mixture.sample(split.train, limit, kSamplePieces), limit, kSamplePieces);
}

std::shared_ptr<const tokenize::Tokenizer> trained_tokenizer(const spec::DataSpec& spec, const std::string& name,
                                                             std::span<const uint8_t> text,
                                                             const std::vector<Segment>& sample, const fs::path& cache,
                                                             Notes* notes) {
  if (auto known = find_trained_tokenizer(spec, name, cache)) return known;
  std::vector<std::string_view> texts;
  uint64_t bytes = 0;
  for (const Segment& piece : sample) {
    texts.emplace_back(reinterpret_cast<const char*>(text.data()) + piece.begin, piece.size());
    bytes += piece.size();
  }
  if (notes != nullptr)
    notes->progress(fmt::format("tokenizer: training {} on {} of text", shown_recipe(spec.recipe),
                                format_bytes(static_cast<double>(bytes))));
  make_folder(cache / "tokenizers");
  write_file_atomic(trained_tokenizer_file(cache, name), tokenize::train_sentence_piece(spec.recipe, texts));
  auto trained = find_trained_tokenizer(spec, name, cache);
  if (trained == nullptr) throw Error(ErrorKind::failed, "a tokenizer that was just trained cannot be read");
  return trained;
}

bool documents_matter(const spec::DataSpec& spec) {
  return spec.split == "documents" || (!spec.is_bytes() && spec.documents != "none");
}

Split split_texts(const spec::DataSpec& spec, const CorpusFacts& train, const CorpusFacts* val,
                  std::span<const uint64_t> ends) {
  Split split = split_bytes(spec, train, val);
  if (spec.split != "documents" || val != nullptr) return split;
  if (ends.empty())
    throw Error(ErrorKind::input, fmt::format("data.split documents: '{}' is one document", train.name));
  // A run of before stays what it was.
  const bool by_parts = !train.part_ends.empty() && spec.sha256.empty();
  return by_parts ? parts_between_documents(spec, train, split, ends) : split_between_documents(split, ends);
}

std::string tokenizer_name(const spec::DataSpec& spec, const tokenize::Tokenizer* tokenizer, const CorpusFacts& train,
                           const CorpusFacts* val) {
  if (tokenizer != nullptr) return tokenizer->facts().sha256;
  // What it is trained on: the training side, which these say.
  std::string text = train.content();
  for (const int64_t share : train.part_ends.empty() ? std::vector<int64_t>() : spec::mixture_shares(spec.mixture))
    text += fmt::format(" {}", share);
  for (const Segment& segment : split_bytes(spec, train, val).train)
    text += fmt::format(" {}-{}", segment.begin, segment.end);
  if (spec.split == "documents") text += " " + train.documents_sha256;
  return tokenize::trained_name(spec.recipe, text);
}

tokenize::TokenizerFacts trained_facts() {
  return {.name = "", .kind = "", .sha256 = "", .bos = 1, .eos = 2, .loss = ""};
}

void choose_documents(const spec::DataSpec& spec, const tokenize::TokenizerFacts& tokenizer, const CorpusFacts& train,
                      const CorpusFacts* val, DatasetInfo& info) {
  const std::string& wanted = spec.documents;
  if ((wanted == "bos" && !tokenizer.bos) || (wanted == "eos" && !tokenizer.eos))
    throw Error(ErrorKind::input, has_not(tokenizer, wanted));
  const bool many = train.documents.value_or(1) > 1 || (val != nullptr && val->documents.value_or(1) > 1);
  info.documents = !wanted.empty() ? wanted : !many ? "none" : tokenizer.bos ? "bos" : tokenizer.eos ? "eos" : "none";
  if (!many || (info.documents == "none" && spec.split != "documents")) return;
  info.documents_sha256 =
      val != nullptr ? sha256_hex(train.documents_sha256 + val->documents_sha256) : train.documents_sha256;
  if (!spec.documents_sha256.empty() && spec.documents_sha256 != info.documents_sha256)
    throw Error(
        ErrorKind::input,
        fmt::format("'{}' has other documents than when the run was planned; plan and submit it anew", info.name));
}

DocumentTokens marks_of(const std::string& documents, const tokenize::TokenizerFacts& tokenizer) {
  return {.before = documents == "bos" ? tokenizer.bos : std::nullopt,
          .behind = documents == "eos" ? tokenizer.eos : std::nullopt};
}

TextDocuments marked_text(const CorpusText& text, const std::string& documents) {
  if (documents == "none") return {text.bytes(), {}};
  assert(text.facts.documents.value_or(1) < 2 || !text.document_ends().empty());
  return {text.bytes(), text.document_ends()};
}

StoreSource store_source(std::shared_ptr<const tokenize::Tokenizer> tokenizer, const CorpusText& train,
                         const CorpusText* val, const Split& split, const DatasetInfo& info) {
  const CorpusText& val_text = val != nullptr ? *val : train;
  const DocumentTokens marks = marks_of(info.documents, tokenizer->facts());
  return {.corpus_sha256 = info.sha256,
          .documents_sha256 = info.documents != "none" ? info.documents_sha256 : "",
          .tokenizer = std::move(tokenizer),
          .tokenizer_sha256 = info.tokenizer_sha256,
          .marks = marks,
          .train_text = marked_text(train, info.documents),
          .val_text = marked_text(val_text, info.documents),
          .split = split_between_characters(split, train.bytes(), val_text.bytes())};
}

void tell_store(const StoreFacts& facts, const tokenize::TokenizerFacts& tokenizer, int64_t context,
                DatasetInfo& info) {
  count_tokens({facts.train.segments, facts.val.segments}, context, info);
  info.bytes_kept = facts.bytes_kept();
  info.bytes_per_token = facts.train.bytes_per_token();
  const uint64_t text = facts.train.text_bytes + facts.val.text_bytes,
                 kept = facts.train.token_bytes + facts.val.token_bytes;
  info.unknown_bytes = text > kept ? text - kept : kept - text;
  if (info.bytes_kept < 1)
    info.notes.push_back(fmt::format("'{}' loses {} of the {} bytes of '{}'; a loss per byte is over those it keeps.",
                                     tokenizer.name, format_thousands(static_cast<int64_t>(info.unknown_bytes)),
                                     format_thousands(static_cast<int64_t>(text)), info.name));
}

void estimate_tokens(const spec::DataSpec& spec, const tokenize::Tokenizer* tokenizer, const InspectedCorpus& train,
                     const Split& split, DatasetInfo& info) {
  info.to_build = StoreEstimate{};
  info.train_tokens = info.train_windows = info.val_tokens = info.val_windows = 0;
  if (tokenizer == nullptr) return;
  std::vector<std::string_view> sample(train.sample.begin(), train.sample.end());
  if (train.text != nullptr)
    for (const Segment& piece : sample_segments(split.train, TextSample::block_bytes * kSamplePieces, kSamplePieces))
      sample.emplace_back(reinterpret_cast<const char*>(train.text->bytes().data()) + piece.begin, piece.size());
  info.to_build = estimate_store(*tokenizer, sample, info.bytes);
  const auto tokens = [&](const std::vector<Segment>& segments) {
    uint64_t bytes = 0;
    for (const Segment& segment : segments) bytes += segment.size();
    return std::llround(info.to_build->tokens_per_byte * static_cast<double>(bytes));
  };
  info.train_tokens = tokens(split.train);
  info.val_tokens = tokens(split.val);
  info.train_windows = info.train_tokens / spec.context;
  info.val_windows = info.val_tokens / (spec.context + 1);
  if (info.to_build->tokens_per_byte > 0) info.bytes_per_token = 1 / info.to_build->tokens_per_byte;
}

}  // namespace bitsweep::data
