#include "report/figures.h"

#include <cmath>

#include "render/xml_check.h"
#include "report/rendered.h"
#include "report/scaling_panels.h"

namespace bitsweep::report {
namespace {

using testing::HasSubstr;
using testing::Not;

std::optional<render::Figure> draw(const analysis::ReportInput& input,
                                   std::optional<render::Figure> (*make)(const analysis::ReportInput&,
                                                                         const analysis::GroupAnalysis&)) {
  const analysis::Analysis analysis = analyse(input);
  return make(input, analysis.groups.at(0));
}

void expect_sound(const render::Figure& figure) {
  const std::string svg = render_svg(figure);
  EXPECT_EQ(render::xml_problem(svg), "");
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(GapFigure, ShowsEachVariantAgainstLlamaWithBarsOverSeeds) {
  std::vector<analysis::Made> runs;
  for (const char* variant : {"v57", "v75", "llama"})
    for (const int64_t seed : {0, 1, 2}) runs.push_back({variant, 1e6, 4e6, 1e-3, seed, 32, 0.001 * double(seed)});
  const analysis::ReportInput input = analysis::made_input(runs);
  const auto figure = draw(input, comparison_figure);
  ASSERT_TRUE(figure);
  expect_sound(*figure);
  ASSERT_EQ(figure->panels.size(), 1u);
  const render::PlotPanel& panel = figure->panels[0];
  EXPECT_EQ(panel.y.names, (std::vector<std::string>{"v75", "v57"})) << "from the bottom";
  ASSERT_EQ(panel.series.size(), 3u) << "zero, and two variants";
  const render::PlotPoint& v57 = panel.series[1].points.at(0);
  EXPECT_NEAR(v57.x, analysis::law("v57", 1e6, 4e6) - analysis::law("llama", 1e6, 4e6), 1e-9);
  EXPECT_EQ(v57.y, 1);
  ASSERT_TRUE(v57.low && v57.high);
  EXPECT_NEAR(*v57.high - v57.x, v57.x - *v57.low, 1e-12);
  EXPECT_TRUE(panel.series[1].sideways);
  EXPECT_THAT(v57.title, HasSubstr("v57 against llama"));
  EXPECT_THAT(figure->caption, HasSubstr("95 % interval"));
}

TEST(GapFigure, TwoVariantsHaveARowEachPlaceAndNoIntervalsOfOneSeed) {
  std::vector<analysis::Made> runs;
  for (const char* variant : {"llama", "v57"})
    for (const double params : {1e5, 1e6})
      for (const double tokens : {2e6, 4e6}) runs.push_back({variant, params, tokens});
  const auto figure = draw(analysis::made_input(runs), comparison_figure);
  ASSERT_TRUE(figure);
  ASSERT_EQ(figure->panels.size(), 1u);
  EXPECT_EQ(figure->panels[0].y.names.size(), 4u);
  EXPECT_THAT(figure->caption, HasSubstr("no intervals"));
  EXPECT_FALSE(draw(analysis::made_input(analysis::ladder_runs()), comparison_figure)) << "one variant alone";
}

TEST(SurfaceFigure, IsDrawnWhereBatchAndRateWereBothVaried) {
  std::vector<analysis::Made> runs;
  for (const double lr : {3e-4, 1e-3, 3e-3})
    for (const int64_t batch : {16, 32, 64})
      runs.push_back({"v57", 1e6, 4e6, lr, 0, batch, 0.02 * std::abs(std::log(lr / 1e-3)) + 0.001 * double(batch)});
  const auto figure = draw(analysis::made_input(runs), surface_figure);
  ASSERT_TRUE(figure);
  expect_sound(*figure);
  const render::PlotPanel& panel = figure->panels.at(0);
  EXPECT_EQ(panel.x.names, (std::vector<std::string>{"0.00030", "0.0010", "0.0030"}));
  EXPECT_EQ(panel.y.names, (std::vector<std::string>{"16", "32", "64"}));
  ASSERT_EQ(panel.cells.size(), 9u);
  for (const render::PlotCell& cell : panel.cells) EXPECT_EQ(cell.outlined, cell.x == 1 && cell.y == 0);
  EXPECT_THAT(figure->caption, HasSubstr("rim")) << "the best batch is the smallest";
  // One batch alone is no surface.
  runs.resize(0);
  for (const double lr : {3e-4, 1e-3, 3e-3}) runs.push_back({"v57", 1e6, 4e6, lr});
  EXPECT_FALSE(draw(analysis::made_input(runs), surface_figure));
}

TEST(PredictionFigure, HasABandThatWidensBeyondTheRuns) {
  analysis::ReportInput input = analysis::made_input(analysis::ladder_runs());
  EXPECT_FALSE(draw(input, prediction_figure)) << "no target";
  input.targets = {{1e8, 1e9, "", ""}};
  const auto figure = draw(input, prediction_figure);
  ASSERT_TRUE(figure);
  expect_sound(*figure);
  const render::PlotPanel& panel = figure->panels.at(0);
  ASSERT_TRUE(panel.beyond_from);
  EXPECT_NEAR(*panel.beyond_from / (6 * 1e7 * 1.28e8), 1, 1e-9) << "the largest run";
  ASSERT_EQ(panel.bands.size(), 1u);
  const auto width = [](const render::PlotPoint& p) { return (*p.high - *p.low) / p.y; };
  const std::vector<render::PlotPoint>& band = panel.bands[0].points;
  EXPECT_GT(width(band.back()), width(band[band.size() / 2]));
  for (const render::PlotPoint& p : band) EXPECT_TRUE(*p.low <= p.y && p.y <= *p.high);
  bool dashed = false;
  for (const render::PlotSeries& series : panel.series) {
    if (series.dash != render::Dash::dashed) continue;
    dashed = true;
    for (const render::PlotPoint& p : series.points) EXPECT_GE(p.x, *panel.beyond_from / 2);
  }
  EXPECT_TRUE(dashed);
  EXPECT_FALSE(draw(analysis::made_input({{"v57", 1e5, 2e6}, {"v57", 1e6, 2e6}}), prediction_figure));
}

TEST(ResidualFigure, TellsLogLossAgainstCompute) {
  const auto figure = draw(analysis::made_input(analysis::ladder_runs()), residual_figure);
  ASSERT_TRUE(figure);
  const render::PlotPanel& panel = figure->panels.at(0);
  EXPECT_EQ(panel.x.label, "training FLOPs");
  EXPECT_EQ(panel.series.at(0).points.size(), 40u);
  for (const render::PlotPoint& p : panel.series[0].points) EXPECT_LT(std::abs(p.y), 0.01);
  EXPECT_NEAR(panel.series[0].points[0].x, 6.6 * 1e5 * 2e6, 1) << "exact FLOPs";
}

size_t occurrences(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

// Each figure as a reader finds it: axes with their units, a mark a run, colours of its own in the dark.
TEST(Figures, HaveAxesWithUnitsAMarkARunAndDarkColours) {
  analysis::ReportInput input = analysis::made_input(analysis::ladder_runs());
  input.targets = {{1e8, 1e9, "", ""}};
  const analysis::Analysis analysis = analyse(input);
  const analysis::GroupAnalysis& g = analysis.groups.at(0);
  const size_t cells = g.table.chosen.size();
  struct Expected {
    std::optional<render::Figure> (*make)(const analysis::ReportInput&, const analysis::GroupAnalysis&);
    const char *x, *y;
    size_t marks;  // of runs at least
  };
  for (const auto& [make, x, y, marks] : {Expected{compute_figure, "training FLOPs", "bits per byte", cells},
                                          Expected{residual_figure, "training FLOPs", "log", input.runs.size()},
                                          Expected{contour_figure, "parameters", "training tokens", cells},
                                          Expected{frontier_figure, "training FLOPs", "bits per byte", cells},
                                          Expected{prediction_figure, "FLOPs", "bits per byte", input.runs.size()},
                                          Expected{wall_figure, "", "bits per byte", cells},
                                          Expected{params_figure, "parameters", "bits per byte", cells},
                                          Expected{tokens_figure, "tokens", "bits per byte", cells}}) {
    const auto figure = make(input, g);
    ASSERT_TRUE(figure);
    expect_sound(*figure);
    const std::string svg = render_svg(*figure);
    EXPECT_THAT(svg, HasSubstr(x)) << figure->file;
    EXPECT_THAT(svg, HasSubstr(y)) << figure->file;
    EXPECT_THAT(svg, HasSubstr("prefers-color-scheme:dark")) << figure->file;
    size_t points = 0;
    for (const render::PlotPanel& panel : figure->panels)
      for (const render::PlotSeries& series : panel.series)
        if (series.marker != render::Marker::none) points += series.points.size();
    EXPECT_GE(points, marks) << figure->file;
    EXPECT_GE(occurrences(svg, "<title>"), points) << figure->file << ": values on hover";
    EXPECT_FALSE(figure->caption.empty());
  }
}

TEST(SliceFigure, IsTheLawAloneWhereNoThreeSizesShareACompute) {
  const auto figure = draw(analysis::made_input(analysis::ladder_runs()), slice_figure);
  ASSERT_TRUE(figure);
  expect_sound(*figure);
  EXPECT_THAT(figure->caption, HasSubstr("No three sizes of llama"));
  const frontier::JointLaw truth{1.4, 30, 250, 0.3, 0.4};
  size_t rings = 0;
  for (const render::PlotSeries& series : figure->panels.at(0).series) {
    EXPECT_TRUE(series.marker == render::Marker::none || series.marker == render::Marker::ring)
        << "no run is claimed to be there";
    if (series.marker != render::Marker::ring) continue;
    ++rings;
    EXPECT_NEAR(series.points.at(0).y, truth.loss(1e7, 1.28e8), 1.5);
  }
  EXPECT_GE(rings, 1u);
}

TEST(SliceFigure, DrawsMeasuredSlicesWhereThereAreThree) {
  std::vector<analysis::Made> runs;
  for (const double params : {1e5, 4e5, 1.6e6, 6.4e6}) runs.push_back({"v57", params, 1e13 / params});
  const auto figure = draw(analysis::made_input(runs), slice_figure);
  ASSERT_TRUE(figure);
  EXPECT_EQ(figure->panels.at(0).series.back().points.size(), 4u);
  EXPECT_THAT(figure->caption, HasSubstr("same training compute within 5 %"));
  EXPECT_THAT(figure->caption, Not(HasSubstr("No three sizes")));
  runs.resize(2);
  EXPECT_FALSE(draw(analysis::made_input(runs), slice_figure));
}

// Every number of a figure is in the report's JSON.
TEST(SliceFigure, ShowsTheFullestSlicesAndNoneThatMingle) {
  std::vector<analysis::Made> runs;
  for (const double nd : {1e12, 1.1e12, 1e13, 1e14}) {
    for (int i = 0; i < (nd == 1.1e12 ? 3 : 5); ++i) {
      const double params = 1e5 * std::pow(2, i) * std::sqrt(nd / 1e12);
      runs.push_back({"llama", params, 2048 * std::floor(nd / params / 2048)});
    }
  }
  const auto figure = draw(analysis::made_input(runs), slice_figure);
  ASSERT_TRUE(figure);
  size_t slices = 0;
  for (const render::PlotSeries& series : figure->panels.at(0).series) {
    if (series.small) continue;
    ++slices;
    EXPECT_EQ(series.points.size(), 5u);
  }
  EXPECT_EQ(slices, 3u);
}

TEST(ScalingFigures, OfManyPanelsTheFullestAreShownAndThoseOfTargets) {
  analysis::ReportInput input = analysis::made_input(analysis::scattered_runs(120));
  fit::Target target;
  target.params = 1e8;
  target.tokens = 1e9;
  input.targets = {target};
  const analysis::Analysis analysis = analyse(input);
  const auto panels = scaling_panels(input, analysis.groups.at(0), ScalingAxis::tokens);
  ASSERT_EQ(panels.size(), kMostPanels);
  EXPECT_THAT(panels.back().title, HasSubstr("no run yet"));
  for (size_t i = 0; i + 1 < panels.size(); ++i) {
    size_t points = 0;
    for (const render::PlotSeries& series : panels[i].series)
      if (!series.small) points += series.points.size();
    EXPECT_GE(points, 4u) << panels[i].title;
  }
}

TEST(Figures, AreInTheJson) {
  analysis::ReportInput input = analysis::made_input(analysis::ladder_runs());
  input.targets = {{1e8, 1e9, "", ""}};
  const std::string text = file_of(render_report(input), "report.json");
  for (const char* word : {"\"bands\"", "\"beyond_from\"", "\"prediction.svg\""}) EXPECT_THAT(text, HasSubstr(word));
}

}  // namespace
}  // namespace bitsweep::report
