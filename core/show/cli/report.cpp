// `bitsweep report`: Markdown, SVG, HTML and JSON of what sweeps found, or of points from a file.
#include "report/report.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "advise/points_advice.h"
#include "advise/report_advice.h"
#include "analysis/claims_file.h"
#include "base/csv.h"
#include "base/error.h"
#include "base/nearest.h"
#include "base/units.h"
#include "cli/options.h"
#include "cli/points_options.h"
#include "cli/results.h"
#include "fit/fit.h"
#include "prepare/planning.h"
#include "prepare/programs.h"
#include "query/query.h"

namespace bitsweep::cli {
namespace {

analysis::ReportInput from_sweeps(const CommandLine& line) {
  if (line.positional().empty())
    throw Error(ErrorKind::input,
                "bitsweep report: expected SWEEP… or --points FILE.csv (see 'bitsweep runs' for what there is)");
  const query::Query query(line.root());
  analysis::ReportInput input =
      analysis::gather_report(query, line.positional(), line.get("name").value_or(""), BITSWEEP_VERSION);
  choose_runs(line, input, &query);
  if (!input.loss) return input;
  if (!line.has("name")) input.name += "-" + input.loss->name;  // beside the report of the validation loss
  input.source += " --loss " + input.loss->name;
  return input;
}

void require_law(const std::string& name) {
  const std::vector<std::string> known = fit::law_names();
  if (std::find(known.begin(), known.end(), name) == known.end())
    throw Error(ErrorKind::input, fmt::format("unknown law '{}'{}", name, did_you_mean(name, known)));
}

int do_report(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.value("out,o", "folder of reports (default: ./reports)")
      .value("name", "the report's name and folder (default: the sweeps' names)")
      .values("law", "fit this law (default: what the sweep files say, else chinchilla); repeatable")
      .values("target", "predict there: \"params=300M,tokens=1B\"; repeatable, beside the sweep files' targets")
      .value("baseline",
             "of a table of results in --points (a row an ablation: row, seed, bpb): the row that others are compared "
             "with; baseline, control, A0 … or the first when not given")
      .value("loss", "of sweeps, the metric in the place of the validation loss, as a task's bits per byte: arc.bpb")
      .value("factors", "further columns that are settings, beside batch, lr, steps, tokenizer …: \"depth,init\"")
      .value(
          "claims",
          "a YAML file of what is said of these runs, to be checked (core/laws/analysis/claims_file.h); 1 if one fails")
      .values("budget", "divide this between size and tokens: \"1e18\" FLOPs or \"24h\"; repeatable")
      .flag("force",
            "tell targets and budgets of more than 1,000 times the largest run's compute, or as far outside along an "
            "axis, too")
      .flag("json", "print the report's JSON and write nothing")
      .root_option();
  points_options(line);
  if (!line.parse(args)) return 0;
  const auto points = line.get("points");
  if (!points)
    refuse_points_options(line, "report", {"map", "label", "units", "checkpoints", "pool", "factors", "baseline"});
  if (points && line.has("loss")) throw Error(ErrorKind::input, "--loss is for sweeps; of a file: --map loss=COLUMN");
  if (points)
    if (const auto results = read_results(*points, points_format(line))) return report_results(line, *points, *results);
  if (line.has("baseline"))
    throw Error(ErrorKind::input, "--baseline is for a table of results: this file has points, with params and tokens");
  analysis::ClaimsFile claims;
  if (const auto file = line.get("claims")) claims = analysis::read_claims(read_file(*file), *file);
  if (!points && (!claims.unique_tokens.empty() || !claims.wall_s.empty()))
    throw Error(ErrorKind::input, "--claims: facts are for --points; of sweeps they are in the database");
  analysis::ReportInput input = points ? points_input(line, "report", claims) : from_sweeps(line);
  input.claims = std::move(claims.claims);
  resolve_runs(input.claims, input.runs);
  if (std::any_of(input.claims.begin(), input.claims.end(),
                  [](const analysis::Claim& c) { return !c.model.empty(); })) {
    prepare::WorkerDescriber describer(prepare::worker_program(), prepare::plugin_folder());
    count_models(input.claims, describer);
  }
  if (line.has("force")) input.extrapolation_limit = HUGE_VAL;
  if (line.has("law")) input.laws = line.all("law");
  for (const std::string& law : input.laws) require_law(law);
  for (const std::string& text : line.all("target")) input.targets.push_back(fit::parse_target(text, "--target"));

  for (const std::string& text : line.all("budget")) {
    const auto flops = parse_number(text);
    const auto seconds = flops ? std::nullopt : parse_duration_s(text);
    const double value = flops.value_or(seconds.value_or(0));
    if (!(value > 0) || !std::isfinite(value))
      throw Error(ErrorKind::input,
                  fmt::format("--budget: expected FLOPs above 0 as \"1e18\", or a time as \"24h\", not '{}'", text));
    if (flops)
      input.budget_flops.push_back(value);
    else
      input.budget_hours.push_back(value / 3600);
  }

  if (points) {
    advise::Advice advice = advise::advise_points(input);
    input.plans = std::move(advice.plans), input.next = std::move(advice.next);
  }
  const analysis::Analysis analysis = points ? analyse(input) : advise::analyse_sweeps(line.root(), input);
  const int holds = std::any_of(analysis.verdicts.begin(), analysis.verdicts.end(),
                                [](const analysis::ClaimVerdict& v) { return v.holds == false; });
  const std::vector<report::ReportFile> files = report::render_report(input, analysis);
  if (line.has("json")) {
    for (const report::ReportFile& file : files)
      if (file.name == "report.json") print(file.bytes);
    return holds;
  }
  const fs::path folder = line.get("out").value_or("reports");
  print(write_report(folder, input.name, files).string() + "\n");
  PrintedNotes notes;
  if (!points && !input.loss) advise::keep_fits(line.root(), input, analysis, notes);
  return holds;
}

}  // namespace

const Verb kReportVerb{"report", "Write what sweeps found: Markdown, figures, HTML, JSON", "SWEEP… | --points FILE.csv",
                       "bitsweep report quickstart", do_report};

}  // namespace bitsweep::cli
