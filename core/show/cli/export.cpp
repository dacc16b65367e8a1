// `bitsweep export`: the rows of sweeps for other programs, as CSV and as JSON lines.
#include <functional>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "cli/options.h"
#include "query/query.h"
#include "query/run_columns.h"
#include "render/table.h"

namespace bitsweep::cli {
namespace {

const std::vector<std::string> kTables = {"runs", "evals", "metrics"};

// Takes one row; the first call's names are the header.
using Sink = std::function<void(const json::object& row)>;

// What a row of a run's evaluations needs so that a file of them is whole without the others.
json::object labels(const query::RunRow& run) {
  return {
      {"sweep", run.sweep}, {"run", run.id}, {"plugin", run.plugin}, {"params", run.params}, {"seed", seed_of(run)}};
}

void each_row(const query::Query& query, const std::vector<query::RunRow>& runs, const std::string& table,
              const Sink& sink) {
  const std::vector<std::string> columns = run_column_names(runs);
  for (const query::RunRow& run : runs) {
    if (table == "runs") {
      json::object row = run_json(run, columns);
      row.erase("axes");  // they are columns of their own
      sink(row);
    } else if (table == "evals") {
      for (const query::EvalRow& eval : query.evals(run.id)) {
        json::object row = labels(run);
        row["step"] = eval.step, row["tokens"] = eval.tokens;
        row["val_bpc"] = finite_or_null(eval.val_bpc), row["train_bpc"] = finite_or_null(eval.train_bpc),
        row["lr"] = finite_or_null(eval.lr);
        row["grad_norm"] = finite_or_null(eval.grad_norm), row["tokens_per_s"] = finite_or_null(eval.tokens_per_s);
        sink(row);
      }
    } else {
      for (const query::MetricRow& metric : query.metrics(run.id)) {
        json::object row = labels(run);
        row["step"] = metric.step, row["name"] = metric.name, row["value"] = finite_or_null(metric.value);
        sink(row);
      }
    }
  }
}

std::string csv_header(const json::object& row) {
  std::string text;
  for (const auto& member : row) text += (text.empty() ? "" : ",") + render::csv_cell(member.key());
  return text + "\n";
}

// A loss that is not there although there was an evaluation was not finite: an empty cell would be no evaluation.
std::string csv_row(const json::object& row, bool evals) {
  std::string text;
  const char* comma = "";
  for (const auto& member : row) {
    text += comma;
    comma = ",";
    const json::value& value = member.value();
    if (value.is_string())
      text += render::csv_cell(value.get_string());
    else if (!value.is_null())
      text += render::csv_cell(compact_json(value));
    else if (evals && member.key() == "val_bpc")
      text += "nan";
  }
  return text + "\n";
}

// Hands text on in pieces of about a megabyte.
class Pieces {
 public:
  explicit Pieces(std::function<void(std::string_view)> out) : out_(std::move(out)) {}
  void add(const std::string& text) {
    text_ += text;
    if (text_.size() > (1 << 20)) flush();
  }
  void flush() {
    out_(text_);
    text_.clear();
  }

 private:
  std::function<void(std::string_view)> out_;
  std::string text_;
};

void write_table(const query::Query& query, const std::vector<query::RunRow>& runs, const std::string& table, bool csv,
                 const std::function<void(std::string_view)>& out) {
  Pieces pieces(out);
  bool header = csv;
  each_row(query, runs, table, [&](const json::object& row) {
    if (header) pieces.add(csv_header(row));
    header = false;
    pieces.add(csv ? csv_row(row, table == "evals") : compact_json(row) + "\n");
  });
  pieces.flush();
}

void write_file(const query::Query& query, const std::vector<query::RunRow>& runs, const std::string& table,
                const fs::path& path) {
  AtomicFile file(path);
  write_table(query, runs, table, path.extension() == ".csv", [&](std::string_view text) { file.write(text); });
  file.commit();
  print_error(path.string());
}

std::vector<query::RunRow> runs_asked_for(const query::Query& query, const CommandLine& line) {
  std::vector<query::RunRow> runs;
  for (const std::string& name : line.positional())
    for (query::RunRow& run : query.runs(query.sweep_name(name))) runs.push_back(std::move(run));
  if (runs.empty()) throw Error(ErrorKind::input, "no runs in there: nothing to export");
  return runs;
}

int do_export(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.value("output,o",
             "a folder: runs, evals and metrics, each as .csv and .jsonl; or one FILE.csv or FILE.jsonl; "
             "else to the terminal")
      .value("table", "runs (the default), evals or metrics, for one file")
      .flag("csv", "comma-separated, with a header line (the default on the terminal)")
      .flag("jsonl", "one JSON object per line")
      .root_option();
  if (!line.parse(args, 1, 100'000)) return 0;
  const fs::path output = line.get("output").value_or("");
  const std::string suffix = output.extension().string(), table = line.get("table").value_or("runs");
  if (suffix == ".bit2")
    throw Error(ErrorKind::input,
                "bitsweep export: this version packs no checkpoints (.bit2); it exports the rows of "
                "sweeps, to a folder or to FILE.csv or FILE.jsonl");
  if (std::find(kTables.begin(), kTables.end(), table) == kTables.end())
    throw Error(ErrorKind::input, fmt::format("bitsweep export: --table '{}': expected runs, evals or metrics{}", table,
                                              did_you_mean(table, kTables)));
  if (line.has("csv") && line.has("jsonl")) throw Error(ErrorKind::input, "give --csv or --jsonl, not both");
  const bool file = suffix == ".csv" || suffix == ".jsonl";
  if (!suffix.empty() && !file && !fs::is_directory(output))
    throw Error(ErrorKind::input,
                fmt::format("bitsweep export: '{}': expected a folder, FILE.csv or FILE.jsonl", output.string()));
  const query::Query query(line.root());
  const std::vector<query::RunRow> runs = runs_asked_for(query, line);
  if (output.empty()) {
    write_table(query, runs, table, !line.has("jsonl"), [](std::string_view text) { print(text); });
  } else if (file) {
    write_file(query, runs, table, output);
  } else {
    make_folder(output);
    for (const std::string& each : kTables)
      for (const char* kind : {".csv", ".jsonl"}) write_file(query, runs, each, output / (each + kind));
  }
  return 0;
}

}  // namespace

const Verb kExportVerb{"export", "Write the runs and evaluations of sweeps as CSV and JSON lines",
                       "SWEEP… [-o FOLDER|FILE]", "bitsweep export quickstart -o quickstart-data", do_export};

}  // namespace bitsweep::cli
