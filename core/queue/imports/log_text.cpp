#include "imports/log_text.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "imports/log_values.h"

namespace bitsweep::imports {
namespace {

constexpr std::string_view kFactObjects[] = {"config", "args", "hparams", "hyperparameters"};
constexpr int kDeepest = 16;

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

// Escape sequences of a terminal: ESC [ … letter, and ESC with one more.
std::string without_colours(std::string_view line) {
  std::string out;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\x1b') {
      out += line[i];
      continue;
    }
    if (i + 1 >= line.size()) break;
    ++i;
    if (line[i] != '[') continue;
    while (i + 1 < line.size() && !is_letter(line[i + 1])) ++i;
    ++i;
  }
  return out;
}

// The closing brace of the object that opens at `at`; npos where the line ends before. Quotes of the kind that the
// object's first name has keep braces inside of them from counting.
size_t object_end(std::string_view line, size_t at) {
  const size_t first = line.find_first_not_of(" \t", at + 1);
  const bool single = first != std::string_view::npos && line[first] == '\'';
  char quote = 0;
  int depth = 0;
  for (size_t i = at; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (c == '\\')
        ++i;
      else if (c == quote)
        quote = 0;
    } else if (c == '"' || (single && c == '\'')) {
      quote = c;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return i;
    }
  }
  return std::string_view::npos;
}

// What is said in another spelling than JSON's, outside of strings, as JSON has it: NaN, None, True, np.float64(2.5),
// and single quotes.
class AsJson {
 public:
  explicit AsJson(std::string_view text) : text_(text) {}

  std::string text() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'')
        string(c);
      else if (is_letter(c) || c == '_')
        word();
      else if ((c == '-' || c == '+') && at_ + 1 < text_.size() && is_letter(text_[at_ + 1]))
        ++at_;  // of an infinity
      else
        other(c);
    }
    return std::move(out_);
  }

 private:
  void string(char quote) {
    out_ += '"';
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        const char escaped = text_[++at_];
        if (escaped != '\'') out_ += '\\';
        out_ += escaped;
      } else {
        if (text_[at_] == '"') out_ += '\\';
        out_ += text_[at_];
      }
    }
    out_ += '"';
    ++at_;
  }

  void word() {
    const size_t begin = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_' || text_[at_] == '.'))
      ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    if (at_ < text_.size() && text_[at_] == '(') {
      ++at_;  // np.float64( … ), tensor( … ): what is inside counts
      ++calls_;
    } else if (word == "true" || word == "True") {
      out_ += "true";
    } else if (word == "false" || word == "False") {
      out_ += "false";
    } else if (word == "null" || word == "None" || word == "NaN" || word == "nan" || word == "inf" ||
               word == "Infinity") {
      out_ += "null";
    } else {
      out_ += word;
    }
  }

  void other(char c) {
    ++at_;
    if (c == '(')
      out_ += '[';
    else if (c == ')' && calls_ > 0)
      --calls_;
    else
      out_ += c == ')' ? ']' : c;
  }

  std::string_view text_;
  size_t at_ = 0;
  int calls_ = 0;  // that are open
  std::string out_;
};

// Numbers such as 1e5 keep their letter: they are read before words are.
std::optional<json::value> parse_loosely(std::string_view text) {
  if (auto value = try_parse_json(text)) return value;
  const bool odd = text.find('\'') != std::string_view::npos || text.find("an") != std::string_view::npos ||
                   text.find("aN") != std::string_view::npos || text.find("inf") != std::string_view::npos ||
                   text.find("Inf") != std::string_view::npos || text.find("None") != std::string_view::npos ||
                   text.find('(') != std::string_view::npos || text.find("True") != std::string_view::npos ||
                   text.find("False") != std::string_view::npos;
  return odd ? try_parse_json(AsJson(text).text()) : std::nullopt;
}

bool has_step(const json::object& object, const LogNames& names) {
  return std::any_of(object.begin(), object.end(),
                     [&](const auto& member) { return names.ours(member.key()).ours == "step"; });
}

// Text that looks like the end of an object whose beginning another process wrote over.
bool is_tail(std::string_view line) {
  const size_t last = line.find_last_not_of(" \t");
  return last != std::string_view::npos && line[last] == '}' && line.find('"') != std::string_view::npos;
}

bool looks_begun(std::string_view line, size_t at) {
  const size_t first = line.find_first_not_of(" \t", at + 1);
  return first != std::string_view::npos && (line[first] == '"' || line[first] == '\'');
}

int column_of(std::string_view line, std::string_view key) {
  for (const char quote : {'"', '\''}) {
    const size_t at = line.find(quote + std::string(key) + quote);
    if (at != std::string_view::npos) return static_cast<int>(at) + 1;
  }
  return 0;
}

void flatten(const json::object& object, const std::string& path, std::string_view line, int depth, LogRow& row) {
  for (const auto& member : object) {
    const std::string name = path + std::string(member.key());
    const json::value& value = member.value();
    if (value.is_array()) continue;
    if (!value.is_object()) {
      row.fields.push_back({name, value, column_of(line, member.key())});
    } else if (std::find(std::begin(kFactObjects), std::end(kFactObjects), member.key()) != std::end(kFactObjects)) {
      for (const auto& fact : value.get_object())
        if (!fact.value().is_structured() && fact.key() != "step" && fact.key() != "steps")
          row.fields.push_back({std::string(fact.key()), fact.value(), column_of(line, fact.key())});
    } else if (depth < kDeepest) {
      flatten(value.get_object(), name + ".", line, depth + 1, row);
    }
  }
}

}  // namespace

void each_line(std::string_view text, const std::function<void(const LogLine&)>& take) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  int number = 0;
  const auto piece = [&](std::string_view part, bool last) {
    if (part.find_first_not_of(" \t") == std::string_view::npos) return;
    if (part.find('\x1b') == std::string_view::npos) return take({part, number, last});
    const std::string plain = without_colours(part);
    if (plain.find_first_not_of(" \t") != std::string::npos) take({plain, number, last});
  };
  const size_t whole = text.find_last_not_of(" \t\r\n") + 1;
  for (size_t at = 0; at < whole;) {
    const size_t end = std::min(text.find('\n', at), text.size());
    ++number;
    const std::string_view line = text.substr(0, end);  // a search for '\r' must not run on to the end of the text
    for (size_t begin = at; begin < end;) {
      const size_t stop = std::min(line.find('\r', begin), end);
      piece(text.substr(begin, stop - begin), stop >= whole);
      begin = stop + 1;
    }
    at = end + 1;
  }
}

ObjectsOfLine each_object(std::string_view line, const LogNames& names,
                          const std::function<void(const json::object&)>& take) {
  ObjectsOfLine result;
  size_t at = line.find('{');
  if (at == std::string_view::npos) result.torn = is_tail(line);
  while (at != std::string_view::npos) {
    const size_t end = object_end(line, at);
    auto value = end == std::string_view::npos ? std::nullopt : parse_loosely(line.substr(at, end - at + 1));
    if (value && value->is_object()) {
      if (!result.torn || has_step(value->get_object(), names)) {
        ++result.found;
        take(value->get_object());
      }
      at = line.find('{', end + 1);
      continue;
    }
    result.torn |= looks_begun(line, at);
    at = line.find('{', at + 1);
  }
  return result;
}

std::optional<json::value> parse_document(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || (text[first] != '{' && text[first] != '[')) return std::nullopt;
  if (auto value = try_parse_json(text)) return value;
  // Lines of objects are no document: whether it goes on behind the first one is seen before anything is rewritten.
  const std::string_view line = text.substr(first, text.find('\n', first) - first);
  if (text[first] == '{' && parse_loosely(line)) return std::nullopt;
  if (text.find('\n', first) == std::string_view::npos) return std::nullopt;
  return text[text.find_last_not_of(" \t\r\n")] == (text[first] == '{' ? '}' : ']') ? parse_loosely(text)
                                                                                    : std::nullopt;
}

LogRow row_of(const json::object& object, std::string_view line, int number) {
  LogRow row{.line = number, .fields = {}};
  flatten(object, "", line, 0, row);
  return row;
}

std::optional<int> rank_of(std::string_view line) {
  const std::string_view before = line.substr(0, line.find('{'));
  for (const std::string_view word : {"rank", "Rank", "RANK"}) {
    size_t at = before.find(word);
    if (at == std::string_view::npos || (at > 0 && is_letter(before[at - 1]))) continue;
    at = before.find_first_not_of(" :=", at + word.size());
    if (at == std::string_view::npos || !is_decimal(before[at])) continue;
    int rank = 0;
    std::from_chars(before.data() + at, before.data() + before.size(), rank);
    return rank;
  }
  return std::nullopt;
}

}  // namespace bitsweep::imports
