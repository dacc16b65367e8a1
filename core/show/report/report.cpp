#include "report/report.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "report/comparison_section.h"
#include "report/decision_block.h"
#include "report/figures.h"
#include "report/findings.h"
#include "report/heads.h"
#include "report/layout.h"
#include "report/report_json.h"
#include "report/sections.h"

namespace bitsweep::report {
namespace {

// "curves.svg" of the second group is "curves-2.svg".
std::string numbered(std::string file, size_t group) {
  if (group > 0) file.insert(file.rfind('.'), fmt::format("-{}", group + 1));
  return file;
}

GroupFigures draw(const analysis::ReportInput& input, const analysis::GroupAnalysis& g, size_t number) {
  GroupFigures drawn;
  for (const auto make : {curves_figure, params_figure, tokens_figure, compute_figure, residual_figure,
                          prediction_figure, comparison_figure, surface_figure, contour_figure, slice_figure,
                          frontier_figure, wall_figure, rates_figure, tuning_figure}) {
    std::optional<render::Figure> figure = make(input, g);
    if (!figure) continue;
    figure->file = numbered(figure->file, number);
    figure->title = with_loss_name(g, figure->title);
    figure->caption = with_loss_name(g, figure->caption);
    std::string svg = render_svg(*figure);
    drawn.push_back({std::move(*figure), std::move(svg)});
  }
  if (std::optional<DrawnFigure> heads = heads_figure(input, g)) {
    heads->figure.file = numbered(heads->figure.file, number);
    drawn.push_back(std::move(*heads));
  }
  return drawn;
}

}  // namespace

std::vector<ReportFile> render_report(const analysis::ReportInput& input) {
  return render_report(input, analyse(input));
}

std::vector<ReportFile> render_report(const analysis::ReportInput& input, const analysis::Analysis& analysis) {
  std::vector<GroupFigures> figures;
  for (size_t k = 0; k < analysis.groups.size(); ++k) figures.push_back(draw(input, analysis.groups[k], k));
  const std::vector<analysis::Decision> decisions = decisions_of(input, analysis);
  const render::Document document = make_document(input, analysis, figures, decisions);
  std::vector<ReportFile> files;
  for (const GroupFigures& group : figures)
    for (const DrawnFigure& drawn : group) files.push_back({drawn.figure.file, drawn.svg});
  for (const analysis::NextRuns& next : input.next)
    if (!next.file.empty()) files.push_back({next.file, next.yaml});
  for (auto& [name, csv] : table_files(document)) files.push_back({name, std::move(csv)});
  if (std::string csv = comparisons_csv(input, analysis); !csv.empty())
    files.push_back({"comparisons.csv", std::move(csv)});
  files.push_back({"report.json", pretty_json(report_json(input, analysis, figures, decisions)) + "\n"});
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
                           "contours", "isoflop", "frontier", "wall", "rates", "tuning", "heads"}) {
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
  // Tables, and sweep files of next runs, known by how they begin, that this report no longer has.
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(target, ignored)) {
    const std::string file = entry.path().filename().string();
    const auto same = [&](const ReportFile& f) { return f.name == file; };
    if (!entry.is_regular_file(ignored) || std::any_of(files.begin(), files.end(), same)) continue;
    const bool table = file.starts_with(kTablePrefix) && file.ends_with(".csv");
    const bool next = file.starts_with("next-") && file.ends_with(".yaml") &&
                      read_file(entry.path()).starts_with("# The next runs of ");
    if (table || next) fs::remove(entry.path(), ignored);
  }
  return target / "report.md";
}

}  // namespace bitsweep::report
