// `bitsweep runs`: a row a run.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "base/error.h"
#include "base/task_metrics.h"
#include "base/units.h"
#include "cli/options.h"
#include "query/query.h"
#include "query/run_columns.h"
#include "report/run_table.h"

namespace bitsweep::cli {
namespace {

constexpr int64_t kMostShown = 100;  // of a table, where nothing else is asked for

// What is asked for; the sweeps by their names, none for all runs.
struct Scope {
  std::vector<std::string> sweeps = {""};
  std::string where;
};

Scope scope_of(const query::Query& query, const CommandLine& line) {
  Scope scope{.where = line.get("where").value_or("")};
  if (!line.positional().empty()) scope.sweeps.clear();
  for (const std::string& name : line.positional()) scope.sweeps.push_back(query.sweep_name(name));
  return scope;
}

// The newest `most` of them, in the order they were planned; -1: all.
std::vector<query::RunRow> newest(const query::Query& query, const Scope& scope, int64_t most) {
  std::vector<query::RunRow> rows;
  for (const std::string& sweep : scope.sweeps) {
    std::vector<query::RunRow> some = query.runs(sweep, scope.where, most);
    std::move(some.begin(), some.end(), std::back_inserter(rows));
  }
  if (const auto count = static_cast<int64_t>(rows.size()); most >= 0 && count > most)
    rows.erase(rows.begin(), rows.begin() + (count - most));
  return rows;
}

int64_t count(const query::Query& query, const Scope& scope) {
  int64_t sum = 0;
  for (const std::string& sweep : scope.sweeps) sum += query.count_runs(sweep, scope.where);
  return sum;
}

// --limit; without it a table is short, and what programs read is whole. -1: all.
int64_t limit_of(const CommandLine& line, OutputFormat format) {
  const auto text = line.get("limit");
  if (!text) return format == OutputFormat::table ? kMostShown : -1;
  if (*text == "all") return -1;
  const auto number = parse_size(*text);
  if (!number || !(*number >= 1) || *number > 1e9 || *number != std::floor(*number))
    throw Error(ErrorKind::input, fmt::format("--limit '{}': expected how many runs, from 1, or 'all'", *text));
  return static_cast<int64_t>(*number);
}

// The columns named by `option`: of the runs that are shown, else of any, for an axis may be one of older runs alone,
// and a condition that no run meets does not make the columns wrong. Any metric is one: the rows get its values.
std::vector<std::string> columns_of(const query::Query& query, const CommandLine& line,
                                    std::vector<query::RunRow>& rows, const std::string& option, bool signs) {
  const auto text = line.get(option);
  if (!text) return {};
  std::vector<std::string> known = run_column_names(rows);
  try {
    return query::parse_columns(*text, known, option, signs);
  } catch (const Error&) {
    const std::vector<std::string> metrics = query.metric_names();
    known = run_column_names(query.runs());
    known.insert(known.end(), metrics.begin(), metrics.end());
    std::vector<std::string> columns = query::parse_columns(*text, known, option, signs);
    std::vector<std::string> asked = columns;
    for (std::string& name : asked) name.erase(0, signs && name.starts_with('-') ? 1 : 0);
    std::erase_if(asked, [&](const std::string& name) {
      return std::find(metrics.begin(), metrics.end(), name) == metrics.end();
    });
    query.add_metrics(rows, asked);
    return columns;
  }
}

void add_question_counts(const query::Query& query, std::vector<query::RunRow>& rows) {
  std::set<std::string> counts;
  for (const query::RunRow& row : rows)
    for (const auto& [name, value] : row.metrics) counts.insert(question_count_of(name));
  counts.erase("");
  query.add_metrics(rows, {counts.begin(), counts.end()});
}

void print_table(const std::vector<query::RunRow>& rows, std::vector<std::string> columns, const MetricKinds& kinds,
                 int64_t more, bool sorted) {
  if (rows.empty()) return print_error("no runs");
  if (columns.empty()) columns = report::default_run_columns(rows);
  std::string text = terminal_table(report::run_table(rows, columns, kinds));
  for (const std::string& told : report::metrics_told(columns, kinds)) text += told + "\n";
  if (more > 0)
    text += fmt::format("… and {} {}; --limit all shows every one, --limit N as many\n", more,
                        sorted ? "more" : "earlier ones");
  print(text);
}

std::string json_text(const std::vector<query::RunRow>& rows, const std::vector<std::string>& columns, bool lines) {
  json::array list;
  std::string text;
  for (const query::RunRow& row : rows) {
    if (lines)
      text += compact_json(run_json(row, columns)) + "\n";
    else
      list.push_back(run_json(row, columns));
  }
  return lines ? text : pretty_json(list) + "\n";
}

int do_runs(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.value("where",
             "only runs for which this SQL expression over the columns holds: \"params > 1e6 and state = 'done'\"")
      .value("sort", "by these columns, comma-separated, metrics best first; '-' before one: largest first")
      .value("columns", "these columns, comma-separated; an axis by its path (train.lr), any metric by its name")
      .value("limit", "N | all: the newest N, or the first N of --sort (a table: 100; --json, --jsonl, --csv: all)")
      .root_option()
      .output_options();
  if (!line.parse(args)) return 0;
  const OutputFormat format = output_format(line);
  const int64_t most = limit_of(line, format);
  const bool sorted = line.has("sort");
  const query::Query query(line.root());
  const Scope scope = scope_of(query, line);
  std::vector<query::RunRow> rows = newest(query, scope, sorted ? -1 : most);

  std::vector<std::string> columns = columns_of(query, line, rows, "columns", false);
  const MetricKinds kinds = query.metric_kinds();
  if (sorted) sort_runs(rows, query::best_first(columns_of(query, line, rows, "sort", true), kinds));
  int64_t all = static_cast<int64_t>(rows.size());
  if (!sorted && all == most) all = count(query, scope);
  if (most >= 0 && static_cast<int64_t>(rows.size()) > most) rows.resize(static_cast<size_t>(most));

  if (format == OutputFormat::table) {
    if (columns.empty()) add_question_counts(query, rows);
    print_table(rows, columns, kinds, all - static_cast<int64_t>(rows.size()), sorted);
    return 0;
  }
  if (columns.empty()) columns = query::run_json_columns();
  if (format == OutputFormat::csv)
    print(csv_table(report::raw_run_table(rows, columns)));
  else
    print(json_text(rows, columns, format == OutputFormat::jsonl));
  return 0;
}

}  // namespace

const Verb kRunsVerb{"runs", "List runs: state, size, losses, time", "[SWEEP…]",
                     "bitsweep runs quickstart --where \"state = 'done'\" --sort last_val_bpc", do_runs};

}  // namespace bitsweep::cli
