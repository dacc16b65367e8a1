// `bitsweep query`: people's own SQL, read-only, over documented views.
#include "query/query.h"

#include <iostream>
#include <iterator>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/options.h"
#include "render/table.h"
#include "report/run_table.h"

namespace bitsweep::cli {
namespace {

render::Table table_of(const query::SqlResult& result, const char* nothing) {
  render::Table table;
  for (size_t c = 0; c < result.columns.size(); ++c) {
    bool numbers = !result.rows.empty();
    for (const auto& row : result.rows) numbers &= row[c].is_number() || row[c].is_null();
    table.columns.push_back({result.columns[c], numbers ? render::Align::right : render::Align::left});
  }
  for (const auto& row : result.rows) {
    std::vector<std::string>& cells = table.rows.emplace_back();
    for (const json::value& value : row) cells.push_back(query::cell_text(value, nothing));
  }
  return table;
}

std::string list_text() {
  std::string text;
  for (const query::View& view : query::documented_views()) {
    text += fmt::format("{}{}: {}\n", text.empty() ? "" : "\n", view.name, view.help);
    for (const query::ViewColumn& column : view.columns)
      text += fmt::format("  {:<20}{:<9}{}", column.name, column.type, column.help),
          text.erase(text.find_last_not_of(' ') + 1), text += '\n';
  }
  return text;
}

json::array list_json() {
  json::array views;
  for (const query::View& view : query::documented_views()) {
    json::array columns;
    for (const query::ViewColumn& column : view.columns)
      columns.push_back(json::object{{"name", column.name}, {"type", column.type}, {"help", column.help}});
    views.push_back(json::object{{"name", view.name}, {"help", view.help}, {"columns", std::move(columns)}});
  }
  return views;
}

void print_result(const query::SqlResult& result, OutputFormat format) {
  switch (format) {
    case OutputFormat::csv:
      return print(csv_table(table_of(result, "")));
    case OutputFormat::json:
      return print(pretty_json(to_json(result)) + "\n");
    case OutputFormat::jsonl: {
      std::string text;
      for (const json::value& row : to_json(result)) text += compact_json(row) + "\n";
      return print(text);
    }
    case OutputFormat::table:
      return print(terminal_table(table_of(result, "-")));
  }
}

int do_query(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.flag("list", "the views and their columns, with what they mean")
      .value("timeout", "seconds after which the statement is given up (default 30)")
      .root_option()
      .output_options();
  if (!line.parse(args, 0, 1)) return 0;
  const OutputFormat format = output_format(line);
  if (line.has("list")) {
    print(format == OutputFormat::json ? pretty_json(list_json()) + "\n" : list_text());
    return 0;
  }
  if (line.positional().empty())
    throw Error(ErrorKind::input, "bitsweep query: expected a statement, or --list to see what can be asked");
  query::SqlLimits limits;
  if (const auto seconds = line.number("timeout", 1e-3, 86400)) limits.timeout_s = *seconds;
  std::string sql = line.positional()[0];
  if (sql == "-") sql.assign(std::istreambuf_iterator<char>(std::cin), {});
  print_result(query::Query(line.root()).sql(sql, limits), format);
  return 0;
}

}  // namespace

const Verb kQueryVerb{"query", "Ask the database in SQL, for reading only", "\"SQL\" | --list",
                      "bitsweep query \"SELECT plugin, min(best_val_bpc) FROM runs GROUP BY plugin\"", do_query};

}  // namespace bitsweep::cli
