// `bitsweep plugins`: what models there are, from their manifests alone; no plugin is loaded, but by `plugins check`.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/json.h"
#include "base/nearest.h"
#include "cli/options.h"
#include "cli/plugins_check.h"
#include "plugin/manifest.h"
#include "prepare/programs.h"
#include "render/table.h"

namespace bitsweep::cli {
namespace {

// "8 to 65536", "at least 0", "gumbel | topk", "".
std::string range_text(const plugin::OptionSpec& option) {
  if (!option.choices.empty()) return fmt::format("{}", fmt::join(option.choices, " | "));
  if (option.min && option.max) return fmt::format("{} to {}", *option.min, *option.max);
  if (option.min) return fmt::format("at least {}", *option.min);
  if (option.max) return fmt::format("at most {}", *option.max);
  return "";
}

std::string default_text(const plugin::OptionSpec& option) {
  if (!option.default_value) return "-";
  const std::string text = compact_json(*option.default_value);
  const std::string before = option.absent ? compact_json(*option.absent) : text;
  return before == text ? text : fmt::format("{} (before it came: {})", text, before);
}

json::object option_json(const plugin::OptionSpec& option) {
  json::object object{{"name", option.name}, {"type", option.type}};
  if (option.min) object["min"] = *option.min;
  if (option.max) object["max"] = *option.max;
  if (!option.choices.empty()) object["choices"] = json::array(option.choices.begin(), option.choices.end());
  object["default"] = option.default_value ? *option.default_value : json::value(nullptr);
  if (option.absent) object["absent"] = *option.absent;
  object["help"] = option.help;
  return object;
}

json::object plugin_json(const plugin::Manifest& manifest) {
  json::array options;
  for (const plugin::OptionSpec& option : manifest.options) options.push_back(option_json(option));
  return {{"name", manifest.name},
          {"version", manifest.version},
          {"summary", manifest.summary},
          {"source", manifest.source},
          {"presets", json::array(manifest.presets.begin(), manifest.presets.end())},
          {"options", std::move(options)},
          {"library", manifest.library.string()},
          {"built", fs::exists(manifest.library)}};
}

std::string list_text(const std::vector<plugin::Manifest>& manifests) {
  render::Table table{.columns = {{"plugin"}, {"version", render::Align::right}, {"presets"}, {"summary"}}, .rows = {}};
  for (const plugin::Manifest& manifest : manifests)
    table.rows.push_back({manifest.name, fmt::format("{}", manifest.version),
                          fmt::format("{}", fmt::join(manifest.presets, " ")),
                          manifest.summary + (fs::exists(manifest.library) ? "" : "  (not built)")});
  return terminal_table(table);
}

std::string detail_text(const plugin::Manifest& manifest) {
  render::Table table{.columns = {{"option"}, {"type"}, {"range"}, {"default"}, {"meaning"}}, .rows = {}};
  table.rows.push_back({"params", "size", "", "-", "a target size in place of a shape: the nearest of the family"});
  table.rows.push_back({"body", "size", "", "-", "the same, of what lies between embedding and head"});
  for (const plugin::OptionSpec& option : manifest.options)
    table.rows.push_back({option.name, option.type, range_text(option), default_text(option), option.help});
  std::string text = fmt::format("{} (version {}): {}\n", manifest.name, manifest.version, manifest.summary);
  if (!manifest.source.empty()) text += fmt::format("source:  {}\n", manifest.source);
  if (!manifest.presets.empty()) text += fmt::format("presets: {}\n", fmt::join(manifest.presets, " "));
  text +=
      fmt::format("library: {}{}\n\n", manifest.library.string(), fs::exists(manifest.library) ? "" : " (not built)");
  return text + terminal_table(table);
}

const plugin::Manifest& find_manifest(const std::vector<plugin::Manifest>& manifests, const std::string& name) {
  std::vector<std::string> names;
  for (const plugin::Manifest& manifest : manifests) {
    if (manifest.name == name) return manifest;
    names.push_back(manifest.name);
  }
  throw Error(ErrorKind::input, fmt::format("no plugin '{}' in '{}'{}", name, prepare::plugin_folder().string(),
                                            did_you_mean(name, names)));
}

int do_plugins(const Verb& verb, const std::vector<std::string>& args) {
  if (!args.empty() && args.front() == "check")
    return kPluginsCheckVerb.run(kPluginsCheckVerb, {args.begin() + 1, args.end()});
  CommandLine line(verb);
  line.flag("json", "one JSON document");
  if (!line.parse(args, 0, 1)) return 0;
  std::vector<std::string> problems;
  const std::vector<plugin::Manifest> manifests = plugin::find_plugins(prepare::plugin_folder(), &problems);
  for (const std::string& problem : problems) print_error(problem);
  const bool json_wanted = line.has("json");
  if (!line.positional().empty()) {
    const plugin::Manifest& manifest = find_manifest(manifests, line.positional().front());
    print(json_wanted ? pretty_json(plugin_json(manifest)) + "\n" : detail_text(manifest));
    return 0;
  }
  json::array list;
  for (const plugin::Manifest& manifest : manifests) list.push_back(plugin_json(manifest));
  print(json_wanted ? pretty_json(list) + "\n" : list_text(manifests));
  return problems.empty() ? 0 : static_cast<int>(ErrorKind::failed);
}

}  // namespace

const Verb kPluginsVerb{
    "plugins", "List the model plugins, describe one (options, ranges, defaults, presets), or check some",
    "[NAME] | check [PATH|NAME]… (see 'bitsweep plugins check --help')", "bitsweep plugins v57", do_plugins};

}  // namespace bitsweep::cli
