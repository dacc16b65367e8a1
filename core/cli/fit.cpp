// `bitsweep fit`: a law through measured points, or the reasons why there is none.
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "base/error.h"
#include "base/units.h"
#include "cli/options.h"
#include "fit/fit.h"
#include "fit/points_csv.h"
#include "query/comparable.h"
#include "query/query.h"

namespace bitsweep {
namespace {

// Points that belong to one law.
struct Subset {
  std::string variant, dataset;
  std::vector<Point> points;
};

struct Fitted {
  Subset subset;
  FitResult result;
};

std::vector<Subset> by_label(const std::vector<Point>& points) {
  std::map<std::pair<std::string, std::string>, std::vector<Point>> subsets;
  for (const Point& p : points) subsets[{p.dataset, p.variant}].push_back(p);
  std::vector<Subset> list;
  for (auto& [label, some] : subsets) list.push_back({label.second, label.first, std::move(some)});
  return list;
}

// One point a finished run: its last validation loss. What is left out is told on stderr.
std::vector<Point> points_of_sweeps(const CommandLine& line) {
  const Query query(line.root());
  std::vector<std::string> sweeps;
  for (const std::string& name : line.positional()) sweeps.push_back(query.sweep_name(name));
  const std::vector<RunRow> runs = query.runs_of(sweeps);
  std::vector<Point> points;
  std::map<std::string, int> left_out;
  for (const ComparableGroup& group : comparable_groups(runs, query.datasets())) {
    for (const size_t i : group.runs) {
      const RunRow& run = runs[i];
      std::string reason = exclusion_reason(run);
      if (reason.empty() && !run.last_val_bpc) reason = "no validation loss";
      if (!reason.empty()) {
        ++left_out[reason];
        continue;
      }
      Point p;
      p.params = static_cast<double>(run.params);
      p.tokens = static_cast<double>(run.tokens);
      p.loss = *run.last_val_bpc;
      if (run.epochs && *run.epochs > 0) p.unique_tokens = p.tokens / *run.epochs;
      p.variant = run.plugin, p.dataset = group.label, p.seed = run.seed, p.run = run.id;
      points.push_back(std::move(p));
    }
  }
  for (const auto& [reason, count] : left_out)
    print_error(fmt::format("left out {} run{}: {}", count, count == 1 ? "" : "s", reason));
  if (points.empty()) throw Error(ErrorKind::input, "no finished run with a validation loss in these sweeps");
  return points;
}

std::vector<Point> points_of_file(const CommandLine& line, const FitOptions& options) {
  const std::string path = *line.get("points");
  PointsFormat format(line.has("map") ? parse_column_map(*line.get("map")) : ColumnMap{});
  // A law of one axis can do without the other column.
  const bool joint = options.law != "power";
  format.needed.clear();
  if (joint || options.axis == "params") format.needed.push_back(Axis::params);
  if (joint || options.axis == "tokens") format.needed.push_back(Axis::tokens);
  return read_points_csv(read_file(path), path, format);
}

FitOptions options_of(const CommandLine& line) {
  FitOptions options;
  options.law = line.get("law").value_or(options.law);
  options.axis = line.get("axis").value_or("");
  if (const auto delta = line.number("delta", 1e-12, HUGE_VAL)) options.delta = *delta;
  if (const auto noise = line.number("noise", 1e-12, 1e6)) options.noise = *noise;
  if (const auto count = line.number("resamples", 0, 1e6)) options.resamples = static_cast<int>(*count);
  if (const auto confidence = line.number("confidence", 0.5, 0.999)) options.confidence = *confidence;
  if (const auto seed = line.number("seed", 0, 9e15)) options.seed = static_cast<uint64_t>(*seed);
  for (const std::string& text : line.all("target")) options.targets.push_back(parse_target(text, "--target"));
  make_law(options.law, {}, options.choice());  // an unknown name is told before any file is read
  return options;
}

std::string interval_text(const std::optional<Interval>& interval) {
  return interval ? fmt::format("[{:.5g}, {:.5g}]", interval->first, interval->second) : "";
}

std::string target_text(const Target& target) {
  std::string text;
  if (target.params > 0) text += fmt::format("params {}", format_count(target.params));
  if (target.tokens > 0) text += fmt::format("{}tokens {}", text.empty() ? "" : ", ", format_count(target.tokens));
  return text;
}

std::string parameter_lines(const FitResult& fit) {
  std::string text;
  const auto line = [&](const std::string& name, double value) {
    const auto found = fit.intervals.find(name);
    const std::string interval = found == fit.intervals.end() ? "" : interval_text(found->second);
    text += fmt::format("  {:<6} {:>12.6g}  {}", name, value, interval);
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  };
  for (const NamedValue& v : fit.params) line(v.name, v.value);
  if (fit.a_opt) line("a_opt", *fit.a_opt);
  return text;
}

std::string diagnostic_lines(const FitResult& fit) {
  std::string text = fmt::format("  objective {:.8g} (sum of Huber losses, δ {:g}); {} of {} descents end there",
                                 fit.objective, fit.delta, fit.starts_at_best, fit.starts);
  if (fit.second_basin) text += fmt::format("; next minimum {:.6g}", fit.second_basin->objective);
  text += '\n';
  if (fit.residual_sd) text += fmt::format("  residual sd {:.3g} of log loss", *fit.residual_sd);
  if (fit.residual_sd && fit.noise_sd) text += fmt::format(" (repeated seeds alone: {:.3g})", *fit.noise_sd);
  if (fit.residual_sd && fit.aicc) text += fmt::format("; AICc {:.2f}", *fit.aicc);
  if (fit.residual_sd) text += '\n';
  if (!fit.intervals.empty())
    text += fmt::format("  intervals: {:.3g} %, bootstrap over {} configurations, {} resamples\n", 100 * fit.confidence,
                        fit.groups, fit.resamples);
  return text;
}

std::string prediction_lines(const FitResult& fit) {
  std::string text;
  for (const Prediction& p : fit.predictions) {
    text += fmt::format("  at {}: ", target_text(p.target));
    text += p.loss ? fmt::format("{:.4f}", *p.loss) : std::string("no prediction");
    if (p.interval) text += fmt::format(" in [{:.4f}, {:.4f}]", p.interval->first, p.interval->second);
    if (p.feasible && std::isfinite(p.feasible->second))
      text += fmt::format("; anywhere in [{:.4f}, {:.4f}] with residuals within ±{:g}", p.feasible->first,
                          p.feasible->second, fit.noise);
    else if (p.feasible)
      text += fmt::format("; anything above {:.4f} with residuals within ±{:g}", p.feasible->first, fit.noise);
    if (p.extrapolation > 1) text += fmt::format(" ({:.3g} times outside of the points)", p.extrapolation);
    text += '\n';
  }
  return text;
}

std::string human(const Fitted& fitted) {
  const FitResult& fit = fitted.result;
  std::string title = fit.formula;
  if (!fitted.subset.variant.empty()) title += "  " + fitted.subset.variant;
  if (!fitted.subset.dataset.empty()) title += "  " + fitted.subset.dataset;
  std::string text = fmt::format("{}  ({} points, {} configurations)\n", title, fit.points, fit.groups);
  for (const std::string& reason : fit.refused) text += fmt::format("  refused: {}\n", reason);
  if (fit.has_params()) text += parameter_lines(fit) + diagnostic_lines(fit);
  text += prediction_lines(fit);
  for (const std::string& warning : fit.warnings) text += fmt::format("  note: {}\n", warning);
  return text;
}

json::object document(const Fitted& fitted) {
  json::object object = fit_json(fitted.result);
  if (!fitted.subset.variant.empty()) object["variant"] = fitted.subset.variant;
  if (!fitted.subset.dataset.empty()) object["dataset"] = fitted.subset.dataset;
  return object;
}

// One subset: one document. Several: a list of them.
std::string json_text(const std::vector<Fitted>& all, bool lines) {
  std::string text;
  json::array list;
  for (const Fitted& fitted : all) {
    if (lines) text += json::serialize(document(fitted)) + "\n";
    list.emplace_back(document(fitted));
  }
  if (lines) return text;
  return (list.size() == 1 ? pretty_json(list[0]) : pretty_json(list)) + "\n";
}

void keep_only(std::vector<Subset>& subsets, const CommandLine& line) {
  const auto variant = line.get("variant"), dataset = line.get("dataset");
  std::erase_if(subsets, [&](const Subset& s) {
    return (variant && s.variant != *variant) || (dataset && s.dataset != *dataset);
  });
  if (subsets.empty()) throw Error(ErrorKind::input, "no point has this --variant and --dataset");
}

int run(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.value("points", "a CSV file with the columns params, tokens, loss (and variant, dataset, seed, run)")
      .value("map", "other names of columns: params=N,tokens=D,loss=val_bpc")
      .value("law", "power or chinchilla (the default)")
      .value("axis", "for power: params or tokens; the one that varies when not given")
      .value("delta", "of the Huber loss on log loss: 1e-3; inf for least squares")
      .values("target", "a prediction: params=300M,tokens=1B")
      .value("noise", "assumed size of residuals where no interval can be given: 0.02")
      .value("resamples", "of the bootstrap: 1000")
      .value("confidence", "of the intervals: 0.95")
      .value("seed", "of the bootstrap: 0")
      .value("variant", "only points of this variant")
      .value("dataset", "only points of this dataset")
      .root_option()
      .output_options();
  if (!line.parse(args)) return 0;
  const OutputFormat format = output_format(line);
  if (format == OutputFormat::csv) throw Error(ErrorKind::input, "fit has no --csv; use --json");
  if (line.has("points") != line.positional().empty())
    throw Error(ErrorKind::input, line.has("points") ? "give sweeps or --points FILE.csv, not both"
                                                     : "give the sweeps to fit, or --points FILE.csv");
  const FitOptions options = options_of(line);
  std::vector<Subset> subsets = by_label(line.has("points") ? points_of_file(line, options) : points_of_sweeps(line));
  keep_only(subsets, line);
  std::vector<Fitted> all;
  for (Subset& subset : subsets) {
    FitResult result = fit_law(subset.points, options);
    all.push_back({std::move(subset), std::move(result)});
  }
  if (format == OutputFormat::table) {
    std::string text;
    for (const Fitted& fitted : all) text += (text.empty() ? "" : "\n") + human(fitted);
    print(text);
  } else {
    print(json_text(all, format == OutputFormat::jsonl));
  }
  // Every law refused outright: the check that was asked for did not hold.
  const bool any = std::any_of(all.begin(), all.end(), [](const Fitted& f) { return f.result.has_params(); });
  return any ? 0 : 1;
}

}  // namespace

const Verb kFitVerb{"fit", "Fit a scaling law, or say why the points cannot carry one", "SWEEP… | --points FILE.csv",
                    "bitsweep fit --points runs.csv --map params=N,tokens=D --target params=300M,tokens=1B", run};

}  // namespace bitsweep
