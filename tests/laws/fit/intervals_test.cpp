// Profiles, posterior draws and what they are made from.
#include <algorithm>

#include <gtest/gtest.h>

#include "fit/bootstrap.h"
#include "fit/distributions.h"
#include "fit/fit.h"
#include "fit/likelihood.h"
#include "fit/objective.h"
#include "fit/optimise.h"
#include "fit/posterior.h"
#include "fit/profile.h"
#include "simulate.h"

namespace bitsweep::fit {
namespace {

TEST(Distributions, QuantilesAreThoseOfTables) {
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-14);
  EXPECT_NEAR(normal_quantile(1e-12), -7.034483825301131, 1e-11);
  EXPECT_NEAR(normal_cdf(normal_quantile(0.3)), 0.3, 1e-15);
  EXPECT_NEAR(student_quantile(0.975, 1), 12.706204736174, 1e-8);
  EXPECT_NEAR(student_quantile(0.975, 3), 3.182446305284, 1e-9);
  EXPECT_NEAR(student_quantile(0.025, 10), -2.228138851965, 1e-9);
  EXPECT_NEAR(student_quantile(0.975, 1e7), 1.95996, 1e-5);
}

TEST(Distributions, ChiSquaredDrawsHaveTheirMeanAndVariance) {
  for (const double freedom : {1.0, 4.5, 30.0}) {
    double sum = 0, squares = 0;
    const int n = 4000;
    for (int i = 0; i < n; ++i) {
      const double x = chi_squared_draw(freedom, 5, static_cast<uint64_t>(i));
      sum += x, squares += x * x;
    }
    EXPECT_NEAR(sum / n, freedom, 4 * std::sqrt(2 * freedom / n)) << freedom;
    EXPECT_NEAR(squares / n - std::pow(sum / n, 2), 2 * freedom, 0.2 * 2 * freedom) << freedom;
  }
}

// Element (i, i) of the inverse of JᵀJ: 1 / |the part of column i that the others do not span|².
double inverse_gram(Eigen::MatrixXd jacobian, int i) {
  jacobian.col(i).swap(jacobian.col(jacobian.cols() - 1));
  for (Eigen::Index c = 0; c < jacobian.cols(); ++c) {
    for (Eigen::Index before = 0; before < c; ++before)
      jacobian.col(c) -=
          jacobian.col(before) * (jacobian.col(before).dot(jacobian.col(c)) / jacobian.col(before).squaredNorm());
  }
  return 1 / jacobian.col(jacobian.cols() - 1).squaredNorm();
}

// A law whose exponent is known is a straight line in its amplitudes: what a profile says of a straight line is what
// Student's t says.
TEST(Profiles, OfNearlyAStraightLineAreStudentsIntervals) {
  const auto points = grid_points(TrueLaw{}, {1e6, 3e6, 1e7, 3e7, 1e8}, {1e8, 3e8, 1e9, 3e9, 1e10}, 1e-5, 3);
  const auto law = make_law("chinchilla", points);
  Objective objective(*law, points, HUGE_VAL);
  const Descent least = minimise(objective, grid_of_starts(objective)).basins[0];
  const auto intervals = profile_intervals(*law, observations(*law, points, {}), least.theta, 0.95);
  const double variance = inverse_gram(objective.jacobian(least.theta), 3) * 2 * least.objective / 20;
  const double t = student_quantile(0.975, 20);
  const double alpha = least.theta[3], half = t * std::sqrt(variance);
  EXPECT_NEAR(intervals.at("alpha").first, alpha - half, 0.01 * half);
  EXPECT_NEAR(intervals.at("alpha").second, alpha + half, 0.01 * half);
  for (const char* name : {"E", "A", "B", "beta", "a_opt"}) EXPECT_EQ(intervals.count(name), 1u) << name;
}

TEST(Profiles, EndsLieOnTheirLevelAndNoLowerPlaceIsOnThePlane) {
  const auto points = grid_points(TrueLaw{}, {1e6, 1e7, 1e8}, {1e8, 1e9, 1e10}, 0.01, 6);
  const auto law = make_law("chinchilla", points);
  Objective objective(*law, points, HUGE_VAL);
  const Descent least = descend(objective, objective.join(Eigen::Vector3d(1.5, 1, 1), Eigen::Vector2d(0.3, 0.3)));
  const auto plane = law->level(3, 0.4);
  const Descent end = descend_on(objective, *plane, least.theta);
  EXPECT_TRUE(end.converged);
  EXPECT_NEAR(end.theta[3], 0.4, 1e-12);
  for (int i = 0; i < 40; ++i) {
    Eigen::VectorXd near = end.theta;
    for (int j = 0; j < 5; ++j)
      near[j] += j == 3 ? 0 : 0.05 * (random_unit(2, static_cast<uint64_t>(i), static_cast<uint64_t>(j)) - 0.5);
    EXPECT_GE(objective.value(near), end.objective);
  }
}

// The mean and spread of a column of draws.
std::pair<double, double> moments(const Posterior& posterior, const std::string& name) {
  double sum = 0, squares = 0;
  for (int k = 0; k < posterior.size(); ++k) {
    for (const NamedValue& v : posterior.params(k)) {
      if (v.name == name) sum += v.value, squares += v.value * v.value;
    }
  }
  const double mean = sum / posterior.size();
  return {mean, std::sqrt(std::max(0.0, squares / posterior.size() - mean * mean))};
}

TEST(Posteriors, OfWellDeterminedLawsAreTheNormalOnesOfTheory) {
  const auto points = grid_points(TrueLaw{}, {1e6, 3e6, 1e7, 3e7, 1e8}, {1e8, 3e8, 1e9, 3e9, 1e10}, 1e-3, 3);
  FitOptions o;
  const auto posterior = draw_posterior(points, o, 4000);
  ASSERT_TRUE(posterior);
  EXPECT_EQ(posterior->freedom(), 20);
  const auto law = make_law("chinchilla", points);
  Objective objective(*law, points, HUGE_VAL);
  const Descent least = minimise(objective, grid_of_starts(objective)).basins[0];
  // Student's t with 20 degrees of freedom has a variance of 20/18.
  const double variance = inverse_gram(objective.jacobian(least.theta), 3) * 2 * least.objective / 18;
  const auto [mean, sd] = moments(*posterior, "alpha");
  EXPECT_NEAR(mean, least.theta[3], 0.15 * sd);
  EXPECT_NEAR(sd / std::sqrt(variance), 1, 0.1);
  EXPECT_NEAR(posterior->noise().mean(), std::sqrt(2 * least.objective / 20), 2e-4);
}

TEST(Posteriors, AreAFunctionOfTheSeedAndPredictAllTargets) {
  const auto points = random_points(TrueLaw{}, 15, 0.01, 4);
  FitOptions o;
  const std::vector<Target> targets = {Target{1e9, 1e11, "", ""}, Target{1e9, 0, "", ""}};
  const Eigen::MatrixXd one = draw_posterior(points, o, 200)->predict(targets),
                        two = draw_posterior(points, o, 200)->predict(targets);
  o.seed = 1;
  const Eigen::MatrixXd three = draw_posterior(points, o, 200)->predict(targets);
  EXPECT_EQ(one.col(0), two.col(0));
  EXPECT_NE(one.col(0), three.col(0));
  EXPECT_TRUE(one.col(1).array().isNaN().all());
  EXPECT_EQ(one.rows(), 200);
}

TEST(Posteriors, StandWherePointsCannotCarryTheLaw) {
  // Three points: five parameters are anywhere, but the law still passes near what was measured.
  const std::vector<Point> points = {make_point(1e7, 1e9, 3.0), make_point(1e8, 1e9, 2.7), make_point(1e7, 1e10, 2.6)};
  FitOptions o;
  o.noise = 0.02;
  const auto posterior = draw_posterior(points, o, 400);
  ASSERT_TRUE(posterior);
  const Eigen::MatrixXd at = posterior->predict({Target{1e7, 1e9, "", ""}, Target{1e11, 1e13, "", ""}});
  EXPECT_NEAR(at.col(0).mean(), 3.0, 0.02);
  const double far_sd = std::sqrt((at.col(1).array() - at.col(1).mean()).square().mean());
  EXPECT_GT(far_sd, 0.2);
  EXPECT_GE(at.minCoeff(), 0);
  EXPECT_FALSE(draw_posterior({}, o, 10));
}

TEST(Posteriors, OneOutlierMovesIntervalsLittle) {
  auto points = grid_points(TrueLaw{}, {1e6, 3e6, 1e7, 3e7, 1e8}, {1e8, 3e8, 1e9, 3e9, 1e10}, 0.003, 2);
  FitOptions o;
  o.resamples = 50;
  const Interval clean = fit_law(points, o).intervals.at("alpha");
  points[7].loss *= 1.5;
  const Interval bent = fit_law(points, o).intervals.at("alpha");
  EXPECT_LT(bent.second - bent.first, 2 * (clean.second - clean.first));
  EXPECT_LT(bent.first, 0.34);
  EXPECT_GT(bent.second, 0.34);
}

TEST(Observations, SeedsAreOneAndCheckpointsCountByTheirCorrelation) {
  auto points = grid_points(TrueLaw{}, {1e6, 1e7, 1e8}, {1e8, 1e9, 1e10}, 0.01, 1);
  const size_t configurations = points.size();
  for (size_t i = 0; i < configurations; ++i) {
    Point again = points[i];
    again.loss *= 1.02, again.seed = 1;
    points.push_back(again);
  }
  const auto law = make_law("chinchilla", points);
  const Observations observed = observations(*law, points, {});
  EXPECT_EQ(observed.points.size(), configurations);
  EXPECT_EQ(observed.weights[0], 2);
  EXPECT_EQ(observed.freedom, 4);
  EXPECT_NEAR(observed.points[0].loss, points[0].loss * std::sqrt(1.02), 1e-12);
  EXPECT_NEAR(seed_noise(points).sd, std::log(1.02) / std::sqrt(2), 1e-12);

  std::vector<Point> curve(40, make_point(1, 1, 2));
  Eigen::ArrayXd fitted(40);
  for (int i = 0; i < 40; ++i) {
    curve[i].lr_area = i + 1;
    curve[i].annealing = 0.01 * i;
    curve[i].run = "a";
    curve[i].loss = 2 * std::exp(0.01 * std::sin(i / 6.0));  // neighbours nearly agree
    fitted[i] = std::log(2.0);
  }
  const Observations checkpoints = observations(*make_law("curve", curve), curve, fitted);
  EXPECT_LT(checkpoints.weights.sum(), 5);
}

TEST(Bca, OfASymmetricStatisticIsThePercentileInterval) {
  std::vector<double> values, without;
  for (int i = -1000; i <= 1000; ++i) values.push_back(i);
  for (int i = -10; i <= 10; ++i) without.push_back(i);
  const auto plain = percentile_interval(values, 0.9), corrected = bca_interval(values, 0, without, 0.9);
  EXPECT_NEAR(corrected.first, plain.first, 2);
  EXPECT_NEAR(corrected.second, plain.second, 2);
  // An estimate below most draws shifts the interval down.
  EXPECT_LT(bca_interval(values, -300, without, 0.9).second, plain.second - 100);
}

TEST(Limits, ATargetOutsideOfAllReasonIsRefusedUnlessForced) {
  FitOptions o;
  o.resamples = 0;
  o.targets = {Target{1e12, 1e9, "", ""}};
  const auto points = grid_points(TrueLaw{}, {1e6, 1e7, 1e8}, {1e8, 1e9, 1e10});
  const FitResult refused = fit_law(points, o);
  EXPECT_FALSE(refused.predictions[0].loss);
  EXPECT_NE(refused.predictions[0].refused.find("10,000 times"), std::string::npos) << refused.predictions[0].refused;
  o.extrapolation_limit = HUGE_VAL;
  EXPECT_TRUE(fit_law(points, o).predictions[0].loss);
}

}  // namespace
}  // namespace bitsweep::fit
