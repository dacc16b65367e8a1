#include "base/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <boost/json/basic_parser_impl.hpp>

#include "base/brought_json.h"
#include "base/error.h"
#include "base/units.h"
#include "base/utf8.h"

namespace bitsweep {
namespace {

constexpr double kExact = 9007199254740992.0;  // 2^53
constexpr size_t kShort_bytes = 4096;

std::string number_text(double value) {
  if (!std::isfinite(value)) return "null";
  if (value == std::floor(value) && std::abs(value) < kExact) return fmt::format("{}", static_cast<int64_t>(value));
  return fmt::format("{}", value);
}

enum class Keys { as_added, sorted };

std::vector<const json::key_value_pair*> members_of(const json::object& object, Keys keys) {
  std::vector<const json::key_value_pair*> members;
  for (const auto& member : object) members.push_back(&member);
  if (keys == Keys::sorted)
    std::sort(members.begin(), members.end(), [](auto* a, auto* b) { return a->key() < b->key(); });
  return members;
}

void write_line(const json::value& value, Keys keys, std::string& out) {
  switch (value.kind()) {
    case json::kind::double_:
      out += number_text(value.get_double());
      break;
    case json::kind::array: {
      out += '[';
      const char* comma = "";
      for (const json::value& item : value.get_array()) {
        out += comma;
        comma = ",";
        write_line(item, keys, out);
      }
      out += ']';
      break;
    }
    case json::kind::object: {
      out += '{';
      const char* comma = "";
      for (const auto* member : members_of(value.get_object(), keys)) {
        out += comma;
        comma = ",";
        out += json::serialize(json::string(member->key()));
        out += ':';
        write_line(member->value(), keys, out);
      }
      out += '}';
      break;
    }
    default:
      out += json::serialize(value);
  }
}

void write_pretty(const json::value& value, std::string& out, int indent) {
  const std::string pad(static_cast<size_t>(indent + 2), ' ');
  const std::string end(static_cast<size_t>(indent), ' ');
  if (value.is_object() && !value.get_object().empty()) {
    const char* comma = "{\n";
    for (const auto& member : value.get_object()) {
      out += comma + pad + json::serialize(json::string(member.key())) + ": ";
      comma = ",\n";
      write_pretty(member.value(), out, indent + 2);
    }
    out += "\n" + end + "}";
  } else if (value.is_array() && !value.get_array().empty()) {
    const char* comma = "[\n";
    for (const json::value& item : value.get_array()) {
      out += comma + pad;
      comma = ",\n";
      write_pretty(item, out, indent + 2);
    }
    out += "\n" + end + "]";
  } else {
    write_line(value, Keys::as_added, out);
  }
}

// Boost's own handler takes the last digits of a double as they come out of a fast conversion, which may be off by one
// unit in the last place; what is written here must come back bit for bit. The rest is passed on as it is.
class ExactHandler {
 public:
  using Code = boost::system::error_code;
  using Text = json::string_view;
  static constexpr size_t max_object_size = json::object::max_size();
  static constexpr size_t max_array_size = json::array::max_size();
  static constexpr size_t max_key_size = json::string::max_size();
  static constexpr size_t max_string_size = json::string::max_size();

  // The next document's values are made in `storage`. REQUIRED before each.
  void reset(json::storage_ptr storage) {
    stack_.reset(std::move(storage));
    number_.clear();
  }
  json::value release() { return stack_.release(); }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(size_t n, Code&) { return stack_.push_object(n), true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(size_t n, Code&) { return stack_.push_array(n), true; }
  bool on_key_part(Text text, size_t, Code&) { return stack_.push_chars(text), true; }
  bool on_key(Text text, size_t, Code&) { return stack_.push_key(text), true; }
  bool on_string_part(Text text, size_t, Code&) { return stack_.push_chars(text), true; }
  bool on_string(Text text, size_t, Code&) { return stack_.push_string(text), true; }
  bool on_number_part(Text text, Code&) { return number_.append(text.data(), text.size()), true; }
  bool on_int64(int64_t value, Text, Code&) { return number_.clear(), stack_.push_int64(value), true; }
  bool on_uint64(uint64_t value, Text, Code&) { return number_.clear(), stack_.push_uint64(value), true; }
  bool on_double(double fast, Text text, Code&) {
    number_.append(text.data(), text.size());
    double exact = fast;
    const auto [end, error] = std::from_chars(number_.data(), number_.data() + number_.size(), exact);
    const bool whole = error == std::errc() && end == number_.data() + number_.size();
    number_.clear();
    return stack_.push_double(whole ? exact : fast), true;
  }
  bool on_bool(bool value, Code&) { return stack_.push_bool(value), true; }
  bool on_null(Code&) { return stack_.push_null(), true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

 private:
  json::value_stack stack_;
  std::string number_;  // what came of a number that ran over the end of the text given
};

enum class Texts { utf8, any_bytes };

json::parse_options options_for(Texts texts) {
  json::parse_options options;
  options.max_depth = 64;
  options.allow_invalid_utf8 = texts == Texts::any_bytes;
  return options;
}

json::value parse(Texts texts, std::string_view text, boost::system::error_code& code, size_t& consumed,
                  json::storage_ptr storage = {}) {
  // Kept, because its stack is then made once and not for every line of a log.
  static thread_local json::basic_parser<ExactHandler> of_utf8(options_for(Texts::utf8)),
      of_bytes(options_for(Texts::any_bytes));
  json::basic_parser<ExactHandler>& parser = texts == Texts::utf8 ? of_utf8 : of_bytes;
  parser.reset();
  parser.handler().reset(std::move(storage));
  consumed = parser.write_some(false, text.data(), text.size(), code);
  if (!code && text.find_first_not_of(" \t\r\n", consumed) != std::string_view::npos) code = json::error::extra_data;
  return code ? json::value(nullptr) : parser.handler().release();
}

json::value parse_or_throw(Texts texts, std::string_view text, std::string_view name_for_message) {
  boost::system::error_code code;
  size_t at = 0;
  json::value value = parse(texts, text, code, at);
  if (!code) return value;
  const std::string_view before = text.substr(0, at);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t newline = before.rfind('\n');
  const size_t column = at - (newline == std::string_view::npos ? 0 : newline + 1) + 1;
  throw Error(ErrorKind::input, {Diagnostic{std::string(name_for_message), static_cast<int>(line),
                                            static_cast<int>(column), "not JSON: " + code.message()}});
}

std::optional<json::value> try_parse(Texts texts, std::string_view text) {
  boost::system::error_code code;
  size_t at = 0;
  // A short line's values are made in one piece of memory: forty small ones would cost more than the parsing.
  json::storage_ptr storage;
  if (text.size() <= kShort_bytes)
    storage = json::make_shared_resource<json::monotonic_resource>(2 * text.size() + 512);
  json::value value = parse(texts, text, code, at, std::move(storage));
  if (code) return std::nullopt;
  return value;
}

}  // namespace

json::value parse_json(std::string_view text, std::string_view name_for_message) {
  return parse_or_throw(Texts::utf8, text, name_for_message);
}

std::optional<json::value> try_parse_json(std::string_view text) { return try_parse(Texts::utf8, text); }

json::value parse_brought_json(std::string_view text, std::string_view name_for_message) {
  return parse_or_throw(Texts::any_bytes, text, name_for_message);
}

std::optional<json::value> try_parse_brought_json(std::string_view text) { return try_parse(Texts::any_bytes, text); }

std::string note_on_bytes(std::string_view text, const std::string& file) {
  int64_t line = 1, lines = 0, first_line = 0, first_byte = 0;
  size_t begin = 0;  // of the line
  for (;;) {
    const std::string_view rest = text.substr(begin);
    const size_t good = utf8_prefix({reinterpret_cast<const uint8_t*>(rest.data()), rest.size()});
    if (good == rest.size()) break;
    line += std::count(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(good), '\n');
    const size_t newline = rest.substr(0, good).rfind('\n');
    if (++lines == 1) {
      first_line = line;
      first_byte = static_cast<int64_t>(good - (newline == std::string_view::npos ? 0 : newline + 1) + 1);
    }
    const size_t end = rest.find('\n', good);
    if (end == std::string_view::npos) break;
    begin += end + 1;
    ++line;
  }
  if (lines == 0) return "";
  return fmt::format(
      "{}: {} {} with bytes that are no UTF-8 (the first: line {}, byte {}); they are taken as they stand.", file,
      format_thousands(lines), lines == 1 ? "line" : "lines", format_thousands(first_line),
      format_thousands(first_byte));
}

std::string canonical_json(const json::value& value) {
  std::string out;
  write_line(value, Keys::sorted, out);
  return out;
}

std::string compact_json(const json::value& value) {
  std::string out;
  write_line(value, Keys::as_added, out);
  return out;
}

std::string pretty_json(const json::value& value) {
  std::string out;
  write_pretty(value, out, 0);
  return out;
}

double number_or(const json::object& object, std::string_view key, double otherwise) {
  const json::value* member = object.if_contains(key);
  if (member == nullptr || !member->is_number()) return otherwise;
  return member->to_number<double>();
}

int64_t integer_or(const json::object& object, std::string_view key, int64_t otherwise) {
  const json::value* member = object.if_contains(key);
  if (member == nullptr || !member->is_number()) return otherwise;
  boost::system::error_code code;
  const auto value = member->to_number<int64_t>(code);
  return code ? otherwise : value;
}

std::string string_or(const json::object& object, std::string_view key, std::string_view otherwise) {
  const json::value* member = object.if_contains(key);
  if (member == nullptr || !member->is_string()) return std::string(otherwise);
  return std::string(member->get_string());
}

bool bool_or(const json::object& object, std::string_view key, bool otherwise) {
  const json::value* member = object.if_contains(key);
  return member != nullptr && member->is_bool() ? member->get_bool() : otherwise;
}

json::value finite_or_null(double value) { return std::isfinite(value) ? json::value(value) : json::value(nullptr); }

json::value finite_or_null(const std::optional<double>& value) {
  return value ? finite_or_null(*value) : json::value(nullptr);
}

json::value interval_json(const std::optional<std::pair<double, double>>& interval) {
  if (!interval) return nullptr;
  return json::array{finite_or_null(interval->first), finite_or_null(interval->second)};
}

json::array strings_json(const std::vector<std::string>& texts) { return json::array(texts.begin(), texts.end()); }

}  // namespace bitsweep
