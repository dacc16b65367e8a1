// `bitsweep show`: everything about one run.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/metric_kind.h"
#include "base/units.h"
#include "cli/options.h"
#include "query/query.h"
#include "query/run_columns.h"
#include "render/escape.h"
#include "render/format.h"
#include "render/text_chart.h"
#include "report/head_map.h"
#include "report/run_table.h"

namespace bitsweep::cli {
namespace {

struct RunFile {
  std::string path;  // within the run's folder
  uint64_t bytes = 0;
};

// A metric's first value and its last, each with its step.
struct Told {
  query::MetricRow first, last;
};

struct Details {
  query::RunRow run;
  std::vector<query::AttemptRow> attempts;
  std::vector<query::EvalRow> evals;
  std::map<std::string, Told> metrics;  // of which more or less is better
  MetricKinds kinds;
  std::optional<query::PointerHealth> attention;
  json::object start;
  fs::path folder;
  std::vector<RunFile> files;
};

std::vector<RunFile> files_in(const fs::path& folder) {
  std::vector<RunFile> files;
  std::error_code code;
  for (fs::recursive_directory_iterator at(folder, code), end; !code && at != end; at.increment(code)) {
    std::error_code gone;  // a worker may replace a checkpoint meanwhile
    if (!at->is_regular_file(gone)) continue;
    const uintmax_t bytes = at->file_size(gone);
    if (!gone) files.push_back({at->path().lexically_relative(folder).string(), bytes});
  }
  std::sort(files.begin(), files.end(), [](const RunFile& a, const RunFile& b) { return a.path < b.path; });
  return files;
}

// REQUIRES ascending steps.
std::map<std::string, Told> ranking_metrics(const std::vector<query::MetricRow>& rows, const MetricKinds& kinds) {
  std::map<std::string, Told> told;
  for (const query::MetricRow& row : rows)
    if (const MetricKind* kind = kinds.find(row.name); kind != nullptr && kind->better != Better::neither && row.value)
      told.try_emplace(row.name, Told{row, row}).first->second.last = row;
  return told;
}

Details gather(const query::Query& query, const std::string& prefix) {
  Details d;
  d.run = query.run(prefix);
  d.attempts = query.attempts(d.run.id);
  d.evals = query.evals(d.run.id);
  d.kinds = query.metric_kinds();
  d.metrics = ranking_metrics(query.metrics(d.run.id), d.kinds);
  d.attention = query.pointer_health(d.run.id);
  d.start = query.start_facts(d.run.id);
  d.folder = query.root() / "runs" / d.run.id;
  d.files = files_in(d.folder);
  return d;
}

void flatten(const json::value& value, const std::string& path, render::Table& table) {
  if (value.is_object() && !value.get_object().empty()) {
    for (const auto& member : value.get_object())
      flatten(member.value(), path.empty() ? std::string(member.key()) : path + "." + std::string(member.key()), table);
    return;
  }
  table.rows.push_back({"  " + path, query::cell_text(value, "-")});
}

std::string lines_of(const json::object& object) {
  render::Table table{{{""}, {""}}, {}};
  flatten(object, "", table);
  const std::string text = terminal_table(table);
  return text.substr(text.find('\n') + 1);
}

std::string headline(const query::RunRow& run) {
  std::string text = fmt::format("run {}  {}", run.id, to_text(run.state));
  if (!run.exit_cause.empty()) text += " (" + run.exit_cause + ")";
  text += fmt::format("\n  sweep {}, plugin {}, seed {}\n", render::clean_text(run.sweep),
                      render::clean_text(run.plugin), query::cell_text(seed_of(run), "left out"));
  if (!run.axes.empty()) text += "  axes " + render::clean_text(report::run_table({run}, {"axes"}).rows[0][0]) + "\n";
  if (!run.message.empty()) text += "  " + render::clean_text(run.message) + "\n";
  return text;
}

std::string metrics(const query::RunRow& run, const json::object& start) {
  std::string text = fmt::format("  parameters    {} ({} without embedding and head)\n", format_thousands(run.params),
                                 format_thousands(run.params_nonembedding));
  text += fmt::format("  tokens        {} in {} steps", format_thousands(run.tokens), run.steps);
  if (run.epochs) text += fmt::format(", {:.3g} epochs", *run.epochs);
  text += fmt::format("\n  reached       step {} of {}\n", run.step, run.steps);
  const std::string unit = MetricKinds().find("val_bpc")->unit;
  if (run.best_val_bpc) {
    text += fmt::format("  best          {:.4f} {}", *run.best_val_bpc, unit);
    if (run.best_step) text += fmt::format(" at step {}", *run.best_step);
    text += "\n";
  }
  if (run.last_val_bpc) text += fmt::format("  last          {:.4f} {}\n", *run.last_val_bpc, unit);
  if (const double ratio = number_or(start, "bytes_per_token", 0); ratio > 0)
    text += fmt::format("  bytes a token {:.4f} (its losses: val_loss / (ln 2 · val_bpc))\n", ratio);
  if (run.tokens_per_s) text += fmt::format("  tokens/s      {}\n", format_count(*run.tokens_per_s));
  if (run.wall_s) text += fmt::format("  wall          {}\n", format_duration(*run.wall_s));
  if (run.peak_rss_bytes)
    text += fmt::format("  peak memory   {}\n", format_bytes(static_cast<double>(*run.peak_rss_bytes)));
  return text;
}

std::string metrics_text(const std::map<std::string, Told>& metrics, const MetricKinds& kinds) {
  render::Table table{{{""},
                       {"first", render::Align::right},
                       {"step", render::Align::right},
                       {"last", render::Align::right},
                       {"step", render::Align::right},
                       {"by chance", render::Align::right},
                       {"better"},
                       {"what"}},
                      {}};
  for (const auto& [name, told] : metrics) {
    const MetricKind* kind = kinds.find(name);
    const bool once = told.first.step == told.last.step;
    table.rows.push_back({name, once ? "-" : report::metric_text(*told.first.value, kind),
                          once ? "-" : std::to_string(told.first.step), report::metric_text(*told.last.value, kind),
                          std::to_string(told.last.step), kind->chance ? report::metric_text(*kind->chance, kind) : "-",
                          std::string(direction_word(kind->better)), kind->help});
  }
  return terminal_table(table);
}

std::string attempts_text(const std::vector<query::AttemptRow>& attempts) {
  render::Table table{{{"attempt", render::Align::right},
                       {"state"},
                       {"cause"},
                       {"device"},
                       {"steps"},
                       {"began (UTC)"},
                       {"took", render::Align::right},
                       {"message"}},
                      {}};
  for (const query::AttemptRow& a : attempts) {
    std::string cause = a.exit_cause;
    if (a.signal)
      cause += fmt::format("{}signal {}", cause.empty() ? "" : ", ", *a.signal);
    else if (a.exit_code && *a.exit_code != 0)
      cause += fmt::format("{}exit code {}", cause.empty() ? "" : ", ", *a.exit_code);
    table.rows.push_back({std::to_string(a.attempt), a.state, cause.empty() ? "-" : cause, a.device,
                          fmt::format("{}–{}", a.resumed_step.value_or(0), a.step),
                          a.started ? format_utc(*a.started) : "-",
                          a.started && a.ended ? format_duration(*a.ended - *a.started) : "-", a.message});
  }
  return terminal_table(table);
}

std::string text_of(const Details& d) {
  std::string text = headline(d.run) + "\n" + metrics(d.run, d.start);
  std::vector<std::pair<double, double>> curve;
  for (const query::EvalRow& e : d.evals)
    if (e.val_bpc) curve.emplace_back(static_cast<double>(e.step), *e.val_bpc);
  render::TextChartOptions options;
  options.unicode = utf8_terminal();
  options.x_label = "steps";
  if (const std::string chart = text_chart(curve, options); !chart.empty()) text += "\nval_bpc\n" + chart;
  if (!d.metrics.empty()) text += "\n" + metrics_text(d.metrics, d.kinds);
  if (d.attention)
    text += fmt::format("\nattention at step {}\n{}", d.attention->step,
                        report::pointer_health_text(*d.attention, /*numbers=*/false, options.unicode));
  if (!d.attempts.empty()) text += "\n" + attempts_text(d.attempts);
  json::object start = d.start;
  start.erase("metrics");  // how numbers are to be read, for programs: --json has it
  if (!start.empty()) text += "\nat its start\n" + lines_of(start);
  text += "\nspec\n" + lines_of(d.run.spec);
  if (d.files.empty()) return text;
  text += fmt::format("\nfiles in {}\n", d.folder.string());
  render::Table files{{{""}, {"", render::Align::right}}, {}};
  for (const RunFile& f : d.files) files.rows.push_back({"  " + f.path, format_bytes(static_cast<double>(f.bytes))});
  const std::string list = terminal_table(files);
  return text + list.substr(list.find('\n') + 1);
}

template <typename T>
json::value or_null(const std::optional<T>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::object json_of(const Details& d) {
  json::object object = run_json(d.run);
  for (const char* more : {"message", "params_nonembedding", "params_extra", "epochs", "flops", "step", "best_step",
                           "peak_rss_bytes", "submitted", "started", "ended", "dataset"})
    object[more] = run_column(d.run, more);
  json::array attempts, evals, files;
  for (const query::AttemptRow& a : d.attempts)
    attempts.push_back(
        json::object{{"attempt", a.attempt},
                     {"state", a.state},
                     {"exit_cause", a.exit_cause.empty() ? json::value(nullptr) : json::value(a.exit_cause)},
                     {"message", a.message},
                     {"device", a.device},
                     {"exit_code", or_null(a.exit_code)},
                     {"signal", or_null(a.signal)},
                     {"started", or_null(a.started)},
                     {"ended", or_null(a.ended)},
                     {"step", a.step},
                     {"resumed_step", or_null(a.resumed_step)}});
  for (const query::EvalRow& e : d.evals)
    evals.push_back(json::object{{"step", e.step},
                                 {"tokens", e.tokens},
                                 {"val_bpc", or_null(e.val_bpc)},
                                 {"train_bpc", or_null(e.train_bpc)},
                                 {"lr", or_null(e.lr)},
                                 {"grad_norm", or_null(e.grad_norm)},
                                 {"tokens_per_s", or_null(e.tokens_per_s)}});
  for (const RunFile& f : d.files) files.push_back(json::object{{"path", f.path}, {"bytes", f.bytes}});
  object["attempt_list"] = std::move(attempts);
  object["evals"] = std::move(evals);
  json::object metrics, ends;
  const auto end_json = [](const query::MetricRow& row) {
    return json::object{{"step", row.step}, {"value", *row.value}};
  };
  for (const auto& [name, told] : d.metrics) {
    metrics[name] = *told.last.value;
    ends[name] = json::object{{"first", end_json(told.first)}, {"last", end_json(told.last)}};
  }
  object["metrics"] = std::move(metrics);
  object["metric_ends"] = std::move(ends);
  object["attention"] = d.attention ? json::value(to_json(*d.attention)) : json::value(nullptr);
  object["start"] = d.start;
  object["spec"] = d.run.spec;
  object["folder"] = d.folder.string();
  object["files"] = std::move(files);
  return object;
}

int do_show(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.flag("json", "one JSON document").root_option();
  if (!line.parse(args, 1, 1)) return 0;
  const Details details = gather(query::Query(line.root()), line.positional()[0]);
  print(line.has("json") ? pretty_json(json_of(details)) + "\n" : text_of(details));
  return 0;
}

}  // namespace

const Verb kShowVerb{"show", "One run: spec, attempts and why they ended, metrics, a small curve, files", "RUN",
                     "bitsweep show 3fa2", do_show};

}  // namespace bitsweep::cli
