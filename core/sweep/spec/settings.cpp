#include "spec/settings.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/nearest.h"
#include "spec/also_value.h"
#include "spec/corpus_value.h"
#include "spec/other_tools.h"
#include "spec/tokenizer_value.h"

namespace bitsweep::spec {
namespace {

std::vector<std::string> all_paths(const std::vector<std::string>& option_paths) {
  std::vector<std::string> paths = option_paths;
  for (const char* size : {"model.params", "model.body"}) paths.emplace_back(size);
  for (const RunKey& key : run_keys()) paths.emplace_back(key.path);
  return paths;
}

// "batch" -> "train.batch", when only one key ends so.
std::string with_section(const std::string& word, const std::vector<std::string>& paths) {
  std::string found;
  for (const std::string& path : paths) {
    if (!path.ends_with("." + word)) continue;
    if (!found.empty()) return "";
    found = path;
  }
  return found;
}

void section_settings(const std::string& section, const YamlNode& map, Problems& problems,
                      const std::vector<std::string>& option_paths, std::vector<Setting>& out) {
  for (const YamlEntry& entry : map.entries) {
    const std::string path = section + "." + entry.key;
    if (auto setting = make_setting(path, entry.key_place, entry.value, problems, option_paths))
      out.push_back(*std::move(setting));
  }
}

}  // namespace

std::optional<PluginShelf::Found> PluginShelf::find(const YamlNode& node, Problems& problems) {
  if (node.kind != YamlKind::scalar || node.text.empty()) {
    problems.add(node.place,
                 "'model.plugin' must be the name of a plugin or the path of a .so, found " + yaml_found(node));
    return std::nullopt;
  }
  const bool path = node.text.find('/') != std::string::npos || node.text.ends_with(".so");
  if (path) return find_library(node, problems);
  std::vector<std::string> names;
  for (const plugin::Manifest& manifest : known_) {
    if (manifest.name == node.text) {
      asked_[node.text] = Found{&manifest, manifest.name};
      return asked_[node.text];
    }
    names.push_back(manifest.name);
  }
  std::string message = fmt::format("unknown plugin '{}'{}", node.text, did_you_mean(node.text, names));
  message += names.empty() ? "; no plugin was found at all" : fmt::format("; known: {}", fmt::join(names, ", "));
  problems.add(node.place, message);
  return std::nullopt;
}

std::optional<PluginShelf::Found> PluginShelf::find_library(const YamlNode& node, Problems& problems) {
  fs::path library = node.text;
  if (library.is_relative() && node.place.line > 0) library = fs::path(*node.place.file).parent_path() / library;
  library = fs::absolute(library).lexically_normal();
  const std::string name = library.string();
  if (const auto known = asked_.find(name); known != asked_.end()) return known->second;
  std::error_code code;
  const fs::path manifest = library.parent_path() / "plugin.yaml";
  asked_[name] = std::nullopt;
  if (!fs::is_regular_file(library, code)) {
    problems.add(node.place, fmt::format("there is no plugin at '{}'", name));
  } else if (!fs::is_regular_file(manifest, code)) {
    problems.add(node.place, fmt::format("the plugin '{}' has no plugin.yaml beside it", name));
  } else {
    try {
      const auto [kept, fresh] = outside_.emplace(name, plugin::read_manifest(manifest));
      asked_[name] = Found{&kept->second, name};
    } catch (const Error& error) {
      for (const Diagnostic& d : error.diagnostics())
        problems.add({std::make_shared<const std::string>(d.file), d.line, d.column}, d.message);
    }
  }
  return asked_[name];
}

std::vector<std::string> PluginShelf::option_paths() const {
  std::set<std::string> paths{"model.params", "model.body"};
  for (const auto& [name, found] : asked_) {
    if (!found) continue;
    for (const plugin::OptionSpec& option : found->manifest->options) paths.insert("model." + option.name);
  }
  return {paths.begin(), paths.end()};
}

std::set<std::string> PluginShelf::list_option_paths() const {
  std::set<std::string> paths;
  for (const auto& [name, found] : asked_) {
    if (!found) continue;
    for (const plugin::OptionSpec& option : found->manifest->options)
      if (option.type == "int_list") paths.insert("model." + option.name);
  }
  return paths;
}

std::vector<PluginShelf::Found> PluginShelf::found() const {
  std::vector<Found> all;
  for (const auto& [name, found] : asked_)
    if (found) all.push_back(*found);
  return all;
}

bool is_settable(const std::string& path) {
  if (find_run_key(path) != nullptr) return true;
  return path.starts_with("model.") && path.size() > 6 && path.find('.', 6) == std::string::npos;
}

std::string unknown_key_message(const std::string& path, const std::vector<std::string>& option_paths) {
  const std::string word = path.substr(path.rfind('.') + 1);
  const std::string ours = our_key(word);
  if (!ours.empty() && ours.substr(ours.find('.') + 1) != word)
    return fmt::format("unknown key '{}'; here it is '{}'", path, ours);
  const auto paths = all_paths(option_paths);
  std::string hint = did_you_mean(path, paths);
  if (hint.empty()) {
    const std::string whole = with_section(path, paths);
    if (!whole.empty()) hint = fmt::format("; did you mean '{}'?", whole);
  }
  return fmt::format("unknown key '{}'{}", path, hint);
}

std::optional<Setting> make_setting(const std::string& path, const YamlPlace& key_place, const Yaml& node,
                                    Problems& problems, const std::vector<std::string>& option_paths) {
  if (!is_settable(path)) {
    if (!problems.full()) problems.add(key_place, unknown_key_message(path, option_paths));
    return std::nullopt;
  }
  Setting setting{path, node, key_place, find_run_key(path), nullptr};
  if (setting.key == nullptr) return setting;
  if (setting.key->type == ValueType::layout) {
    if (const auto layout = read_template(*node, problems)) setting.value = to_json(*layout);
    return setting;
  }
  if (setting.key->type == ValueType::corpus) {
    setting.value = read_corpus(*node, problems);
    return setting;
  }
  if (setting.key->type == ValueType::tokenizer) {
    setting.value = read_tokenizer(*node, problems);
    return setting;
  }
  if (setting.key->type == ValueType::also) {
    setting.value = to_json(read_also(*node, problems));
    return setting;
  }
  if (setting.key->type == ValueType::tasks) {
    setting.value = to_json(read_tasks(*node, problems));
    return setting;
  }
  std::string problem;
  setting.value = typed_value(*setting.key, *node, problem);
  if (problem.empty()) return setting;
  if (setting.key->type == ValueType::choice && node->kind == YamlKind::scalar)
    problem += did_you_mean(node->text, setting.key->words);
  problems.add(node->place, fmt::format("'{}' {}", path, problem));
  setting.value = nullptr;
  return setting;
}

std::vector<Setting> base_settings(const YamlNode& root, Problems& problems,
                                   const std::vector<std::string>& option_paths) {
  std::vector<Setting> settings;
  const auto& sections = run_sections();
  for (const YamlEntry& entry : root.entries) {
    if (entry.key == "seed") {
      if (auto seed = make_setting("seed", entry.key_place, entry.value, problems, option_paths))
        settings.push_back(*std::move(seed));
    }
    if (std::find(sections.begin(), sections.end(), entry.key) == sections.end()) continue;
    if (entry.value->kind == YamlKind::map) {
      section_settings(entry.key, *entry.value, problems, option_paths, settings);
    } else if (entry.value->kind != YamlKind::null) {
      problems.add(entry.value->place,
                   fmt::format("'{}' must be a map of keys, found {}", entry.key, yaml_found(*entry.value)));
    }
  }
  return settings;
}

}  // namespace bitsweep::spec
