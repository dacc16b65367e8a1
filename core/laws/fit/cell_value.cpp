#include "fit/cell_value.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <set>
#include <string_view>

#include "base/csv.h"
#include "base/units.h"

namespace bitsweep::fit {
namespace {

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// The length of the separator of thousands at `at` that is no comma and no point: a blank of any width, or an
// apostrophe; 0 for none.
size_t blank_at(std::string_view text, size_t at) {
  for (const std::string_view blank : {" ", "'", "\xC2\xA0", "\xE2\x80\xAF", "\xE2\x80\x89", "\xE2\x80\x99"})
    if (text.substr(at).starts_with(blank)) return blank.size();
  return 0;
}

// Three digits, and no fourth.
bool is_group(std::string_view text, size_t at) {
  if (at + 3 > text.size()) return false;
  for (size_t i = at; i < at + 3; ++i)
    if (!is_digit(text[i])) return false;
  return at + 3 == text.size() || !is_digit(text[at + 3]);
}

// The number without its separators, where all its groups have three digits; `length` gives the separator's length at a
// place. `groups`: how many were joined.
template <typename Length>
std::string joined_groups(std::string_view text, const Length& length, int& groups) {
  groups = 0;
  size_t at = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  const size_t begin = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  if (at == begin || at - begin > 3) return std::string(text);
  std::string plain(text.substr(0, at));
  while (at < text.size()) {
    const size_t separator = length(text, at);
    if (separator == 0 || !is_group(text, at + separator)) break;
    plain += text.substr(at + separator, 3);
    at += separator + 3;
    ++groups;
  }
  return plain + std::string(text.substr(at));
}

}  // namespace

std::string lower_case(const std::string& text) {
  std::string word;
  for (const char c : text) word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return word;
}

bool says_missing(const std::string& text) {
  static const std::set<std::string> kWords = {
      "",      "na",   "n/a",     "#n/a",    "n.a.",    "<na>",    "nan",
      "#nan",  "null", "none",    "nil",     "-",       "--",      "–",
      "—",     "−",    "?",       "...",     "…",       ".",       "_",
      "todo",  "tbd",  "pending", "missing", "unknown", "#value!", "#div/0!",
      "#ref!", "\\n",  "void",    "#num!",   "nat",     "unset",   "not available",
      "empty", "tba"};
  return kWords.contains(lower_case(text));
}

std::string plain_number(const std::string& text, char delimiter, NumberKind kind) {
  if (text.empty() || !(is_digit(text[0]) || text[0] == '-' || text[0] == '+' || text[0] == '.')) {
    return with_decimal_point(text, delimiter);
  }
  int groups = 0;
  const auto comma = [](std::string_view t, size_t at) -> size_t { return t[at] == ',' ? 1 : 0; };
  const auto point = [](std::string_view t, size_t at) -> size_t { return t[at] == '.' ? 1 : 0; };
  std::string plain = joined_groups(text, blank_at, groups);
  if (groups > 0) return with_decimal_point(plain, delimiter);
  // One comma before three digits may be a decimal one, where commas do not separate cells.
  const bool decimal_comma = delimiter != ',';
  plain = joined_groups(text, comma, groups);
  if (groups >= 2 || (groups == 1 && (!decimal_comma || kind == NumberKind::count))) return plain;
  if (decimal_comma) {
    plain = joined_groups(text, point, groups);
    if (groups >= 2) return with_decimal_point(plain, delimiter);
  }
  return with_decimal_point(text, delimiter);
}

std::optional<double> cell_number(const std::string& text, char delimiter, NumberKind kind) {
  return parse_size(plain_number(text, delimiter, kind));
}

std::optional<int64_t> whole_number(const std::string& text, char delimiter) {
  const std::string plain = plain_number(text, delimiter, NumberKind::count);
  std::string_view digits = plain;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  // A fraction of nothing but zeros is none.
  if (const size_t dot = digits.find('.');
      dot != std::string_view::npos && digits.find_first_not_of('0', dot + 1) == std::string_view::npos)
    digits = digits.substr(0, dot);
  int64_t value = 0;
  const auto [rest, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (!digits.empty() && code == std::errc() && rest == digits.data() + digits.size()) return value;
  if (code == std::errc::result_out_of_range) return std::nullopt;
  const auto number = parse_size(plain);
  if (!number || *number != std::floor(*number) || std::abs(*number) >= 9e15) return std::nullopt;
  return static_cast<int64_t>(*number);
}

}  // namespace bitsweep::fit
