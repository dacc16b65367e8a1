#include "render/svg.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "render/svg_draw.h"
#include "render/xml_check.h"

namespace bitsweep::render {
namespace {

using testing::HasSubstr;
using testing::Not;

PlotSeries line(const std::string& name, const std::vector<std::pair<double, double>>& points) {
  PlotSeries series;
  series.name = name;
  series.marker = Marker::circle;
  for (const auto& [x, y] : points) series.points.push_back({x, y, {}, {}, "at " + name});
  return series;
}

Figure figure(std::vector<PlotSeries> series, Scale x = Scale::linear) {
  PlotPanel panel;
  panel.title = "panel";
  panel.x = {"x axis", x, TickFormat::plain, {}, {}};
  panel.y = {"y axis", Scale::linear, TickFormat::plain, {}, {}};
  panel.series = std::move(series);
  return {"f.svg", "title", "caption", {panel}, true};
}

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST(Svg, IsWellFormedAndSelfContained) {
  const std::string svg = render_svg(figure({line("a", {{1, 2}, {2, 3}}), line("b", {{1, 3}, {2, 1}})}));
  EXPECT_EQ(xml_problem(svg), "");
  EXPECT_THAT(svg, HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THAT(svg, HasSubstr("x axis"));
  EXPECT_THAT(svg, HasSubstr("<title>at a</title>"));
  EXPECT_EQ(count(svg, "http"), 1u);  // the namespace, and nothing to fetch
}

TEST(Svg, NamesAreEscaped) {
  Figure f = figure({line("a<b & \"c\"'", {{1, 2}, {2, 3}}), line("]]>", {{1, 2}, {2, 3}})});
  f.title = "<script>";
  f.caption = "a & b";
  f.file = "x\"y.svg";
  f.panels[0].title = "<p>";
  f.panels[0].x.label = "x<";
  f.panels[0].levels = {{"<level>", 2.5, "a & b"}};
  const std::string svg = render_svg(f);
  EXPECT_EQ(xml_problem(svg), "");
  EXPECT_THAT(svg, Not(HasSubstr("<script>")));
}

TEST(Svg, HoldsNoNumberThatIsNone) {
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  Figure f = figure({line("a", {{1, nan}, {nan, 2}, {inf, 1}, {2, -inf}, {3, 4}, {4, 5}})});
  f.panels[0].levels = {{"l", nan, ""}};
  f.panels[0].bands = {{0, {{1, 0, nan, 2, ""}, {2, 0, 1, inf, ""}}}};
  const std::string svg = render_svg(f);
  EXPECT_EQ(xml_problem(svg), "");
  for (const char* bad : {"nan", "inf", "NaN"}) EXPECT_THAT(svg, Not(HasSubstr(std::string("=\"") + bad))) << bad;
  EXPECT_EQ(count(svg, "<title>at a</title>"), 2u);
}

TEST(Svg, ALogarithmicAxisPassesOverWhatIsNotPositive) {
  const std::string svg = render_svg(figure({line("a", {{-1, 2}, {0, 2}, {10, 2}, {1000, 3}})}, Scale::log));
  EXPECT_EQ(xml_problem(svg), "");
  EXPECT_EQ(count(svg, "<title>at a</title>"), 2u);
}

TEST(Svg, NothingToDrawIsStillAFigure) {
  EXPECT_EQ(xml_problem(render_svg(figure({}))), "");
  EXPECT_EQ(xml_problem(render_svg(figure({line("a", {})}, Scale::log))), "");
  EXPECT_EQ(xml_problem(render_svg({"f.svg", "t", "c", {}, true})), "");
  EXPECT_EQ(xml_problem(render_svg(figure({line("a", {{5, 5}})}))), "");
}

TEST(Svg, ExtremeNumbersStayWithinReason) {
  const std::string svg = render_svg(figure({line("a", {{1e-300, 1e-300}, {1e300, 1e300}})}, Scale::log));
  EXPECT_EQ(xml_problem(svg), "");
  EXPECT_LT(svg.size(), 60000u);
}

TEST(Svg, TheLegendNamesEachSeriesOnceAndOnlyWhenThereAreSeveral) {
  Figure f = figure({line("alpha", {{1, 2}, {2, 3}}), line("beta", {{1, 3}, {2, 1}})});
  f.panels.push_back(f.panels[0]);
  EXPECT_EQ(count(render_svg(f), ">alpha</text>"), 1u);
  EXPECT_EQ(count(render_svg(figure({line("alpha", {{1, 2}, {2, 3}})})), ">alpha</text>"), 0u);
}

TEST(Svg, ErrorBarsAndBandsAreDrawn) {
  Figure f = figure({line("a", {{1, 2}, {2, 3}})});
  f.panels[0].y.least = 0, f.panels[0].y.most = 4;  // the same ticks before and after
  const std::string before = render_svg(f);
  f.panels[0].series[0].points[0].low = 1.5;
  f.panels[0].series[0].points[0].high = 2.5;
  f.panels[0].bands = {{0, {{1, 0, 1.0, 2.0, ""}, {2, 0, 2.0, 3.0, ""}}}};
  const std::string after = render_svg(f);
  EXPECT_EQ(xml_problem(after), "");
  EXPECT_GE(count(after, "<line"), count(before, "<line") + 3);
  EXPECT_EQ(count(after, "bs-b\" d="), 1u);
}

TEST(Svg, LevelLabelsKeepTheirDistance) {
  Figure f = figure({line("a", {{1, 2}, {2, 3}})});
  f.panels[0].levels = {{"one", 2.50, ""}, {"two", 2.51, ""}, {"three", 2.505, ""}, {"outside", 99, ""}};
  const std::string svg = render_svg(f);
  std::vector<double> heights;
  for (const char* name : {"one", "two", "three"}) {
    const size_t end = svg.find(std::string(">") + name + "</text>");
    ASSERT_NE(end, std::string::npos);
    heights.push_back(std::stod(svg.substr(svg.rfind(" y=\"", end) + 4)));
  }
  std::sort(heights.begin(), heights.end());
  EXPECT_GE(heights[1] - heights[0], 11);
  EXPECT_GE(heights[2] - heights[1], 11);
  EXPECT_EQ(svg.find(">outside</text>"), std::string::npos);
}

TEST(Svg, NumbersAreShortAndFreeOfLocale) {
  EXPECT_EQ(svg_number(1.0), "1");
  EXPECT_EQ(svg_number(1.25), "1.25");
  EXPECT_EQ(svg_number(-0.001), "0");
  EXPECT_EQ(svg_number(100), "100");
  EXPECT_EQ(svg_number(1234567.891), "1234567.89");
}

TEST(Svg, EveryMarkerIsWellFormed) {
  for (const Marker marker :
       {Marker::none, Marker::circle, Marker::square, Marker::triangle, Marker::diamond, Marker::ring, Marker::cross})
    for (const char* title : {"", "a title"}) EXPECT_EQ(xml_problem(svg_marker(marker, 1, 5, 5, 3, title)), "");
}

TEST(Svg, ColoursOfARampAreInOrderAndDistinct) {
  for (size_t n = 1; n <= kRampSize; ++n)
    for (size_t i = 1; i < n; ++i) EXPECT_GT(ramp_colour(i, n), ramp_colour(i - 1, n)) << n;
  EXPECT_EQ(colour_class(ramp_colour(99, 100)), "bs-q5");
  EXPECT_EQ(colour_class(kNeutral), "bs-n");
}

}  // namespace
}  // namespace bitsweep::render
