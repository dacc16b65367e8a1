#include "spec/point.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/nearest.h"
#include "spec/other_tools.h"

namespace bitsweep::spec {
namespace {

constexpr size_t kMostCases = 4;  // of variants that lack an option, in a message

const plugin::OptionSpec* option_of(const plugin::Manifest& manifest, const std::string& name) {
  const plugin::OptionSpec* size = size_option(name);
  return size != nullptr ? size : manifest.find(name);
}

}  // namespace

DesignPoint::DesignPoint(const std::vector<Setting>& base, std::vector<const Setting*> upper)
    : upper_(std::move(upper)) {
  for (const Setting& setting : base) {
    const bool covered = std::any_of(upper_.begin(), upper_.end(), [&](const Setting* above) {
      return above->path == setting.path || axis_replaces(above->path, setting.path);
    });
    if (!covered) in_force_.push_back(&setting);
  }
  in_force_.insert(in_force_.end(), upper_.begin(), upper_.end());
}

const Setting* DesignPoint::find(std::string_view path) const {
  const auto found =
      std::find_if(in_force_.begin(), in_force_.end(), [&](const Setting* s) { return s->path == path; });
  return found == in_force_.end() ? nullptr : *found;
}

json::value DesignPoint::given(std::string_view path) const {
  for (auto entry = derived.rbegin(); entry != derived.rend(); ++entry) {
    if (entry->first->target == path) return entry->second;
    if (axis_replaces(entry->first->target, path)) return nullptr;
  }
  if (path.starts_with("model.") && find_run_key(path) == nullptr) {
    const json::value* option = options.if_contains(path.substr(6));
    return option == nullptr ? json::value(nullptr) : *option;
  }
  const Setting* setting = find(path);
  return setting == nullptr ? json::value(nullptr) : setting->value;
}

json::value DesignPoint::converted_budget(std::string_view path) const {
  const json::value other = given(path == "train.steps" ? "train.tokens" : "train.steps");
  const json::value batch = value("train.batch"), context = value("data.context");
  if (!other.is_number() || !batch.is_number() || !context.is_number()) return nullptr;
  const double step = batch.to_number<double>() * context.to_number<double>();
  if (path == "train.steps") return std::max(1.0, std::ceil(other.to_number<double>() / step));
  return other.to_number<double>() * step;
}

json::value DesignPoint::value(std::string_view path) const {
  json::value found = given(path);
  if (!found.is_null()) return found;
  if (path == "train.steps" || path == "train.tokens") return converted_budget(path);
  if (const RunKey* key = find_run_key(path)) return key->get == nullptr ? json::value(nullptr) : key->get(RunSpec{});
  if (!path.starts_with("model.") || plugin == nullptr) return nullptr;
  const plugin::OptionSpec* option = plugin->manifest->find(path.substr(6));
  return option == nullptr ? json::value(nullptr) : option->default_value.value_or(nullptr);
}

bool OptionChecker::check(DesignPoint& point) {
  const Setting* named = point.find("model.plugin");
  if (named == nullptr) return false;
  const auto [entry, fresh] = found_.try_emplace(named->node.get());
  if (fresh) entry->second = plugins_.find(*named->node, problems_);
  if (!entry->second) return false;
  point.plugin = &*entry->second;
  bool good = true;
  for (const Setting* setting : point.settings()) {
    if (setting->key != nullptr) continue;
    const Checked& option = checked(*setting, *point.plugin->manifest);
    good = good && option.good;
    if (option.good) point.options[setting->option()] = option.value;
  }
  return good;
}

// An option that another variant of the sweep has belongs into a case of its own: that case is shown. Else the nearest
// option is named.
void OptionChecker::tell_unknown(const Setting& setting, const plugin::Manifest& manifest) {
  if (problems_.full()) return;
  const std::string unknown =
      fmt::format("unknown key '{}' (the plugin '{}' has no such option)", setting.path, manifest.name);
  std::vector<std::string> cases;
  bool shared = false;
  for (const PluginShelf::Found& plugin : plugins_.found()) {
    const bool has = plugin.manifest->find(setting.option()) != nullptr;
    shared = shared || has;
    if (!has && cases.size() > kMostCases) continue;
    cases.push_back(has ? fmt::format("{{ model.plugin: {}, {}: {} }}", plugin.plugin, setting.path,
                                      values_of_(setting.path))
                        : fmt::format("{{ model.plugin: {} }}", plugin.plugin));
  }
  if (shared)
    return problems_.add(setting.key_place,
                         fmt::format("{}; what one variant alone has goes into its case: cases: [{}]", unknown,
                                     fmt::join(cases, ", ")));
  std::vector<std::string> known{"model.params", "model.body", "model.plugin"};
  for (const plugin::OptionSpec& one : manifest.options) known.push_back("model." + one.name);
  const std::string ours = our_key(setting.option());
  const std::string hint =
      ours.empty() ? did_you_mean(setting.path, known) : fmt::format("; here it is '{}'", ours);
  problems_.add(setting.key_place, fmt::format("unknown key '{}'{} (the plugin '{}' has no such option)", setting.path,
                                               hint, manifest.name));
}

const OptionChecker::Checked& OptionChecker::checked(const Setting& setting, const plugin::Manifest& manifest) {
  const auto [entry, fresh] = checked_.try_emplace({&setting, &manifest});
  Checked& result = entry->second;
  if (!fresh) return result;
  const std::string name = setting.option();
  const plugin::OptionSpec* option = option_of(manifest, name);
  if (option == nullptr) {
    tell_unknown(setting, manifest);
    return result;
  }
  std::string problem;
  result.value = typed_option(*option, *setting.node, problem);
  result.good = problem.empty();
  if (!result.good && option->type == "choice") problem += did_you_mean(setting.node->text, option->choices);
  if (!result.good) problems_.add(setting.node->place, fmt::format("'{}' {}", setting.path, problem));
  return result;
}

std::string derived_problem(const DesignPoint& point, const std::string& path, const json::value& value) {
  if (const RunKey* key = find_run_key(path)) {
    const std::string problem = value_problem(*key, value);
    return problem.empty() ? "" : "must be " + problem;
  }
  const std::string name = path.substr(6);
  const plugin::OptionSpec* option = option_of(*point.plugin->manifest, name);
  if (option == nullptr) return fmt::format("is no option of the plugin '{}'", point.plugin->manifest->name);
  const std::string problem = option_problem(*option, value);
  return problem.empty() ? "" : "must be " + problem;
}

}  // namespace bitsweep::spec
