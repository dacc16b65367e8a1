#include "frontier/joint_law.h"

#include <gtest/gtest.h>

namespace bitsweep::frontier {
namespace {

TEST(JointLaw, DividesABudgetAsTheFormulaSays) {
  const JointLaw law{1.4, 30, 250, 0.3, 0.4};
  const auto best = law.divide(6e15, 6);
  ASSERT_TRUE(best);
  EXPECT_NEAR(best->params * best->tokens / 1e15, 1, 1e-12);
  const double there = law.loss(best->params, best->tokens);
  EXPECT_NEAR(best->loss, there, 1e-12);
  for (const double factor : {0.5, 0.9, 1.1, 2.0})
    EXPECT_GT(law.loss(best->params * factor, best->tokens / factor), there) << factor;
  EXPECT_FALSE((JointLaw{1.4, 0, 250, 0.3, 0.4}).divide(6e15, 6)) << "a term has vanished";
  EXPECT_FALSE((JointLaw{1.4, 30, 250, 0, 0.4}).divide(6e15, 6));
}

TEST(JointLaw, ReadsTheLawByItsNames) {
  const JointLaw law =
      joint_law({{"beta", 5}, {"E", 1}, {"A", 2}, {"alpha", 4}, {"B", 3}, {"other", 9}});
  EXPECT_EQ((std::vector<double>{law.E, law.A, law.B, law.alpha, law.beta}), (std::vector<double>{1, 2, 3, 4, 5}));
}

}  // namespace
}  // namespace bitsweep::frontier
