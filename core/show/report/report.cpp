#include "report/report.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "report/figures.h"
#include "report/gaps_section.h"
#include "report/heads.h"
#include "report/report_json.h"
#include "report/sections.h"

namespace bitsweep {
namespace {

std::string joined(const std::vector<std::string>& names, const char* between) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : between) + name;
  return text;
}

// "curves.svg" of the second group is "curves-2.svg".
std::string numbered(std::string file, size_t group) {
  if (group > 0) file.insert(file.rfind('.'), fmt::format("-{}", group + 1));
  return file;
}

GroupFigures draw(const ReportInput& input, const GroupAnalysis& g, size_t number) {
  GroupFigures drawn;
  for (const auto make :
       {curves_figure, params_figure, tokens_figure, compute_figure, residual_figure, prediction_figure, gap_figure,
        surface_figure, contour_figure, slice_figure, frontier_figure, wall_figure, rates_figure}) {
    std::optional<Figure> figure = make(input, g);
    if (!figure) continue;
    figure->file = numbered(figure->file, number);
    std::string svg = render_svg(*figure);
    drawn.push_back({std::move(*figure), std::move(svg)});
  }
  if (std::optional<DrawnFigure> heads = heads_figure(input, g)) {
    heads->figure.file = numbered(heads->figure.file, number);
    drawn.push_back(std::move(*heads));
  }
  return drawn;
}

void add_once(std::vector<Target>& targets, const Target& target) {
  const auto same = [&](const Target& t) { return t.params == target.params && t.tokens == target.tokens; };
  if (std::none_of(targets.begin(), targets.end(), same)) targets.push_back(target);
}

// What a sweep file's `report:` asks for; several sweeps are asked together.
void add_report_settings(ReportInput& input, const SweepRow& sweep) {
  const json::value* report = sweep.settings.if_contains("report");
  if (report == nullptr || !report->is_object()) return;
  const json::object& options = report->get_object();
  if (const json::value* laws = options.if_contains("laws"); laws != nullptr && laws->is_array())
    for (const json::value& law : laws->get_array())
      if (law.is_string() &&
          std::find(input.laws.begin(), input.laws.end(), std::string(law.get_string())) == input.laws.end())
        input.laws.emplace_back(law.get_string());
  if (const json::value* targets = options.if_contains("targets"); targets != nullptr && targets->is_array())
    for (const json::value& target : targets->get_array()) {
      if (!target.is_object()) continue;
      Target t;
      t.params = number_or(target.get_object(), "params", 0);
      t.tokens = number_or(target.get_object(), "tokens", 0);
      add_once(input.targets, t);
    }
}

}  // namespace

ReportInput gather_report(const Query& query, const std::vector<std::string>& sweeps, std::string name,
                          std::string version) {
  ReportInput input;
  for (const std::string& sweep : sweeps) {
    std::string known = query.sweep_name(sweep);
    if (std::find(input.sweeps.begin(), input.sweeps.end(), known) == input.sweeps.end())
      input.sweeps.push_back(std::move(known));
  }
  for (const std::string& sweep : input.sweeps)
    for (const SweepRow& row : query.sweeps())
      if (row.name == sweep) add_report_settings(input, row);
  for (RunRow& row : query.runs_of(input.sweeps)) {
    MeasuredRun run;
    run.curve = query.evals(row.id);
    run.attempts = query.attempts(row.id);
    run.start = query.start_facts(row.id);
    run.attention = query.pointer_health(row.id);
    run.row = std::move(row);
    input.runs.push_back(std::move(run));
  }
  input.datasets = query.datasets();
  input.predictions = query.predictions(input.sweeps);
  input.name = name.empty() ? joined(input.sweeps, "+") : std::move(name);
  input.source = "bitsweep report " + joined(input.sweeps, " ");
  input.version = std::move(version);
  return input;
}

ReportInput report_from_points(const std::vector<Point>& points, std::string name, std::string source,
                               std::string version, const std::vector<PointSettings>& settings) {
  ReportInput input;
  input.name = std::move(name), input.source = std::move(source), input.version = std::move(version);
  for (size_t i = 0; i < points.size(); ++i) {
    const Point& p = points[i];
    RunRow row;
    row.id = p.run.empty() ? fmt::format("row {}", i + 1) : p.run;
    row.state = "done";
    row.plugin = p.variant;
    row.seed = p.seed.value_or(0);
    row.params = static_cast<int64_t>(p.params), row.tokens = static_cast<int64_t>(p.tokens);
    if (p.loss > 0) row.last_val_bpc = p.loss;
    input.checkpoints += p.checkpoints;
    if (p.unique_tokens > 0) row.epochs = p.tokens / p.unique_tokens;
    if (i < settings.size()) {
      const PointSettings& said = settings[i];
      row.spec = said.spec;
      row.steps = row.step = said.steps;
      row.wall_s = said.wall_s;
      if (said.wall_s && *said.wall_s > 0) row.tokens_per_s = p.tokens / *said.wall_s;
      if (!said.state.empty()) row.state = said.state;
      row.exit_cause = said.exit_cause;
    }
    if (p.seed) row.spec["seed"] = *p.seed;
    if (!p.dataset.empty()) {
      json::value& data = row.spec["data"];
      if (!data.is_object()) data = json::object();
      data.get_object()["corpus"] = p.dataset;
    }
    json::object start;
    if (i < settings.size() && !settings[i].device.empty()) start["device"] = settings[i].device;
    input.runs.push_back({std::move(row), {}, {}, std::move(start), {}});
  }
  return input;
}

std::vector<ReportFile> render_report(const ReportInput& input) { return render_report(input, analyse(input)); }

std::vector<ReportFile> render_report(const ReportInput& input, const Analysis& analysis) {
  std::vector<GroupFigures> figures;
  for (size_t k = 0; k < analysis.groups.size(); ++k) figures.push_back(draw(input, analysis.groups[k], k));
  const Document document = make_document(input, analysis, figures);
  std::vector<ReportFile> files;
  for (const GroupFigures& group : figures)
    for (const DrawnFigure& drawn : group) files.push_back({drawn.figure.file, drawn.svg});
  for (const NextRuns& next : input.next)
    if (!next.file.empty()) files.push_back({next.file, next.yaml});
  if (std::string csv = comparisons_csv(input, analysis); !csv.empty())
    files.push_back({"comparisons.csv", std::move(csv)});
  files.push_back({"report.json", pretty_json(report_json(input, analysis, figures)) + "\n"});
  files.push_back({"report.html", render_html(document)});
  // Last: whoever sees the new text finds its figures.
  files.push_back({"report.md", render_markdown(document)});
  return files;
}

fs::path write_report(const fs::path& folder, const std::string& name, const std::vector<ReportFile>& files) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos ||
      name.find('\0') != std::string::npos)
    throw Error(ErrorKind::input, fmt::format("a report's name must be a folder's name, not '{}'", name));
  const fs::path target = folder / name;
  make_folder(target);
  for (const ReportFile& file : files) write_file_atomic(target / file.name, file.bytes);
  // Figures that this report no longer has; other files are somebody's own.
  for (const char* stem : {"curves", "params", "tokens", "compute", "residuals", "prediction", "variants", "surface",
                           "contours", "isoflop", "frontier", "wall", "rates", "heads"}) {
    for (size_t group = 0; group < 64; ++group) {
      const std::string old = numbered(std::string(stem) + ".svg", group);
      const auto same = [&](const ReportFile& file) { return file.name == old; };
      std::error_code ignored;
      if (std::none_of(files.begin(), files.end(), same)) fs::remove(target / old, ignored);
    }
  }
  if (std::none_of(files.begin(), files.end(), [](const ReportFile& f) { return f.name == "comparisons.csv"; })) {
    std::error_code absent;
    fs::remove(target / "comparisons.csv", absent);
  }
  // Sweep files of next runs that this report no longer has, known by how they begin.
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(target, ignored)) {
    const std::string file = entry.path().filename().string();
    const auto same = [&](const ReportFile& f) { return f.name == file; };
    if (!file.starts_with("next-") || !file.ends_with(".yaml") || std::any_of(files.begin(), files.end(), same))
      continue;
    if (entry.is_regular_file(ignored) && read_file(entry.path()).starts_with("# The next runs of "))
      fs::remove(entry.path(), ignored);
  }
  return target / "report.md";
}

}  // namespace bitsweep
