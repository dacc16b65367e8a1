#include "data/jsonl.h"

#include <optional>

#include <fmt/format.h>

#include "base/json.h"
#include "base/nearest.h"

namespace bitsweep {
namespace {

std::string kind_name(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "true or false";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "a list";
    case json::kind::object:
      return "an object";
  }
  return "something else";
}

bool blank(std::string_view line) { return line.find_first_not_of(" \t\r\n") == std::string_view::npos; }

// The text of one line, or what is wrong with it.
class LineReader {
 public:
  explicit LineReader(const std::string& field) : field_(field) {}

  // Valid until the next call.
  const json::string* read(std::string_view line, bool torn, std::string& why) {
    value_.reset();
    memory_.release();
    json::error_code code;
    value_.emplace(json::parse(line, code, json::storage_ptr(&memory_), options()));
    if (code) {
      why = torn ? fmt::format("the last line is no complete JSON ({}): the file seems cut off", code.message())
                 : fmt::format("no JSON: {}", code.message());
      return nullptr;
    }
    const json::object* object = value_->if_object();
    if (object == nullptr) {
      why = fmt::format("expected an object with '{}', found {}", field_, kind_name(*value_));
      return nullptr;
    }
    const json::value* text = object->if_contains(field_);
    if (text == nullptr) {
      std::vector<std::string> keys;
      for (const auto& member : *object) keys.emplace_back(member.key());
      why = fmt::format("no '{}'{}", field_, did_you_mean(field_, keys));
      return nullptr;
    }
    if (!text->is_string()) why = fmt::format("'{}' is {}, not a string", field_, kind_name(*text));
    return text->if_string();
  }

 private:
  static json::parse_options options() {
    json::parse_options options;
    options.max_depth = 64;
    return options;
  }

  const std::string& field_;
  json::monotonic_resource memory_{1 << 16};
  std::optional<json::value> value_;  // lives in memory_
};

}  // namespace

void read_json_lines(std::span<const uint8_t> lines, const std::string& file, const std::string& field,
                     const TextSink& sink, std::vector<Diagnostic>& wrong, size_t max_wrong) {
  std::string_view rest(reinterpret_cast<const char*>(lines.data()), lines.size());
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  static constexpr uint8_t newline = '\n';
  LineReader reader(field);
  std::string why;
  for (int line_number = 1; !rest.empty() && wrong.size() < max_wrong; ++line_number) {
    const size_t end = rest.find('\n');
    const bool last = end == std::string_view::npos;
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(last ? rest.size() : end + 1);
    if (blank(line)) continue;
    const json::string* text = reader.read(line, last, why);
    if (text == nullptr) {
      wrong.push_back({file, line_number, 0, why});
      continue;
    }
    sink({reinterpret_cast<const uint8_t*>(text->data()), text->size()});
    if (!text->ends_with('\n')) sink({&newline, 1});
  }
}

}  // namespace bitsweep
