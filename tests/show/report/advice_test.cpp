// What a report advises: budgets, what a parameter is worth, configurations, next runs, and what it remembers.
#include "report/advice_sections.h"

#include <cmath>

#include "analysis/analysis.h"
#include "render/xml_check.h"
#include "report/figures.h"
#include "report/findings.h"
#include "report/optimum_section.h"
#include "report/parameter_value_section.h"
#include "report/prediction_section.h"
#include "report/rendered.h"
#include "report/setting_section.h"

namespace bitsweep::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// 5 sizes × 4 budgets × 2 seeds of one law, fitted once for all tests of this file.
const analysis::Analysis& ladder_analysis() {
  static const analysis::ReportInput input = analysis::made_input(analysis::ladder_runs());
  static const analysis::Analysis analysis = analyse(input);
  return analysis;
}

std::string text_of(const std::vector<render::Block>& blocks) { return render::render_markdown({"t", blocks}); }

TEST(Optimum, TellsBudgetsWithIntervalsAboutTheTruth) {
  const analysis::GroupAnalysis& g = ladder_analysis().groups.at(0);
  ASSERT_EQ(g.optima.size(), 1u);
  const analysis::ComputeOptimum& optimum = g.optima[0];
  EXPECT_TRUE(optimum.counted);
  EXPECT_NEAR(optimum.flops_per_nd, 6.6, 1e-9);
  ASSERT_EQ(optimum.rows.size(), 2u) << "the largest run's, and ten times it";
  EXPECT_NEAR(optimum.rows[1].flops / optimum.largest_flops, 10, 1e-9);
  const frontier::JointLaw truth{1.4, 30, 250, 0.3, 0.4};
  for (const analysis::BudgetRow& row : optimum.rows) {
    const auto best = truth.divide(row.flops, 6.6);
    EXPECT_NEAR(std::log(row.best.params / best->params), 0, 1.5);
    ASSERT_TRUE(row.loss_interval);
    EXPECT_LT(row.loss_interval->first, row.best.loss);
    EXPECT_GT(row.loss_interval->second, row.best.loss);
    if (row.measured) {
      EXPECT_LE(row.best.loss, row.measured->loss * (1 + 1e-12));
    }
    EXPECT_TRUE(row.law);
    EXPECT_NEAR(row.six_nd / row.flops, 6 / 6.6, 0.15);
    EXPECT_EQ(row.refused, "");
  }
  const std::string text = text_of(optimum_section(g, 2));
  EXPECT_THAT(text, HasSubstr("the law alone"));
  EXPECT_THAT(text, HasSubstr("where the rule of thumb says 6, are 6.60 of"));
  EXPECT_THAT(text, HasSubstr("Hours are at the"));
}

TEST(Optimum, RefusesBudgetsOutsideOfAllReasonUnlessForced) {
  analysis::ReportInput input = analysis::made_input(analysis::ladder_runs());
  input.budget_flops = {1e16, 1e30};
  for (const bool forced : {false, true}) {
    if (forced) input.extrapolation_limit = HUGE_VAL;
    const analysis::Analysis analysis = analyse(input);
    const auto& rows = analysis.groups.at(0).optima.at(0).rows;
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].refused, "");
    EXPECT_EQ(rows[1].refused.empty(), forced);
    const std::string text = text_of(optimum_section(analysis.groups[0], 2));
    EXPECT_EQ(text.find("No division is told of 1.00×10³⁰ FLOPs for llama") != std::string::npos, !forced);
  }
}

TEST(Optimum, SaysThatFlopsAreTakenWhereRunsDoNotCountThem) {
  std::vector<fit::Point> points;
  for (const analysis::Made& m : analysis::ladder_runs()) {
    fit::Point p;
    p.params = m.params;
    p.tokens = m.tokens;
    p.loss = analysis::law(m.variant, m.params, m.tokens) + m.noise;
    p.variant = m.variant;
    p.seed = m.seed;
    points.push_back(p);
  }
  const analysis::ReportInput input = analysis::report_from_points(points, "p", "p", "0");
  const std::string text = text_of(optimum_section(analyse(input).groups.at(0), 2));
  EXPECT_THAT(text, HasSubstr("6 N D is taken for them"));
  EXPECT_THAT(text, Not(HasSubstr("rule of thumb")));
  EXPECT_THAT(text, Not(HasSubstr("hours")));
}

TEST(Worth, GivesEachVariantWithWhatItsBytesAndFlopsDo) {
  std::vector<analysis::Made> runs = analysis::ladder_runs();
  for (const analysis::Made& m : analysis::ladder_runs())
    runs.push_back({"v57", m.params, m.tokens, m.lr, m.seed, m.batch, m.noise});
  analysis::ReportInput input = analysis::made_input(runs);
  for (analysis::MeasuredRun& run : input.runs) {
    const bool full = run.row.plugin == "llama";
    run.start["stored_bits_per_weight"] = full ? 16.0 : 1.0;
    run.start["stored_float_bits"] = 16;
    run.start["stored_bytes"] = full ? 2 * run.row.params : run.row.params / 8;
    if (!full) run.row.flops = 2 * *run.row.flops;
  }
  const analysis::Analysis analysis = analyse(input);
  const analysis::GroupAnalysis& g = analysis.groups.at(0);
  ASSERT_TRUE(g.parameter_value);
  EXPECT_EQ(g.parameter_value->reference, "llama");
  ASSERT_EQ(g.parameter_value->rows.size(), 2u);
  const analysis::ParameterValueRow &llama = g.parameter_value->rows[0], &v57 = g.parameter_value->rows[1];
  EXPECT_EQ(llama.eff, 1);
  EXPECT_NEAR(*llama.per_byte, 1, 1e-12);
  ASSERT_TRUE(v57.interval);
  EXPECT_LT(v57.interval->first, 0.15);
  EXPECT_GT(v57.interval->second, 0.15);
  EXPECT_NEAR(*v57.per_byte, 16 * v57.eff, 1e-9);
  EXPECT_NEAR(*v57.per_flop, v57.eff / 2, 1e-9);
  const std::string text = text_of(parameter_value_section(g, 2));
  EXPECT_THAT(text, HasSubstr("| v57 | 0.15"));
  EXPECT_THAT(text, Not(HasSubstr("eff(v57)")));
  EXPECT_THAT(text, HasSubstr("for its stored bytes"));
  std::string findings;
  for (const render::Text& finding : group_findings(g)) findings += finding.plain() + "\n";
  EXPECT_THAT(findings, HasSubstr("as much as this many of llama's: v57 0.15"));
  EXPECT_FALSE(ladder_analysis().groups.at(0).parameter_value) << "one variant";
}

TEST(PredictionPlace, CountsWhatFellWithinAndOutside) {
  analysis::ReportInput input = analysis::made_input({});
  EXPECT_TRUE(prediction_section(input).empty());
  const auto row = [](const char* run, double measured) {
    query::PredictionRow p;
    p.run = run;
    p.law = "chinchilla";
    p.variant = "v57";
    p.state = "done";
    p.params = 1e6;
    p.tokens = 4e6;
    p.loss = 2;
    p.lower = 1.9;
    p.upper = 2.1;
    p.measured = measured;
    return p;
  };
  input.predictions = {row("aaa", 2.05), row("bbb", 2.3)};
  query::PredictionRow waiting = row("ccc", 0);
  waiting.measured.reset(), waiting.state = "queued";
  input.predictions.push_back(waiting);
  const std::string text = text_of(prediction_section(input));
  EXPECT_THAT(text, HasSubstr("| aaa | v57 | chinchilla | 1M | 4M | 2.000 | 1.900 to 2.100 | 2.050 | within |"));
  EXPECT_THAT(text, HasSubstr("2.300 | outside |"));
  EXPECT_THAT(text, HasSubstr("not finished"));
}

// Rates at several sizes, best where lr = 1e-2 · (params / 1e5)^-0.5.
std::vector<analysis::Made> tuned_runs(const std::vector<double>& sizes) {
  std::vector<analysis::Made> runs;
  for (const double params : sizes) {
    const double best = 1e-2 * std::sqrt(1e5 / params);
    for (const double factor : {0.25, 1.0, 4.0})
      runs.push_back({"v57", params, 4e6, best * factor, 0, 32, factor == 1.0 ? 0 : 0.05});
  }
  return runs;
}

TEST(SettingSection, TellsExponentsPlacesAndWhatTheDesignLeavesOut) {
  const analysis::ReportInput input = analysis::made_input(tuned_runs({1e5, 4e5, 1.6e6, 6.4e6}));
  const analysis::Analysis analysis = analyse(input);
  const analysis::GroupAnalysis& g = analysis.groups.at(0);
  const std::string text = text_of(setting_section(g, 2));
  EXPECT_THAT(text, HasSubstr("| v57 | learning rate | 4 | −0.50 ± "));
  EXPECT_THAT(text, HasSubstr("4 of 4 places with an inner best rate"));
  EXPECT_THAT(text, HasSubstr("one length alone was tuned"));
  EXPECT_NEAR(setting_json(g).at(0).at("lr").at("params_exponent").at("value").to_number<double>(), -0.5, 1e-9);
  const analysis::Analysis untuned = analyse(analysis::made_input(analysis::quickstart_runs()));
  EXPECT_TRUE(setting_section(untuned.groups.at(0), 2).empty()) << "one rate at each place";
}

TEST(TuningFigure, DrawsBestRatesWithTheirLawAndEndsAsRings) {
  std::vector<analysis::Made> runs = tuned_runs({1e5, 4e5, 1.6e6, 6.4e6});
  for (const double lr : {1e-4, 2e-4}) runs.push_back({"v57", 2.5e7, 4e6, lr, 0, 32, lr > 1.5e-4 ? 0 : 0.05});
  runs.push_back({"v57", 2.5e7, 4e6, 4e-4, 0, 32, -0.05});
  const analysis::ReportInput input = analysis::made_input(runs);
  const analysis::Analysis analysis = analyse(input);
  const std::optional<render::Figure> figure = tuning_figure(input, analysis.groups.at(0));
  ASSERT_TRUE(figure);
  ASSERT_EQ(figure->panels.size(), 1u) << "one batch was tried";
  size_t law = 0, found = 0, rings = 0;
  for (const render::PlotSeries& series : figure->panels[0].series) {
    law += series.line;
    if (series.marker == render::Marker::circle) found += series.points.size();
    if (series.marker == render::Marker::ring) rings += series.points.size();
  }
  EXPECT_EQ(law, 1u);
  EXPECT_EQ(found, 4u);
  EXPECT_EQ(rings, 1u);
  EXPECT_EQ(render::xml_problem(render_svg(*figure)), "");
  const analysis::ReportInput untuned = analysis::made_input(analysis::quickstart_runs());
  EXPECT_FALSE(tuning_figure(untuned, analyse(untuned).groups.at(0)));
}

TEST(SettingSection, AnEndOfALadderIsABound) {
  std::vector<analysis::Made> runs;
  for (const double params : {1e5, 4e5, 1.6e6})
    for (const double lr : {1e-3, 2e-3, 4e-3}) runs.push_back({"v57", params, 4e6, lr, 0, 32, 1e-4 / lr});
  const analysis::Analysis analysis = analyse(analysis::made_input(runs));
  const std::string text = text_of(setting_section(analysis.groups.at(0), 2));
  EXPECT_THAT(text, HasSubstr("0 of 3 places"));
  EXPECT_THAT(text, HasSubstr("3 where the best is an end"));
}

TEST(SettingAdvice, SaysWhatAnUntunedSizeMayCost) {
  const analysis::ReportInput input = analysis::made_input(tuned_runs({1e5}));
  const analysis::Analysis analysis = analyse(input);
  const analysis::GroupAnalysis& g = analysis.groups.at(0);
  const SettingAdvice near = lr_advice(g, "v57", 1.1e5, 4e6, g.table.cells.at(0));
  EXPECT_TRUE(near.interval);
  EXPECT_EQ(near.off, "");
  const SettingAdvice far = lr_advice(g, "v57", 1e7, 4e6, g.table.cells.at(0));
  EXPECT_THAT(far.why, HasSubstr("the lowest of the curve through 3 at 100k parameters"));
  EXPECT_THAT(far.off, HasSubstr("how the best rate moves with size is not known here"));
  EXPECT_THAT(far.off, HasSubstr("% of the loss, by the bend seen at 1 place"));
}

analysis::TargetPlan plan_like(const analysis::ReportInput& input, size_t run) {
  analysis::TargetPlan plan;
  plan.group = analyse(input).groups.at(0).group.label;
  plan.variant = "v57";
  plan.target = input.targets.at(0);
  plan.like = input.runs.at(run).row.id;
  plan.shape = "d_model 288, n_layers 3";
  plan.params = 1e7;
  plan.tokens = 4e7;
  plan.flops = 2.5e15;
  plan.steps = 19531;
  plan.warmup = 500;
  plan.bytes = analysis::TargetBytes{40'000'000, 40'000'000, 80'000'000, 10'000'000, 150'000'000, 120'000'000};
  plan.hours = 2.5;
  plan.stored_bytes = 1'250'000;
  return plan;
}

TEST(Recommendation, TellsShapeRateMemoryHoursAndFlops) {
  analysis::ReportInput input = analysis::made_input(tuned_runs({1e5, 4e5, 1.6e6, 6.4e6}));
  input.targets = {{1e7, 4e7, "", ""}};
  input.plans = {plan_like(input, 10)};
  const analysis::Analysis analysis = analyse(input);
  const std::string text = text_of(recommendation_section(input, analysis.groups[0], 2));
  for (const char* words :
       {"## Recommended configuration", "| 10M on 40M tokens | v57 |", "| shape | d_model 288, n_layers 3 |",
        "| batch | 32 |", "| learning rate | 0.0010 (", "| steps | 19,531, 500 of them warmup |",
        "| loss by the law | not claimed |", "| FLOPs (6 N D) | 2.50×10¹⁵ (2.40×10¹⁵) |",
        "| memory | 150 MB at its peak: weights 40 MB, gradients 40 MB, optimizer 80 MB, activations 10 MB |",
        "| checkpoint | 120 MB |", "| stored, as deployed | 1.25 MB |",
        "learning rate by the best of 4 places, which go as N^(−0.50 ± ", "scaled by FLOPs from the nearest shape"})
    EXPECT_THAT(text, HasSubstr(words));
  const json::array rows = recommendation_json(input, analysis.groups[0]);
  EXPECT_NEAR(rows.at(0).at("lr").to_number<double>(), 1e-3, 1e-8);
  EXPECT_EQ(rows.at(0).at("bytes").at("peak").as_int64(), 150'000'000);
}

TEST(Recommendation, SaysOfARateThatItWasNotTuned) {
  analysis::ReportInput input = analysis::made_input({{"v57", 1e6, 4e6}});
  input.targets = {{1e7, 4e7, "", ""}};
  input.plans = {plan_like(input, 0)};
  input.plans[0].hours.reset(), input.plans[0].bytes.reset();
  const analysis::Analysis analysis = analyse(input);
  std::string text = text_of(recommendation_section(input, analysis.groups[0], 2));
  EXPECT_THAT(text, HasSubstr("not tuned"));
  EXPECT_THAT(text, HasSubstr("10 times smaller than the target"));
  EXPECT_THAT(text, HasSubstr("no hours are told"));
  EXPECT_THAT(text, Not(HasSubstr("memory at its peak")));
  input.plans[0].refused = "no worker";
  text = text_of(recommendation_section(input, analysis.groups[0], 2));
  EXPECT_THAT(text, HasSubstr("**v57**: no worker."));
  EXPECT_THAT(text, Not(HasSubstr("| shape |")));
  input.plans.clear();
  EXPECT_TRUE(recommendation_section(input, analysis.groups[0], 2).empty());
}

analysis::NextRuns advice_for(const std::string& group, const std::string& variant) {
  analysis::NextRuns next;
  next.group = group;
  next.variant = variant;
  next.law = "chinchilla";
  next.hours = true;
  next.cost = 0.5;
  next.now = 0.2;
  next.outlook = {"at 10M parameters, 40M tokens: 2.1 ± 0.2 now"};
  next.ranking = {{4e5, 8e6, 976, 0.25, 0.4, {}, {}}};
  next.batch = {{4e5, 8e6, 976, 0.25, 0.4, 2.5, 0.15}, {1e6, 8e6, 976, 0.25, 0.3, 2.4, 0.1}};
  next.file = "next-" + variant + ".yaml";
  next.yaml = "# The next runs of made\nname: x\n";
  return next;
}

TEST(NextRuns, AreRankedWithWhatTheyBuyAndAFileOfTheBatch) {
  analysis::ReportInput input = analysis::made_input({{"v57", 1e6, 4e6}});
  const analysis::Analysis analysis = analyse(input);
  const analysis::GroupAnalysis& g = analysis.groups.at(0);
  EXPECT_TRUE(next_runs_section(input, g, 2).empty());
  input.next = {advice_for(g.group.label, "v57")};
  std::string text = text_of(next_runs_section(input, g, 2));
  EXPECT_THAT(text, HasSubstr("| 400k | 8M | 976 | 15m 00s | 40.0 % |"));
  EXPECT_THAT(text, HasSubstr("2 runs, 30m 00s in all, in `next-v57.yaml`"));
  EXPECT_THAT(text, HasSubstr("| 1M | 8M | 976 | 15m 00s | 2.400 | 30.0 % | 0.10 |"));
  EXPECT_EQ(file_of(render_report(input, analysis), "next-v57.yaml"), input.next[0].yaml);
  // Where the ranking leans on priors, what runs would measure is not told.
  input.next[0].leans_on_prior = {"too few"};
  text = text_of(next_runs_section(input, g, 2));
  EXPECT_THAT(text, HasSubstr("do not determine the law of v57"));
  EXPECT_THAT(text, Not(HasSubstr("2.400")));
  input.next[0] = {};
  input.next[0].group = g.group.label;
  input.next[0].variant = "v57";
  input.next[0].refused = "no worker";
  EXPECT_THAT(text_of(next_runs_section(input, g, 2)), HasSubstr("**v57**: no worker."));
}

TEST(NextRuns, OfManyVariantsAreOneTable) {
  analysis::ReportInput input = analysis::made_input({{"v57", 1e6, 4e6}});
  const analysis::Analysis analysis = analyse(input);
  const analysis::GroupAnalysis& g = analysis.groups.at(0);
  for (const char* variant : {"a", "b", "c", "d"}) input.next.push_back(advice_for(g.group.label, variant));
  const std::string text = text_of(next_runs_section(input, g, 2));
  EXPECT_THAT(text, HasSubstr("| d | 400k on 8M, 15m 00s | 40.0 % | 2 runs, 30m 00s in all | 0.20 | 0.10 |"));
}

TEST(NextRuns, FilesOfAnEarlierReportAreRemovedAndOthersStay) {
  const fs::path folder = fs::path(testing::TempDir()) / "bitsweep_next_runs";
  fs::remove_all(folder);
  write_report(folder, "r", {{"next-v57.yaml", "# The next runs of x\n"}, {"report.md", "x\n"}});
  write_file_atomic(folder / "r" / "next-mine.yaml", "name: mine\n");
  write_report(folder, "r", {{"report.md", "x\n"}});
  EXPECT_FALSE(fs::exists(folder / "r" / "next-v57.yaml"));
  EXPECT_TRUE(fs::exists(folder / "r" / "next-mine.yaml"));
}

TEST(Changes, AreToldAgainstTheFitOfTheLastReport) {
  static const analysis::ReportInput input = analysis::made_input(analysis::ladder_runs());
  analysis::ReportInput now = input;
  const analysis::Analysis& analysis = ladder_analysis();
  EXPECT_TRUE(changes_section(now, analysis).empty()) << "no earlier report";
  const analysis::LawFit& fit = analysis.groups.at(0).fits.at(0);
  analysis::EarlierFit earlier{fit.law, fit.variant, analysis.groups[0].group.dataset, {}, {}, {}};
  for (size_t k = 3; k < fit.points.size(); ++k) earlier.runs.push_back(fit.points[k].run);
  earlier.runs.push_back("gone");
  for (const fit::NamedValue& v : fit.result.params) {
    earlier.params.emplace_back(v.name, v.value);
    earlier.intervals[v.name] = {v.value * 0.9, v.value * 1.1};
  }
  now.earlier = {earlier};
  std::string text = text_of(changes_section(now, analysis));
  EXPECT_THAT(text, HasSubstr("## What changed since the last report"));
  EXPECT_THAT(text, HasSubstr("3 more runs and 1 fewer; every estimate is within the interval"));
  now.earlier[0].intervals["alpha"] = {0.1, 0.2};
  query::PredictionRow p;
  p.run = fit.points[0].run;
  p.law = "chinchilla";
  p.variant = "llama";
  p.state = "done";
  p.loss = 2;
  p.lower = 1;
  p.upper = 9;
  p.measured = 3;
  now.predictions = {p};
  text = text_of(changes_section(now, analysis));
  EXPECT_THAT(text, HasSubstr("alpha left the interval that was given then"));
  EXPECT_THAT(text, HasSubstr("| llama | chinchilla | alpha |"));
  EXPECT_THAT(text, HasSubstr("1 had been foretold with an interval, and all ended within it"));
  EXPECT_EQ(changes_json(now, analysis).at(0).at("added").as_array().size(), 3u);
  now.earlier[0].params.clear(), now.earlier[0].intervals.clear();
  EXPECT_THAT(text_of(changes_section(now, analysis)), HasSubstr("could not be fitted then, and now it can"));
  now.earlier[0].variant = "v57";
  EXPECT_TRUE(changes_section(now, analysis).empty()) << "of another variant";
}

}  // namespace
}  // namespace bitsweep::report
