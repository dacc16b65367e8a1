#include "data/shard_data.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/sha256.h"
#include "data/corpus_cache.h"
#include "data/findings.h"
#include "data/shard_file.h"
#include "data/sources.h"
#include "data/stored_tokens.h"
#include "data/token_plan.h"
#include "data/yardsticks.h"
#include "spec/corpus_value.h"

namespace bitsweep::data {
namespace {

constexpr uint64_t kTextPieces = 64;
constexpr size_t kDecodedAtOnce = 1 << 16;

// The files of a path or glob; what is wrong says of which of the two it is.
Sources list_shards(const std::string& pattern, const char* key) try {
  const size_t wild = pattern.find_first_of("*?[{");
  if (wild == std::string::npos) return list_sources({pattern, "", ""});
  const size_t slash = pattern.rfind('/', wild);  // paths are absolute
  return list_sources({pattern.substr(0, slash + 1), pattern.substr(slash + 1), ""});
} catch (const Error& error) {
  std::vector<Diagnostic> wrong = error.diagnostics();
  for (Diagnostic& diagnostic : wrong) {
    if (const size_t of = diagnostic.message.find("data.glob"); of == 0) diagnostic.message.erase(0, 10);
    diagnostic.message = fmt::format("data.corpus.{}: {}", key, diagnostic.message);
  }
  throw Error(error.kind(), std::move(wrong));
}

struct ShardFacts {
  std::string sha256;
  uint64_t tokens = 0, bytes = 0;  // bytes of text; of tokens that nobody knows, one each
};

// One side, opened.
struct ShardSide {
  std::shared_ptr<const StoredTokens> tokens;
  ShardFacts facts;
};

std::string hash_of(const Sources& sources) {
  Sha256 hash;
  for (const SourceFile& file : sources.files) {
    const MappedFile map(file.path);
    hash.update(map.bytes().data(), 12);  // form and count; what else a header says decides nothing
    hash.update(map.bytes().data() + shard_header_bytes, map.bytes().size() - shard_header_bytes);
  }
  return hash.hex();
}

ShardSide open_side(const Sources& sources, const tokenize::Tokenizer* tokenizer, int64_t vocab,
                    const CorpusCache& cache, bool keep) {
  const int64_t looked_ns = file_time_now_ns();
  std::vector<ShardFile> files;
  Findings findings;
  for (const SourceFile& file : sources.files) findings.collect([&] { files.emplace_back(file.path); });
  findings.throw_if_any();
  ShardSide side;
  side.tokens = std::make_shared<StoredTokens>(
      std::move(files), vocab, tokenizer != nullptr ? std::make_shared<tokenize::ByteCounter>(*tokenizer) : nullptr);
  const std::string key = sha256_hex(fmt::format("shards {} {} {}", sources.fingerprint(), vocab,
                                                 tokenizer != nullptr ? tokenizer->facts().sha256 : ""));
  if (const auto known = cache.load("shards", key)) {
    side.facts = {string_or(*known, "sha256", ""), side.tokens->size(),
                  static_cast<uint64_t>(integer_or(*known, "bytes", 0))};
    if (side.facts.sha256.size() == 64 && side.facts.bytes > 0) return side;
  }
  const Segment all{0, side.tokens->size()};
  side.tokens->check(all);
  side.facts = {hash_of(sources), side.tokens->size(), side.tokens->text_bytes(all)};
  if (side.facts.bytes == 0)
    throw Error(ErrorKind::input, fmt::format("'{}': its tokens stand for no text", sources.name));
  if (keep && sources.settled(looked_ns))
    cache.save("shards", key, {{"sha256", side.facts.sha256}, {"bytes", side.facts.bytes}});
  return side;
}

void require_disjoint(const Sources& train, const Sources& val) {
  for (const SourceFile& file : val.files) {
    const auto same = [&](const SourceFile& other) { return other.path == file.path; };
    if (std::any_of(train.files.begin(), train.files.end(), same))
      throw Error(ErrorKind::input,
                  fmt::format("'{}' is a shard both to train on and to validate on (data.corpus)", file.path.string()));
  }
}

std::shared_ptr<const tokenize::Tokenizer> tokenizer_of(const spec::DataSpec& spec) {
  return spec.tokenizer == spec::no_tokenizer ? nullptr : open_file_tokenizer(spec);
}

DatasetInfo describe(const spec::DataSpec& spec, const ShardData& data, const ShardFacts& train,
                     const ShardFacts& val) {
  DatasetInfo info;
  info.name = spec::corpus_text(spec::corpus_json(spec));
  info.sha256 = sha256_hex(train.sha256 + val.sha256);
  if (!spec.sha256.empty() && spec.sha256 != info.sha256)
    throw Error(ErrorKind::input,
                fmt::format("'{}' are no longer the shards that the run was planned on (SHA-256 {:.12}, then {:.12}); "
                            "plan and submit it anew",
                            info.name, info.sha256, spec.sha256));
  info.val_sha256 = val.sha256;
  info.bytes = train.bytes + val.bytes;
  info.vocab = data.tokenizer != nullptr ? model_vocab(spec, data.tokenizer->vocab()) : spec.vocab_rows;
  info.bytes_per_token = static_cast<double>(train.bytes) / static_cast<double>(train.tokens);
  if (data.tokenizer != nullptr)
    info.tokenizer_sha256 = data.tokenizer->facts().sha256;
  else
    info.notes.push_back(
        fmt::format("nobody says what the tokens of '{}' stand for: losses are bits per token, and "
                    "compare with nothing else.",
                    info.name));
  const Split split = split_separate(train.tokens, val.tokens, spec.context);
  count_tokens(split, spec.context, info);
  return info;
}

// Appends what the tokens stand for; a text begins behind BOS and EOS.
void append_text(const tokenize::Tokenizer& tokenizer, std::span<const int32_t> tokens, std::string& text) {
  std::vector<tokenize::TokenId> ids;
  const auto flush = [&] {
    text += tokenizer.decode(ids);
    ids.clear();
  };
  for (const int32_t token : tokens) {
    const auto id = static_cast<tokenize::TokenId>(token);
    if (id == tokenizer.facts().bos || id == tokenizer.facts().eos)
      flush();
    else
      ids.push_back(id);
  }
  flush();
}

std::shared_ptr<const CorpusText> decode(const std::string& name, const std::string& key, const TokenSource& tokens,
                                         double bytes_per_token, const tokenize::Tokenizer& tokenizer,
                                         const CorpusCache& cache) {
  if (const auto known = cache.load("shard-text", key))
    if (auto text = find_cached_corpus(string_or(*known, "sha256", ""), cache.folder())) return text;
  const auto limit = static_cast<uint64_t>(static_cast<double>(yardstick_sample_bytes) / bytes_per_token);
  CorpusWriter writer(cache, name, std::min(yardstick_sample_bytes, tokens.text_bytes({0, tokens.size()})));
  for (const Segment& piece : sample_segments({{0, tokens.size()}}, limit, kTextPieces)) {
    std::string text;
    std::vector<int32_t> part;
    for (uint64_t at = piece.begin; at < piece.end; at += part.size()) {
      part.resize(std::min<uint64_t>(kDecodedAtOnce, piece.end - at));
      tokens.windows({&at, 1}, part.size(), std::span<int32_t>(part));
      append_text(tokenizer, part, text);
    }
    writer.add({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  }
  CorpusFacts facts;
  facts.name = name;
  MappedFile map = writer.finish(facts);
  cache.save("shard-text", key, {{"sha256", facts.sha256}});
  return std::make_shared<CorpusText>(std::move(facts), std::move(map));
}

}  // namespace

ShardData open_shards(const spec::DataSpec& spec, const fs::path& cache_folder, bool keep) {
  ShardData data;
  data.tokenizer = tokenizer_of(spec);
  const Sources train_files = list_shards(spec.shards.train, "train"), val_files = list_shards(spec.shards.val, "val");
  require_disjoint(train_files, val_files);
  const CorpusCache cache(cache_folder);
  const int64_t vocab = data.tokenizer != nullptr ? data.tokenizer->vocab() : spec.vocab_rows;
  const ShardSide train = open_side(train_files, data.tokenizer.get(), vocab, cache, keep),
                  val = open_side(val_files, data.tokenizer.get(), vocab, cache, keep);
  data.info = describe(spec, data, train.facts, val.facts);
  data.train = train.tokens;
  data.val = val.tokens;
  data.bytes_per_train_token = data.info.bytes_per_token;
  return data;
}

ShardTexts decode_shards(const ShardData& data, const fs::path& cache_folder) {
  if (data.tokenizer == nullptr) return {};
  const CorpusCache cache(cache_folder);
  const auto text = [&](const TokenSource& tokens, const char* side) {
    const std::string key = sha256_hex(fmt::format("{} {} {}", data.info.sha256, side, data.info.tokenizer_sha256));
    return decode(data.info.name, key, tokens, data.bytes_per_train_token, *data.tokenizer, cache);
  };
  return {text(*data.train, "train"), text(*data.val, "val")};
}

}  // namespace bitsweep::data
