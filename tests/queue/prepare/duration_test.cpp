#include "prepare/duration.h"

#include <gtest/gtest.h>

namespace bitsweep::prepare {
namespace {

plan::Plan plan_of(const std::vector<double>& seconds, const std::string& order = "longest") {
  plan::Plan plan;
  plan.sweep.order = order;
  for (const double each : seconds) plan.runs.emplace_back().time = plan::TimeEstimate{each, true};
  return plan;
}

TEST(Duration, IsThatOfTheSlotsInTheOrderOfTheSweep) {
  EXPECT_EQ(expected_seconds({plan_of({60, 20, 40})}, 1), 120);
  EXPECT_EQ(expected_seconds({plan_of({20, 60, 40})}, 2), 60);
  EXPECT_EQ(expected_seconds({plan_of({20, 60, 40}, "shortest")}, 2), 80) << "20 + 60 on one slot";
  EXPECT_EQ(expected_seconds({plan_of({60}), plan_of({30})}, 8), 60);
  EXPECT_EQ(expected_seconds({plan_of({60})}, 0), 60);
}

TEST(Duration, CountsWhatIsLeft) {
  plan::Plan plan = plan_of({60, 20});
  plan.runs[0].state = "done";
  EXPECT_EQ(expected_seconds({plan}, 2), 20);
  EXPECT_EQ(expected_text({plan}, 2), "1 run to train: about 20 s, 1 at once");
  plan.runs[1].state = "done";
  EXPECT_EQ(expected_seconds({plan}, 2), std::nullopt);
  EXPECT_EQ(expected_text({plan}, 2), "");
}

TEST(Duration, IsNotGuessed) {
  plan::Plan plan = plan_of({60, 20});
  plan.runs[1].time.reset();
  EXPECT_EQ(expected_seconds({plan}, 2), std::nullopt);
  plan.runs[1].state = "done";
  EXPECT_EQ(expected_seconds({plan}, 2), 60) << "of a run that is done it does not matter";
}

TEST(Duration, SaysHowManyAtOnce) {
  EXPECT_EQ(expected_text({plan_of({100, 100, 100})}, 2), "3 runs to train: about 3m 20s, 2 at once");
}

}  // namespace
}  // namespace bitsweep::prepare
