// Numbers with names before them, in lines of plain text.
#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/units.h"
#include "imports/log_text.h"
#include "imports/log_values.h"

namespace bitsweep::imports {
namespace {

constexpr size_t kMostGroups = 6;  // of three digits
constexpr size_t kMostWords = 3;   // of a name: "validation bits per byte" is told by its last three

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

struct Unit {
  std::string_view text;
  double per_s;  // how many of it a second has; 0: it is no time, and the number is left as it is
};
constexpr Unit kUnits[] = {{"ms", 1e3},  {"us", 1e6},     {"µs", 1e6},       {"ns", 1e9}, {"min", 1.0 / 60},
                           {"s", 1},     {"sec", 1},      {"h", 1.0 / 3600}, {"%", 0},    {"x", 0},
                           {"tok/s", 0}, {"tokens/s", 0}, {"it/s", 0}};

// A number and all that belongs to it: "500/50000", "77540ms", "1.2M". `begin` is where the number begins.
struct Number {
  size_t begin = 0, end = 0;
  std::optional<double> value;  // nothing for a date, a time of day, an address …
  bool seconds = false;
};

class WordReader {
 public:
  WordReader(std::string_view line, const LogNames& names) : line_(line), names_(names) {}

  std::vector<LogField> fields() {
    size_t from = 0;  // where the next name may begin
    for (size_t at = 0; at < line_.size();) {
      if (!begins_number(at)) {
        ++at;
        continue;
      }
      const Number number = number_at(at);
      if (number.value) take(from, number);
      from = number.end;
      at = std::max(number.end, at + 1);
    }
    return std::move(fields_);
  }

 private:
  char char_at(size_t at) const { return at < line_.size() ? line_[at] : ' '; }

  bool begins_number(size_t at) const {
    const char before = at > 0 ? line_[at - 1] : ' ';
    if (is_word(before) || before == '.' || before == '-' || before == '/' || before == '#') return false;
    if (is_word_not_finite(at)) return true;
    if (char_at(at) == '-' || char_at(at) == '+') ++at;
    return is_decimal(char_at(at)) || (char_at(at) == '.' && is_decimal(char_at(at + 1)));
  }
  // "nan" and "inf" behind ':' or '=', or as a word of their own.
  bool is_word_not_finite(size_t at) const {
    for (const std::string_view word : {"nan", "NaN", "inf", "-inf"})
      if (line_.substr(at, word.size()) == word && !is_word(char_at(at + word.size()))) return true;
    return false;
  }

  size_t digits(size_t at) const {
    while (is_decimal(char_at(at))) ++at;
    return at;
  }
  size_t number_end(size_t at) const {
    if (char_at(at) == '-' || char_at(at) == '+') ++at;
    const size_t first = at;
    at = digits(at);
    while (at - first <= 3 + 4 * kMostGroups && char_at(at) == ',' && digits(at + 1) == at + 4) at += 4;  // 1,234,567
    if (char_at(at) == '.') at = digits(at + 1);
    if (char_at(at) == 'e' || char_at(at) == 'E') {
      const size_t sign = char_at(at + 1) == '-' || char_at(at + 1) == '+' ? at + 2 : at + 1;
      if (is_decimal(char_at(sign))) at = digits(sign);
    }
    return at;
  }

  Number number_at(size_t begin) const {
    if (is_word_not_finite(begin)) return {begin, begin + (line_[begin] == '-' ? 4 : 3), std::nan(""), false};
    const size_t end = number_end(begin);
    size_t after = end;
    while (after < line_.size() && std::string_view(" \t|,;()[]{}<>'\"").find(line_[after]) == std::string_view::npos)
      ++after;
    if (after > end && std::string_view(":./").find(line_[after - 1]) != std::string_view::npos)
      --after;  // of the sentence
    Number number{begin, std::max(after, end), parse_number(plain_digits(begin, end)), false};
    with_suffix(line_.substr(end, number.end - end), number);
    number.end = past_total(number.end);
    return number;
  }

  std::string plain_digits(size_t begin, size_t end) const {
    std::string text(line_.substr(begin, end - begin));
    std::erase(text, ',');
    return text;
  }

  // What stands right behind the digits: a total, a unit, a power of 1000; else it is no number.
  void with_suffix(std::string_view suffix, Number& number) const {
    if (suffix.empty()) return;
    if (suffix[0] == '/' && suffix.size() > 1 && is_decimal(suffix[1])) return;
    if (suffix.size() == 1 && std::string_view("kKMBGT").find(suffix[0]) != std::string_view::npos) {
      number.value = parse_size(line_.substr(number.begin, number.end - number.begin));
      return;
    }
    for (const Unit& unit : kUnits) {
      if (unit.text != suffix) continue;
      number.seconds = unit.per_s > 0;
      if (number.seconds) number.value = *number.value / unit.per_s;
      return;
    }
    number.value.reset();
  }

  // "10 /   100": the total is no number of its own.
  size_t past_total(size_t at) const {
    const size_t slash = line_.find_first_not_of(' ', at);
    if (slash == std::string_view::npos || line_[slash] != '/') return at;
    const size_t total = line_.find_first_not_of(' ', slash + 1);
    return total != std::string_view::npos && is_decimal(line_[total]) ? number_end(total) : at;
  }

  // The name that stands between `from` and the number.
  void take(size_t from, const Number& number) {
    std::string_view before = line_.substr(from, number.begin - from);
    if (const size_t cut = before.find_last_of("|,;()[]{}<>'\""); cut != std::string_view::npos)
      before.remove_prefix(cut + 1);
    size_t end = before.find_last_not_of(" \t");
    if (end == std::string_view::npos) return;
    const bool told = before[end] == ':' || before[end] == '=';
    if (told) end = end == 0 ? std::string_view::npos : before.find_last_not_of(" \t", end - 1);
    if (end == std::string_view::npos) return;
    before = before.substr(0, end + 1);
    std::string name = known_name(before);
    if (!told && (name.size() < 2 || name.empty())) return;
    if (name.empty()) name = last_words(before, 1);
    if (name.empty() || !(std::isalpha(static_cast<unsigned char>(name[0])) != 0 || name[0] == '_')) return;
    if (number.seconds) name += "_s";
    json::value value = finite_or_null(*number.value);
    // Digit for digit, where there are no more than digits: seeds need all of them.
    if (const auto whole = try_parse_json(plain_digits(number.begin, number_end(number.begin)));
        !number.seconds && whole && (whole->is_int64() || whole->is_uint64()) && char_at(number.end - 1) < 'A')
      value = *whole;
    const size_t column =
        static_cast<size_t>(before.data() - line_.data()) + before.size() - last_words(before, 1).size();
    fields_.push_back({std::move(name), std::move(value), static_cast<int>(column) + 1});
  }

  // The last three, two or one words before, as a name of ours is spelt; "" when none is.
  std::string known_name(std::string_view before) const {
    for (size_t count = kMostWords; count > 0; --count) {
      const std::string name = last_words(before, count);
      if (!name.empty() && !names_.ours(name).ours.empty()) return name;
    }
    return "";
  }

  // Joined by '_'; "" where there are fewer.
  static std::string last_words(std::string_view before, size_t count) {
    std::string name;
    while (count > 0) {
      const size_t end = before.find_last_not_of(" \t:=");
      if (end == std::string_view::npos) return "";
      size_t begin = before.find_last_of(" \t:=", end);
      begin = begin == std::string_view::npos ? 0 : begin + 1;
      name = std::string(before.substr(begin, end + 1 - begin)) + (name.empty() ? "" : "_") + name;
      before = before.substr(0, begin);
      --count;
    }
    return name;
  }

  std::string_view line_;
  const LogNames& names_;
  std::vector<LogField> fields_;
};

}  // namespace

LogRow words_of(std::string_view line, int number, const LogNames& names) {
  LogRow row{.line = number, .fields = WordReader(line, names).fields()};
  // "run=a step=5": a word instead of a number, for the two that tell rows apart or name their text.
  for (const std::string_view key : {"run", "tokenizer", "dataset"})
    for (const char sign : {'=', ':'}) {
      const std::string told = std::string(key) + sign;
      const size_t at = line.find(told);
      if (at == std::string_view::npos || (at > 0 && is_word(line[at - 1]))) continue;
      const size_t begin = at + told.size(), end = std::min(line.find_first_of(" \t,|;", begin), line.size());
      if (begin == end || is_decimal(line[begin])) continue;
      row.fields.push_back({std::string(key), json::value(line.substr(begin, end - begin)), static_cast<int>(at) + 1});
      break;
    }
  return row;
}

}  // namespace bitsweep::imports
