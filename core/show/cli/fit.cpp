// `bitsweep fit`: a law through measured points, or the reasons why there is none.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/points_file.h"
#include "analysis/sweep_points.h"
#include "base/error.h"
#include "base/nearest.h"
#include "base/units.h"
#include "cli/checkpoint_text.h"
#include "cli/options.h"
#include "cli/points_options.h"
#include "cli/verdict_text.h"
#include "fit/fit.h"
#include "fit/hold_out.h"
#include "frontier/verdict.h"
#include "predict/predictions.h"
#include "query/query.h"
#include "store/store.h"

namespace bitsweep::cli {
namespace {

// Points that belong to one law.
struct Subset {
  std::string variant, dataset, run;  // "" where the law is for several
  std::vector<fit::Point> points;
};

struct Fitted {
  Subset subset;
  fit::FitResult result;
  std::optional<fit::HoldOut> hold_out;
  frontier::Verdict verdict;
};

// Where points come from that are no file's.
struct Sweeps {
  std::vector<std::string> names;
  std::map<std::string, std::string> datasets;  // DatasetRecord::id of each label
};

// What the law's name alone says of it.
std::unique_ptr<fit::Law> blank_law(const fit::FitOptions& options) {
  return make_law(options.law, {}, options.choice());
}

// A law for each variant and dataset that it does not pool; the checkpoints of a run by themselves.
std::vector<Subset> subsets_of(std::vector<fit::Point> points, const fit::FitOptions& options) {
  const auto law = make_law(options.law, points, options.choice());
  std::map<std::tuple<std::string, std::string, std::string>, Subset> subsets;
  for (fit::Point& p : points) {
    const std::string dataset = law->pools_datasets() ? "" : p.dataset,
                      variant = law->pools_variants() ? "" : p.variant;
    const std::string run = law->within_runs() ? p.run : "";
    Subset& subset = subsets[{dataset, variant, run}];
    subset.dataset = dataset;
    subset.variant = variant;
    subset.run = run;
    subset.points.push_back(std::move(p));
  }
  std::vector<Subset> list;
  for (auto& [label, subset] : subsets) list.push_back(std::move(subset));
  return list;
}

void tell_left_out(const std::map<std::string, int>& left_out) {
  for (const auto& [reason, count] : left_out)
    print_error(fmt::format("left out {} run{}: {}", count, count == 1 ? "" : "s", reason));
}

// Points of sweeps, a row a finished run: its last validation loss. What is left out is told on stderr.
std::vector<fit::Point> points_from_sweeps(const CommandLine& line, const fit::FitOptions& options, Sweeps& sweeps) {
  const query::Query query(line.root());
  for (const std::string& name : line.positional()) sweeps.names.push_back(query.sweep_name(name));
  analysis::SweepPointsOptions wanted;
  if (line.has("where")) wanted.where = fit::RowFilter(*line.get("where"), "--where");
  wanted.all_settings = line.has("all-settings");
  wanted.loss = line.get("loss").value_or("");
  wanted.checkpoints = blank_law(options)->within_runs();
  analysis::SweepPoints found = points_of_sweeps(query, sweeps.names, wanted);
  tell_left_out(found.left_out);
  if (found.points.empty()) throw Error(ErrorKind::input, "no finished run with a validation loss in these sweeps");
  sweeps.datasets = std::move(found.datasets);
  return std::move(found.points);
}

std::vector<fit::Point> points_of_file(const CommandLine& line, const fit::FitOptions& options) {
  fit::PointsFormat format = points_format(line);
  format.needed.clear();
  // A law of one axis can do without the other column; without a choice it takes what there is.
  const auto law = blank_law(options);
  for (const fit::Axis axis : {fit::Axis::params, fit::Axis::tokens, fit::Axis::unique_tokens, fit::Axis::lr_area}) {
    if (law->reads(axis) && (options.law != "power" || !options.axis.empty())) format.needed.push_back(axis);
  }
  analysis::PointsFile file = analysis::read_points_file(*line.get("points"), format);
  for (const std::string& note : file.notes) print_error("note: " + note);
  tell_left_out(drop_unfinished(file));
  if (file.points.empty()) throw Error(ErrorKind::input, "no finished run with a loss above 0 in this file");
  if (!file.no_seeds.empty()) throw Error(ErrorKind::input, {{*line.get("points"), 0, 0, file.no_seeds}});
  for (const std::string& note : implausible_magnitudes(file.points)) print_error("note: " + note);
  return std::move(file.points);
}

fit::FitOptions options_of(const CommandLine& line) {
  fit::FitOptions options;
  options.law = line.get("law").value_or(options.law);
  options.axis = line.get("axis").value_or("");
  options.reference = line.get("reference").value_or("");
  options.group = line.get("group").value_or("");
  if (const auto delta = line.number("delta", 1e-12, HUGE_VAL)) options.delta = *delta;
  if (line.has("least-squares")) options.delta = HUGE_VAL;
  if (const auto noise = line.number("noise", 1e-12, 1e6)) options.noise = *noise;
  if (const auto count = line.number("resamples", 0, 1e6)) options.resamples = static_cast<int>(*count);
  if (const auto confidence = line.number("confidence", 0.5, 0.999)) options.confidence = *confidence;
  if (const auto seed = line.number("seed", 0, 9e15)) options.seed = static_cast<uint64_t>(*seed);
  if (line.has("force")) options.extrapolation_limit = HUGE_VAL;
  for (const std::string& text : line.all("target")) options.targets.push_back(fit::parse_target(text, "--target"));
  blank_law(options);  // an unknown name is told before any file is read
  return options;
}

std::string interval_text(const std::optional<fit::Interval>& interval) {
  return interval ? fmt::format("[{:.5g}, {:.5g}]", interval->first, interval->second) : "";
}

std::string target_text(const fit::Target& target) {
  std::string text;
  if (target.params > 0) text += fmt::format("params {}", format_count(target.params));
  if (target.tokens > 0) text += fmt::format("{}tokens {}", text.empty() ? "" : ", ", format_count(target.tokens));
  for (const auto& [name, value] : {std::pair{"variant", target.variant}, {"dataset", target.dataset}}) {
    if (!value.empty()) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, value);
  }
  if (target.lr_area > 0) text += fmt::format("S1 {:g}, S2 {:g}", target.lr_area, target.annealing);
  return text;
}

std::string parameter_lines(const fit::FitResult& fit) {
  std::string text;
  size_t width = 6;
  for (const fit::NamedValue& v : fit.params) width = std::max(width, v.name.size());
  const auto line = [&](const std::string& name, double value) {
    const auto found = fit.intervals.find(name), profile = fit.profile.find(name);
    text += fmt::format("  {:<{}} {:>12.6g}  {:<24}", name, width, value,
                        found == fit.intervals.end() ? "" : interval_text(found->second));
    if (profile != fit.profile.end()) text += fmt::format("  {}", interval_text(profile->second));
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  };
  if (!fit.intervals.empty())
    text += fmt::format("  {:<{}} {:>12}  {:<24}  profile\n", "", width, "",
                        fmt::format("{:.4g} % interval", 100 * fit.confidence));
  for (const fit::NamedValue& v : fit.params) line(v.name, v.value);
  if (fit.a_opt) line("a_opt", *fit.a_opt);
  return text;
}

std::string diagnostic_lines(const fit::FitResult& fit) {
  std::string text = fmt::format("  objective {:.8g} (sum of Huber losses, δ {:g}); {} of {} descents end there",
                                 fit.objective, fit.delta, fit.starts_at_best, fit.starts);
  if (fit.second_basin) text += fmt::format("; next minimum {:.6g}", fit.second_basin->objective);
  text += '\n';
  if (fit.residual_sd) text += fmt::format("  residual sd {:.3g} of log loss", *fit.residual_sd);
  if (fit.residual_sd && fit.noise_sd) text += fmt::format(" (repeated seeds alone: {:.3g})", *fit.noise_sd);
  if (fit.residual_sd && fit.aicc) text += fmt::format("; AICc {:.2f}", *fit.aicc);
  if (fit.residual_sd) text += '\n';
  if (!fit.intervals.empty())
    text += fmt::format("  intervals: {}{}\n", fit.interval_method, fit.within_runs ? "" : groups_text(fit));
  return text;
}

std::string prediction_lines(const fit::FitResult& fit) {
  std::string text;
  for (const fit::Prediction& p : fit.predictions) {
    text += fmt::format("  at {}: ", target_text(p.target));
    text += p.loss ? fmt::format("{:.4f}", *p.loss) : std::string("no prediction");
    if (p.interval) text += fmt::format(" in [{:.4f}, {:.4f}]", p.interval->first, p.interval->second);
    if (p.feasible && std::isfinite(p.feasible->second))
      text += fmt::format("; anywhere in [{:.4f}, {:.4f}] with residuals within ±{:g}", p.feasible->first,
                          p.feasible->second, fit.noise);
    else if (p.feasible)
      text += fmt::format("; anything above {:.4f} with residuals within ±{:g}", p.feasible->first, fit.noise);
    if (!p.refused.empty()) text += fmt::format(": {}", p.refused);
    if (!p.beyond.inside() && p.refused.empty()) text += fmt::format(" ({})", p.beyond.text());
    text += '\n';
  }
  return text;
}

std::string hold_out_line(const fit::HoldOut& h) {
  const size_t inside = static_cast<size_t>(std::lround(h.coverage * static_cast<double>(h.runs.size())));
  return fmt::format(
      "  held out: the {} largest run{}, predicted from the rest: off by {:.2g} %, {} in their intervals\n",
      h.runs.size(), h.runs.size() == 1 ? "" : "s", 100 * h.root_mean_square_error, inside);
}

std::string human(const Fitted& fitted) {
  const fit::FitResult& fit = fitted.result;
  std::string title = fit.formula;
  if (!fitted.subset.variant.empty()) title += "  " + fitted.subset.variant;
  if (!fitted.subset.dataset.empty()) title += "  " + fitted.subset.dataset;
  if (!fitted.subset.run.empty()) title += "  " + fitted.subset.run;
  std::string text = fmt::format("{}  ({})\n", title, counts_text(fit, fitted.subset.points));
  for (const std::string& reason : fit.refused) text += fmt::format("  refused: {}\n", reason);
  if (fit.has_params()) text += parameter_lines(fit) + diagnostic_lines(fit);
  text += prediction_lines(fit);
  if (fitted.hold_out) text += hold_out_line(*fitted.hold_out);
  text += verdict_text(fitted.result, fitted.verdict);
  for (const std::string& warning : fit.warnings) text += fmt::format("  note: {}\n", warning);
  return text;
}

json::object document(const Fitted& fitted) {
  json::object object = fit_json(fitted.result);
  object["checkpoints"] = count_checkpoints(fitted.subset.points).checkpoints;
  if (!fitted.subset.variant.empty()) object["variant"] = fitted.subset.variant;
  if (!fitted.subset.dataset.empty()) object["dataset"] = fitted.subset.dataset;
  if (!fitted.subset.run.empty()) object["run"] = fitted.subset.run;
  if (fitted.hold_out) object["hold_out"] = hold_out_json(*fitted.hold_out);
  for (auto& [key, value] : verdict_json(fitted.verdict)) object[key] = value;
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

// "no point has this --variant …", with the variants that there are.
std::string no_such_points(const std::vector<fit::Point>& points, const std::string& variant) {
  std::set<std::string> names;
  for (const fit::Point& p : points) names.insert(p.variant);
  if (variant.empty() || names.contains(variant)) return "no point has this --variant and --dataset";
  const std::vector<std::string> known(names.begin(), names.end());
  return fmt::format("no point of --variant '{}'{}; there are {}", variant, did_you_mean(variant, known),
                     fmt::join(known, ", "));
}

// A law that tells variants apart cannot take them as one.
void refuse_pooling(const fit::FitOptions& options) {
  if (blank_law(options)->pools_variants())
    throw Error(ErrorKind::input, fmt::format("--pool: the law '{}' tells variants apart; without --pool it is one law "
                                              "through all of them",
                                              options.law));
}

// What the options and the file leave of the points.
std::vector<fit::Point> chosen(std::vector<fit::Point> points, const CommandLine& line) {
  const auto variant = line.get("variant"), dataset = line.get("dataset");
  const std::string nobody = no_such_points(points, variant.value_or(""));
  std::erase_if(points, [&](const fit::Point& p) {
    return (variant && p.variant != *variant) || (dataset && p.dataset != *dataset);
  });
  if (points.empty()) throw Error(ErrorKind::input, nobody);
  if (line.has("pool"))
    for (fit::Point& p : points) p.variant.clear();
  if (const auto count = line.number("drop-largest-loss", 0, 1e9))
    points = without_largest_losses(std::move(points), static_cast<int>(*count));
  if (points.empty()) throw Error(ErrorKind::input, "--drop-largest-loss leaves no point");
  analysis::refuse_too_many(points.size());
  return points;
}

// Each fit of a sweep's runs is a row of the database, with the points and options that make it again.
void store_fits(const CommandLine& line, const Sweeps& sweeps, const std::vector<Fitted>& all,
                const fit::FitOptions& options) {
  try {
    store::Store store(line.root(), store::StoreMode::create);
    for (const Fitted& fitted : all) {
      if (!fitted.result.has_params()) continue;
      const auto dataset = sweeps.datasets.find(fitted.subset.dataset);
      store.put_fit(predict::fit_record(sweeps.names, fitted.subset.points,
                                        dataset == sweeps.datasets.end() ? "" : dataset->second, options,
                                        fitted.result));
    }
  } catch (const Error& error) {
    print_error(fmt::format("note: the fit was not stored: {}", error.what()));
  }
}

std::vector<double> budgets_of(const CommandLine& line) {
  std::vector<double> budgets;
  for (const std::string& text : line.all("budget")) {
    const auto value = parse_number(text);
    if (!value || !(*value > 0) || !std::isfinite(*value))
      throw Error(ErrorKind::input,
                  fmt::format("--budget: expected training FLOPs above 0, as \"1e21\", not '{}'", text));
    budgets.push_back(*value);
  }
  return budgets;
}

// Where no variant carries a law by itself and all of them together do.
void advise_pooling(const std::vector<Fitted>& all, const fit::FitOptions& options) {
  std::vector<fit::Point> points;
  for (const Fitted& f : all) {
    if (f.result.has_params() || f.subset.dataset != all[0].subset.dataset) return;
    points.insert(points.end(), f.subset.points.begin(), f.subset.points.end());
  }
  if (all.size() < 2 || all[0].subset.variant == all.back().subset.variant) return;
  for (fit::Point& p : points) p.variant.clear();
  if (fit_law(points, parameters_alone(options)).has_params())
    print_error(
        fmt::format("note: none of {} variants carries a law by itself; if they are one model, --pool takes them "
                    "as one, and that has a law",
                    all.size()));
}

int do_fit(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  points_options(line);
  line.value("variant", "only points of this variant")
      .value("dataset", "only points of this dataset")
      .value("loss", "of sweeps, the metric that is the loss, as a task's bits per byte: arc.bpb (not stored)")
      .flag("all-settings", "of sweeps, the runs of every setting, instead of the best at each size and length")
      .value("law", fmt::format("one of {}; default: chinchilla", fmt::join(fit::law_names(), ", ")).c_str())
      .value("axis", "for power: params or tokens; the one that varies when not given")
      .value("reference", "for precision: the variant whose parameters count 1; llama when not given")
      .value("group", "for grouped: dataset or variant; the one that varies when not given")
      .value("delta", "of the Huber loss on log loss: 1e-3; inf for least squares")
      .flag("least-squares", "the same as --delta inf")
      .values("target", "a prediction: params=300M,tokens=1B (and variant=, dataset=, unique_tokens=)")
      .values("budget", "training FLOPs whose best division is asked for: 1e21")
      .value("hold-out", "predict this share of configurations, those of the largest compute, from the rest: 0.2")
      .flag("force",
            "predict targets of more than 1,000 times the largest run's compute, or as far outside along an axis, too")
      .value("noise", "assumed size of residuals where no interval can be given: 0.02")
      .value("resamples", "of the bootstrap: 1000; 0 for no intervals")
      .value("confidence", "of the intervals: 0.95")
      .value("seed", "of draws and resamples: 0")
      .root_option()
      .output_options();
  if (!line.parse(args)) return 0;
  const OutputFormat format = output_format(line);
  if (format == OutputFormat::csv) throw Error(ErrorKind::input, "fit has no --csv; use --json");
  const bool file = line.has("points");
  if (file != line.positional().empty())
    throw Error(ErrorKind::input,
                file ? "give sweeps or --points FILE.csv, not both" : "give the sweeps to fit, or --points FILE.csv");
  if (file && line.has("loss")) throw Error(ErrorKind::input, "--loss is for sweeps; of a file: --map loss=COLUMN");
  if (file && line.has("all-settings"))
    throw Error(ErrorKind::input, "--all-settings is for sweeps; of a file every row is taken");
  if (!file) refuse_points_options(line, "fit", {"map", "label", "units", "checkpoints"});
  const fit::FitOptions options = options_of(line);
  if (line.has("pool")) refuse_pooling(options);
  const std::vector<double> budgets = budgets_of(line);
  Sweeps sweeps;
  std::vector<fit::Point> points =
      chosen(file ? points_of_file(line, options) : points_from_sweeps(line, options, sweeps), line);
  std::vector<Fitted> all;
  for (Subset& subset : subsets_of(std::move(points), options)) {
    fit::FitResult result = fit_law(subset.points, options);
    const auto share = line.number("hold-out", 0.01, 0.9);
    auto hold_out = share ? hold_out_largest(subset.points, options, *share) : std::nullopt;
    if (share && !hold_out) result.warnings.push_back("without its largest runs nothing can be predicted of them");
    frontier::Verdict verdict = frontier::judge(subset.points, options, result, budgets);
    all.push_back({std::move(subset), std::move(result), std::move(hold_out), std::move(verdict)});
    advise_checkpoints(all.back().subset.points, all.back().result);
  }
  if (!line.has("pool")) advise_pooling(all, options);
  if (!file && !line.has("loss")) store_fits(line, sweeps, all, options);
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
                    "bitsweep fit --points runs.csv --map params=N,tokens=D --target params=300M,tokens=1B", do_fit};

}  // namespace bitsweep::cli
