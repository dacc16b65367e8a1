// The other way: rows out of the history file.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/error.h"
#include "store/history.h"
#include "store/schema.h"

namespace bitsweep::store {
namespace {

struct Line {
  std::string_view text;
  uint64_t begin = 0;  // byte in the file
  int64_t number = 0;
};

// Whole lines only: a torn last one belongs to a commit that failed.
std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    if (end == std::string_view::npos) break;
    const auto number = static_cast<int64_t>(lines.size()) + 1;
    lines.push_back({text.substr(at, end - at), at, number});
    at = end + 1;
  }
  return lines;
}

using Range = std::pair<uint64_t, uint64_t>;

std::vector<Range> skipped(const std::vector<Line>& lines) {
  std::vector<Range> ranges;
  for (const Line& line : lines) {
    if (!line.text.starts_with("{\"skip\"")) continue;
    const auto value = try_parse_json(line.text);
    const json::value* range = value ? value->as_object().if_contains("skip") : nullptr;
    if (range == nullptr || !range->is_array() || range->get_array().size() != 2) continue;
    const json::array& ends = range->get_array();
    if (ends[0].is_number() && ends[1].is_number())
      ranges.emplace_back(ends[0].to_number<uint64_t>(), ends[1].to_number<uint64_t>());
  }
  return ranges;
}

class Replay {
 public:
  explicit Replay(Database& database) : database_(database) {}

  // "" or what is wrong with the line.
  std::string apply(const json::object& line, Replayed& found) {
    const json::value* row = line.if_contains("row");
    const std::string put = string_or(line, "put", ""), drop = string_or(line, "drop", "");
    if (row == nullptr || !row->is_object() || put.empty() == drop.empty()) return "is no change of a row";
    const std::string& table = put.empty() ? drop : put;
    if (!known(table)) return fmt::format("is of a table '{}' that there is not", table);
    ++found.rows;
    if (table == "metric" || table == "metric_kind") {
      (table == "metric" ? found.metrics : found.metric_kinds).push_back(row->get_object());
      return "";
    }
    return put.empty() ? remove(table, row->get_object()) : store(table, row->get_object());
  }

 private:
  struct Table {
    std::vector<std::string> columns, key;
  };

  const Table& columns_of(const std::string& name) {
    const auto known = tables_.find(name);
    if (known != tables_.end()) return known->second;
    Table table;
    Statement columns = database_.prepare("SELECT name, pk FROM pragma_table_info(?1, 'main') ORDER BY cid");
    for (columns.bind(name); columns.step();) {
      table.columns.push_back(columns.text(0));
      if (columns.integer(1) > 0) table.key.push_back(columns.text(0));
    }
    return tables_.emplace(name, std::move(table)).first->second;
  }
  bool known(const std::string& table) { return !columns_of(table).columns.empty(); }

  Statement& prepared(const std::string& sql) {
    const auto known = statements_.find(sql);
    if (known != statements_.end()) return known->second;
    return statements_.emplace(sql, database_.prepare(sql)).first->second;
  }

  // The columns of an older row that the line names, or else a new row: the first line of a row names all.
  std::string store(const std::string& name, const json::object& row) {
    const Table& table = columns_of(name);
    std::string columns, marks, sets, where;
    std::vector<json::value> values, keys;
    for (const std::string& column : table.columns) {
      const json::value* value = row.if_contains(column);
      const bool key = std::find(table.key.begin(), table.key.end(), column) != table.key.end();
      if (value == nullptr) {
        if (key) return fmt::format("lacks '{}'", column);
        continue;
      }
      columns += fmt::format("{}\"{}\"", columns.empty() ? "" : ", ", column);
      marks += marks.empty() ? "?" : ", ?";
      values.push_back(*value);
      if (key) {
        where += fmt::format("{}\"{}\" = ?", where.empty() ? "" : " AND ", column);
        keys.push_back(*value);
      } else {
        sets += fmt::format("{}\"{}\" = ?", sets.empty() ? "" : ", ", column);
      }
    }
    if (!sets.empty()) {
      std::vector<json::value> both;
      for (const std::string& column : table.columns)
        if (row.contains(column) && std::find(table.key.begin(), table.key.end(), column) == table.key.end())
          both.push_back(row.at(column));
      both.insert(both.end(), keys.begin(), keys.end());
      run(fmt::format("UPDATE \"{}\" SET {} WHERE {}", name, sets, where), both);
      if (database_.changes() > 0) return "";
    }
    run(fmt::format("INSERT INTO \"{}\" ({}) VALUES ({})", name, columns, marks), values);
    return "";
  }

  std::string remove(const std::string& name, const json::object& row) {
    std::string where;
    std::vector<json::value> keys;
    for (const std::string& column : columns_of(name).key) {
      if (!row.contains(column)) return fmt::format("lacks '{}'", column);
      where += fmt::format("{}\"{}\" = ?", where.empty() ? "" : " AND ", column);
      keys.push_back(row.at(column));
    }
    run(fmt::format("DELETE FROM \"{}\" WHERE {}", name, where), keys);
    return "";
  }

  void run(const std::string& sql, const std::vector<json::value>& values) {
    Statement& statement = prepared(sql).bind_list(values);
    while (statement.step()) {
    }
  }

  Database& database_;
  std::map<std::string, Table> tables_;
  std::map<std::string, Statement> statements_;
};

void check_first(const Line& line, const fs::path& file) {
  const auto value = try_parse_json(line.text);
  const bool ours = value && value->is_object() && value->get_object().contains("history");
  if (!ours) throw Error(ErrorKind::input, {Diagnostic{file.string(), 1, 1, "is no history file of bitsweep"}});
  const int64_t schema = integer_or(value->get_object(), "schema", 0), newest = migrations().back().version;
  if (schema > newest)
    throw Error(ErrorKind::refused,
                fmt::format("'{}' was made by a newer bitsweep (schema {}, this one knows up to {})", file.string(),
                            schema, newest));
}

}  // namespace

Replayed replay_history(const fs::path& file, Database& database) {
  const MappedFile map(file);
  const auto bytes = map.bytes();
  const auto lines = lines_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (lines.empty()) throw Error(ErrorKind::input, {Diagnostic{file.string(), 1, 1, "is no history file of bitsweep"}});
  check_first(lines[0], file);
  const std::vector<Range> ranges = skipped(lines);
  // Rows come in the order of their commits, and a reference may be older than what it names.
  database.execute("PRAGMA foreign_keys = OFF");
  Transaction transaction(database);
  Replay replay(database);
  Replayed found;
  for (size_t i = 1; i < lines.size(); ++i) {
    const Line& line = lines[i];
    const auto covers = [&](const Range& range) { return line.begin >= range.first && line.begin < range.second; };
    if (std::any_of(ranges.begin(), ranges.end(), covers) || line.text.empty() || line.text.starts_with("{\"skip\""))
      continue;
    const auto value = try_parse_json(line.text);
    std::string wrong = value && value->is_object() ? "" : "is not JSON";
    if (wrong.empty()) try {
        wrong = replay.apply(value->get_object(), found);
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::input) throw;
        wrong = fmt::format("cannot be stored: {}", error.what());
      }
    if (!wrong.empty()) found.problems.push_back(fmt::format("{}:{}: {}", file.string(), line.number, wrong));
  }
  transaction.commit();
  database.execute("PRAGMA foreign_keys = ON");
  return found;
}

}  // namespace bitsweep::store
