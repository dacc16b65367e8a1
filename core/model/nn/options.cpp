#include "nn/options.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <type_traits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/nearest.h"
#include "base/units.h"

namespace bitsweep::nn {

const json::value* OptionReader::find(std::string_view name) {
  asked_.emplace_back(name);
  if (!has(name)) return defaults_.if_contains(name);
  return options_.if_contains(name);
}

bool OptionReader::has(std::string_view name) const {
  const json::value* value = options_.if_contains(name);
  return value != nullptr && !value->is_null();
}

template <class T>
T OptionReader::keep(std::string_view name, T value) {
  resolve(name, json::value_from(value));
  return value;
}

namespace {

std::optional<int64_t> integer_of(const json::value& value, int64_t min, int64_t max) {
  const double number = value.is_number() ? value.to_number<double>() : NAN;
  const bool fits =
      number == std::floor(number) && number >= static_cast<double>(min) && number <= static_cast<double>(max);
  return fits ? std::optional(static_cast<int64_t>(number)) : std::nullopt;
}

std::optional<std::vector<int64_t>> integers_of(const json::value& value, int64_t min, int64_t max) {
  if (!value.is_array()) return std::nullopt;
  std::vector<int64_t> numbers;
  for (const json::value& item : value.get_array()) {
    const std::optional<int64_t> number = integer_of(item, min, max);
    if (!number || (!numbers.empty() && *number <= numbers.back())) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

}  // namespace

int64_t OptionReader::integer(std::string_view name, int64_t otherwise, int64_t min, int64_t max) {
  const json::value* value = find(name);
  if (value == nullptr) return keep(name, otherwise);
  if (const std::optional<int64_t> number = integer_of(*value, min, max)) return keep(name, *number);
  add_problem(fmt::format("{}: expected an integer from {} to {}, got {}", name, min, max, json::serialize(*value)));
  return otherwise;
}

std::vector<int64_t> OptionReader::integers(std::string_view name, std::vector<int64_t> otherwise, int64_t min,
                                            int64_t max) {
  const json::value* value = find(name);
  if (value == nullptr) return keep(name, std::move(otherwise));
  if (std::optional<std::vector<int64_t>> numbers = integers_of(*value, min, max)) {
    return keep(name, std::move(*numbers));
  }
  add_problem(fmt::format("{}: expected a list of integers from {} to {}, ascending, got {}", name, min, max,
                          json::serialize(*value)));
  return otherwise;
}

double OptionReader::number(std::string_view name, double otherwise, double min, double max) {
  const json::value* value = find(name);
  if (value == nullptr) return keep(name, otherwise);
  const double number = value->is_number() ? value->to_number<double>() : NAN;
  if (number >= min && number <= max) return keep(name, number);
  add_problem(fmt::format("{}: expected a number from {} to {}, got {}", name, min, max, json::serialize(*value)));
  return otherwise;
}

double OptionReader::size(std::string_view name, double otherwise, double min, double max) {
  const json::value* value = find(name);
  if (value == nullptr) return otherwise;
  std::optional<double> number;
  if (value->is_number()) number = value->to_number<double>();
  if (value->is_string()) number = parse_size(std::string_view(value->get_string()));
  if (number && *number >= min && *number <= max) return *number;
  add_problem(fmt::format("{}: expected a size from {} to {}, such as 5.5M, got {}", name, format_count(min),
                          format_count(max), json::serialize(*value)));
  return otherwise;
}

bool OptionReader::boolean(std::string_view name, bool otherwise) {
  const json::value* value = find(name);
  if (value == nullptr) return keep(name, otherwise);
  if (value->is_bool()) return keep(name, value->get_bool());
  add_problem(fmt::format("{}: expected true or false, got {}", name, json::serialize(*value)));
  return otherwise;
}

std::string OptionReader::choice(std::string_view name, std::string_view otherwise,
                                 const std::vector<std::string>& choices) {
  const json::value* value = find(name);
  if (value == nullptr) return keep(name, std::string(otherwise));
  const std::string given = value->is_string() ? std::string(value->get_string()) : std::string();
  if (std::find(choices.begin(), choices.end(), given) != choices.end()) return keep(name, given);
  add_problem(fmt::format("{}: expected one of {}, got {}{}", name, fmt::join(choices, ", "), json::serialize(*value),
                          did_you_mean(given, choices)));
  return std::string(otherwise);
}

void OptionReader::resolve(std::string_view name, json::value value) { resolved_[name] = std::move(value); }

void OptionReader::leave_out(std::string_view name) {
  if (const auto place = resolved_.find(name); place != resolved_.end()) resolved_.stable_erase(place);
}

void OptionReader::imply(std::string_view name, const json::value& absent) {
  implied_[name] = absent;
  leave_out(name);
}

void OptionReader::leave_out_at(std::string_view name, const json::value& absent) {
  const json::value* value = resolved_.if_contains(name);
  if (value != nullptr && canonical_json(*value) == canonical_json(absent)) imply(name, absent);
}

void OptionReader::add_problem(std::string message) {
  problems_.push_back({.file = {}, .message = std::move(message)});
}

void OptionReader::finish() {
  for (const auto& member : options_) {
    const std::string name(member.key());
    if (std::find(asked_.begin(), asked_.end(), name) != asked_.end()) continue;
    add_problem(fmt::format("unknown option '{}'{}", name, did_you_mean(name, asked_)));
  }
  if (!problems_.empty()) throw Error(ErrorKind::input, problems_);
}

}  // namespace bitsweep::nn
