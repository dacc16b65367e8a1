#include "tokenize/bpe_tokenizer.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/sha256.h"
#include "tokenize/nfc.h"
#include "tokenize/word_cache.h"

namespace bitsweep::tokenize {
namespace {

// Everything that decides ids or roles, each text with its length before it.
std::string identity_of(const BpeParts& parts) {
  Sha256 hash;
  const auto text = [&](std::string_view value) {
    hash.update(fmt::format("{}:", value.size()));
    hash.update(value);
  };
  text("byte-level BPE 1");
  for (const std::string& piece : parts.pieces) text(piece);
  for (const auto& [left, right] : parts.merges) hash.update(fmt::format("{} {}\n", left, right));
  for (const Pattern& pattern : parts.patterns) text(pattern.expression());
  for (const TokenId id : parts.added) hash.update(fmt::format("added {}\n", id));
  hash.update(fmt::format("nfc {} whole words {}\n", parts.nfc, parts.whole_words));
  for (const auto& [name, id] : {std::pair("bos", parts.bos), std::pair("eos", parts.eos)})
    if (id) hash.update(fmt::format("{} {}\n", name, *id));
  return hash.hex();
}

TokenizerFacts facts_of(const BpeParts& parts) {
  TokenizerFacts facts{.name = parts.name,
                       .kind = "byte-level BPE",
                       .sha256 = identity_of(parts),
                       .vocab = static_cast<int64_t>(parts.pieces.size()),
                       .bos = parts.bos,
                       .eos = parts.eos,
                       .loss = ""};
  std::array<bool, 256> known{};
  for (const std::string& piece : parts.pieces)
    if (piece.size() == 1) known[static_cast<uint8_t>(piece[0])] = true;
  const auto missing = std::count(known.begin(), known.end(), false);
  if (missing > 0) facts.loss = fmt::format("{} bytes have no token, and are left out", missing);
  if (parts.nfc) facts.loss += fmt::format("{}it composes text (NFC)", facts.loss.empty() ? "" : "; ");
  facts.lossless = facts.loss.empty();
  return facts;
}

}  // namespace

BpeTokenizer::BpeTokenizer(const BpeParts& parts)
    : Tokenizer(facts_of(parts), parts.pieces),
      patterns_(parts.patterns),
      nfc_(parts.nfc),
      whole_words_(parts.whole_words),
      merges_(parts.merges.size()) {
  byte_ids_.fill(kNone);
  std::unordered_map<std::string_view, TokenId> ids;
  for (int64_t i = vocab() - 1; i >= 0; --i) {
    const auto id = static_cast<TokenId>(i);
    const std::string_view piece = bytes(id);
    if (piece.empty()) continue;
    ids[piece] = id;
    if (piece.size() == 1) byte_ids_[static_cast<uint8_t>(piece[0])] = id;
  }
  std::string joined;
  uint32_t rank = 0;
  for (const auto& [left, right] : parts.merges) {
    joined.assign(bytes(left)).append(bytes(right));
    merges_.add(left, right, {rank++, ids.at(joined)});
  }
  if (whole_words_) words_ = std::move(ids);
  any_added_ = !parts.added.empty();
  for (const TokenId id : parts.added) added_[static_cast<uint8_t>(bytes(id)[0])].push_back(id);
  for (std::vector<TokenId>& list : added_)
    std::stable_sort(list.begin(), list.end(), [&](TokenId a, TokenId b) { return bytes(a).size() > bytes(b).size(); });
}

TokenId BpeTokenizer::added_at(std::string_view text) const {
  for (const TokenId id : added_[static_cast<uint8_t>(text[0])])
    if (text.starts_with(bytes(id))) return id;
  return kNone;
}

class BpeEncoder final : public Encoder {
 public:
  explicit BpeEncoder(const BpeTokenizer& tokenizer) : of_(tokenizer), merger_(tokenizer.merges_) {
    for (const Pattern& pattern : of_.patterns_) levels_.push_back({Splitter(pattern), {}});
  }

  void encode(std::string_view text, std::vector<TokenId>& ids) override {
    if (!of_.any_added_) return encode_stretch(text, ids);
    size_t from = 0;
    for (size_t at = 0; at < text.size();) {
      const TokenId added = of_.added_at(text.substr(at));
      if (added == BpeTokenizer::kNone) {
        ++at;
        continue;
      }
      encode_stretch(text.substr(from, at - from), ids);
      ids.push_back(added);
      from = at += of_.bytes(added).size();
    }
    encode_stretch(text.substr(from), ids);
  }

 private:
  struct Level {
    Splitter splitter;
    std::vector<size_t> ends;
  };

  void encode_stretch(std::string_view text, std::vector<TokenId>& ids) {
    if (text.empty()) return;
    cut(of_.nfc_ ? composed(text, composed_) : text, 0, ids);
  }

  void cut(std::string_view text, size_t level, std::vector<TokenId>& ids) {
    if (level == levels_.size()) return encode_word(text, ids);
    Level& here = levels_[level];
    here.splitter.split(text, here.ends);
    size_t begin = 0;
    for (const size_t end : here.ends) {
      cut(text.substr(begin, end - begin), level + 1, ids);
      begin = end;
    }
  }

  void encode_word(std::string_view word, std::vector<TokenId>& ids) {
    size_t count = 0;
    if (const TokenId* known = cache_.find(word, count)) {
      ids.insert(ids.end(), known, known + count);
      return;
    }
    const size_t first = ids.size();
    merge_word(word, ids);
    cache_.put(word, std::span(ids).subspan(first));
  }

  void merge_word(std::string_view word, std::vector<TokenId>& ids) {
    if (of_.whole_words_)
      if (const auto whole = of_.words_.find(word); whole != of_.words_.end()) return ids.push_back(whole->second);
    const size_t first = ids.size();
    for (const char c : word)
      if (const TokenId id = of_.byte_ids_[static_cast<uint8_t>(c)]; id != BpeTokenizer::kNone) ids.push_back(id);
    ids.resize(first + merger_.merge(ids.data() + first, ids.size() - first));
  }

  const BpeTokenizer& of_;
  std::vector<Level> levels_;
  WordMerger merger_;
  WordCache cache_;
  std::string composed_;
};

std::unique_ptr<Encoder> BpeTokenizer::make_encoder() const { return std::make_unique<BpeEncoder>(*this); }

}  // namespace bitsweep::tokenize
