// `bitsweep runs`: a row a run.
#include <fmt/format.h>

#include "base/error.h"
#include "cli/options.h"
#include "query/query.h"
#include "query/run_columns.h"
#include "report/run_table.h"

namespace bitsweep {
namespace {

std::vector<RunRow> asked_for(const Query& query, const CommandLine& line) {
  const std::string where = line.get("where").value_or("");
  if (line.positional().empty()) return query.runs({}, where);
  std::vector<RunRow> rows;
  for (const std::string& name : line.positional()) {
    std::vector<RunRow> some = query.runs(query.sweep_name(name), where);
    std::move(some.begin(), some.end(), std::back_inserter(rows));
  }
  return rows;
}

std::string json_text(const std::vector<RunRow>& rows, const std::vector<std::string>& columns, bool lines) {
  json::array list;
  std::string text;
  for (const RunRow& row : rows) {
    if (lines)
      text += compact_json(run_json(row, columns)) + "\n";
    else
      list.push_back(run_json(row, columns));
  }
  return lines ? text : pretty_json(list) + "\n";
}

int run(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.value("where",
             "only runs for which this SQL expression over the columns holds: \"params > 1e6 and state = 'done'\"")
      .value("sort", "by these columns, comma-separated; '-' before one: largest first")
      .value("columns", "these columns, comma-separated; an axis by its path (train.lr)")
      .root_option()
      .output_options();
  if (!line.parse(args)) return 0;
  const OutputFormat format = output_format(line);
  const Query query(line.root());
  std::vector<RunRow> rows = asked_for(query, line);

  // A condition that no run meets does not make the columns wrong.
  const std::vector<std::string> known = run_column_names(rows.empty() ? query.runs() : rows);
  std::vector<std::string> columns;
  if (const auto text = line.get("columns")) columns = parse_columns(*text, known, "columns");
  if (const auto text = line.get("sort")) sort_runs(rows, parse_columns(*text, known, "sort", true));

  if (format == OutputFormat::table) {
    if (rows.empty())
      print_error("no runs");
    else
      print(terminal_table(run_table(rows, columns.empty() ? default_run_columns(rows) : columns)));
    return 0;
  }
  if (columns.empty()) columns = run_json_columns();
  if (format == OutputFormat::csv)
    print(csv_table(raw_run_table(rows, columns)));
  else
    print(json_text(rows, columns, format == OutputFormat::jsonl));
  return 0;
}

}  // namespace

const Verb kRunsVerb{"runs", "List runs: state, size, losses, time", "[SWEEP…]",
                     "bitsweep runs quickstart --where \"state = 'done'\" --sort last_val_bpc", run};

}  // namespace bitsweep
