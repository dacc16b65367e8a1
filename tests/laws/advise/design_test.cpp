// Designs whose best answer is known.
#include "advise/design.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bitsweep::advise {
namespace {

using testing::ElementsAre;

// Two unknown numbers; the target is the first, candidates measure first, second, sum.
DesignProblem two_unknowns() {
  DesignProblem problem;
  problem.candidates.resize(2, 3);
  problem.candidates << 1, 0, 1,  //
      0, 1, 1;
  problem.targets = Eigen::MatrixXd::Identity(2, 1);
  problem.cost = {10, 1, 1};
  problem.available = {1, 3, 3};
  problem.measured = {0, 0, 0};
  problem.noise = {.seed_sd = 0.1, .configuration_sd = 0, .source = ""};
  return problem;
}

TEST(Features, HaveTheCovariancesOfTheDraws) {
  Eigen::MatrixXd draws(4, 3);
  draws << 1, 2, 3, 2, 1, 3, 4, 0, 4, 0, 1, 1;
  const Eigen::MatrixXd features = features_of(draws, 1e-20);
  const Eigen::MatrixXd centred = draws.rowwise() - draws.colwise().mean();
  EXPECT_EQ(features.rows(), 2);  // the third column is the sum of the others
  for (int a = 0; a < 3; ++a)
    for (int b = 0; b < 3; ++b)
      EXPECT_NEAR(features.col(a).dot(features.col(b)), centred.col(a).dot(centred.col(b)) / 3, 1e-12);
  EXPECT_EQ(features_of(draws, 1e9).rows(), 0);
}

TEST(Design, OneRunTakesWhatTheFormulaSays) {
  const Eigen::ArrayXd gains = single_gains(two_unknowns());
  EXPECT_NEAR(gains[0], 1 / 1.01, 1e-12);
  EXPECT_NEAR(gains[1], 0, 1e-12);
  EXPECT_NEAR(gains[2], 1 / 2.01, 1e-12);
}

TEST(Design, TakesTheDearRunWhenItCanAndTheDifferenceOfCheapOnesWhenItCannot) {
  const DesignProblem problem = two_unknowns();
  EXPECT_THAT(choose_batch(problem, {.runs = 1}).picks, ElementsAre(0));
  const Batch cheap = choose_batch(problem, {.runs = 2, .cost = 5});
  EXPECT_THAT(cheap.picks, testing::UnorderedElementsAre(1, 2));
  EXPECT_LT(cheap.left(), 0.03);
  EXPECT_DOUBLE_EQ(cheap.cost, 2);
  EXPECT_TRUE(choose_batch(problem, {.runs = 4, .cost = 0.5}).picks.empty());
  EXPECT_EQ(choose_batch(problem, {.runs = 9, .cost = 100}).picks.size(), 7u);  // no more than there are
}

TEST(Design, ARepetitionCannotAverageTheConfigurationAway) {
  DesignProblem problem = two_unknowns();
  problem.available = {50, 0, 0};
  problem.noise = {.seed_sd = 0.5, .configuration_sd = 0, .source = ""};
  EXPECT_NEAR(choose_batch(problem, {.runs = 50}).left(), 1 / (1 + 50 / 0.25), 1e-6);
  problem.noise.configuration_sd = 0.5;
  const Batch batch = choose_batch(problem, {.runs = 50});
  EXPECT_LT(batch.picks.size(), 50u) << "seeds that take next to nothing are not worth their cost";
  EXPECT_NEAR(batch.left(), 1 - 1 / (1 + 0.25 + 0.25 / 50), 0.01);
  // What is measured already sharpens less, and the fit that the draws come from knows it.
  problem.measured = {10, 0, 0};
  EXPECT_LT(single_gains(problem)[0], 0.03);
}

TEST(Design, TheCheapestBatchForAGoal) {
  const DesignProblem problem = two_unknowns();
  EXPECT_THAT(cheapest_batch(problem, 4, 0.05)->picks, testing::UnorderedElementsAre(1, 2));
  EXPECT_DOUBLE_EQ(cheapest_batch(problem, 4, 0.6)->cost, 1);
  EXPECT_FALSE(cheapest_batch(problem, 4, 1e-6));
  EXPECT_FALSE(cheapest_batch({}, 4, 0.5));
}

}  // namespace
}  // namespace bitsweep::advise
