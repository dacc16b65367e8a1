// `bitsweep report`: Markdown, SVG, HTML and JSON of what sweeps found, or of points from a file.
#include "report/report.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <optional>

#include <fmt/format.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/nearest.h"
#include "base/units.h"
#include "cli/options.h"
#include "cli/report_advice.h"
#include "fit/fit.h"
#include "fit/points_csv.h"
#include "query/query.h"

namespace bitsweep {
namespace {

// Batch and learning rate where columns are called so, a row a point.
std::vector<PointSettings> settings_of(const std::string& text, const std::string& name) {
  Findings findings(name);
  const CsvTable table = read_csv(text, findings);
  std::vector<PointSettings> settings;
  if (table.rows.empty()) return settings;
  const auto column = [&](const std::vector<std::string>& names) -> std::optional<size_t> {
    for (size_t k = 0; k < table.rows[0].size(); ++k)
      if (std::find(names.begin(), names.end(), table.rows[0][k].text) != names.end()) return k;
    return std::nullopt;
  };
  const auto batch = column({"batch", "batch_seqs", "batch_size"}), lr = column({"lr", "learning_rate"});
  const auto cell = [&](const CsvRow& row, std::optional<size_t> k) {
    return k && *k < row.size() ? parse_number(with_decimal_point(row[*k].text, table.delimiter)) : std::nullopt;
  };
  for (size_t r = 1; r < table.rows.size(); ++r)
    settings.push_back({cell(table.rows[r], batch), cell(table.rows[r], lr)});
  return settings;
}

ReportInput from_file(const CommandLine& line, const fs::path& file) {
  if (!line.positional().empty()) throw Error(ErrorKind::input, "bitsweep report: either sweeps or --points, not both");
  const ColumnMap columns = line.has("map") ? parse_column_map(*line.get("map")) : ColumnMap{};
  const std::string text = read_file(file);
  const std::vector<Point> points = read_points_csv(text, file.string(), columns);
  const std::string mapped = line.has("map") ? " --map " + *line.get("map") : "";
  return report_from_points(points, line.get("name").value_or(file.stem().string()),
                            "bitsweep report --points " + file.filename().string() + mapped, BITSWEEP_VERSION,
                            settings_of(text, file.string()));
}

ReportInput from_sweeps(const CommandLine& line) {
  if (line.positional().empty())
    throw Error(ErrorKind::input,
                "bitsweep report: expected SWEEP… or --points FILE.csv (see 'bitsweep runs' for what there is)");
  return gather_report(Query(line.root()), line.positional(), line.get("name").value_or(""), BITSWEEP_VERSION);
}

void require_law(const std::string& name) {
  const std::vector<std::string> known = law_names();
  if (std::find(known.begin(), known.end(), name) == known.end())
    throw Error(ErrorKind::input, fmt::format("unknown law '{}'{}", name, did_you_mean(name, known)));
}

int run(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.value("out", "folder of reports (default: ./reports)")
      .value("name", "the report's name and folder (default: the sweeps' names)")
      .values("law", "fit this law (default: what the sweep files say, else chinchilla); repeatable")
      .values("target", "predict there: \"params=300M,tokens=1B\"; repeatable, beside the sweep files' targets")
      .value("points", "a CSV of params,tokens,loss instead of sweeps (variant,dataset,seed,run where known)")
      .value("map", "the file's names of columns: \"params=N,tokens=D\"")
      .values("budget", "divide this between size and tokens: \"1e18\" FLOPs or \"24h\"; repeatable")
      .flag("force", "tell targets and budgets further than 1,000 times outside of the runs too")
      .flag("json", "print the report's JSON and write nothing")
      .root_option();
  if (!line.parse(args)) return 0;
  const auto points = line.get("points");
  if (line.has("map") && !points) throw Error(ErrorKind::input, "bitsweep report: --map is for --points");
  ReportInput input = points ? from_file(line, *points) : from_sweeps(line);
  if (line.has("force")) input.extrapolation_limit = HUGE_VAL;
  if (line.has("law")) input.laws = line.all("law");
  for (const std::string& law : input.laws) require_law(law);
  for (const std::string& text : line.all("target")) input.targets.push_back(parse_target(text, "--target"));

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

  // A worker that says what models cost starts while the laws are fitted.
  std::future<Advice> advice;
  if (!points && !input.targets.empty())
    advice =
        std::async(std::launch::async, [&line, &input] { return advise(line.root(), input.sweeps, input.targets); });
  const Analysis analysis = analyse(input);
  if (advice.valid()) {
    Advice told = advice.get();
    input.plans = std::move(told.plans), input.next = std::move(told.next);
  }
  if (!points) input.earlier = earlier_fits(line.root(), input, analysis);
  const std::vector<ReportFile> files = render_report(input, analysis);
  if (line.has("json")) {
    for (const ReportFile& file : files)
      if (file.name == "report.json") print(file.bytes);
    return 0;
  }
  const fs::path folder = line.get("out").value_or("reports");
  print(write_report(folder, input.name, files).string() + "\n");
  if (!points) keep_fits(line.root(), input, analysis);
  return 0;
}

}  // namespace

const Verb kReportVerb{"report", "Write what sweeps found: Markdown, figures, HTML, JSON", "SWEEP… | --points FILE.csv",
                       "bitsweep report quickstart", run};

}  // namespace bitsweep
