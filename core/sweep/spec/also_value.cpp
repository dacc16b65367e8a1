#include "spec/also_value.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "spec/keys.h"

namespace bitsweep::spec {
namespace {

const std::vector<std::string> kTextKeys{"corpus", "glob", "field", "val", "val_fraction"};

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= 40 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

void set(AlsoSpec& text, const std::string& key, const json::value& value) {
  if (key == "val_fraction") text.val_fraction = value.to_number<double>();
  if (key == "corpus") text.corpus = value.get_string();
  if (key == "glob") text.glob = value.get_string();
  if (key == "field") text.field = value.get_string();
  if (key == "val") text.val = value.get_string();
}

}  // namespace

std::vector<AlsoSpec> read_also(const YamlNode& node, Problems& problems) {
  std::vector<AlsoSpec> texts;
  if (node.kind != YamlKind::map) {
    problems.add(node.place,
                 fmt::format("'eval.also' must be texts by name such as {{ stories: {{ corpus: stories }} }}, "
                             "found {}",
                             yaml_found(node)));
    return texts;
  }
  for (const YamlEntry& entry : node.entries) {
    AlsoSpec text;
    text.name = entry.key;
    bool good = is_name(entry.key) && entry.value->kind == YamlKind::map;
    if (!good)
      problems.add(entry.key_place,
                   fmt::format("'eval.also.{}' must be a word of letters, digits, '-' and '_' with a map "
                               "such as {{ corpus: stories }}, found {}",
                               entry.key, yaml_found(*entry.value)));
    if (entry.value->kind != YamlKind::map) continue;
    for (const YamlEntry& inner : entry.value->entries) {
      if (std::find(kTextKeys.begin(), kTextKeys.end(), inner.key) == kTextKeys.end()) {
        good = false;
        problems.add(inner.key_place, fmt::format("unknown key 'eval.also.{}.{}'{}", entry.key, inner.key,
                                                  did_you_mean(inner.key, kTextKeys)));
        continue;
      }
      std::string problem;
      const json::value value = typed_value(*find_run_key("data." + inner.key), *inner.value, problem);
      if (!problem.empty()) {
        good = false;
        problems.add(inner.value->place, fmt::format("'eval.also.{}.{}' {}", entry.key, inner.key, problem));
      } else {
        set(text, inner.key, value);
      }
    }
    if (good && text.corpus.empty()) {
      good = false;
      problems.add(entry.key_place, fmt::format("'eval.also.{}.corpus' is missing", entry.key));
    }
    if (good) texts.push_back(std::move(text));
  }
  return texts;
}

json::object to_json(const std::vector<AlsoSpec>& texts) {
  json::object object;
  for (const AlsoSpec& text : texts)
    object[text.name] = json::object{{"corpus", text.corpus},
                                     {"glob", text.glob},
                                     {"field", text.field},
                                     {"val", text.val},
                                     {"val_fraction", text.val_fraction}};
  return object;
}

std::vector<AlsoSpec> also_from(const json::object& object) {
  std::vector<AlsoSpec> texts;
  for (const auto& [name, value] : object) {
    AlsoSpec& text = texts.emplace_back();
    text.name = name;
    const json::object* members = value.if_object();
    for (const std::string& key : kTextKeys) {
      const json::value* member = members == nullptr ? nullptr : members->if_contains(key);
      if (member == nullptr || (key == "val_fraction" ? !member->is_number() : !member->is_string()))
        throw Error(ErrorKind::input, fmt::format("run spec: 'eval.also.{}.{}' is missing or wrong", text.name, key));
      set(text, key, *member);
    }
  }
  return texts;
}

}  // namespace bitsweep::spec
