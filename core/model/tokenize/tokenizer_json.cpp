#include "tokenize/tokenizer_json.h"

#include <array>
#include <limits>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/json.h"
#include "base/units.h"
#include "tokenize/bpe_tokenizer.h"

namespace bitsweep::tokenize {
namespace {

constexpr int64_t kMostIds = int64_t{1} << 31;  // batches hold int32

// Special tokens that open or close a text, by the names that published tokenizers give them.
constexpr std::array<std::string_view, 6> kBosNames{"<|begin_of_text|>", "<s>",   "<bos>",
                                                    "<|startoftext|>",   "[BOS]", "<|endoftext|>"};
constexpr std::array<std::string_view, 6> kEosNames{"<|end_of_text|>", "</s>",  "<eos>",
                                                    "<|endoftext|>",   "[EOS]", "<|im_end|>"};

// The alphabet of GPT-2: a visible character for each byte, so that a token is text.
class ByteLetters {
 public:
  ByteLetters() {
    bytes_.fill(-1);
    int next = 256;
    for (int byte = 0; byte < 256; ++byte) {
      const bool visible = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
      bytes_[static_cast<size_t>(visible ? byte : next++)] = static_cast<int16_t>(byte);
    }
  }
  // The bytes of a token; nothing when it has a character outside the alphabet.
  std::optional<std::string> bytes(std::string_view token) const {
    std::string out;
    for (size_t i = 0; i < token.size();) {
      const auto lead = static_cast<uint8_t>(token[i]);
      size_t letter = lead;
      if (lead >= 0x80) {
        if (i + 1 == token.size() || lead < 0xC2 || lead > 0xC5) return std::nullopt;
        letter = size_t{lead & 0x1Fu} << 6 | (static_cast<uint8_t>(token[++i]) & 0x3Fu);
      }
      ++i;
      if (letter >= bytes_.size() || bytes_[letter] < 0) return std::nullopt;
      out += static_cast<char>(bytes_[letter]);
    }
    return out;
  }

 private:
  std::array<int16_t, 324> bytes_;
};

class Reader {
 public:
  explicit Reader(const std::string& name) : name_(name) { parts_.name = name; }

  BpeParts read(const json::object& document) {
    const json::object& model = member_object(document, "model", "");
    read_normalizer(document);
    read_pre_tokenizer(document);
    read_model_settings(model);
    read_vocabulary(model);
    read_added(document);
    read_merges(model);
    if (!problems_.empty()) throw Error(ErrorKind::input, std::move(problems_));
    return std::move(parts_);
  }

 private:
  void problem(std::string message) { problems_.push_back({name_, 0, 0, std::move(message)}); }

  const json::object& member_object(const json::object& object, std::string_view key, std::string_view within) {
    static const json::object kEmpty;
    const json::value* value = object.if_contains(key);
    if (value != nullptr && value->is_object()) return value->get_object();
    problem(fmt::format("'{}{}' is not there, or no object", within, key));
    return kEmpty;
  }

  static bool is_set(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    if (value == nullptr || value->is_null()) return false;
    if (value->is_string()) return !value->get_string().empty();
    return !value->is_bool() || value->get_bool();
  }

  // The component and, of a Sequence, its parts.
  template <class Each>
  void each_component(const json::object& document, std::string_view key, std::string_view list, Each each) {
    const json::value* value = document.if_contains(key);
    if (value == nullptr || value->is_null()) return;
    if (!value->is_object()) return problem(fmt::format("'{}' is no object", key));
    const json::object& component = value->get_object();
    const json::value* parts = component.if_contains(list);
    if (string_or(component, "type", "") != "Sequence" || parts == nullptr || !parts->is_array())
      return each(component);
    for (const json::value& part : parts->get_array())
      if (part.is_object()) each(part.get_object());
  }

  void read_normalizer(const json::object& document) {
    each_component(document, "normalizer", "normalizers", [&](const json::object& component) {
      const std::string type = string_or(component, "type", "");
      if (type == "NFC")
        parts_.nfc = true;
      else
        problem(fmt::format("normalizer '{}' is not read: NFC and none are", type));
    });
  }

  void read_pre_tokenizer(const json::object& document) {
    bool bytes = false;
    each_component(document, "pre_tokenizer", "pretokenizers", [&](const json::object& component) {
      const std::string type = string_or(component, "type", "");
      if (bytes) return problem(fmt::format("pre-tokenizer '{}' stands behind ByteLevel, which ends them", type));
      if (type == "ByteLevel")
        bytes = true, read_byte_level(component);
      else if (type == "Split")
        read_split(component);
      else if (type == "Digits")
        add_pattern(bool_or(component, "individual_digits", false) ? R"(\p{N})" : R"(\p{N}+)");
      else
        problem(fmt::format("pre-tokenizer '{}' is not read: ByteLevel, Split and Digits are", type));
    });
    if (!bytes)
      problem("there is no pre-tokenizer ByteLevel: only byte-level BPE is read (SentencePiece as its .model)");
  }

  void read_byte_level(const json::object& component) {
    if (bool_or(component, "add_prefix_space", true)) problem("pre-tokenizer ByteLevel: add_prefix_space is not read");
    if (bool_or(component, "use_regex", true)) add_pattern(kGpt2Pattern);
  }

  void read_split(const json::object& component) {
    const std::string behavior = string_or(component, "behavior", "");
    if (behavior != "Isolated")
      problem(fmt::format("pre-tokenizer Split: behavior '{}' is not read: Isolated is", behavior));
    if (bool_or(component, "invert", false)) problem("pre-tokenizer Split: invert is not read");
    const json::object& pattern = member_object(component, "pattern", "pre_tokenizer.Split.");
    if (pattern.contains("Regex"))
      add_pattern(string_or(pattern, "Regex", ""));
    else if (pattern.contains("String"))
      add_pattern("\\Q" + string_or(pattern, "String", "") + "\\E");
    else
      problem("pre-tokenizer Split: its pattern is neither Regex nor String");
  }

  void add_pattern(const std::string& expression) try {
    parts_.patterns.emplace_back(expression);
  } catch (const Error& error) {
    problem(error.what());
  }

  void read_model_settings(const json::object& model) {
    const std::string type = string_or(model, "type", "BPE");
    if (type != "BPE") problem(fmt::format("model '{}' is not read: BPE is", type));
    for (const char* key :
         {"dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback"})
      if (is_set(model, key)) problem(fmt::format("model.{} is not read", key));
    parts_.whole_words = bool_or(model, "ignore_merges", false);
  }

  std::optional<TokenId> id_of(const json::value& value, std::string_view token) {
    boost::system::error_code failed;
    const auto id = value.is_number() ? value.to_number<int64_t>(failed) : -1;
    if (!failed && id >= 0 && id < kMostIds) return static_cast<TokenId>(id);
    problem(fmt::format("the id of '{}' is no integer from 0 to {}", token, format_thousands(kMostIds - 1)));
    return std::nullopt;
  }

  void place(TokenId id, std::string piece) {
    // An id far beyond the others would be memory for nothing.
    if (id >= parts_.pieces.size()) parts_.pieces.resize(size_t{id} + 1);
    parts_.pieces[id] = std::move(piece);
  }

  void read_vocabulary(const json::object& model) {
    const json::object& vocab = member_object(model, "vocab", "model.");
    if (model.contains("vocab") && model.at("vocab").is_object() && vocab.empty())
      problem("'model.vocab' holds no token");
    const size_t most = 2 * vocab.size() + 65536;
    size_t odd = 0;
    std::string first_odd;
    for (const auto& [token, value] : vocab) {
      const auto id = id_of(value, token);
      if (!id) continue;
      if (*id > most) {
        problem(fmt::format("the id of '{}', {}, lies far beyond the {} tokens", std::string_view(token), *id,
                            format_thousands(static_cast<int64_t>(vocab.size()))));
        continue;
      }
      auto piece = letters_.bytes(token);
      if (!piece && ++odd == 1) first_odd = token;
      ids_.emplace(token, *id);
      if (const auto taken = taken_.try_emplace(*id, token); !taken.second)
        problem(
            fmt::format("the tokens '{}' and '{}' have one id, {}", taken.first->second, std::string_view(token), *id));
      place(*id, piece.value_or(""));
    }
    // Control tokens may be listed among them; those that stay without bytes can never be made.
    if (odd > 0 && odd == vocab.size())
      problem(fmt::format("no token of model.vocab is of byte letters (the first is '{}'): this is no byte-level BPE",
                          first_odd));
  }

  void read_added(const json::object& document) {
    const json::value* list = document.if_contains("added_tokens");
    if (list == nullptr || !list->is_array()) return;
    std::unordered_map<std::string, TokenId> special;
    for (const json::value& item : list->get_array()) {
      if (!item.is_object() || !item.get_object().contains("id")) {
        problem("an added token is no object with 'id' and 'content'");
        continue;
      }
      const json::object& token = item.get_object();
      const std::string content = string_or(token, "content", "");
      const auto id = id_of(token.at("id"), content);
      if (!id) continue;
      if (const auto taken = taken_.try_emplace(*id, content); taken.first->second != content) {
        problem(fmt::format("added token '{}' has the id {} of '{}'", content, *id, taken.first->second));
        continue;
      }
      if (bool_or(token, "special", false)) {
        special.emplace(content, *id);
        place(*id, "");
      } else if (!content.empty()) {
        for (const char* key : {"lstrip", "rstrip", "single_word"})
          if (bool_or(token, key, false)) problem(fmt::format("added token '{}': {} is not read", content, key));
        parts_.added.push_back(*id);
        place(*id, content);
      }
    }
    const auto role = [&](const auto& names) -> std::optional<TokenId> {
      for (const std::string_view name : names)
        if (const auto found = special.find(std::string(name)); found != special.end()) return found->second;
      return std::nullopt;
    };
    parts_.bos = role(kBosNames);
    parts_.eos = role(kEosNames);
  }

  void read_merges(const json::object& model) {
    const json::value* list = model.if_contains("merges");
    if (list == nullptr || !list->is_array()) return problem("'model.merges' is not there, or no list");
    size_t wrong = 0;
    std::string first_wrong;
    for (const json::value& item : list->get_array()) {
      const auto [left, right] = halves_of(item);
      const auto a = ids_.find(left), b = ids_.find(right);
      const bool known = a != ids_.end() && b != ids_.end() && ids_.contains(left + right);
      if (known && !parts_.pieces[a->second].empty() && !parts_.pieces[b->second].empty())
        parts_.merges.emplace_back(a->second, b->second);
      else if (++wrong == 1)
        first_wrong = json::serialize(item);
    }
    if (wrong > 0)
      problem(fmt::format("merges whose tokens are not all in model.vocab: {}, the first {}", wrong, first_wrong));
  }

  // "a b", or ["a", "b"].
  static std::pair<std::string, std::string> halves_of(const json::value& merge) {
    if (merge.is_string()) {
      const std::string_view text = merge.get_string();
      const size_t space = text.find(' ');
      if (space == std::string_view::npos) return {};
      return {std::string(text.substr(0, space)), std::string(text.substr(space + 1))};
    }
    if (!merge.is_array() || merge.get_array().size() != 2) return {};
    const json::array& pair = merge.get_array();
    if (!pair[0].is_string() || !pair[1].is_string()) return {};
    return {std::string(pair[0].get_string()), std::string(pair[1].get_string())};
  }

  const std::string& name_;
  const ByteLetters letters_;
  BpeParts parts_;
  std::unordered_map<std::string, TokenId> ids_;    // by the token as it is written
  std::unordered_map<TokenId, std::string> taken_;  // and the other way
  std::vector<Diagnostic> problems_;
};

}  // namespace

std::shared_ptr<const Tokenizer> read_tokenizer_json(std::string_view text, const std::string& name) {
  const json::value document = parse_json(text, name);
  if (!document.is_object()) throw Error(ErrorKind::input, fmt::format("{}: no JSON object", name));
  return std::make_shared<BpeTokenizer>(Reader(name).read(document.get_object()));
}

}  // namespace bitsweep::tokenize
