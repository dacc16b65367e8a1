#include "query/sql.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "query/run_sql.h"

namespace bitsweep::query {
namespace {

// The statement's first word in upper case, comments passed over.
std::string first_word(std::string_view sql) {
  for (;;) {
    const size_t at = sql.find_first_not_of(" \t\r\n;");
    sql.remove_prefix(at == std::string_view::npos ? sql.size() : at);
    if (sql.substr(0, 2) == "--")
      sql.remove_prefix(std::min(sql.size(), sql.find('\n')));
    else if (sql.substr(0, 2) == "/*")
      sql.remove_prefix(std::min(sql.size(), sql.find("*/") + 2));
    else
      break;
  }
  std::string word;
  for (const char c : sql) {
    if (std::isalpha(static_cast<unsigned char>(c)) == 0) break;
    word += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return word;
}

std::vector<std::string> unique_names(const store::Statement& statement) {
  std::vector<std::string> names;
  for (int c = 0; c < statement.columns(); ++c) {
    const std::string name = statement.column_name(c);
    std::string unique = name;
    for (int n = 2; std::find(names.begin(), names.end(), unique) != names.end(); ++n)
      unique = fmt::format("{}_{}", name, n);
    names.push_back(std::move(unique));
  }
  return names;
}

// Takes the time limit off again, whatever happens.
class TimeLimit {
 public:
  TimeLimit(store::Database& database, double seconds) : database_(database) { database_.limit_time(seconds); }
  ~TimeLimit() { database_.limit_time(0); }
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;

 private:
  store::Database& database_;
};

// The same message with the nearest documented name, where SQLite does not know one.
Error with_nearest_name(const Error& error) {
  const std::string text = error.what();
  std::vector<std::string> tables, columns;
  for (const View& view : documented_views()) {
    tables.emplace_back(view.name);
    for (const ViewColumn& column : view.columns) columns.emplace_back(column.name);
  }
  for (const auto& [phrase, names] : {std::pair("no such column: ", &columns), std::pair("no such table: ", &tables)}) {
    const size_t at = text.find(phrase);
    if (at == std::string::npos) continue;
    const std::string name = text.substr(at + std::string_view(phrase).size());
    return Error(error.kind(), text + did_you_mean(name, *names) + " (see 'bitsweep query --list')");
  }
  return error;
}

// The table holds seeds as integers of 64 bits. A run from elsewhere may have a larger one, or one that was left out:
// its spec says so, and for a person the view `runs` of this connection stands before the database's own.
void show_seeds_as_told(store::Database& database) {
  if (database.integer("SELECT count(*) FROM temp.sqlite_schema WHERE name = 'runs'") > 0) return;
  store::Statement names = database.prepare("SELECT name FROM pragma_table_info('runs', 'main')");
  std::string columns;
  while (names.step()) {
    const std::string name = names.text(0);
    if (!columns.empty()) columns += ", ";
    columns += name != "seed" ? fmt::format("v.\"{}\"", name)
                              : "iif(v.seed != 0, v.seed, (SELECT iif(imported AND spec -> '$.seed' IS NOT '0', "
                                "spec -> '$.seed', 0) FROM main.run WHERE run.id = v.id)) AS seed";
  }
  if (!columns.empty())
    database.execute(fmt::format("CREATE TEMP VIEW runs AS SELECT {} FROM main.runs AS v", columns));
}

}  // namespace

store::Statement prepare_for_person(store::Database& database, std::string_view sql) {
  try {
    show_seeds_as_told(database);
    return database.prepare(sql);
  } catch (const Error& error) {
    throw with_nearest_name(error);
  }
}

SqlResult run_sql(store::Database& database, std::string_view sql, const SqlLimits& limits) {
  if (sql.find('\0') != std::string_view::npos) throw Error(ErrorKind::input, "the SQL statement holds a NUL byte");
  // ATTACH and some PRAGMAs count as reading for SQLite, and are not needed to read these views.
  const std::string word = first_word(sql);
  if (word != "SELECT" && word != "WITH" && word != "VALUES" && word != "EXPLAIN")
    throw Error(ErrorKind::input,
                fmt::format("only SELECT, WITH, VALUES and EXPLAIN are allowed, not '{}': the database is "
                            "open for reading only",
                            word.empty() ? "nothing" : word));
  const TimeLimit limit(database, limits.timeout_s);
  store::Statement statement = prepare_for_person(database, sql);
  if (!statement.reads_only())
    throw Error(ErrorKind::input, "this statement would write: the database is open for reading only");
  SqlResult result;
  result.columns = unique_names(statement);
  while (statement.step()) {
    if (static_cast<int64_t>(result.rows.size()) >= limits.rows)
      throw Error(ErrorKind::input, fmt::format("more than {} rows; add a LIMIT", limits.rows));
    std::vector<json::value>& row = result.rows.emplace_back();
    for (int c = 0; c < statement.columns(); ++c) row.push_back(statement.value(c));
  }
  return result;
}

json::array to_json(const SqlResult& result) {
  json::array list;
  for (const auto& row : result.rows) {
    json::object object;
    for (size_t c = 0; c < row.size(); ++c) object[result.columns[c]] = row[c];
    list.push_back(std::move(object));
  }
  return list;
}

}  // namespace bitsweep::query
