// What a scalar of a YAML tree means: the types of the YAML 1.2 core schema, sizes, and JSON.
#include <cmath>

#include <fmt/format.h>

#include "base/units.h"
#include "base/yaml.h"

namespace bitsweep {
namespace {

bool is_plain(const YamlNode& node) { return node.kind == YamlKind::scalar && !node.is_text; }

bool starts_like_number(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (text.empty()) return false;
  const bool special =
      text == ".inf" || text == ".Inf" || text == ".INF" || text == ".nan" || text == ".NaN" || text == ".NAN";
  // from_chars also takes "inf" and "nan", which YAML leaves as words.
  return special || (text[0] >= '0' && text[0] <= '9') ||
         (text[0] == '.' && text.size() > 1 && text[1] >= '0' && text[1] <= '9');
}

constexpr double kWholeBelow = 9007199254740992.0;  // 2^53

}  // namespace

std::optional<bool> yaml_bool(const YamlNode& node) {
  if (!is_plain(node)) return std::nullopt;
  if (node.text == "true" || node.text == "True" || node.text == "TRUE") return true;
  if (node.text == "false" || node.text == "False" || node.text == "FALSE") return false;
  return std::nullopt;
}

std::optional<double> yaml_number(const YamlNode& node) {
  if (!is_plain(node) || !starts_like_number(node.text)) return std::nullopt;
  std::string_view text = node.text;
  const bool negative = text[0] == '-';
  if (text[0] == '-' || text[0] == '+') text.remove_prefix(1);
  const auto value = parse_number(text);
  return value && negative ? -*value : value;
}

std::optional<double> yaml_size(const YamlNode& node) {
  if (!is_plain(node) || !starts_like_number(node.text)) return std::nullopt;
  return parse_size(node.text);
}

std::optional<int64_t> yaml_integer(const YamlNode& node) {
  const auto value = yaml_size(node);
  if (!value || !(std::abs(*value) <= kWholeBelow) || *value != std::floor(*value)) return std::nullopt;
  return static_cast<int64_t>(*value);
}

json::value yaml_to_json(const YamlNode& node) {
  switch (node.kind) {
    case YamlKind::null:
      return nullptr;
    case YamlKind::list: {
      json::array array;
      for (const Yaml& item : node.items) array.push_back(yaml_to_json(*item));
      return array;
    }
    case YamlKind::map: {
      json::object object;
      for (const YamlEntry& entry : node.entries) object[entry.key] = yaml_to_json(*entry.value);
      return object;
    }
    case YamlKind::scalar:
      break;
  }
  if (const auto flag = yaml_bool(node)) return *flag;
  if (const auto number = yaml_number(node)) {
    if (const auto integer = yaml_integer(node)) return *integer;
    return *number;
  }
  return json::value(node.text);
}

std::string yaml_found(const YamlNode& node) {
  switch (node.kind) {
    case YamlKind::null:
      return "nothing";
    case YamlKind::list:
      return "a list";
    case YamlKind::map:
      return "a map";
    case YamlKind::scalar:
      break;
  }
  const std::string shown = node.text.size() > 60 ? node.text.substr(0, 57) + "..." : node.text;
  return is_plain(node) && (yaml_number(node) || yaml_bool(node)) ? shown : fmt::format("'{}'", shown);
}

}  // namespace bitsweep
