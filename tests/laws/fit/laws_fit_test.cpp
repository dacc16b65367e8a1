// Laws of several variants, datasets, epochs and checkpoints: what is drawn from them is found again.
#include <gtest/gtest.h>

#include "base/error.h"
#include "fit/curve.h"
#include "fit/fit.h"
#include "simulate.h"

namespace bitsweep::fit {
namespace {

FitOptions options(const std::string& law, int resamples = 0) {
  FitOptions o;
  o.law = law;
  o.resamples = resamples;
  return o;
}

std::vector<Point> variant_points(const std::vector<std::pair<std::string, double>>& worth, double sd = 0) {
  const TrueLaw law;
  std::vector<Point> points;
  for (const auto& [variant, eff] : worth) {
    for (const double n : {1e7, 5e7, 2e8}) {
      for (const double d : {1e9, 5e9, 2e10}) {
        Point p = make_point(n, d, law(n * eff, d) * std::exp(sd * normal(4, points.size())));
        p.variant = variant;
        points.push_back(p);
      }
    }
  }
  return points;
}

TEST(Precision, FindsWhatAParameterOfEachVariantIsWorth) {
  const FitResult fit =
      fit_law(variant_points({{"llama", 1}, {"bitnet", 0.4}, {"truebit", 0.02}}), options("precision"));
  ASSERT_TRUE(fit.has_params()) << testing::PrintToString(fit.refused);
  EXPECT_NEAR(*fit.param("eff(bitnet)"), 0.4, 1e-6);
  EXPECT_NEAR(*fit.param("eff(truebit)"), 0.02, 1e-7);
  EXPECT_NEAR(*fit.param("alpha"), 0.34, 1e-7);
  EXPECT_NEAR(*fit.param("A") / 406.4, 1, 1e-5);
  EXPECT_EQ(fit.param("eff(llama)"), std::nullopt);  // 1 by definition
}

TEST(Precision, AnotherReferenceIsAChoiceAndAMissingOneIsNamed) {
  const auto points = variant_points({{"w16", 1}, {"w1", 0.1}});
  const FitResult refused = fit_law(points, options("precision"));
  ASSERT_FALSE(refused.refused.empty());
  EXPECT_NE(refused.refused[0].find("--reference names one of: w1, w16"), std::string::npos) << refused.refused[0];
  FitOptions o = options("precision");
  o.reference = "w16";
  EXPECT_NEAR(*fit_law(points, o).param("eff(w1)"), 0.1, 1e-6);
}

TEST(Precision, IntervalsHoldTheTruthAndTargetsNeedAVariant) {
  FitOptions o = options("precision", 100);
  o.targets = {Target{1e9, 5e10, "bitnet", ""}, Target{1e9, 5e10, "", ""}, Target{1e9, 5e10, "bitnt", ""}};
  const FitResult fit = fit_law(variant_points({{"llama", 1}, {"bitnet", 0.4}}, 0.004), o);
  const Interval eff = fit.intervals.at("eff(bitnet)");
  EXPECT_LT(eff.first, 0.4);
  EXPECT_GT(eff.second, 0.4);
  EXPECT_TRUE(fit.predictions[0].interval);
  EXPECT_FALSE(fit.predictions[1].loss);
  EXPECT_NE(fit.predictions[2].refused.find("did you mean 'bitnet'"), std::string::npos);
}

TEST(Repeated, FindsHowSoonRepeatedTokensAreWorthLess) {
  const TrueLaw law;
  std::vector<Point> points;
  for (const double n : {1e7, 3e7, 1e8}) {
    for (const double epochs : {0.5, 1., 2., 4., 10., 30., 60.}) {
      const double unique = 1e8, repeats = std::max(0.0, epochs - 1);
      const double worth = epochs <= 1 ? epochs * unique : unique * (1 + 15.39 * (1 - std::exp(-repeats / 15.39)));
      Point p = make_point(n, epochs * unique, law(n, worth));
      p.unique_tokens = unique;
      points.push_back(p);
    }
  }
  const FitResult fit = fit_law(points, options("repeated"));
  ASSERT_TRUE(fit.has_params()) << testing::PrintToString(fit.refused);
  EXPECT_NEAR(*fit.param("R_star"), 15.39, 1e-3);
  EXPECT_NEAR(*fit.param("beta"), 0.28, 1e-6);
  for (Point& p : points) p.unique_tokens = 2 * p.tokens;
  EXPECT_NE(fit_law(points, options("repeated")).refused[0].find("fit 'chinchilla'"), std::string::npos);
  for (Point& p : points) p.unique_tokens = 0;
  EXPECT_NE(fit_law(points, options("repeated")).refused[0].find("unique_tokens"), std::string::npos);
}

std::vector<Point> two_datasets(double offset, double sd) {
  std::vector<Point> points;
  for (const char* dataset : {"stories", "glm"}) {
    for (Point p : grid_points(TrueLaw{}, {1e6, 1e7, 1e8}, {1e8, 1e9, 1e10}, sd, dataset[0])) {
      p.dataset = dataset;
      if (p.dataset == "glm") p.loss += offset;
      points.push_back(p);
    }
  }
  return points;
}

TEST(Grouped, FindsTheOffsetOfADataset) {
  const FitResult fit = fit_law(two_datasets(0.6, 0), options("grouped"));
  ASSERT_TRUE(fit.has_params()) << testing::PrintToString(fit.refused);
  EXPECT_NEAR(*fit.param("E(glm)") - *fit.param("E(stories)"), 0.6, 1e-7);
  EXPECT_NEAR(*fit.param("alpha"), 0.34, 1e-7);
}

TEST(Grouped, AiccTellsOneLawFromAnOffsetAndFromLawsApart) {
  EXPECT_EQ(compare_grouping(two_datasets(0.6, 0.002), options("grouped")).best, "grouped");
  EXPECT_EQ(compare_grouping(two_datasets(0, 0.002), options("grouped")).best, "pooled");
  auto apart = two_datasets(0, 0.002);
  const TrueLaw other{1.2, 900, 60, 0.42, 0.18};
  for (Point& p : apart) {
    if (p.dataset == "glm")
      p.loss = other(p.params, p.tokens) * (1 + 0.002 * normal(8, static_cast<uint64_t>(p.params)));
  }
  const GroupingTest test = compare_grouping(apart, options("grouped"));
  EXPECT_EQ(test.best, "separate");
  EXPECT_GT(*test.margin, 0);
}

TEST(Schedules, AreasAreThoseOfAStepByStepSum) {
  const std::vector<RateAt> schedule = {{0, 0}, {100, 1e-3}, {1000, 1e-3}, {2000, 0}};
  const auto areas = schedule_areas(schedule, {50, 1000, 1500, 2000});
  const auto rate = [](double s) { return s < 100 ? 1e-5 * s : s < 1000 ? 1e-3 : 1e-3 * (2000 - s) / 1000; };
  double s1 = 0, s2 = 0, push = 0;
  size_t next = 0;
  for (int s = 1; s <= 2000; ++s) {
    s1 += 0.5 * (rate(s - 1) + rate(s));
    push = kAnnealingMomentum * push + std::max(0.0, rate(s - 1) - rate(s));
    s2 += push;
    if (s != (std::vector<int>{50, 1000, 1500, 2000})[next]) continue;
    EXPECT_NEAR(areas[next].lr_area, s1, 1e-9 * s1) << s;
    EXPECT_NEAR(areas[next].annealing, s2, 1e-9 * s2 + 1e-15) << s;
    ++next;
  }
  EXPECT_EQ(next, 4u);
  // Two evaluations more change nothing of what follows.
  EXPECT_NEAR(schedule_areas(schedule, {1200, 1300, 2000}).back().annealing, areas[3].annealing, 1e-12);
}

TEST(Curve, FindsWhatAnnealingGainsAndClaimsNoIntervalFromOneRun) {
  std::vector<double> steps;
  for (int s = 250; s <= 10000; s += 250) steps.push_back(s);
  const auto areas = schedule_areas({{0, 1e-3}, {6000, 1e-3}, {10000, 1e-5}}, steps);
  std::vector<Point> points;
  for (const ScheduleArea& area : areas) {
    Point p = make_point(1e7, 1e8, 2.5 + 0.6 * std::pow(area.lr_area, -0.5) - 0.4 * area.annealing);
    p.lr_area = area.lr_area;
    p.annealing = area.annealing;
    p.run = "a";
    points.push_back(p);
  }
  FitOptions o = options("curve", 100);
  const FitResult fit = fit_law(points, o);
  ASSERT_TRUE(fit.has_params()) << testing::PrintToString(fit.refused);
  EXPECT_NEAR(*fit.param("L0"), 2.5, 1e-6);
  EXPECT_NEAR(*fit.param("C"), 0.4, 1e-6);
  EXPECT_TRUE(fit.intervals.empty());
  EXPECT_EQ(fit.groups, 1);
  EXPECT_NE(fit.refused[0].find("checkpoints of a run are not independent"), std::string::npos);
  for (Point& p : points) p.annealing = 0;
  EXPECT_NE(fit_law(points, o).refused[0].find("learning rate never falls"), std::string::npos);
}

TEST(Laws, AChoiceThatALawHasNotIsRefused) {
  FitOptions o = options("chinchilla");
  o.reference = "llama";
  EXPECT_THROW(fit_law({}, o), Error);
  o = options("grouped");
  o.group = "variants";
  EXPECT_THROW(fit_law({}, o), Error);
}

}  // namespace
}  // namespace bitsweep::fit
