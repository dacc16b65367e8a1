#include "frontier/approaches.h"

#include <gtest/gtest.h>

#include "frontier/ladders.h"
#include "frontier/verdict.h"

namespace bitsweep::frontier {
namespace {

fit::FitOptions options() {
  fit::FitOptions o;
  o.second_opinions = false;
  return o;
}

bool holds(const Approach& a, double value) {
  return a.interval && a.interval->first <= value && value <= a.interval->second;
}

TEST(Approaches, AllThreeFindTheTruthOfALadder) {
  const JointLaw law = chinchilla();
  const double truth = law.beta / (law.alpha + law.beta);
  const auto points = ladder_points(truth_of(law), {1e18, 3e18, 1e19, 3e19, 1e20, 3e20, 1e21}, 0.001, 11);
  const Approaches a = approaches(points, fit_law(points, options()));
  EXPECT_TRUE(holds(a.isoflop, truth));
  EXPECT_TRUE(holds(a.joint, truth));
  EXPECT_TRUE(holds(a.envelope, truth));
  EXPECT_EQ(a.isoflop.budgets, 7);
  EXPECT_TRUE(a.disagreements.empty());
  EXPECT_TRUE(a.remarks.empty());
}

TEST(Approaches, IsoFlopIntervalsHoldTheTruth) {
  const JointLaw law = chinchilla();
  int held = 0;
  constexpr int kTimes = 60;
  for (int seed = 0; seed < kTimes; ++seed) {
    const auto points = ladder_points(truth_of(law), kBudgets, 0.003, 100 + static_cast<uint64_t>(seed));
    held += holds(approaches(points, {}).isoflop, law.beta / (law.alpha + law.beta));
  }
  EXPECT_GE(held, 51);  // 95 % of 60 less three standard deviations
}

TEST(Approaches, TunedLaddersAreNotRefused) {
  // A plane through the logarithms of these rises along tokens: the budgets' sizes lie far to one side.
  const JointLaw law{2.5, 2e5, 4e3, 0.65, 0.40};
  const auto points = ladder_points(truth_of(law), kBudgets, 0.002, 7, law);
  const fit::FitResult fit = fit_law(points, options());
  EXPECT_TRUE(fit.has_params()) << (fit.refused.empty() ? "" : fit.refused[0]);
  EXPECT_NEAR(*fit.a_opt, 0.40 / 1.05, 0.1);
}

TEST(Approaches, SayWhatADesignDoesNotShow) {
  const Truth truth = truth_of(chinchilla());
  // One size a budget.
  std::vector<fit::Point> diagonal;
  for (double n = 1e7; n < 2e9; n *= 2) diagonal.push_back(measured(truth, n, 20 * n, 0.001, 1, diagonal.size()));
  const Approaches a = approaches(diagonal, fit_law(diagonal, options()));
  EXPECT_FALSE(a.isoflop.a_opt);
  EXPECT_FALSE(a.isoflop.why_not.empty());
  EXPECT_FALSE(a.joint.a_opt);
  // One budget.
  const auto one = ladder_points(truth, {1e19}, 0.001, 2);
  const Approaches b = approaches(one, fit_law(one, options()));
  EXPECT_FALSE(b.isoflop.a_opt);
  ASSERT_EQ(b.minima.all.size(), 1u);
  EXPECT_TRUE(b.minima.all[0].inside());
  EXPECT_FALSE(approaches({}, {}).envelope.a_opt);
}

TEST(Approaches, MinimaOutsideAreSaid) {
  const JointLaw law = chinchilla();
  std::vector<fit::Point> points = ladder_points(truth_of(law), kBudgets);
  for (fit::Point& p : points) {
    p.params /= 30, p.tokens *= 30;
    p.loss = law.loss(p.params, p.tokens);
  }
  const Approaches a = approaches(points, fit_law(points, options()));
  ASSERT_GE(a.remarks.size(), kBudgets.size());
  EXPECT_NE(a.remarks.back().find("above the sizes that were run"), std::string::npos);
}

TEST(Verdict, ABentTruthIsInadequateAndAStraightOneIsNot) {
  const JointLaw law = chinchilla();
  const Truth bent = [&](double n, double d) {
    const double x = std::log(n / 3e8);
    return law.loss(n, d) * (1 + 0.02 * std::sin(1.5 * x));
  };
  const auto judged = [](const std::vector<fit::Point>& points) {
    return judge(points, options(), fit_law(points, options()), {1e19});
  };
  const std::vector<double> sizes = {3e7, 6e7, 1.2e8, 2.4e8, 4.8e8, 9.6e8}, lengths = {1e9, 2e9, 4e9, 8e9, 1.6e10};
  const Verdict straight = judged(grid(truth_of(law), sizes, lengths, 0.002, 21));
  EXPECT_TRUE(straight.adequate()) << (straight.adequate() ? "" : straight.inadequacy()[0]);
  const Verdict wrong = judged(grid(bent, sizes, lengths, 0.0005, 22));
  EXPECT_FALSE(wrong.adequate());
  const json::object document = verdict_json(wrong);
  EXPECT_FALSE(document.at("adequate").as_bool());
  EXPECT_FALSE(document.at("inadequacy").as_array().empty());
  EXPECT_TRUE(document.at("approaches").as_object().contains("isoflop"));
  EXPECT_EQ(document.at("optima").as_array().size(), 1u);
}

}  // namespace
}  // namespace bitsweep::frontier
