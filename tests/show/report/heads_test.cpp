#include "report/heads.h"

#include "render/xml_check.h"
#include "report/head_map.h"
#include "report/rendered.h"

namespace bitsweep::report {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const query::HeadMatrix kMatrix = {{0.0, 0.051, 0.2}, {0.4, 0.9, std::nullopt}};

query::PointerHealth health_of(size_t layers, size_t heads, double best) {
  std::vector<std::pair<std::string, double>> metrics = {{"ipmr_chance", 0.04},     {"repeat_ipmr_chance", 0.03},
                                                         {"in_context_bits", -0.2}, {"repeat_in_context_bits", -2.0},
                                                         {"ipmr_queries", 1500},    {"repeat_ipmr_queries", 1000}};
  for (size_t l = 0; l < layers; ++l)
    for (size_t h = 0; h < heads; ++h) {
      const std::string name = head_name(l, h);
      const bool last = l + 1 == layers && h + 1 == heads;
      metrics.emplace_back("ipmr." + name, last ? best / 2 : 0.01);
      metrics.emplace_back("repeat_ipmr." + name, last ? best : 0.02);
      metrics.emplace_back("agreement." + name, last ? 0.1 : 0.95);
    }
  return query::pointer_health(400, metrics).value();
}

// Two sizes and seeds of v57, one of llama; all but the last were probed.
analysis::ReportInput probed_input() {
  analysis::ReportInput input = analysis::made_input({{.variant = "v57", .params = 1e6},
                                                      {.variant = "v57", .params = 2e6, .seed = 1},
                                                      {.variant = "v57", .params = 2e6, .seed = 0},
                                                      {.variant = "llama", .params = 1e6}});
  for (size_t i = 0; i < 3; ++i) input.runs[i].attention = health_of(2, 4, 0.8);
  return input;
}

TEST(TextHeadMap, ShadesByLimits) {
  EXPECT_EQ(text_head_map(kMatrix, false),
            "    L0  . - +\n"
            "    L1  * #  \n"
            "       H0\n"
            "        - 5 %   + 15 %   * 35 %   # 65 %\n");
  EXPECT_THAT(text_head_map(kMatrix, true), StartsWith("    L0 ··░░▒▒\n    L1 ▓▓██  \n"));
  EXPECT_EQ(text_head_map({}, true), "");
}

TEST(SpecialistsText, NamesTheBestAndCountsTheRest) {
  const auto told = [](const query::HeadMatrix& matrix, double chance) {
    const query::PointerHealth health{1, {{"ipmr_chance", chance}, {"ipmr_queries", 1000}}, {{"ipmr", matrix}}};
    return specialists_text(health, "ipmr", 2);
  };
  EXPECT_EQ(told(kMatrix, 0.1), "L1H1 90.0 % (9.0× chance), L1H0 40.0 % (4.0× chance), and 1 more");
  EXPECT_EQ(told({{0.14}}, 0.1), "none");
  EXPECT_EQ(told({{0.5}}, 0), "L0H0 50.0 %");  // no chance known
}

TEST(PointerHealthText, HasNumbersOrShades) {
  const query::PointerHealth health = health_of(2, 4, 0.8);
  EXPECT_THAT(pointer_health_text(health, true, false), HasSubstr("  L1  1.0  1.0  1.0  40.0\n"));
  const std::string map = pointer_health_text(health, false, false);
  EXPECT_THAT(map, HasSubstr("IPMR on repeated random tokens, chance 3.0 %\n    L0  . . . .\n    L1  . . . #\n"));
  EXPECT_THAT(map,
              HasSubstr("specialists (5 points above chance, with 95 % confidence): L1H3 80.0 % (26.7× chance)\n"));
  EXPECT_THAT(map, HasSubstr("7 of 8 heads are position-locked, 1 content-driven\n"));
  EXPECT_THAT(map, HasSubstr("in-context score -0.200 bits per token on text, -2.000 on repeated tokens\n"));
}

TEST(Heads, StandForTheirVariantByTheLargestRunWithTheLowestSeed) {
  const analysis::ReportInput input = probed_input();
  const analysis::Analysis analysis = analyse(input);
  const auto probed = probed_variants(input, analysis.groups.at(0));
  ASSERT_EQ(probed.size(), 1u);
  EXPECT_EQ(probed[0].variant, "v57");
  EXPECT_EQ(probed[0].run, &input.runs[2]);
}

TEST(Heads, FigureIsWellFormedAndOutlinesSpecialists) {
  analysis::ReportInput input = probed_input();
  const auto drawn = heads_figure(input, analyse(input).groups.at(0));
  ASSERT_TRUE(drawn);
  EXPECT_EQ(render::xml_problem(drawn->svg), "");
  EXPECT_THAT(drawn->svg, HasSubstr("<title>L1H3: 80.0 %</title>"));
  EXPECT_THAT(drawn->svg, HasSubstr("IPMR on repeated random tokens (chance 3.0 %)"));
  size_t outlines = 0;
  for (size_t at = 0; (at = drawn->svg.find("bs-o\" stroke-width=\"1.6\"", at)) != std::string::npos; ++at) ++outlines;
  EXPECT_EQ(outlines, 3u);                           // one on text, one on repeats, one in the legend
  input.runs[2].attention = health_of(12, 64, 0.8);  // cells at their narrowest
  EXPECT_EQ(render::xml_problem(heads_figure(input, analyse(input).groups.at(0))->svg), "");
}

TEST(Heads, AreASectionOfTheReportWhereRunsWereProbed) {
  analysis::ReportInput input = probed_input();
  const auto file = [&](const std::string& name) {
    for (const ReportFile& f : render_report(input))
      if (f.name == name) return f.bytes;
    return std::string();
  };
  const std::string markdown = file("report.md");
  EXPECT_THAT(markdown, HasSubstr("<b>Where attention looks</b>"));
  EXPECT_THAT(markdown, HasSubstr("(heads.svg)"));
  EXPECT_THAT(markdown, HasSubstr("| L1H3, 80.0 % | 3.0 % | L1H3 80.0 % (26.7× chance) | 7 of 8 | 1 of 8 |"));
  EXPECT_NE(file("heads.svg"), "");
  const json::value document = parse_json(file("report.json"), "report.json");
  EXPECT_EQ(document.at("groups").at(0).at("attention").at(0).at("repeat_specialists"),
            json::value(json::array{"L1H3"}));
  for (analysis::MeasuredRun& run : input.runs) run.attention.reset();
  EXPECT_THAT(file("report.md"), Not(HasSubstr("Where attention looks")));
  EXPECT_EQ(file("heads.svg"), "");
}

}  // namespace
}  // namespace bitsweep::report
