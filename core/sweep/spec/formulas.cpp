#include "spec/formulas.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "spec/settings.h"

namespace bitsweep::spec {
namespace {

// Parses one expression and checks the names it uses. Nothing, and a problem, when it is wrong.
std::optional<Formula> read_formula(const Yaml& node, const std::string& what, Problems& problems,
                                    const std::vector<std::string>& option_paths) {
  if (node->kind != YamlKind::scalar) {
    problems.add(node->place, fmt::format("'{}' must be an expression, found {}", what, yaml_found(*node)));
    return std::nullopt;
  }
  try {
    Formula formula{Expression::parse(node->text), node, "", {}};
    bool known = true;
    for (const Expression::Name& name : formula.expression.names()) {
      const bool option = name.name.starts_with("model.") && find_run_key(name.name) == nullptr;
      const bool found = option ? std::find(option_paths.begin(), option_paths.end(), name.name) != option_paths.end()
                                : find_run_key(name.name) != nullptr;
      if (found) continue;
      known = false;
      problems.add(node->place_in_text(name.offset), unknown_key_message(name.name, option_paths));
    }
    if (known) return formula;
  } catch (const ExpressionError& error) {
    problems.add(node->place_in_text(error.offset), fmt::format("in '{}': {}", what, error.what()));
  }
  return std::nullopt;
}

// The paths a name's value comes from: tokens and steps follow from each other.
std::vector<std::string> sources_of(const std::string& name) {
  if (name == "train.tokens") return {"train.tokens", "train.steps", "train.batch", "data.context"};
  if (name == "train.steps") return {"train.steps", "train.tokens", "train.batch", "data.context"};
  return {name};
}

class Ordering {
 public:
  Ordering(std::vector<Formula> formulas, Problems& problems) : formulas_(std::move(formulas)), problems_(problems) {
    for (size_t i = 0; i < formulas_.size(); ++i) index_[formulas_[i].target] = i;
    state_.resize(formulas_.size());
  }

  std::vector<Formula> run() {
    for (size_t i = 0; i < formulas_.size(); ++i) visit(i);
    std::vector<Formula> ordered;
    for (size_t i : order_) ordered.push_back(std::move(formulas_[i]));
    return ordered;
  }

 private:
  enum class State { fresh, open, closed };

  // The recursion is as deep as the chain of formulas; the number of formulas is limited where they are read.
  void visit(size_t i) {
    if (state_[i] == State::closed) return;
    if (state_[i] == State::open) return circle(i);
    state_[i] = State::open;
    path_.push_back(i);
    for (const Expression::Name& name : formulas_[i].expression.names()) {
      for (const std::string& source : sources_of(name.name)) {
        const auto found = index_.find(source);
        // 'train.tokens' of 'derive: train.steps' may be given: only what it names itself is a circle.
        if (found != index_.end() && (source == name.name || found->second != i)) visit(found->second);
      }
    }
    path_.pop_back();
    state_[i] = State::closed;
    order_.push_back(i);
  }

  void circle(size_t i) {
    std::string text;
    const auto start = std::find(path_.begin(), path_.end(), i);
    for (auto at = start; at != path_.end(); ++at) text += formulas_[*at].target + " -> ";
    problems_.add(formulas_[i].key_place, fmt::format("'derive' goes in a circle: {}{}", text, formulas_[i].target));
  }

  std::vector<Formula> formulas_;
  Problems& problems_;
  std::map<std::string, size_t> index_;
  std::vector<State> state_;
  std::vector<size_t> path_, order_;
};

}  // namespace

std::vector<Condition> read_conditions(const YamlNode& root, Problems& problems,
                                       const std::vector<std::string>& option_paths) {
  std::vector<Condition> conditions;
  for (const char* key : {"where", "exclude"}) {
    const YamlEntry* entry = root.find(key);
    if (entry == nullptr || entry->value->kind == YamlKind::null) continue;
    const bool many = entry->value->kind == YamlKind::list;
    for (const Yaml& node : many ? entry->value->items : std::vector<Yaml>{entry->value}) {
      if (auto formula = read_formula(node, key, problems, option_paths))
        conditions.push_back({*std::move(formula), std::string_view(key) == "where", 0});
    }
  }
  return conditions;
}

std::vector<Formula> read_derived(const YamlNode& root, const std::set<std::string>& pinned, Problems& problems,
                                  const std::vector<std::string>& option_paths, std::vector<std::string>& notes) {
  const YamlEntry* derive = root.find("derive");
  if (derive == nullptr || derive->value->kind == YamlKind::null) return {};
  if (derive->value->kind != YamlKind::map) {
    problems.add(derive->value->place,
                 "'derive' must be a map such as { train.lr: \"3e-4 * sqrt(train.batch / 64)\" }, found " +
                     yaml_found(*derive->value));
    return {};
  }
  std::vector<Formula> formulas;
  for (const YamlEntry& entry : derive->value->entries) {
    if (entry.value->kind == YamlKind::null) continue;
    if (!is_settable(entry.key) || entry.key == "model.plugin") {
      if (!problems.full()) problems.add(entry.key_place, unknown_key_message(entry.key, option_paths));
    } else if (pinned.contains(entry.key)) {
      notes.push_back(fmt::format("derive: --set takes the place of '{}'", entry.key));
    } else if (formulas.size() >= 100) {
      problems.add(entry.key_place, "more than 100 derived keys");
      break;
    } else if (auto formula = read_formula(entry.value, "derive." + entry.key, problems, option_paths)) {
      formula->target = entry.key;
      formula->key_place = entry.key_place;
      formulas.push_back(*std::move(formula));
    }
  }
  return Ordering(std::move(formulas), problems).run();
}

json::value formula_json(const ExpressionValue& value) {
  if (const bool* flag = std::get_if<bool>(&value)) return *flag;
  if (const std::string* text = std::get_if<std::string>(&value)) return json::value(*text);
  const double number = std::get<double>(value);
  const double whole = std::round(number);
  // 0.1 * 30 is meant to be 3.
  const bool integer = std::abs(number - whole) <= 1e-9 * std::max(1.0, std::abs(whole)) && std::abs(whole) < 9e15 &&
                       std::abs(number) >= 1;
  if (integer) return static_cast<int64_t>(whole);
  return number == 0 ? json::value(0) : json::value(number);
}

std::optional<ExpressionValue> formula_value(const json::value& value) {
  if (value.is_number()) return value.to_number<double>();
  if (value.is_bool()) return value.get_bool();
  if (value.is_string()) return std::string(value.get_string());
  return std::nullopt;
}

}  // namespace bitsweep::spec
