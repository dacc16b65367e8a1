#include "fit/row_filter.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/units.h"

namespace bitsweep::fit {
namespace {

// The conditions' texts by alternatives: split at the word `or`, and those at commas and the word `and`, outside of
// quotes.
std::vector<std::vector<std::string>> parts_of(const std::string& text) {
  std::vector<std::vector<std::string>> parts = {{""}};
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto word = [&](std::string_view name) {
      if (c != ' ' || text.size() - i < name.size()) return false;
      return std::equal(name.begin(), name.end(), text.begin() + static_cast<std::ptrdiff_t>(i), [](char a, char b) {
        return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b)));
      });
    };
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == ',') {
      parts.back().emplace_back();
      continue;
    } else if (word(" and ")) {
      parts.back().emplace_back();
      i += 3;
      continue;
    } else if (word(" or ")) {
      parts.push_back({""});
      i += 2;
      continue;
    }
    parts.back().back() += c;
  }
  return parts;
}

std::string unquoted(const std::string& text) {
  const bool quoted = text.size() >= 2 && (text[0] == '"' || text[0] == '\'') && text.back() == text[0];
  return quoted ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

RowFilter::RowFilter(const std::string& text, const std::string& name_for_message) : name_(name_for_message) {
  std::vector<Diagnostic> wrong;
  for (const std::vector<std::string>& all : parts_of(text)) {
    alternatives_.emplace_back();
    for (const std::string& part : all) read(part, wrong);
  }
  if (!wrong.empty()) throw Error(ErrorKind::input, wrong);
}

void RowFilter::read(const std::string& part, std::vector<Diagnostic>& wrong) {
  const size_t at = part.find_first_of("=!<>~");
  size_t end = at == std::string::npos ? at : at + 1;
  if (end < part.size() && part[at] != '~' && (part[end] == '=' || (part[at] == '!' && part[end] == '~'))) ++end;
  Condition condition;
  if (at != std::string::npos) {
    condition.column = unquoted(trimmed(part.substr(0, at)));
    condition.operation = part.substr(at, end - at);
    condition.value = unquoted(trimmed(part.substr(end)));
    if (condition.operation == "==") condition.operation = "=";
  }
  if (condition.column.empty() || condition.operation == "!" ||
      (condition.value.empty() && trimmed(part.substr(std::min(end, part.size()))).empty()))
    wrong.push_back({"", 0, 0,
                     fmt::format("{}: '{}' is not of the form COLUMN = VALUE (or != < <= > >= ~ !~), joined by "
                                 "'and' and 'or'",
                                 name_, excerpt(trimmed(part)))});
  else
    alternatives_.back().push_back(std::move(condition));
}

std::vector<std::string> RowFilter::columns() const {
  std::vector<std::string> names;
  for (const auto& conditions : alternatives_)
    for (const Condition& c : conditions)
      if (std::find(names.begin(), names.end(), c.column) == names.end()) names.push_back(c.column);
  return names;
}

bool RowFilter::keeps(const std::function<std::optional<std::string>(const std::string&)>& cell) const {
  return alternatives_.empty() || std::any_of(alternatives_.begin(), alternatives_.end(), [&](const auto& conditions) {
    return std::all_of(conditions.begin(), conditions.end(),
                       [&](const Condition& c) { return holds(c, cell(c.column)); });
  });
}

bool RowFilter::holds(const Condition& c, const std::optional<std::string>& text) const {
  if (!text || text->empty()) return c.operation[0] == '!' ? !c.value.empty() : c.operation == "=" && c.value.empty();
  if (c.operation == "~") return text->find(c.value) != std::string::npos;
  if (c.operation == "!~") return text->find(c.value) == std::string::npos;
  const auto left = parse_size(*text), right = parse_size(c.value);
  const bool numbers = left && right;
  if (c.operation == "=") return numbers ? *left == *right : *text == c.value;
  if (c.operation == "!=") return numbers ? *left != *right : *text != c.value;
  if (!numbers)
    throw Error(ErrorKind::input, fmt::format("{}: '{} {} {}' orders numbers, and '{}' is none", name_, c.column,
                                              c.operation, c.value, excerpt(left ? c.value : *text)));
  if (c.operation == "<") return *left < *right;
  if (c.operation == "<=") return *left <= *right;
  return c.operation == ">" ? *left > *right : *left >= *right;
}

}  // namespace bitsweep::fit
