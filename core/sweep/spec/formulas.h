// where, exclude and derive as parsed expressions with their places, and their evaluation at one point.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/yaml.h"
#include "plugin/manifest.h"
#include "spec/expression.h"
#include "spec/keys.h"
#include "spec/problems.h"

namespace bitsweep::spec {

struct Formula {
  Expression expression;
  Yaml node;            // where it stands
  std::string target;   // of derive: the path it sets
  YamlPlace key_place;  // of derive
};

struct Condition {
  Formula formula;
  bool keep = true;     // where: keeps the points for which it holds; exclude: removes them
  int64_t removed = 0;  // points, counted by the expander
};

// where, then exclude. Problems: not an expression, unknown names.
std::vector<Condition> read_conditions(const YamlNode& root, Problems& problems,
                                       const std::vector<std::string>& option_paths);

// Ordered so that each comes after those it depends on; a circle is a problem that names it. Targets in `pinned` are
// left out.
std::vector<Formula> read_derived(const YamlNode& root, const std::set<std::string>& pinned, Problems& problems,
                                  const std::vector<std::string>& option_paths, std::vector<std::string>& notes);

// An expression's value as JSON; a whole number as an integer.
json::value formula_json(const ExpressionValue& value);

// A JSON value as an expression sees it; nothing for lists and null.
std::optional<ExpressionValue> formula_value(const json::value& value);

}  // namespace bitsweep::spec
