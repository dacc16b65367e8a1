#include "fit/surface.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "fit/adequacy.h"
#include "fit/hold_out.h"
#include "fit/neighbours.h"
#include "fit/simulate.h"

namespace bitsweep::fit {
namespace {

const std::vector<double> kSizes = {1e7, 2.5e7, 6e7, 1.5e8}, kBudgets = {2e8, 6e8, 1.8e9, 5.4e9};

Target at(double params, double tokens) {
  Target target;
  target.params = params, target.tokens = tokens;
  return target;
}

FitOptions quick() {
  FitOptions options;
  options.second_opinions = false;
  return options;
}

bool inside(const Interval& interval, double value) { return interval.first <= value && value <= interval.second; }

TEST(Surface, PassesThroughWhatWasMeasuredAndWidensBeyond) {
  const auto points = grid_points(TrueLaw{}, kSizes, kBudgets, 0.002, 1);
  const auto surface = draw_surface(points, quick(), 1000);
  ASSERT_TRUE(surface);
  double last = 0;
  for (const double factor : {1., 4., 16., 64.}) {
    const RunForecast run = forecast(*surface, {at(1.5e8 * factor, 5.4e9 * factor)}, 0.95)[0];
    EXPECT_TRUE(inside(run.interval, TrueLaw{}(1.5e8 * factor, 5.4e9 * factor)));
    const double width = run.interval.second / run.interval.first;
    EXPECT_GT(width, last);
    last = width;
  }
}

TEST(Surface, IsAFunctionOfItsSeed) {
  const auto points = grid_points(TrueLaw{}, kSizes, kBudgets, 0.002, 1);
  const std::vector<Target> targets = {at(1e9, 1e10), at(1e8, 1e9)};
  EXPECT_EQ(draw_surface(points, quick(), 50)->predict(targets), draw_surface(points, quick(), 50)->predict(targets));
  FitOptions other = quick();
  other.seed = 7;
  EXPECT_NE(draw_surface(points, quick(), 50)->predict(targets), draw_surface(points, other, 50)->predict(targets));
}

TEST(Surface, SpeaksOfEveryLawAndRefusesWhatThePointsRefuse) {
  auto points = grid_points(TrueLaw{}, kSizes, kBudgets, 0.002, 1);
  for (size_t i = 0; i < points.size(); ++i) points[i].variant = i % 2 == 0 ? "v57" : "llama";
  FitOptions options = quick();
  options.law = "precision";
  const auto surface = draw_surface(points, options, 100);
  ASSERT_TRUE(surface);
  Target target = at(1e8, 1e9);
  target.variant = "v57";
  EXPECT_GT(surface->predict({target}).minCoeff(), 0);
  Target nowhere = target;
  nowhere.tokens = 0;
  EXPECT_TRUE(std::isnan(surface->predict({nowhere})(0, 0)));
  EXPECT_FALSE(draw_surface({}, quick(), 100));
  points[0].loss = -1;
  EXPECT_FALSE(draw_surface(points, options, 100));
  for (Point& p : points) p.loss = 2, p.within_run = true;
  EXPECT_FALSE(draw_surface(points, options, 100));
}

TEST(Surface, ThousandsOfPointsArePooledWithTheirNeighbours) {
  const auto points = random_points(TrueLaw{}, 2000, 0.005, 3);
  const auto law = make_law("chinchilla", points, {});
  const Neighbourhoods pooled = pool_neighbours(observations(*law, points, {}), 256);
  EXPECT_LE(pooled.observed.points.size(), 256u);
  EXPECT_NEAR(pooled.observed.weights.sum(), 2000, 1e-6);
  EXPECT_NEAR(pooled.freedom, 2000 - static_cast<double>(pooled.observed.points.size()), 1e-9);
  const auto surface = draw_surface(points, quick(), 400);
  ASSERT_TRUE(surface);
  const RunForecast run = forecast(*surface, {at(1e9, 1e10)}, 0.95)[0];
  EXPECT_TRUE(inside(run.interval, TrueLaw{}(1e9, 1e10)));
  EXPECT_NEAR(run.expected / TrueLaw{}(1e9, 1e10), 1, 0.01);
}

// Truths that the law cannot describe: predictions ten times beyond the runs hold all the same.
struct Misfit {
  const char* name;
  std::function<double(double params, double tokens)> loss;
};

const std::vector<Misfit>& misfits() {
  static const std::vector<Misfit> all = {
      {"a bent exponent",
       [](double n, double d) {
         const double x = std::log(n / 1e8), y = std::log(d / 2e9);
         return 1.7 + 0.9 * std::exp(-0.34 * x + 0.015 * x * x) + 1.2 * std::exp(-0.28 * y + 0.01 * y * y);
       }},
      {"a floor that depends on size",
       [](double n, double d) {
         const double x = std::log(n / 1e8);
         return 1.7 + 0.05 * std::tanh(x) + 0.9 * std::exp(-0.34 * x) +
                1.2 * std::exp(-(0.28 + 0.01 * x) * std::log(d / 2e9));
       }},
      {"small sizes tuned less well", [](double n, double d) {
         const double x = std::log(n / 1e8);
         return (1.7 + 0.9 * std::exp(-0.34 * x) + 1.2 * std::exp(-0.28 * std::log(d / 2e9))) *
                (1 + 0.04 * std::exp(-std::max(x + 1.5, 0.0)));
       }}};
  return all;
}

TEST(Surface, HoldsWhereTheLawDoesNot) {
  constexpr int kTimes = 30;
  for (const Misfit& truth : misfits()) {
    int held = 0, of = 0;
    for (uint64_t seed = 0; seed < kTimes; ++seed) {
      std::vector<Point> points;
      for (const double n : kSizes)
        for (const double d : kBudgets)
          points.push_back(make_point(n, d, truth.loss(n, d) * std::exp(0.004 * normal(seed, points.size()))));
      const auto surface = draw_surface(points, quick(), 400);
      ASSERT_TRUE(surface);
      for (const double tilt : {0.5, 1., 2.}) {
        const Target target = at(1.5e8 * std::sqrt(10) * tilt, 5.4e9 * std::sqrt(10) / tilt);
        const double loss = truth.loss(target.params, target.tokens) * std::exp(0.004 * normal(seed + 1000, 7));
        held += inside(forecast(*surface, {target}, 0.95)[0].interval, loss);
        ++of;
      }
    }
    EXPECT_GE(held, of * 85 / 100) << truth.name;
  }
}

TEST(Adequacy, FindsAPatternAndItsPlace) {
  std::vector<Point> points;
  for (const double n : {1e7, 2e7, 4e7, 8e7, 1.6e8, 3.2e8})
    for (const double d : kBudgets)
      points.push_back(make_point(n, d, TrueLaw{}(n, d) * (1 + 0.02 * std::sin(1.5 * std::log(n / 4e7)))));
  const Adequacy wrong = judge_law(points, quick(), fit_law(points, quick()));
  EXPECT_TRUE(wrong.judged);
  EXPECT_FALSE(wrong.adequate());
  EXPECT_FALSE(adequacy_json(wrong).at("adequate").as_bool());
  const auto good = grid_points(TrueLaw{}, {1e7, 2e7, 4e7, 8e7, 1.6e8, 3.2e8}, kBudgets, 0.003, 5);
  const Adequacy right = judge_law(good, quick(), fit_law(good, quick()));
  EXPECT_TRUE(right.adequate()) << (right.words.empty() ? "" : right.words[0]);
  ASSERT_TRUE(right.held_out);
  EXPECT_GE(right.held_out->coverage, 0.7);
}

TEST(Adequacy, ManyRunsThatWentWrongAreNoLaws) {
  auto points = grid_points(TrueLaw{}, {1e7, 2e7, 4e7, 8e7, 1.6e8, 3.2e8}, kBudgets, 0.003, 5);
  const auto far = [&] {
    const Adequacy seen = judge_law(points, quick(), fit_law(points, quick()));
    return std::any_of(seen.words.begin(), seen.words.end(),
                       [](const std::string& word) { return word.find("lie far from the law") != std::string::npos; });
  };
  points[3].loss *= 2;
  EXPECT_FALSE(far()) << "one is told with the fit";
  points[8].loss *= 3, points[13].loss *= 2.5;
  EXPECT_TRUE(far());
}

TEST(Adequacy, TooFewConfigurationsAreNoTest) {
  const auto points = grid_points(TrueLaw{}, {1e7, 4e7}, {1e9, 4e9}, 0.003, 5);
  const Adequacy none = judge_law(points, quick(), fit_law(points, quick()));
  EXPECT_FALSE(none.judged);
  EXPECT_FALSE(none.adequate());
  EXPECT_FALSE(judge_law({}, quick(), fit_law({}, quick())).adequate());
}

TEST(Adequacy, FalseAlarmsAreRare) {
  int alarms = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto points = grid_points(TrueLaw{}, {1e7, 2e7, 4e7, 8e7, 1.6e8}, kBudgets, 0.004, 300 + seed);
    FitOptions options = quick();
    alarms += !judge_law(points, options, fit_law(points, options)).adequate();
  }
  EXPECT_LE(alarms, 3);
}

TEST(Undetermined, SaysHowWide) {
  const auto points = grid_points(TrueLaw{}, {1e8, 2e8, 4e8}, {1e9, 2e9, 4e9}, 0.01, 3);
  FitOptions options = quick();
  options.targets = {at(1e11, 1e11)};
  const std::vector<std::string> words = undetermined(fit_law(points, options));
  ASSERT_FALSE(words.empty());
  EXPECT_NE(words[0].find("(a_opt)"), std::string::npos);
}

}  // namespace
}  // namespace bitsweep::fit
