#include "spec/keys.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "base/units.h"
#include "spec/tokenizer_value.h"

namespace bitsweep::spec {
namespace {

constexpr double kExact = 9007199254740992.0;  // 2^53

std::string number_text(double value) {
  if (value == std::floor(value) && std::abs(value) < kExact) return format_thousands(static_cast<int64_t>(value));
  return fmt::format("{}", value);
}

std::string range_text(const RunKey& key) {
  const bool low = std::isfinite(key.least), high = std::isfinite(key.most);
  if (!low && !high) return "";
  if (key.above_least || key.below_most) {
    return fmt::format(" {} {} and {} {}", key.above_least ? "above" : "from", number_text(key.least),
                       key.below_most ? "below" : "up to", number_text(key.most));
  }
  return fmt::format(" from {} to {}", number_text(key.least), number_text(key.most));
}

bool in_range(const RunKey& key, double value) {
  if (!std::isfinite(value)) return false;
  if (key.above_least ? value <= key.least : value < key.least) return false;
  return key.below_most ? value < key.most : value <= key.most;
}

bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool fits(const RunKey& key, const json::value& value) {
  switch (key.type) {
    case ValueType::integer: {
      if (!value.is_number()) return false;
      const double number = value.to_number<double>();
      return in_range(key, number) && number == std::floor(number);
    }
    case ValueType::number:
      return value.is_number() && in_range(key, value.to_number<double>());
    case ValueType::choice:
      return value.is_string() && contains(key.words, value.get_string());
    case ValueType::text:
    case ValueType::path:
      return value.is_string() && !value.get_string().empty();
    case ValueType::corpus:
      return value.is_array() || value.is_object() || (value.is_string() && !value.get_string().empty());
    case ValueType::layout:
    case ValueType::also:
      return value.is_object();
    case ValueType::boolean:
      return value.is_bool();
    case ValueType::tokenizer:
      return value.is_object() || (value.is_string() && !value.get_string().empty());
    case ValueType::texts:
      return value.is_array() && std::all_of(value.get_array().begin(), value.get_array().end(), [&](const auto& item) {
               return item.is_string() && (key.words.empty() || contains(key.words, item.get_string()));
             });
    case ValueType::numbers:
      return value.is_array() && value.get_array().size() == key.count &&
             std::all_of(value.get_array().begin(), value.get_array().end(), [&](const auto& item) {
               return item.is_number() && in_range(key, item.template to_number<double>());
             });
    case ValueType::tasks:
      return value.is_array();
  }
  return false;
}

json::value path_value(const RunKey& key, const YamlNode& node) {
  if (contains(key.words, node.text)) return json::value(node.text);
  return json::value(absolute_path(node).string());
}

json::value scalar_of(ValueType type, const YamlNode& node) {
  if (type == ValueType::integer || type == ValueType::number) {
    const auto number = yaml_size(node);
    if (!number) return nullptr;
    if (const auto integer = yaml_integer(node)) return *integer;
    return *number;
  }
  return node.kind == YamlKind::scalar ? json::value(node.text) : json::value(nullptr);
}

json::value list_of(ValueType item_type, const YamlNode& node) {
  if (node.kind != YamlKind::list) return nullptr;
  json::array items;
  for (const Yaml& item : node.items) items.push_back(scalar_of(item_type, *item));
  return items;
}

}  // namespace

const RunKey* find_run_key(std::string_view path) {
  const auto keys = run_keys();
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const RunKey& key) { return path == key.path; });
  return found == keys.end() ? nullptr : &*found;
}

const std::vector<std::string>& run_sections() {
  static const std::vector<std::string> sections{"model", "data", "train", "eval", "checkpoint"};
  return sections;
}

std::span<const char* const> alternatives_of(std::string_view path) {
  static constexpr std::array<const char*, 3> budget{"train.steps", "train.tokens", "train.epochs"};
  if (std::find(budget.begin(), budget.end(), path) != budget.end()) return budget;
  return {};
}

bool replaces(std::string_view upper, std::string_view lower) {
  if (upper == lower) return false;
  const auto group = alternatives_of(lower);
  if (std::find(group.begin(), group.end(), upper) != group.end()) return true;
  static const std::vector<std::string> shape{"model.d_model", "model.n_layers", "model.n_heads", "model.d_ff"};
  const auto is_size = [](std::string_view path) { return path == "model.params" || path == "model.body"; };
  const auto is_text = [](std::string_view path) { return path == "data.corpus" || path == "data.examples"; };
  if (is_text(upper)) return is_text(lower);
  if (is_size(upper)) return is_size(lower) || contains(shape, lower);
  return is_size(lower) && contains(shape, upper);
}

bool axis_replaces(std::string_view upper, std::string_view lower) {
  const auto proportion = [](std::string_view path) { return path == "model.n_layers" || path == "model.n_heads"; };
  return replaces(upper, lower) && !proportion(upper) && !proportion(lower);
}

std::string expected(const RunKey& key) {
  switch (key.type) {
    case ValueType::integer:
      return "an integer" + range_text(key);
    case ValueType::number:
      return "a number" + range_text(key);
    case ValueType::choice:
      return fmt::format("one of {}", fmt::join(key.words, ", "));
    case ValueType::text:
      return "text";
    case ValueType::path:
      return key.words.empty() ? "a path" : fmt::format("{}, or a path", fmt::join(key.words, ", "));
    case ValueType::corpus:
      return fmt::format("{}, or a path", fmt::join(key.words, ", "));
    case ValueType::layout:
      return "plain, alpaca, chatml, a text with {{field}}s, or { prompt: …, answer: … }";
    case ValueType::also:
      return "texts by name, { NAME: { corpus: … } }";
    case ValueType::boolean:
      return "true or false";
    case ValueType::tokenizer:
      return fmt::format("{}, a file, or {{ train: … }}", fmt::join(key.words, ", "));
    case ValueType::texts:
      return key.words.empty() ? "a list of texts" : fmt::format("a list of {}", fmt::join(key.words, ", "));
    case ValueType::numbers:
      return fmt::format("a list of {} numbers, each{}", key.count, range_text(key));
    case ValueType::tasks:
      return "a list of tasks, { name, file, kind: choice | continue | generate, … }";
  }
  return "";
}

std::string value_problem(const RunKey& key, const json::value& value) { return fits(key, value) ? "" : expected(key); }

json::value typed_value(const RunKey& key, const YamlNode& node, std::string& problem) {
  json::value value;
  if (key.type == ValueType::boolean) {
    if (const auto truth = yaml_bool(node)) value = *truth;
  } else if ((key.type == ValueType::path || key.type == ValueType::corpus) && node.kind == YamlKind::scalar &&
             !node.text.empty())
    value = path_value(key, node);
  else if (key.type == ValueType::texts)
    value = list_of(ValueType::text, node);
  else if (key.type == ValueType::numbers)
    value = list_of(ValueType::number, node);
  else
    value = scalar_of(key.type, node);
  problem = value_problem(key, value);
  if (!problem.empty()) problem = fmt::format("must be {}, found {}", problem, yaml_found(node));
  return value;
}

const plugin::OptionSpec* size_option(std::string_view name) {
  const auto option = [](const char* called, const char* help) {
    return plugin::OptionSpec{.name = called,
                              .type = "int",
                              .min = 1,
                              .max = 1e13,
                              .choices = {},
                              .default_value = {},
                              .absent = {},
                              .help = help};
  };
  static const plugin::OptionSpec params = option("params", "target size in place of a shape, e.g. 5.5M");
  static const plugin::OptionSpec body = option("body", "the same without embedding and head");
  if (name == params.name) return &params;
  return name == body.name ? &body : nullptr;
}

json::value typed_option(const plugin::OptionSpec& option, const YamlNode& node, std::string& problem) {
  json::value value;
  if (option.type == "int" || option.type == "float")
    value = scalar_of(ValueType::number, node);
  else if (option.type == "int_list")
    value = list_of(ValueType::integer, node);
  else if (option.type == "bool")
    value = yaml_bool(node) ? json::value(*yaml_bool(node)) : json::value(nullptr);
  else
    value = scalar_of(ValueType::text, node);
  problem = option_problem(option, value);
  if (!problem.empty()) problem = fmt::format("must be {}, found {}", problem, yaml_found(node));
  return value;
}

}  // namespace bitsweep::spec
