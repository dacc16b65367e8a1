#include "plugin/manifest.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/units.h"
#include "base/yaml.h"

namespace bitsweep::plugin {
namespace {

const std::vector<std::string> kTypes{"int", "float", "bool", "choice", "string", "int_list"};
const std::vector<std::string> kOptionKeys{"type", "min", "max", "choices", "default", "absent", "help"};
const std::vector<std::string> kKeys{"name", "version", "summary", "source", "options", "presets"};
constexpr double kExact = 9007199254740992.0;  // 2^53

class ManifestReader {
 public:
  explicit ManifestReader(const fs::path& path) : path_(path), root_(read_yaml(path)) {}

  Manifest run() {
    if (root_->kind != YamlKind::map) wrong(*root_, "a plugin's manifest is a map");
    throw_if_any();
    check_keys(*root_, "", kKeys);
    Manifest manifest;
    manifest.name = text("name", true);
    if (manifest.name.find('/') != std::string::npos) wrong(*root_->find("name")->value, "'name' is not a path");
    manifest.summary = text("summary", true);
    manifest.source = text("source", false);
    if (const YamlEntry* entry = root_->find("version")) {
      const auto version = yaml_integer(*entry->value);
      if (version && *version >= 1)
        manifest.version = *version;
      else
        wrong(*entry->value, "'version' must be an integer of at least 1, found " + yaml_found(*entry->value));
    }
    if (const YamlEntry* entry = root_->find("options")) read_options(*entry->value, manifest);
    if (const YamlEntry* entry = root_->find("presets")) read_presets(*entry->value, manifest);
    throw_if_any();
    manifest.library = fs::absolute(path_).parent_path() / (manifest.name + ".so");
    return manifest;
  }

 private:
  void wrong(const YamlNode& node, std::string message) {
    problems_.push_back(node.place.diagnostic(std::move(message)));
  }
  void throw_if_any() const {
    if (!problems_.empty()) throw Error(ErrorKind::input, problems_);
  }

  void check_keys(const YamlNode& map, const std::string& prefix, const std::vector<std::string>& known) {
    for (const YamlEntry& entry : map.entries) {
      if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
      problems_.push_back(entry.key_place.diagnostic(
          fmt::format("unknown key '{}{}'{}", prefix, entry.key, did_you_mean(entry.key, known))));
    }
  }

  std::string text(const char* key, bool required) {
    const YamlEntry* entry = root_->find(key);
    if (entry == nullptr) {
      if (required) wrong(*root_, fmt::format("'{}' is missing", key));
      return "";
    }
    if (entry->value->kind == YamlKind::scalar) return entry->value->text;
    wrong(*entry->value, fmt::format("'{}' must be text, found {}", key, yaml_found(*entry->value)));
    return "";
  }

  void read_presets(const YamlNode& node, Manifest& manifest) {
    if (node.kind != YamlKind::list) return wrong(node, "'presets' must be a list of sizes, found " + yaml_found(node));
    for (const Yaml& item : node.items) {
      const auto size = yaml_size(*item);
      if (size && *size >= 1 && std::isfinite(*size))
        manifest.presets.push_back(item->text);
      else
        wrong(*item, "a preset is a size such as 5.5M, found " + yaml_found(*item));
    }
  }

  void read_options(const YamlNode& node, Manifest& manifest) {
    if (node.kind == YamlKind::null) return;
    if (node.kind != YamlKind::map) return wrong(node, "'options' must be a map, found " + yaml_found(node));
    for (const YamlEntry& entry : node.entries) {
      if (entry.key == "params" || entry.key == "plugin" || entry.key == "plugin_version") {
        problems_.push_back(entry.key_place.diagnostic(fmt::format("'{}' is every plugin's already", entry.key)));
      } else if (entry.value->kind != YamlKind::map) {
        wrong(*entry.value, fmt::format("option '{}' must be a map such as {{ type: int, min: 1 }}", entry.key));
      } else {
        manifest.options.push_back(read_option(entry));
      }
    }
  }

  OptionSpec read_option(const YamlEntry& entry) {
    const YamlNode& map = *entry.value;
    check_keys(map, "options." + entry.key + ".", kOptionKeys);
    OptionSpec option;
    option.name = entry.key;
    option.type = read_type(entry);
    const auto bound = [&](const char* key) -> std::optional<double> {
      const YamlEntry* found = map.find(key);
      if (found == nullptr) return std::nullopt;
      const auto number = yaml_size(*found->value);
      if (!number || std::isnan(*number)) wrong(*found->value, fmt::format("'{}' must be a number", key));
      return number;
    };
    option.min = bound("min");
    option.max = bound("max");
    if (option.min && option.max && *option.min > *option.max) wrong(map, "'min' is larger than 'max'");
    if (const YamlEntry* help = map.find("help")) option.help = help->value->text;
    read_choices(entry, option);
    if (const YamlEntry* given = map.find("default"))
      option.default_value = read_value(*given->value, "default", option);
    if (const YamlEntry* given = map.find("absent")) {
      option.absent = read_value(*given->value, "absent value", option);
      if (!option.default_value) wrong(*given->value, "'absent' stands beside a 'default'");
    }
    return option;
  }

  std::string read_type(const YamlEntry& option) {
    const YamlEntry* type = option.value->find("type");
    if (type == nullptr) {
      wrong(*option.value, fmt::format("option '{}' has no type", option.key));
      return "string";
    }
    const std::string& name = type->value->text;
    if (std::find(kTypes.begin(), kTypes.end(), name) != kTypes.end()) return name;
    wrong(*type->value,
          fmt::format("unknown type '{}'{}; known: {}", name, did_you_mean(name, kTypes), fmt::join(kTypes, ", ")));
    return "string";
  }

  void read_choices(const YamlEntry& entry, OptionSpec& option) {
    const YamlEntry* choices = entry.value->find("choices");
    if (choices != nullptr) {
      for (const Yaml& item : choices->value->items) option.choices.push_back(item->text);
    }
    if ((option.type == "choice") != !option.choices.empty())
      wrong(*entry.value, fmt::format("option '{}': 'choices' and type 'choice' go together", entry.key));
  }

  json::value read_value(const YamlNode& node, const char* what, const OptionSpec& option) {
    // A choice or a text keeps the word as written: `default: 10` is the text "10" there.
    const bool text = option.type == "choice" || option.type == "string";
    json::value value = text && node.kind == YamlKind::scalar ? json::value(node.text) : yaml_to_json(node);
    const std::string problem = option_problem(option, value);
    if (!problem.empty()) wrong(node, fmt::format("the {} of '{}' must be {}", what, option.name, problem));
    return value;
  }

  fs::path path_;
  Yaml root_;
  std::vector<Diagnostic> problems_;
};

std::string number_text(double value) {
  if (value == std::floor(value) && std::abs(value) < kExact) return format_thousands(static_cast<int64_t>(value));
  return fmt::format("{}", value);
}

std::string range_text(const char* what, const OptionSpec& option) {
  if (option.min && option.max)
    return fmt::format("{} from {} to {}", what, number_text(*option.min), number_text(*option.max));
  if (option.min) return fmt::format("{} of at least {}", what, number_text(*option.min));
  if (option.max) return fmt::format("{} of at most {}", what, number_text(*option.max));
  return what;
}

bool in_range(const OptionSpec& option, double value) {
  return std::isfinite(value) && !(option.min && value < *option.min) && !(option.max && value > *option.max);
}

bool whole_in_range(const OptionSpec& option, const json::value& value) {
  if (!value.is_number()) return false;
  const double number = value.to_number<double>();
  return std::abs(number) <= kExact && number == std::floor(number) && in_range(option, number);
}

}  // namespace

const OptionSpec* Manifest::find(std::string_view option) const {
  const auto found =
      std::find_if(options.begin(), options.end(), [&](const OptionSpec& o) { return o.name == option; });
  return found == options.end() ? nullptr : &*found;
}

json::object Manifest::later_defaults() const {
  json::object defaults;
  for (const OptionSpec& option : options)
    if (option.absent) defaults[option.name] = *option.default_value;
  return defaults;
}

Manifest read_manifest(const fs::path& plugin_yaml) { return ManifestReader(plugin_yaml).run(); }

std::vector<Manifest> find_plugins(const fs::path& folder, std::vector<std::string>* problems) {
  std::vector<fs::path> files;
  std::error_code code;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end; entry.increment(code)) {
    const fs::path file = entry->path() / "plugin.yaml";
    std::error_code ignored;
    if (fs::exists(file, ignored)) files.push_back(file);
  }
  if (code && problems != nullptr)
    problems->push_back(fmt::format("cannot read the plugin folder '{}': {}", folder.string(), code.message()));
  std::sort(files.begin(), files.end());
  std::vector<Manifest> manifests;
  for (const fs::path& file : files) {
    try {
      Manifest manifest = read_manifest(file);
      const auto same =
          std::find_if(manifests.begin(), manifests.end(), [&](const auto& m) { return m.name == manifest.name; });
      if (same == manifests.end()) {
        manifests.push_back(std::move(manifest));
      } else if (problems != nullptr) {
        problems->push_back(fmt::format("{}: the plugin '{}' is already in '{}'", file.string(), manifest.name,
                                        same->library.parent_path().string()));
      }
    } catch (const Error& error) {
      if (problems != nullptr) problems->push_back(error.what());
    }
  }
  std::sort(manifests.begin(), manifests.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return manifests;
}

std::string option_problem(const OptionSpec& option, const json::value& value) {
  if (option.type == "int") return whole_in_range(option, value) ? "" : range_text("an integer", option);
  if (option.type == "float")
    return value.is_number() && in_range(option, value.to_number<double>()) ? "" : range_text("a number", option);
  if (option.type == "bool") return value.is_bool() ? "" : "true or false";
  if (option.type == "string") return value.is_string() ? "" : "text";
  if (option.type == "choice") {
    const bool known = value.is_string() && std::find(option.choices.begin(), option.choices.end(),
                                                      std::string_view(value.get_string())) != option.choices.end();
    return known ? "" : fmt::format("one of {}", fmt::join(option.choices, ", "));
  }
  const bool list =
      value.is_array() && std::all_of(value.get_array().begin(), value.get_array().end(),
                                      [&](const json::value& item) { return whole_in_range(option, item); });
  return list ? "" : range_text("a list of integers, each", option);
}

}  // namespace bitsweep::plugin
