#include "data/json_line.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/nearest.h"

namespace bitsweep::data {
namespace {

constexpr size_t keys_told = 12, key_bytes_told = 40;

bool is_word_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '+' ||
         c == '.' || c == '_';
}

bool is_number(std::string_view word) {
  const size_t sign = word.starts_with('-') ? 1 : 0;
  return (word.size() > sign && word[sign] >= '0' && word[sign] <= '9') || word.substr(sign) == "Infinity" ||
         word == "NaN";
}

// What a value is; "" for what is none.
std::string_view kind_of_value(std::string_view value) {
  if (value.starts_with('"')) return "a string";
  if (value.starts_with('{')) return "an object";
  if (value.starts_with('[')) return "a list";
  if (value == "null") return "null";
  if (value == "true" || value == "false") return "true or false";
  return is_number(value) ? "a number" : "";
}

void append_utf8(uint32_t code, std::string& out) {
  const auto byte = [&](uint32_t value) { out += static_cast<char>(value); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | code >> 6);
    byte(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  } else {
    byte(0xF0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3F));
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  }
}

// The four hexadecimal digits at `at`.
std::optional<uint32_t> hex4(std::string_view text, size_t at) {
  if (at + 4 > text.size()) return std::nullopt;
  uint32_t value = 0;
  for (const char c : text.substr(at, 4)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<uint32_t>(digit);
  }
  return value;
}

// The length of a string's content that begins `rest`, up to its closing quote, or nothing when there is none.
std::optional<size_t> string_length(std::string_view rest) {
  for (size_t from = 0;;) {
    const size_t quote = rest.find('"', from);
    if (quote == std::string_view::npos) return std::nullopt;
    size_t backslashes = 0;
    while (backslashes < quote && rest[quote - 1 - backslashes] == '\\') ++backslashes;
    if (backslashes % 2 == 0) return quote;
    from = quote + 1;
  }
}

}  // namespace

bool JsonLine::fail(std::string why) {
  why_ = std::move(why);
  column_ = static_cast<int64_t>(std::min(at_, line_.size())) + 1;
  return false;
}

bool JsonLine::fail_incomplete(std::string why) {
  incomplete_ = true;
  return fail(std::move(why));
}

void JsonLine::skip_blanks() {
  while (at_ < line_.size() && (line_[at_] == ' ' || line_[at_] == '\t' || line_[at_] == '\r' || line_[at_] == '\n'))
    ++at_;
}

// From the opening quote to behind the closing one.
bool JsonLine::skip_string() {
  const auto length = string_length(line_.substr(at_ + 1));
  if (!length) return fail_incomplete("a string that does not end");
  at_ += *length + 2;
  return true;
}

bool JsonLine::skip_word() {
  const size_t begin = at_;
  while (at_ < line_.size() && is_word_byte(line_[at_])) ++at_;
  if (at_ > begin) return true;
  if (at_ == line_.size()) return fail_incomplete("the line ends where a value is expected");
  return fail("expected a value");
}

// A list or an object: brackets must close in the order they opened.
bool JsonLine::skip_nested() {
  nesting_.clear();
  do {
    if (at_ >= line_.size()) return fail_incomplete("the line ends within a list or an object");
    const char c = line_[at_];
    if (c == '"') {
      if (!skip_string()) return false;
      continue;
    }
    if (c == '{' || c == '[') {
      nesting_ += c;
    } else if (c == '}' || c == ']') {
      if (nesting_.back() != (c == '}' ? '{' : '[')) return fail(fmt::format("'{}' closes nothing", c));
      nesting_.pop_back();
    }
    ++at_;
  } while (!nesting_.empty());
  return true;
}

bool JsonLine::skip_value() {
  const char first = next();
  if (first == '"') return skip_string();
  return first == '{' || first == '[' ? skip_nested() : skip_word();
}

bool JsonLine::decode_escape(std::string_view raw, size_t& at, std::string& out) {
  const char kind = at + 1 < raw.size() ? raw[at + 1] : '\0';
  constexpr std::string_view short_forms = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
  if (const size_t known = short_forms.find(kind); known != std::string_view::npos && kind != '\0') {
    out += meanings[known];
    at += 2;
    return true;
  }
  const auto unit = kind == 'u' ? hex4(raw, at + 2) : std::nullopt;
  if (!unit) return false;
  at += 6;
  if (*unit < 0xD800 || *unit > 0xDFFF) {
    append_utf8(*unit, out);
    return true;
  }
  if (*unit < 0xDC00 && raw.substr(at, 2) == "\\u") {
    if (const auto low = hex4(raw, at + 2); low && *low >= 0xDC00 && *low <= 0xDFFF) {
      append_utf8(0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00), out);
      at += 6;
      return true;
    }
  }
  ++lone_surrogates_;
  append_utf8(0xFFFD, out);
  return true;
}

bool JsonLine::decode(std::string_view raw, std::string& out) {
  out.clear();
  for (size_t at = 0; at < raw.size();) {
    const size_t escape = std::min(raw.find('\\', at), raw.size());
    out.append(raw, at, escape - at);
    at = escape;
    if (at == raw.size()) break;
    if (!decode_escape(raw, at, out)) {
      at_ = static_cast<size_t>(raw.data() - line_.data()) + at;
      return fail("an escape that JSON does not know");
    }
  }
  return true;
}

bool JsonLine::read_key() {
  if (at_ >= line_.size()) return fail_incomplete("the line ends within the object");
  if (next() != '"') return fail("expected a key in quotes");
  const size_t begin = at_ + 1;
  if (!skip_string() || !decode(line_.substr(begin, at_ - 1 - begin), key_)) return false;
  skip_blanks();
  if (at_ >= line_.size()) return fail_incomplete("the line ends within the object");
  if (next() != ':') return fail("expected ':' after a key");
  ++at_;
  skip_blanks();
  return true;
}

// A text that is missing in a table is NaN where one has no other word for it.
void JsonLine::remember_value(std::string_view value) {
  value_ = value.starts_with('"') ? Found::text : value == "null" || value == "NaN" ? Found::null : Found::not_text;
  field_value_ = value;
}

bool JsonLine::read_member() {
  if (!read_key()) return false;
  const size_t begin = at_;
  if (!skip_value()) return false;
  if (key_ == field_)
    remember_value(line_.substr(begin, at_ - begin));
  else if (keys_.size() < keys_told)
    keys_.push_back(key_.substr(0, key_bytes_told));
  else
    ++more_keys_;
  skip_blanks();
  return true;
}

JsonLine::Found JsonLine::conclude() {
  if (value_ == Found::text) {
    lone_surrogates_ = 0;  // those of keys do not matter
    return decode(field_value_.substr(1, field_value_.size() - 2), text_) ? Found::text : Found::no_json;
  }
  if (value_ == Found::not_text) {
    const std::string_view kind = kind_of_value(field_value_);
    why_ = fmt::format("'{}' is {}, not a string", field_, kind.empty() ? "no JSON value" : kind);
  }
  if (value_ == Found::missing) {
    why_ = keys_.empty() ? fmt::format("no '{}': the object is empty", field_)
                         : fmt::format("no '{}' among the keys '{}'{}{}", field_, fmt::join(keys_, "', '"),
                                       more_keys_ > 0 ? fmt::format(" and {} more", more_keys_) : "",
                                       did_you_mean(field_, keys_));
  }
  return value_;
}

// From behind the opening brace to behind the closing one.
bool JsonLine::skip_members() {
  skip_blanks();
  if (next() == '}') {
    ++at_;
    return true;
  }
  for (;;) {
    if (!read_member()) return false;
    if (at_ >= line_.size()) return fail_incomplete("the line ends within the object");
    const char c = next();
    if (c != '}' && c != ',') return fail("expected ',' or '}' after a value");
    ++at_;
    if (c == '}') return true;
    skip_blanks();
  }
}

JsonLine::Found JsonLine::read_members() {
  ++at_;
  if (!skip_members()) return Found::no_json;
  skip_blanks();
  if (at_ < line_.size()) {
    fail("more follows the object");
    return Found::no_json;
  }
  return conclude();
}

JsonLine::Found JsonLine::read(std::string_view line) {
  line_ = line;
  at_ = 0;
  keys_.clear();
  more_keys_ = 0;
  value_ = Found::missing;
  column_ = 0;
  incomplete_ = false;
  skip_blanks();
  if (next() == '{') return read_members();
  if (next() == '[') {
    why_ = fmt::format("expected an object with '{}', found a list; jq -c '.[]' makes JSON lines of one", field_);
    return Found::not_object;
  }
  const size_t begin = at_;
  if (skip_value()) {
    const std::string_view kind = kind_of_value(line_.substr(begin, at_ - begin));
    skip_blanks();
    if (at_ == line_.size() && !kind.empty()) {
      why_ = fmt::format("expected an object with '{}', found {}", field_, kind);
      return Found::not_object;
    }
  }
  at_ = begin;
  fail("expected '{'");
  return Found::no_json;
}

}  // namespace bitsweep::data
