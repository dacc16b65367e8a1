#include "weights/config_values.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/csv.h"
#include "base/nearest.h"

namespace bitsweep::weights {
namespace {

std::string found(const json::value& value) { return excerpt(compact_json(value)); }

}  // namespace

const json::value* ConfigValues::find(std::string_view key) const {
  const json::value* value = object_.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

bool ConfigValues::has(std::string_view key) const { return find(key) != nullptr; }

void ConfigValues::add(std::string_view key, std::string_view what) {
  wrong_.push_back({.file = file_, .message = fmt::format("'{}{}': {}", path_, key, what)});
}

int64_t ConfigValues::needed_count(std::string_view key, int64_t most) {
  if (has(key)) return count(key, 1, most);
  std::vector<std::string> keys;
  for (const auto& member : object_) keys.emplace_back(member.key());
  add(key, fmt::format("expected a whole number from 1 to {}, found none{}", most, did_you_mean(key, keys)));
  return 1;
}

int64_t ConfigValues::count(std::string_view key, int64_t otherwise, int64_t most) {
  const json::value* value = find(key);
  if (value == nullptr) return otherwise;
  boost::system::error_code code;
  const auto number = value->is_number() ? value->to_number<int64_t>(code) : 0;
  if (!code && number >= 1 && number <= most) return number;
  add(key, fmt::format("expected a whole number from 1 to {}, found {}", most, found(*value)));
  return otherwise;
}

double ConfigValues::number(std::string_view key, double otherwise) {
  const json::value* value = find(key);
  if (value == nullptr) return otherwise;
  const double number = value->is_number() ? value->to_number<double>() : 0;
  if (number > 0) return number;
  add(key, fmt::format("expected a number above 0, found {}", found(*value)));
  return otherwise;
}

bool ConfigValues::boolean(std::string_view key, bool otherwise) {
  const json::value* value = find(key);
  if (value == nullptr) return otherwise;
  if (value->is_bool()) return value->get_bool();
  add(key, fmt::format("expected true or false, found {}", found(*value)));
  return otherwise;
}

std::string ConfigValues::word(std::string_view key, std::string_view otherwise,
                               const std::vector<std::string>& words) {
  const json::value* value = find(key);
  if (value == nullptr) return std::string(otherwise);
  const std::string text = value->is_string() ? std::string(value->get_string()) : found(*value);
  if (std::find(words.begin(), words.end(), text) != words.end()) return text;
  add(key, fmt::format("expected {}, found {}{}", fmt::join(words, " or "), excerpt(text), did_you_mean(text, words)));
  return std::string(otherwise);
}

void ConfigValues::expect(std::string_view key, const json::value& only, const json::value& otherwise,
                          std::string_view why) {
  const json::value* value = find(key);
  if (canonical_json(value != nullptr ? *value : otherwise) == canonical_json(only)) return;
  add(key,
      fmt::format("expected {}, found {}: {}", compact_json(only), value != nullptr ? found(*value) : "none", why));
}

const json::object* ConfigValues::object(std::string_view key) {
  const json::value* value = find(key);
  if (value == nullptr || value->is_object()) return value == nullptr ? nullptr : &value->get_object();
  add(key, fmt::format("expected an object, found {}", found(*value)));
  return nullptr;
}

void ConfigValues::only(const std::vector<std::string>& known, std::string_view why) {
  for (const auto& member : object_)
    if (!member.value().is_null() && std::find(known.begin(), known.end(), member.key()) == known.end())
      add(member.key(), why);
}

}  // namespace bitsweep::weights
