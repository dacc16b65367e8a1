// `bitsweep plugins check`: puts plugins through the conformance suite and tells what decided.
#include "cli/plugins_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/yaml.h"
#include "cli/options.h"
#include "plugin/manifest.h"
#include "prepare/plugin_verdicts.h"
#include "prepare/programs.h"
#include "render/table.h"

namespace bitsweep::cli {
namespace {

// A plugin to check: what the worker is asked for, and its options where there is a manifest.
struct Subject {
  std::string name;
  std::string asked;  // name, or absolute path of the library
  std::optional<plugin::Manifest> manifest;
};

// A built plugin's folder, or its library.
Subject subject_at(const fs::path& given) {
  const fs::path path = fs::absolute(given).lexically_normal();
  std::error_code code;
  Subject subject;
  if (const fs::path yaml = (fs::is_directory(path, code) ? path : path.parent_path()) / "plugin.yaml";
      fs::exists(yaml, code))
    subject.manifest = plugin::read_manifest(yaml);
  fs::path library = path;
  if (fs::is_directory(path, code)) {
    if (!subject.manifest)
      throw Error(ErrorKind::input, fmt::format("'{}' holds no plugin.yaml: expected the folder of a built plugin, or "
                                                "its .so",
                                                given.string()));
    library = subject.manifest->library;
  }
  if (!fs::exists(library, code))
    throw Error(ErrorKind::input, fmt::format("'{}' is missing: build the plugin first", library.string()));
  subject.asked = library.string();
  subject.name = library.stem().string();
  return subject;
}

std::vector<Subject> subjects_of(const std::vector<std::string>& given) {
  const std::vector<plugin::Manifest> installed = plugin::find_plugins(prepare::plugin_folder());
  std::vector<std::string> names;
  for (const plugin::Manifest& manifest : installed) names.push_back(manifest.name);
  std::vector<Subject> subjects;
  std::vector<Diagnostic> problems;
  for (const std::string& word : given.empty() ? names : given) {
    const auto known = std::find(names.begin(), names.end(), word);
    if (known != names.end()) {
      subjects.push_back({word, word, installed[static_cast<size_t>(known - names.begin())]});
    } else if (word.find('/') != std::string::npos || word.ends_with(".so") || fs::exists(word)) {
      subjects.push_back(subject_at(word));
    } else {
      problems.push_back({.message = fmt::format("no plugin '{}' in '{}'{}", word, prepare::plugin_folder().string(),
                                                 did_you_mean(word, names))});
    }
  }
  if (!problems.empty()) throw Error(ErrorKind::input, std::move(problems));
  return subjects;
}

// "d_model=64" for every subject that is checked.
json::object options_of(const std::vector<std::string>& settings, const std::vector<Subject>& subjects) {
  json::object options;
  std::vector<Diagnostic> problems;
  for (const std::string& setting : settings) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      problems.push_back({.message = fmt::format("--set {}: expected OPTION=VALUE", setting)});
      continue;
    }
    const std::string name = setting.substr(0, equals);
    const json::value value = yaml_to_json(*parse_yaml(setting.substr(equals + 1), "--set " + name));
    for (const Subject& subject : subjects) {
      if (!subject.manifest || name == "params" || name == "body") continue;
      std::vector<std::string> known;
      for (const plugin::OptionSpec& option : subject.manifest->options) known.push_back(option.name);
      const plugin::OptionSpec* option = subject.manifest->find(name);
      const std::string wrong = option == nullptr ? "" : option_problem(*option, value);
      if (option == nullptr)
        problems.push_back({.message = fmt::format("--set {}: {} has no option '{}'{}", setting, subject.name, name,
                                                   did_you_mean(name, known))});
      if (!wrong.empty()) problems.push_back({.message = fmt::format("--set {}: expected {}", setting, wrong)});
    }
    options[name] = value;
  }
  if (!problems.empty()) throw Error(ErrorKind::input, std::move(problems));
  return options;
}

struct Checked {
  Subject subject;
  std::vector<prepare::PluginVerdict> verdicts;
  int64_t failed() const {
    return std::count_if(verdicts.begin(), verdicts.end(), [](const prepare::PluginVerdict& v) { return !v.passed; });
  }
};

json::object checked_json(const Checked& checked) {
  json::array checks;
  for (const prepare::PluginVerdict& verdict : checked.verdicts)
    checks.push_back(json::object{{"check", verdict.check}, {"passed", verdict.passed}, {"decided", verdict.decided}});
  return {{"plugin", checked.subject.name}, {"passed", checked.failed() == 0}, {"checks", std::move(checks)}};
}

std::string checked_text(const Checked& checked) {
  render::Table table{.columns = {{"check"}, {"verdict"}, {"what decided"}}, .rows = {}};
  for (const prepare::PluginVerdict& verdict : checked.verdicts) {
    std::string decided = verdict.decided;
    std::replace(decided.begin(), decided.end(), '\n', ' ');
    table.rows.push_back({verdict.check, verdict.passed ? "passed" : "FAILED", std::move(decided)});
  }
  const auto checks = static_cast<int64_t>(checked.verdicts.size());
  return fmt::format("{}\n{}: {} of {} checks passed\n", terminal_table(table), checked.subject.name,
                     checks - checked.failed(), checks);
}

int do_plugins_check(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.values("set", "OPTION=VALUE of every model that is tried; else small ones with the plugin's defaults")
      .values("only", "this check alone; repeat for several")
      .flag("json", "one JSON document");
  if (!line.parse(args)) return 0;
  const std::vector<Subject> subjects = subjects_of(line.positional());
  const json::object options = options_of(line.all("set"), subjects);
  prepare::PluginChecker checker(prepare::worker_program(), prepare::plugin_folder());
  json::array documents;
  bool all_passed = !subjects.empty();
  for (size_t i = 0; i < subjects.size(); ++i) {
    print_error(fmt::format("checking {} ({} of {}), some seconds", subjects[i].name, i + 1, subjects.size()));
    const Checked checked{subjects[i], checker.check({subjects[i].asked, options, line.all("only")})};
    all_passed = all_passed && checked.failed() == 0;
    if (line.has("json")) {
      documents.push_back(checked_json(checked));
    } else {
      print((i > 0 ? "\n" : "") + checked_text(checked));
    }
  }
  if (line.has("json")) print(pretty_json(documents) + "\n");
  if (subjects.empty()) print_error(fmt::format("no plugin in '{}'", prepare::plugin_folder().string()));
  return all_passed ? 0 : static_cast<int>(ErrorKind::failed);
}

}  // namespace

const Verb kPluginsCheckVerb{"plugins check",
                             "Hold plugins to what every one owes the trainer: causality, exact counts, gradients, "
                             "noise, resuming, learning and "
                             "more. PATH is a built plugin's folder or its .so; without any, every installed plugin is "
                             "checked. Exit code 1 when a "
                             "check fails",
                             "[PATH|NAME]… [--set OPTION=VALUE]… [--only CHECK]… [--json]",
                             "bitsweep plugins check build/plugins/mine", do_plugins_check};

}  // namespace bitsweep::cli
