#include "spec/tokenizer_value.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/files.h"
#include "base/nearest.h"
#include "base/units.h"

namespace bitsweep::spec {
namespace {

constexpr int64_t kLeastVocab = 260, kMostVocab = 1'000'000;  // 256 bytes, unknown, BOS and EOS, and something more
constexpr double kLeastSample = 1 << 16, kMostSample = 1e12;

std::string expected_tokenizer() {
  return fmt::format("{}, the path of a .model or a tokenizer.json, or {{ train: {{ kind: bpe, vocab: 1024 }} }}",
                     fmt::join(tokenizer_names(), ", "));
}

json::value word_or_file(const YamlNode& node, Problems& problems) {
  if (vocabulary_of(node.text) || node.text == no_tokenizer) return json::value(node.text);
  if (node.text.find_first_of("./") != std::string::npos) return json::value(absolute_path(node).string());
  problems.add(node.place, fmt::format("'data.tokenizer' must be {}, found {}{}", expected_tokenizer(),
                                       yaml_found(node), did_you_mean(node.text, tokenizer_names())));
  return nullptr;
}

// Reads the map under `train`, and says everything that is wrong with it, each at its place.
class RecipeReader {
 public:
  explicit RecipeReader(Problems& problems) : problems_(problems) {}

  json::value read(const YamlEntry& train) {
    if (train.value->kind != YamlKind::map) {
      wrong(train.value->place, fmt::format("'data.tokenizer.train' must be a map such as {{ kind: bpe, vocab: 1024 }}"
                                            ", found {}",
                                            yaml_found(*train.value)));
      return nullptr;
    }
    bool has_vocab = false;
    for (const YamlEntry& entry : train.value->entries) {
      has_vocab = has_vocab || entry.key == "vocab";
      member(entry);
    }
    if (!has_vocab)
      wrong(train.key_place, fmt::format("'data.tokenizer.train.vocab' is missing: an integer from {} to {}",
                                         format_thousands(kLeastVocab), format_thousands(kMostVocab)));
    return good_ ? json::value(to_json(recipe_)) : json::value(nullptr);
  }

 private:
  void member(const YamlEntry& entry) {
    static const std::vector<std::string> kKeys{"kind", "vocab", "sample"};
    const YamlNode& node = *entry.value;
    const auto must_be = [&](const std::string& expected, const std::string& hint = "") {
      wrong(node.place, fmt::format("'data.tokenizer.train.{}' must be {}, found {}{}", entry.key, expected,
                                    yaml_found(node), hint));
    };
    if (entry.key == "kind") {
      const auto& kinds = TokenizerRecipe::kinds();
      if (std::find(kinds.begin(), kinds.end(), node.text) == kinds.end())
        must_be(fmt::format("one of {}", fmt::join(kinds, ", ")), did_you_mean(node.text, kinds));
      else
        recipe_.kind = node.text;
    } else if (entry.key == "vocab") {
      const auto vocab = yaml_integer(node);
      if (!vocab || *vocab < kLeastVocab || *vocab > kMostVocab)
        must_be(fmt::format("an integer from {} to {}", format_thousands(kLeastVocab), format_thousands(kMostVocab)));
      else
        recipe_.vocab = *vocab;
    } else if (entry.key == "sample") {
      const auto sample = yaml_size(node);
      if (!sample || !(*sample >= kLeastSample && *sample <= kMostSample))
        must_be("a size in bytes from 65,536, such as 64M");
      else
        recipe_.sample_bytes = static_cast<int64_t>(*sample);
    } else {
      wrong(entry.key_place,
            fmt::format("unknown key 'data.tokenizer.train.{}'{}", entry.key, did_you_mean(entry.key, kKeys)));
    }
  }

  void wrong(const YamlPlace& place, std::string message) {
    good_ = false;
    problems_.add(place, std::move(message));
  }

  Problems& problems_;
  TokenizerRecipe recipe_;
  bool good_ = true;
};

}  // namespace

fs::path absolute_path(const YamlNode& node) {
  fs::path path = node.text;
  // Written in a file: relative to it. Given on the command line: relative to the current folder.
  if (path.is_relative() && node.place.line > 0) path = fs::path(*node.place.file).parent_path() / path;
  return fs::absolute(path).lexically_normal();
}

json::value read_tokenizer(const YamlNode& node, Problems& problems) {
  if (node.kind == YamlKind::scalar && !node.text.empty()) return word_or_file(node, problems);
  if (node.kind != YamlKind::map || node.entries.empty()) {
    problems.add(node.place,
                 fmt::format("'data.tokenizer' must be {}, found {}", expected_tokenizer(), yaml_found(node)));
    return nullptr;
  }
  json::value recipe;
  bool good = true;
  for (const YamlEntry& entry : node.entries) {
    if (entry.key == "train") {
      recipe = RecipeReader(problems).read(entry);
      continue;
    }
    good = false;
    problems.add(entry.key_place,
                 fmt::format("unknown key 'data.tokenizer.{}'{}", entry.key, did_you_mean(entry.key, {"train"})));
  }
  return good ? recipe : json::value(nullptr);
}

json::object to_json(const TokenizerRecipe& recipe) {
  return {{"train", {{"kind", recipe.kind}, {"vocab", recipe.vocab}, {"sample", recipe.sample_bytes}}}};
}

TokenizerRecipe tokenizer_recipe(const json::object& object) {
  const json::object& train = object.at("train").as_object();
  return {.kind = string_or(train, "kind", ""),
          .vocab = integer_or(train, "vocab", 0),
          .sample_bytes = integer_or(train, "sample", 0)};
}

json::value tokenizer_json(const DataSpec& data) {
  return data.recipe.vocab > 0 ? json::value(to_json(data.recipe)) : json::value(data.tokenizer);
}

std::optional<double> uniform_bits_per_byte(const json::object& data) {
  const json::value* name = data.if_contains("tokenizer");
  if (name != nullptr && name->is_string())
    if (const auto vocab = vocabulary_of(std::string(name->get_string())))
      return std::log2(static_cast<double>(*vocab));
  const double vocab = number_or(data, "vocab", 0), bytes = number_or(data, "bytes_per_token", 0);
  return vocab > 0 && bytes > 0 ? std::optional(std::log2(vocab) / bytes) : std::nullopt;
}

std::string loss_unit(const json::object& data) {
  if (data.contains("examples")) return "bits per byte of answers";
  return string_or(data, "unit", "bits per byte");
}

std::string tokenizer_text(const json::value& value) {
  if (value.is_object()) {
    const TokenizerRecipe recipe = tokenizer_recipe(value.get_object());
    return fmt::format("{} {} trained", recipe.kind, recipe.vocab);
  }
  const std::string name(value.as_string());
  if (vocabulary_of(name) || name == no_tokenizer) return name;
  const fs::path path = name;
  // Every file of the one kind has the same name: its folder tells them apart.
  return path.filename() == "tokenizer.json" && path.has_parent_path()
             ? (path.parent_path().filename() / path.filename()).string()
             : path.filename().string();
}

}  // namespace bitsweep::spec
