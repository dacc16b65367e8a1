// `bitsweep report`: Markdown, SVG, HTML and JSON of what sweeps found, or of points from a file.
#include "report/report.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "advise/report_advice.h"
#include "analysis/claims_file.h"
#include "analysis/points_file.h"
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

// "a, b" as a and b.
std::vector<std::string> names_in(const std::string& text) {
  std::vector<std::string> names;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    if (std::string name = trimmed(text.substr(begin, end - begin)); !name.empty()) names.push_back(std::move(name));
    begin = end + 1;
  }
  return names;
}

std::vector<fit::Point> finished(const analysis::PointsFile& file) {
  analysis::PointsFile kept = file;
  drop_unfinished(kept);
  return kept.points;
}

analysis::ReportInput from_file(const CommandLine& line, const fs::path& file, const analysis::ClaimsFile& claims) {
  if (!line.positional().empty()) throw Error(ErrorKind::input, "bitsweep report: either sweeps or --points, not both");
  analysis::PointsFile read =
      analysis::read_points_file(file, points_format(line), names_in(line.get("factors").value_or("")));
  analysis::refuse_too_many(read.points.size());
  for (const std::string& note : implausible_magnitudes(finished(read))) print_error("note: " + note);
  add_facts(claims, read);
  std::string source = "bitsweep report --points " + file.filename().string();
  for (const char* option : {"map", "units", "where", "factors"})
    if (line.has(option)) source += fmt::format(" --{} '{}'", option, *line.get(option));
  for (const std::string& label : line.all("label")) source += fmt::format(" --label '{}'", label);
  if (line.has("claims")) source += " --claims " + fs::path(*line.get("claims")).filename().string();
  analysis::ReportInput input = report_from_points(read.points, line.get("name").value_or(file.stem().string()),
                                                   std::move(source), BITSWEEP_VERSION, read.settings);
  if (!read.no_seeds.empty()) read.notes.push_back(read.no_seeds);
  for (const std::string& note : read.notes) print_error("note: " + note);
  input.notes = std::move(read.notes);
  return input;
}

analysis::ReportInput from_sweeps(const CommandLine& line) {
  if (line.positional().empty())
    throw Error(ErrorKind::input,
                "bitsweep report: expected SWEEP… or --points FILE.csv (see 'bitsweep runs' for what there is)");
  return analysis::gather_report(query::Query(line.root()), line.positional(), line.get("name").value_or(""),
                                 BITSWEEP_VERSION);
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
      .value("points", kPointsHelp)
      .value("map",
             "the file's names of columns: \"params=N,tokens=D\"; of several: variant=W{w_bits}A{a_bits}; in quotes "
             "where they hold commas: loss=\"a,b\"; or flops=C")
      .value("baseline",
             "of a table of results in --points (a row an ablation: row, seed, bpb): the row that others are compared "
             "with; baseline, control, A0 … or the first when not given")
      .values("label", "of rows in a file, the variant: \"W{w_bits}A16: a_quant = NoQuantizer\"; the first that holds")
      .value("units", "of a file's columns: params=M,tokens=B")
      .value("where", "only rows for which this holds: \"w_bits = 1 and params >= 10M\"")
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
  if (!line.parse(args)) return 0;
  const auto points = line.get("points");
  for (const char* name : {"map", "label", "units", "where", "factors", "baseline"})
    if (line.has(name) && !points)
      throw Error(ErrorKind::input, fmt::format("bitsweep report: --{} is for --points", name));
  if (points)
    if (const auto results = read_results(*points, points_format(line))) return report_results(line, *points, *results);
  if (line.has("baseline"))
    throw Error(ErrorKind::input, "--baseline is for a table of results: this file has points, with params and tokens");
  analysis::ClaimsFile claims;
  if (const auto file = line.get("claims")) claims = analysis::read_claims(read_file(*file), *file);
  if (!points && (!claims.unique_tokens.empty() || !claims.wall_s.empty()))
    throw Error(ErrorKind::input, "--claims: facts are for --points; of sweeps they are in the database");
  analysis::ReportInput input = points ? from_file(line, *points, claims) : from_sweeps(line);
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
  if (!points) advise::keep_fits(line.root(), input, analysis, notes);
  return holds;
}

}  // namespace

const Verb kReportVerb{"report", "Write what sweeps found: Markdown, figures, HTML, JSON", "SWEEP… | --points FILE.csv",
                       "bitsweep report quickstart", do_report};

}  // namespace bitsweep::cli
