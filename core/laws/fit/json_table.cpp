#include "fit/json_table.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "base/error.h"
#include "base/json.h"

namespace bitsweep::fit {
namespace {

// An object of the text and the line on which it begins; 0: not known.
struct Record {
  json::object object;
  int line = 0;
};

std::string_view without_mark(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

// NaN, Infinity and -Infinity outside of strings become null, as Python's writers mean them.
std::string with_nulls(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\' && i + 1 < text.size()) {
      plain += c;
      plain += text[++i];
      continue;
    }
    if (c == '"') quoted = !quoted;
    size_t length = 0;
    for (const std::string_view word : {"NaN", "Infinity", "-Infinity", "nan", "inf", "-inf"})
      if (!quoted && text.substr(i).starts_with(word)) length = std::max(length, word.size());
    if (length == 0) {
      plain += c;
      continue;
    }
    plain += "null";
    i += length - 1;
  }
  return plain;
}

std::optional<json::value> parsed(std::string_view text) {
  if (auto value = try_parse_json(text)) return value;
  return try_parse_json(with_nulls(text));
}

// The end of the object that begins at `at`: one past its brace, or nothing where it is not closed.
std::optional<size_t> end_of_object(std::string_view text, size_t at) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = at; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return std::nullopt;
}

// Every object of a line, whatever stands before, between and after them. False where there is none, or one is torn.
bool add_objects(std::string_view line, int number, std::vector<Record>& records) {
  bool any = false, torn = false;
  for (size_t at = line.find('{'); at < line.size(); at = line.find('{', at)) {
    const auto end = end_of_object(line, at);
    auto value = end ? parsed(line.substr(at, *end - at)) : std::nullopt;
    // What is within a torn object is no object of the line's own.
    torn |= !end || !value || !value->is_object();
    if (!end) break;
    if (!value || !value->is_object()) {
      at = *end;
      continue;
    }
    records.push_back({std::move(value->get_object()), number});
    any = true;
    at = *end;
  }
  return any && !torn;
}

std::vector<Record> records_of_lines(std::string_view text, std::vector<std::string>& notes) {
  std::vector<Record> records;
  int number = 0, passed = 0, first_passed = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (add_objects(line, number, records)) continue;
    if (++passed == 1) first_passed = number;
  }
  if (passed > 0 && !records.empty())
    notes.push_back(fmt::format("passed over {} line{} with no JSON object, or a torn one; the first is line {}",
                                passed, passed == 1 ? "" : "s", first_passed));
  return records;
}

// The lines on which the objects of a document's outermost list begin.
std::vector<int> lines_of_items(std::string_view text) {
  std::vector<int> lines;
  int line = 1, depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') ++line;
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
      continue;
    }
    if (c == '"') quoted = true;
    if (c == '{' && depth == 1) lines.push_back(line);
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
  }
  return lines;
}

bool all_are(const json::object& object, auto&& test) {
  return !object.empty() &&
         std::all_of(object.begin(), object.end(), [&](const auto& member) { return test(member.value()); });
}

bool is_list_of_objects(const json::value& value) {
  return value.is_array() && !value.get_array().empty() &&
         std::all_of(value.get_array().begin(), value.get_array().end(),
                     [](const json::value& item) { return item.is_object(); });
}

bool is_list_of_scalars(const json::value& value) {
  return value.is_array() && std::none_of(value.get_array().begin(), value.get_array().end(),
                                          [](const json::value& item) { return item.is_structured(); });
}

// {"params": [1, 2], "loss": [3, 4]}, or {"params": {"0": 1, "1": 2}, …} as pandas writes it: rows again.
std::vector<Record> rows_of_columns(const json::object& columns) {
  std::vector<Record> records;
  std::map<std::string, size_t> rows;
  const auto put = [&](const std::string& row, std::string_view column, const json::value& value) {
    const auto [at, added] = rows.emplace(row, records.size());
    if (added) records.emplace_back();
    records[at->second].object[column] = value;
  };
  for (const auto& column : columns) {
    if (column.value().is_array()) {
      size_t number = 0;
      for (const json::value& value : column.value().get_array()) put(std::to_string(number++), column.key(), value);
    } else {
      for (const auto& cell : column.value().get_object()) put(std::string(cell.key()), column.key(), cell.value());
    }
  }
  return records;
}

// Whether the members of members are numbered "0", "1", …
bool is_numbered(const json::value& value) {
  return value.is_object() && !value.get_object().empty() &&
         std::all_of(value.get_object().begin(), value.get_object().end(), [](const auto& cell) {
           const std::string_view key = cell.key();
           return !cell.value().is_structured() &&
                  std::all_of(key.begin(), key.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
         });
}

std::vector<Record> objects_of(const json::array& list, const std::vector<int>& lines) {
  std::vector<Record> records;
  for (const json::value& item : list) {
    if (!item.is_object()) continue;
    const size_t number = records.size();
    records.push_back({item.get_object(), number < lines.size() ? lines[number] : 0});
  }
  return records;
}

std::vector<Record> records_of_document(const json::value& document, std::string_view text) {
  if (document.is_array()) return objects_of(document.get_array(), lines_of_items(text));
  if (!document.is_object()) return {};
  const json::object& object = document.get_object();
  const json::value* list = nullptr;
  int lists = 0;
  for (const auto& member : object)
    if (is_list_of_objects(member.value())) {
      list = &member.value();
      ++lists;
    }
  if (lists == 1) return objects_of(list->get_array(), {});
  const bool columns = all_are(object, is_list_of_scalars) || all_are(object, is_numbered);
  if (columns) return rows_of_columns(object);
  if (object.size() < 2 || !all_are(object, [](const json::value& value) { return value.is_object(); }))
    return {{object, 1}};
  std::vector<Record> records;
  for (const auto& member : object) {
    Record record{member.value().get_object(), 0};
    if (!record.object.contains("row")) record.object["row"] = member.key();
    records.push_back(std::move(record));
  }
  return records;
}

std::string cell_text(const json::value& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_double()) return std::isfinite(value.get_double()) ? fmt::format("{}", value.get_double()) : "";
  return json::serialize(value);
}

// A table that grows a column when a key appears.
class Rows {
 public:
  void add(const Record& record) {
    CsvRow& row = rows_.emplace_back();
    put(record.object, "", record.line, row);
    lines_.push_back(record.line);
  }

  CsvTable table() {
    CsvTable table;
    CsvRow& header = table.rows.emplace_back();
    for (const std::string& name : names_) header.push_back({name, 1, 1, true});
    for (size_t i = 0; i < rows_.size(); ++i) {
      rows_[i].resize(names_.size(), {"", lines_[i], 1, true});
      for (CsvCell& cell : rows_[i]) cell.line = lines_[i];
      table.rows.push_back(std::move(rows_[i]));
    }
    return table;
  }

 private:
  void put(const json::object& object, const std::string& prefix, int line, CsvRow& row) {
    for (const auto& member : object) {
      const std::string name = prefix + std::string(member.key());
      if (member.value().is_object()) {
        put(member.value().get_object(), name + ".", line, row);
        continue;
      }
      const auto [at, added] = columns_.emplace(name, names_.size());
      if (added) names_.push_back(name);
      if (row.size() <= at->second) row.resize(at->second + 1, {"", line, 1, true});
      row[at->second].text = cell_text(member.value());
    }
  }

  std::vector<std::string> names_;
  std::map<std::string, size_t> columns_;
  std::vector<CsvRow> rows_;
  std::vector<int> lines_;
};

}  // namespace

bool is_json_table(std::string_view text, const std::string& name) {
  text = without_mark(text);
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') return true;
  // A CSV's header may begin with a bracket; a list's begins with what a list holds.
  const size_t second = first == std::string_view::npos ? first : text.find_first_not_of(" \t\r\n", first + 1);
  if (second != std::string_view::npos && text[first] == '[' && (text[second] == '{' || text[second] == ']'))
    return true;
  return name.ends_with(".json") || name.ends_with(".jsonl") || name.ends_with(".ndjson");
}

CsvTable read_json_table(std::string_view text, Findings& findings, std::vector<std::string>& notes) {
  text = without_mark(text);
  const size_t first = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  const size_t line_end = std::min(text.find('\n', first), text.size());
  const auto line = parsed(text.substr(first, line_end - first));
  const bool more = text.find_first_not_of(" \t\r\n", line_end) < text.size();
  std::vector<Record> records;
  std::optional<json::value> document;
  if (!(line && line->is_object() && more)) document = parsed(text);
  if (document)
    records = records_of_document(*document, text);
  else
    records = records_of_lines(text, notes);
  if (records.empty()) {
    try {
      parse_json(with_nulls(text), "");
      findings.add(0, 0, "holds no JSON object: expected one a line, or a list of them");
    } catch (const Error& error) {
      const Diagnostic& why = error.diagnostics().at(0);
      findings.add(why.line, why.column, fmt::format("holds no whole JSON object: {}", why.message));
    }
  }
  Rows rows;
  for (const Record& record : records) rows.add(record);
  CsvTable table = rows.table();
  if (!records.empty() && table.rows[0].empty()) findings.add(0, 0, "its JSON objects have no members");
  return table;
}

}  // namespace bitsweep::fit
