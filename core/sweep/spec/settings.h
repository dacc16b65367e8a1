// The run keys of a merged sweep file as (path, value) pairs, checked against keys.h and the manifests.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/yaml.h"
#include "plugin/manifest.h"
#include "spec/keys.h"
#include "spec/problems.h"

namespace bitsweep::spec {

// One key with its value. A model option (key == nullptr) gets its type when the plugin is known.
struct Setting {
  std::string path;
  Yaml node;  // nothing: derived
  YamlPlace key_place;
  const RunKey* key = nullptr;
  json::value value;                                     // typed, of keys.h; null when it was wrong
  std::string option() const { return path.substr(6); }  // of "model.option"
};

// What plugins a sweep can name. A path to a .so reads the plugin.yaml beside it, once.
class PluginShelf {
 public:
  explicit PluginShelf(const std::vector<plugin::Manifest>& known) : known_(known) {}

  struct Found {
    const plugin::Manifest* manifest = nullptr;
    std::string plugin;  // as RunSpec wants it: the name, or an absolute path
  };
  // `node` is the value of model.plugin. Nothing, and a problem, when there is no such plugin.
  std::optional<Found> find(const YamlNode& node, Problems& problems);
  // Every option of every plugin asked for so far, as paths "model.d_model".
  std::vector<std::string> option_paths() const;
  // Of these the ones whose value is a list itself for some plugin.
  std::set<std::string> list_option_paths() const;
  // The plugins that were asked for and are there, by name.
  std::vector<Found> found() const;

 private:
  std::optional<Found> find_library(const YamlNode& node, Problems& problems);

  const std::vector<plugin::Manifest>& known_;
  std::map<std::string, plugin::Manifest> outside_;    // by absolute path of the .so
  std::map<std::string, std::optional<Found>> asked_;  // by text and file
};

// Whether `path` may be set on a run: a run key, or an option of a model ("model.x").
bool is_settable(const std::string& path);

// "unknown key 'train.stesp'; did you mean 'train.steps'?"
std::string unknown_key_message(const std::string& path, const std::vector<std::string>& option_paths);

// One setting, checked as far as it can be without the plugin. Nothing, and a problem, when the key is unknown.
std::optional<Setting> make_setting(const std::string& path, const YamlPlace& key_place, const Yaml& node,
                                    Problems& problems, const std::vector<std::string>& option_paths);

// Every run key of the merged file.
std::vector<Setting> base_settings(const YamlNode& root, Problems& problems,
                                   const std::vector<std::string>& option_paths);

}  // namespace bitsweep::spec
