#include "fit/row_filter.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/units.h"

namespace bitsweep::fit {
namespace {

// The conditions' texts: split at commas and at the word `and`, outside of quotes.
std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> parts = {""};
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == ',') {
      parts.emplace_back();
      continue;
    } else if (c == ' ' && text.size() - i > 4) {
      std::string word = text.substr(i, 5);
      for (char& w : word) w = static_cast<char>(std::tolower(static_cast<unsigned char>(w)));
      if (word == " and ") {
        parts.emplace_back();
        i += 3;
        continue;
      }
    }
    parts.back() += c;
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
  for (const std::string& part : parts_of(text)) {
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
                       fmt::format("{}: '{}' is not of the form COLUMN = VALUE (or != < <= > >= ~ !~), joined by 'and'",
                                   name_, excerpt(trimmed(part)))});
    else
      conditions_.push_back(std::move(condition));
  }
  if (!wrong.empty()) throw Error(ErrorKind::input, wrong);
}

std::vector<std::string> RowFilter::columns() const {
  std::vector<std::string> names;
  for (const Condition& c : conditions_) {
    if (std::find(names.begin(), names.end(), c.column) == names.end()) names.push_back(c.column);
  }
  return names;
}

bool RowFilter::keeps(const std::function<std::optional<std::string>(const std::string&)>& cell) const {
  return std::all_of(conditions_.begin(), conditions_.end(), [&](const Condition& c) {
    const std::optional<std::string> text = cell(c.column);
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
  });
}

}  // namespace bitsweep::fit
