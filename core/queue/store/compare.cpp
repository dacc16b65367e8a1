// Two databases row by row.
#include <algorithm>

#include <fmt/format.h>

#include "store/rebuild.h"

namespace bitsweep::store {
namespace {

constexpr size_t kMostExamples = 3;
constexpr const char* kInode = "events_file";  // another one after a root was copied, and for nobody but the reader

std::vector<std::string> column(Database& database, const std::string& sql) {
  Statement rows = database.prepare(sql);
  std::vector<std::string> values;
  while (rows.step()) values.push_back(rows.text(0));
  return values;
}

bool same_cell(const Statement& a, const Statement& b, int c) {
  return a.is_null(c) == b.is_null(c) && a.integer(c) == b.integer(c) && a.real(c) == b.real(c) &&
         a.text_view(c) == b.text_view(c);
}

// Keys are whole numbers and texts.
int order(const json::value& a, const json::value& b) {
  if (a.is_string() && b.is_string()) return std::string_view(a.get_string()).compare(b.get_string());
  if (a.is_number() && b.is_number()) {
    const auto left = a.to_number<double>(), right = b.to_number<double>();
    return left < right ? -1 : left > right ? 1 : 0;
  }
  return static_cast<int>(a.kind()) - static_cast<int>(b.kind());
}

class TableComparison {
 public:
  TableComparison(Database& before, Database& after, const std::string& table)
      : keys_(column(after, fmt::format("SELECT name FROM pragma_table_info('{}') WHERE pk > 0 ORDER BY pk", table))),
        result_{.table = table, .rows = 0, .differences = 0, .examples = {}} {
    std::string key;
    for (const std::string& name : keys_) key += fmt::format("{}\"{}\"", key.empty() ? "" : ", ", name);
    const std::string sql = fmt::format("SELECT {}, * FROM \"{}\" ORDER BY {}", key, table, key);
    // A database of an earlier schema may lack the table.
    const auto there = column(before, fmt::format("SELECT name FROM sqlite_schema WHERE name = '{}'", table));
    before_ = before.prepare(there.empty() ? "SELECT NULL WHERE FALSE" : sql);
    after_ = after.prepare(sql);
  }

  TableDifference run() {
    bool left = before_.step(), right = after_.step();
    while (left || right) {
      ++result_.rows;
      const int which = !left ? 1 : !right ? -1 : order_of_rows();
      if (which < 0) differ(before_, "only before");
      if (which > 0) differ(after_, "only after");
      if (which == 0) compare_row();
      if (which <= 0) left = before_.step();
      if (which >= 0) right = after_.step();
    }
    return std::move(result_);
  }

 private:
  int order_of_rows() const {
    for (size_t c = 0; c < keys_.size(); ++c)
      if (const int o = order(before_.value(static_cast<int>(c)), after_.value(static_cast<int>(c))); o != 0) return o;
    return 0;
  }

  void compare_row() {
    for (int c = static_cast<int>(keys_.size()); c < before_.columns(); ++c) {
      if (same_cell(before_, after_, c) || before_.column_name(c) == kInode) continue;
      return differ(before_, fmt::format("{}: {} before, {} after", before_.column_name(c),
                                         compact_json(before_.value(c)), compact_json(after_.value(c))));
    }
  }

  void differ(const Statement& row, const std::string& how) {
    ++result_.differences;
    if (result_.examples.size() == kMostExamples) return;
    std::string key;
    for (size_t c = 0; c < keys_.size(); ++c)
      key += fmt::format("{}{} ", keys_.size() > 1 ? keys_[c] + " " : "", compact_json(row.value(static_cast<int>(c))));
    result_.examples.push_back(fmt::format("{} {}{}", result_.table, key, how));
  }

  std::vector<std::string> keys_;
  TableDifference result_;
  Statement before_, after_;
};

}  // namespace

std::vector<TableDifference> compare_databases(Database& before, Database& after) {
  std::vector<TableDifference> all;
  for (const std::string& table :
       column(after,
              "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND "
              "name <> 'history' ORDER BY rowid"))
    all.push_back(TableComparison(before, after, table).run());
  return all;
}

}  // namespace bitsweep::store
