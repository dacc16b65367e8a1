// JSON, by Boost.JSON, with errors of ours and a canonical form.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>

namespace bitsweep {

namespace json = boost::json;

// Throws Error{input} "NAME:line:column: reason" on a syntax error. Depth is limited to 64.
json::value parse_json(std::string_view text, std::string_view name_for_message);

// Nothing instead of an exception; for logs, where foreign lines are expected.
std::optional<json::value> try_parse_json(std::string_view text);

// One line; keys sorted at every level; whole numbers below 2^53 as integers, other doubles in their shortest form;
// NaN and infinities as null. Two values that mean the same give the same bytes.
std::string canonical_json(const json::value& value);

// The same on one line with the keys in the order they were added.
std::string compact_json(const json::value& value);

// Indented by two spaces, keys in the order they were added.
std::string pretty_json(const json::value& value);

// The member as the type asked for; the default when absent or null. A whole double counts as an integer.
double number_or(const json::object& object, std::string_view key, double otherwise);
int64_t integer_or(const json::object& object, std::string_view key, int64_t otherwise);
std::string string_or(const json::object& object, std::string_view key, std::string_view otherwise);
bool bool_or(const json::object& object, std::string_view key, bool otherwise);

// A double that JSON can carry: null when it is not finite, and when there is none.
json::value finite_or_null(double value);
json::value finite_or_null(const std::optional<double>& value);

// [low, high], each as finite_or_null(); null when there is none.
json::value interval_json(const std::optional<std::pair<double, double>>& interval);
json::array strings_json(const std::vector<std::string>& texts);

}  // namespace bitsweep
