#include "spec/corpus_value.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/files.h"
#include "base/nearest.h"
#include "base/units.h"
#include "spec/keys.h"
#include "spec/tokenizer_value.h"

namespace bitsweep::spec {
namespace {

constexpr double kMostWeight = 1e9;
constexpr size_t kMostParts = 256;

const std::vector<std::string> kPartKeys{"corpus", "glob", "field", "weight"}, kShardKeys{"train", "val"};

// One corpus of a mixture.
class PartReader {
 public:
  explicit PartReader(Problems& problems) : problems_(problems) {}

  // Whether the part is right.
  bool read(const YamlNode& node, CorpusPart& part) {
    if (node.kind != YamlKind::map) {
      problems_.add(node.place,
                    fmt::format("a part of 'data.corpus' must be a map such as {{ corpus: stories, weight: 1 "
                                "}}, found {}",
                                yaml_found(node)));
      return false;
    }
    bool good = true;
    for (const YamlEntry& entry : node.entries) good = member(entry, part) && good;
    if (good && part.corpus.empty()) {
      problems_.add(node.place, "'corpus' is missing in a part of 'data.corpus'");
      good = false;
    }
    return good;
  }

 private:
  bool member(const YamlEntry& entry, CorpusPart& part) {
    const YamlNode& node = *entry.value;
    if (std::find(kPartKeys.begin(), kPartKeys.end(), entry.key) == kPartKeys.end())
      return wrong(entry.key_place, fmt::format("unknown key '{}' in a part of 'data.corpus'{}", entry.key,
                                                did_you_mean(entry.key, kPartKeys)));
    if (entry.key == "weight") {
      const auto weight = yaml_size(node);
      if (!weight || !(*weight > 0) || !(*weight <= kMostWeight))
        return wrong(node.place,
                     fmt::format("'weight' in 'data.corpus' must be a number above 0 and up to {}, found {}",
                                 format_thousands(static_cast<int64_t>(kMostWeight)), yaml_found(node)));
      part.weight = *weight;
      return true;
    }
    std::string problem;
    const json::value value = typed_value(*find_run_key("data." + entry.key), node, problem);
    if (!problem.empty()) return wrong(node.place, fmt::format("'{}' in 'data.corpus' {}", entry.key, problem));
    (entry.key == "corpus" ? part.corpus : entry.key == "glob" ? part.glob : part.field) = value.get_string();
    return true;
  }

  bool wrong(const YamlPlace& place, std::string message) {
    problems_.add(place, std::move(message));
    return false;
  }

  Problems& problems_;
};

json::object part_json(const CorpusPart& part) {
  return {{"corpus", part.corpus}, {"glob", part.glob}, {"field", part.field}, {"weight", part.weight}};
}

double total_weight(const std::vector<CorpusPart>& parts) {
  return std::accumulate(parts.begin(), parts.end(), 0.0,
                         [](double sum, const CorpusPart& part) { return sum + part.weight; });
}

// What is wrong with parts that are right each for itself.
bool fit_together(const YamlNode& node, const std::vector<CorpusPart>& parts, Problems& problems) {
  bool good = true;
  const double all = total_weight(parts);
  for (size_t i = 0; i < parts.size(); ++i) {
    const CorpusPart& part = parts[i];
    const auto same = [&](const CorpusPart& other) {
      return other.corpus == part.corpus && other.glob == part.glob && other.field == part.field;
    };
    const auto first = std::find_if(parts.begin(), parts.end(), same);
    if (first - parts.begin() < static_cast<std::ptrdiff_t>(i)) {
      problems.add(node.items[i]->place, fmt::format("'{}' is already a part of 'data.corpus': add its weights up",
                                                     corpus_name(part.corpus)));
      good = false;
    }
    if (part.weight / all * mixture_block < 1) {
      problems.add(node.items[i]->place,
                   fmt::format("'{}' has {:.2g} of the weights of 'data.corpus', less than one of {} sequences",
                               corpus_name(part.corpus), part.weight / all, format_thousands(mixture_block)));
      good = false;
    }
  }
  return good;
}

json::value read_mixture(const YamlNode& node, Problems& problems) {
  if (node.items.size() < 2 || node.items.size() > kMostParts) {
    CorpusPart one;  // what is wrong with it is told as well
    if (node.items.size() == 1) PartReader(problems).read(*node.items[0], one);
    problems.add(node.place,
                 fmt::format("'data.corpus' must be {}; or a mixture of 2 to {} such as [{{ corpus: stories, "
                             "weight: 1 }}, …], found a list of {}",
                             expected(*find_run_key("data.corpus")), kMostParts, node.items.size()));
    return nullptr;
  }
  std::vector<CorpusPart> parts;
  bool good = true;
  for (const Yaml& item : node.items) good = PartReader(problems).read(*item, parts.emplace_back()) && good;
  if (!good || !fit_together(node, parts, problems)) return nullptr;
  json::array array;
  for (const CorpusPart& part : parts) array.push_back(part_json(part));
  return array;
}

json::value read_shards(const YamlNode& node, Problems& problems) {
  json::object shards;
  bool good = true;
  for (const YamlEntry& entry : node.entries) {
    const bool known = std::find(kShardKeys.begin(), kShardKeys.end(), entry.key) != kShardKeys.end();
    if (known && entry.value->kind == YamlKind::scalar && !entry.value->text.empty()) {
      shards[entry.key] = absolute_path(*entry.value).string();
      continue;
    }
    good = false;
    if (!known)
      problems.add(entry.key_place,
                   fmt::format("unknown key 'data.corpus.{}'; shards of tokens are {{ train: GLOB, val: "
                               "GLOB }}{}",
                               entry.key, did_you_mean(entry.key, kShardKeys)));
    else
      problems.add(entry.value->place, fmt::format("'data.corpus.{}' must be a path or a glob, found {}", entry.key,
                                                   yaml_found(*entry.value)));
  }
  for (const std::string& key : kShardKeys) {
    if (!good || shards.contains(key)) continue;
    problems.add(node.place, fmt::format("'data.corpus.{}' is missing: the shards of tokens to {} on", key,
                                         key == "val" ? "validate" : "train"));
    good = false;
  }
  return good ? json::value(shards) : json::value(nullptr);
}

bool is_text(const json::object& object, const std::string& key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string();
}

std::string text_of(const json::object& object, const std::string& key) {
  return std::string(object.at(key).get_string());
}

}  // namespace

json::value read_corpus(const YamlNode& node, Problems& problems) {
  if (node.kind == YamlKind::list) return read_mixture(node, problems);
  if (node.kind == YamlKind::map) return read_shards(node, problems);
  std::string problem;
  json::value value = typed_value(*find_run_key("data.corpus"), node, problem);
  if (problem.empty()) return value;
  problems.add(node.place, fmt::format("'data.corpus' {}", problem));
  return nullptr;
}

json::value corpus_json(const DataSpec& data) {
  if (!data.shards.train.empty()) return json::object{{"train", data.shards.train}, {"val", data.shards.val}};
  if (data.mixture.empty()) return json::value(data.corpus);
  json::array parts;
  for (const CorpusPart& part : data.mixture) parts.push_back(part_json(part));
  return parts;
}

bool set_corpus(DataSpec& data, const json::value& value) {
  data.corpus.clear();
  data.mixture.clear();
  data.shards = {};
  if (value.is_string()) data.corpus = value.get_string();
  if (const json::object* shards = value.if_object()) {
    if (shards->size() != 2 || !is_text(*shards, "train") || !is_text(*shards, "val")) return false;
    data.shards = {text_of(*shards, "train"), text_of(*shards, "val")};
    return !data.shards.train.empty() && !data.shards.val.empty();
  }
  const json::array* parts = value.if_array();
  if (parts == nullptr) return value.is_string();
  for (const json::value& item : *parts) {
    const json::object* part = item.if_object();
    if (part == nullptr || part->size() != kPartKeys.size() || !is_text(*part, "corpus") || !is_text(*part, "glob") ||
        !is_text(*part, "field") || !(number_or(*part, "weight", 0) > 0))
      return false;
    data.mixture.push_back(
        {text_of(*part, "corpus"), text_of(*part, "glob"), text_of(*part, "field"), number_or(*part, "weight", 0)});
  }
  return !parts->empty();
}

std::vector<int64_t> mixture_shares(const std::vector<CorpusPart>& parts) {
  const double all = total_weight(parts);
  std::vector<int64_t> shares;
  std::vector<std::pair<double, size_t>> remainders;
  int64_t left = mixture_block;
  for (size_t i = 0; i < parts.size(); ++i) {
    const double exact = parts[i].weight / all * mixture_block;
    shares.push_back(static_cast<int64_t>(exact));
    left -= shares.back();
    remainders.emplace_back(static_cast<double>(shares.back()) - exact, i);  // the largest remainder first
  }
  std::sort(remainders.begin(), remainders.end());
  for (size_t k = 0; left > 0; --left, ++k) ++shares[remainders[k % remainders.size()].second];
  return shares;
}

std::string corpus_name(const std::string& corpus) {
  const fs::path path = corpus;
  return path.has_filename() ? path.filename().string() : path.parent_path().filename().string();
}

std::string corpus_text(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (const json::object* shards = value.if_object()) return corpus_name(string_or(*shards, "train", ""));
  std::vector<std::string> names;
  if (const json::array* parts = value.if_array())
    for (const json::value& part : *parts)
      if (part.is_object()) names.push_back(corpus_name(string_or(part.get_object(), "corpus", "")));
  return fmt::format("{}", fmt::join(names, " + "));
}

std::string weights_text(const json::value& value) {
  std::vector<double> weights;
  if (const json::array* parts = value.if_array())
    for (const json::value& part : *parts)
      if (part.is_object()) weights.push_back(number_or(part.get_object(), "weight", CorpusPart{}.weight));
  std::string text;
  for (const double weight : weights)
    text +=
        fmt::format("{}{:.4g}", text.empty() ? "" : ":", weight / *std::min_element(weights.begin(), weights.end()));
  return text;
}

}  // namespace bitsweep::spec
