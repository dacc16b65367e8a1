// One point of a design while it becomes a run: the settings in force, and what an expression sees of them.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "spec/formulas.h"
#include "spec/settings.h"

namespace bitsweep::spec {

class DesignPoint {
 public:
  // `upper` on top of `base`: of the same path, and of the keys it replaces.
  DesignPoint(const std::vector<Setting>& base, std::vector<const Setting*> upper);

  const std::vector<const Setting*>& settings() const { return in_force_; }
  // What the blocks set, in their order.
  const std::vector<const Setting*>& upper() const { return upper_; }
  const Setting* find(std::string_view path) const;

  const PluginShelf::Found* plugin = nullptr;
  // Typed options of the model, by name; filled by OptionChecker.
  json::object options;
  // Derived values by path, in order; they win over the settings.
  std::vector<std::pair<const Formula*, json::value>> derived;

  // The value in force: derived, set, or the key's (or option's) default; steps and tokens follow from each other.
  // Null: none.
  json::value value(std::string_view path) const;

 private:
  json::value given(std::string_view path) const;
  json::value converted_budget(std::string_view path) const;

  std::vector<const Setting*> upper_, in_force_;
};

// Checks model options against the plugin of a point; each value once.
class OptionChecker {
 public:
  // `values_of`: what a path takes in the sweep, as a person would write it: "[bop, diode]".
  OptionChecker(PluginShelf& plugins, Problems& problems, std::function<std::string(const std::string& path)> values_of)
      : plugins_(plugins), problems_(problems), values_of_(std::move(values_of)) {}
  // Fills point.plugin and point.options. False when something is wrong with them.
  bool check(DesignPoint& point);

 private:
  struct Checked {
    bool good = false;
    json::value value;
  };
  const Checked& checked(const Setting& setting, const plugin::Manifest& manifest);
  void tell_unknown(const Setting& setting, const plugin::Manifest& manifest);

  PluginShelf& plugins_;
  Problems& problems_;
  std::function<std::string(const std::string& path)> values_of_;
  std::map<const YamlNode*, std::optional<PluginShelf::Found>> found_;
  std::map<std::pair<const Setting*, const plugin::Manifest*>, Checked> checked_;
};

// "must be an integer from 8 to 65536" when the typed value does not fit the key or the option, else "".
std::string derived_problem(const DesignPoint& point, const std::string& path, const json::value& value);

}  // namespace bitsweep::spec
