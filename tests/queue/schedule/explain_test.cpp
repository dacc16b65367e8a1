#include <gtest/gtest.h>

#include "schedule/schedule.h"

namespace bitsweep::schedule {
namespace {

class ExplainTest : public testing::Test {
 protected:
  ScheduleInput input() const { return {.now = 100, .devices = devices, .running = running, .queue = &queue}; }
  Wait why(const QueuedRun& run) const {
    const Explanation explanation = explain(input(), run);
    EXPECT_FALSE(explanation.text.empty());
    return explanation.wait;
  }
  std::vector<DeviceSlots> devices = {{"cpu", 2, 0}, {"cuda:0", 1, 100}};
  std::vector<RunningRun> running;
  RunQueue queue;
  QueuedRun run = [] {
    QueuedRun r;
    r.id = "me";
    r.position = 5;
    return r;
  }();
};

TEST_F(ExplainTest, EveryReason) {
  EXPECT_EQ(why(run), Wait::ready);
  run.paused = true;
  EXPECT_EQ(why(run), Wait::paused);
  run.paused = false;
  run.not_before = 130;
  EXPECT_EQ(why(run), Wait::back_off);
  EXPECT_NE(explain(input(), run).text.find("30 s"), std::string::npos);
  run.not_before = 0;
  run.init_from = "base";
  EXPECT_EQ(why(run), Wait::dependency_failed);
  run.init_from_state = RunState::queued;
  EXPECT_EQ(why(run), Wait::dependency);
  EXPECT_NE(explain(input(), run).text.find("base"), std::string::npos);
  run.init_from_state = RunState::failed;
  EXPECT_EQ(why(run), Wait::dependency_failed);
  run.init_from.clear();
  queue.hold("", "comes after sweep base, of which 2 runs have not ended");
  EXPECT_EQ(why(run), Wait::held);
  EXPECT_NE(explain(input(), run).text.find("sweep base"), std::string::npos);
}

TEST_F(ExplainTest, NoDeviceForIt) {
  run.device = "cuda:3";
  EXPECT_EQ(why(run), Wait::no_such_device);
  EXPECT_NE(explain(input(), run).text.find("cuda:3"), std::string::npos);
  run.device = "any";
  run.slots = 3;
  EXPECT_EQ(why(run), Wait::too_large);
  run.device = "cuda";
  run.slots = 1;
  run.memory_bytes = 101;
  EXPECT_EQ(why(run), Wait::too_large);
}

TEST_F(ExplainTest, NoRoomForItNow) {
  running = {{"a", "cpu", 2, 0}, {"b", "cuda:0", 1, 60}};
  QueuedRun earlier;
  earlier.id = "earlier";
  queue.put(earlier), queue.put(run);
  EXPECT_EQ(why(run), Wait::no_free_slot);
  EXPECT_NE(explain(input(), run).text.find("1 before it"), std::string::npos);
  devices[1].slots = 2;
  run.device = "cuda:0";
  run.memory_bytes = 50;
  EXPECT_EQ(why(run), Wait::no_free_memory);
  EXPECT_NE(explain(input(), run).text.find("of which 40 B are free"), std::string::npos) << explain(input(), run).text;
}

TEST_F(ExplainTest, AgreesWithTheDecision) {
  queue.put(run);
  for (const bool busy : {false, true}) {
    running.clear();
    if (busy) running = {{"a", "cpu", 2, 0}, {"b", "cuda:0", 1, 0}};
    EXPECT_EQ(decide(input()).starts.empty(), why(run) != Wait::ready);
  }
}

}  // namespace
}  // namespace bitsweep::schedule
