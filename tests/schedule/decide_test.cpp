#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "schedule/fit_in.h"
#include "schedule/schedule.h"

namespace bitsweep {
namespace {

QueuedRun queued(const std::string& id, int64_t position, const std::string& device = "any", int64_t slots = 1) {
  QueuedRun run;
  run.id = id;
  run.position = position;
  run.device = device;
  run.slots = slots;
  return run;
}

std::vector<std::string> started(const Decision& decision) {
  std::vector<std::string> ids;
  for (const Start& start : decision.starts) ids.push_back(start.run + "@" + start.device);
  return ids;
}

using Ids = std::vector<std::string>;

TEST(Decide, FirstComeFirstServed) {
  const std::vector<DeviceSlots> devices = {{"cpu", 2, 0}};
  const std::vector<QueuedRun> queue = {queued("a", 1), queued("b", 2), queued("c", 3)};
  EXPECT_EQ(started(decide({.devices = devices, .queued = queue})), (Ids{"a@cpu", "b@cpu"}));
}

TEST(Decide, PriorityGoesFirst) {
  QueuedRun urgent = queued("u", 9), other = queued("a", 1);
  urgent.priority = 5;
  EXPECT_TRUE(before(urgent, other));
  EXPECT_FALSE(before(other, urgent));
  EXPECT_TRUE(before(queued("a", 1), queued("b", 2)));
}

TEST(Decide, WhatRunsTakesItsSlots) {
  const std::vector<DeviceSlots> devices = {{"cpu", 3, 0}};
  const std::vector<RunningRun> running = {{"r", "cpu", 2, 0}};
  const std::vector<QueuedRun> queue = {queued("a", 1), queued("b", 2)};
  EXPECT_EQ(started(decide({.devices = devices, .running = running, .queued = queue})), Ids{"a@cpu"});
}

TEST(Decide, DevicesAreAskedForByKindOrName) {
  const std::vector<DeviceSlots> devices = {{"cpu", 1, 0}, {"cuda:0", 1, 0}, {"cuda:1", 1, 0}};
  const std::vector<QueuedRun> queue = {queued("named", 1, "cuda:1"), queued("kind", 2, "cuda"),
                                        queued("more", 3, "cuda"), queued("cpu", 4, "cpu"),
                                        queued("missing", 5, "cuda:7")};
  EXPECT_EQ(started(decide({.devices = devices, .queued = queue})), (Ids{"named@cuda:1", "kind@cuda:0", "cpu@cpu"}));
}

TEST(Decide, RunsSpreadOverDevices) {
  const std::vector<DeviceSlots> devices = {{"cuda:0", 2, 0}, {"cuda:1", 2, 0}};
  const std::vector<QueuedRun> queue = {queued("a", 1), queued("b", 2), queued("c", 3)};
  EXPECT_EQ(started(decide({.devices = devices, .queued = queue})), (Ids{"a@cuda:0", "b@cuda:1", "c@cuda:0"}));
}

TEST(Decide, BytesAreNotOvercommitted) {
  const std::vector<DeviceSlots> devices = {{"cuda:0", 4, 10}};
  std::vector<QueuedRun> queue = {queued("a", 1), queued("b", 2), queued("c", 3)};
  queue[0].memory_bytes = 7;
  queue[1].memory_bytes = 7;
  queue[2].memory_bytes = 3;
  EXPECT_EQ(started(decide({.devices = devices, .queued = queue})), (Ids{"a@cuda:0", "c@cuda:0"}));
}

TEST(Decide, PausedWaitingAndDependentRunsAreLeft) {
  const std::vector<DeviceSlots> devices = {{"cpu", 9, 0}};
  std::vector<QueuedRun> queue = {queued("paused", 1), queued("later", 2), queued("after", 3),
                                  queued("orphan", 4), queued("ready", 5), queued("tuned", 6)};
  queue[0].paused = true;
  queue[1].not_before = 150;
  queue[2].init_from = "x", queue[2].init_from_state = RunState::running;
  queue[3].init_from = "nowhere";
  queue[5].init_from = "y", queue[5].init_from_state = RunState::done;
  const Decision decision = decide({.now = 100, .devices = devices, .queued = queue});
  EXPECT_EQ(started(decision), (Ids{"ready@cpu", "tuned@cpu"}));
  EXPECT_EQ(decision.wake_at, 150);
  EXPECT_EQ(started(decide({.now = 150, .devices = devices, .queued = queue})).size(), 3u);
}

TEST(Decide, SmallerRunsPassALargeOneOnlySoOften) {
  const std::vector<DeviceSlots> devices = {{"cpu", 2, 0}};
  const std::vector<RunningRun> running = {{"r", "cpu", 1, 0}};
  std::vector<QueuedRun> queue = {queued("large", 1, "any", 2), queued("small", 2)};
  World world{.devices = devices, .running = running, .queued = queue, .patience = 3};
  const Decision passed = decide(world);
  EXPECT_EQ(started(passed), Ids{"small@cpu"});
  ASSERT_EQ(passed.passed_over.size(), 1u);
  EXPECT_EQ(passed.passed_over[0].run, "large");
  EXPECT_EQ(passed.passed_over[0].times, 1);
  queue[0].passed_over = 3;
  EXPECT_TRUE(decide(world).starts.empty());  // the free slot is kept for it
}

TEST(Decide, NothingToDoIsFine) {
  EXPECT_TRUE(decide({}).starts.empty());
  const std::vector<QueuedRun> queue = {queued("a", 1)};
  EXPECT_TRUE(decide({.queued = queue}).starts.empty());
}

// Random worlds, from a counter so that each is the same everywhere.
struct Dice {
  uint64_t trial;
  uint64_t next = 0;
  int64_t below(uint64_t bound) { return static_cast<int64_t>(random_below(99, trial, next++, bound)); }
};

struct RandomWorld {
  std::vector<DeviceSlots> devices;
  std::vector<RunningRun> running;
  std::vector<QueuedRun> queue;
  World world() const { return {.now = 100, .devices = devices, .running = running, .queued = queue, .patience = 4}; }
};

RandomWorld random_world(uint64_t trial) {
  Dice dice{trial};
  RandomWorld w;
  w.devices.push_back({"cpu", 1 + dice.below(4), dice.below(2) * 20});
  for (int64_t i = 0, n = dice.below(4); i < n; ++i)
    w.devices.push_back({"cuda:" + std::to_string(i), 1 + dice.below(4), dice.below(2) * 20});
  for (const DeviceSlots& device : w.devices)
    for (int64_t used = 0; used < device.slots && dice.below(2) == 0; ++used)
      w.running.push_back({"r" + device.name + std::to_string(used), device.name, 1, dice.below(3)});
  const char* wishes[] = {"any", "any", "cpu", "cuda", "cuda:1"};
  for (int64_t i = 0, n = dice.below(25); i < n; ++i) {
    QueuedRun run = queued("q" + std::to_string(i), i, wishes[dice.below(5)], 1 + dice.below(3));
    run.priority = dice.below(3);
    run.memory_bytes = dice.below(12);
    run.paused = dice.below(8) == 0;
    run.not_before = dice.below(6) == 0 ? 200 : 0;
    run.passed_over = dice.below(6);
    w.queue.push_back(run);
  }
  std::sort(w.queue.begin(), w.queue.end(), before);
  return w;
}

RandomWorld after(const RandomWorld& w, const Decision& decision) {
  RandomWorld next = w;
  for (const Start& start : decision.starts) {
    const auto run =
        std::find_if(next.queue.begin(), next.queue.end(), [&](const QueuedRun& q) { return q.id == start.run; });
    next.running.push_back({run->id, start.device, run->slots, run->memory_bytes});
    next.queue.erase(run);
  }
  return next;
}

class DecideProperties : public testing::TestWithParam<int> {};

TEST_P(DecideProperties, HoldInRandomWorlds) {
  for (uint64_t i = 0; i < 500; ++i) {
    const RandomWorld w = random_world(static_cast<uint64_t>(GetParam()) * 1000 + i);
    const Decision decision = decide(w.world());
    const RandomWorld next = after(w, decision);
    // Never more than there is.
    const World then = next.world();
    for (const FreeDevice& device : free_devices(then)) {
      EXPECT_GE(device.slots, 0);
      if (device.device->memory_bytes > 0) {
        EXPECT_GE(device.memory_bytes, 0);
      }
    }
    // Only what was ready, on a device it asked for, and once.
    std::map<std::string, int> times;
    for (const Start& start : decision.starts) {
      const auto run =
          std::find_if(w.queue.begin(), w.queue.end(), [&](const QueuedRun& q) { return q.id == start.run; });
      ASSERT_NE(run, w.queue.end());
      EXPECT_EQ(readiness(*run, 100), Readiness::ready);
      EXPECT_EQ(++times[start.run], 1);
    }
    // Nothing ready that fits is left, unless a device is kept for someone whose patience ran out.
    bool someone_is_kept_for = false;
    for (const QueuedRun& run : next.queue) someone_is_kept_for |= run.passed_over >= 4;
    if (!someone_is_kept_for) {
      EXPECT_TRUE(decide(then).starts.empty());
    }
    // The same world, the same decision.
    EXPECT_EQ(started(decide(w.world())), started(decision));
  }
}

INSTANTIATE_TEST_SUITE_P(Worlds, DecideProperties, testing::Range(0, 4));

// With everything taken and given back one by one, every run that fits anywhere is started: nobody starves.
TEST(Decide, EveryRunIsStartedInTheEnd) {
  for (uint64_t trial = 0; trial < 100; ++trial) {
    RandomWorld w = random_world(77'000 + trial);
    for (QueuedRun& run : w.queue) run.paused = false, run.not_before = 0;
    for (int turn = 0; turn < 400 && !w.queue.empty(); ++turn) {
      const Decision decision = decide(w.world());
      for (const PassedOver& passed : decision.passed_over)
        for (QueuedRun& run : w.queue)
          if (run.id == passed.run) run.passed_over += passed.times;
      w = after(w, decision);
      if (!w.running.empty()) w.running.erase(w.running.begin());
    }
    for (const QueuedRun& run : w.queue) {
      const World world = w.world();
      const auto devices = free_devices(world);
      EXPECT_TRUE(std::none_of(devices.begin(), devices.end(), [&](const FreeDevice& d) { return d.could_fit(run); }))
          << run.id;
    }
  }
}

TEST(Decide, ALongQueueBehindBusyDevicesIsNotWalked) {
  const std::vector<DeviceSlots> devices = {{"cpu", 1, 0}};
  std::vector<QueuedRun> queue;
  for (int64_t i = 0; i < 100'000; ++i) queue.push_back(queued("q" + std::to_string(i), i));
  const Decision decision = decide({.devices = devices, .queued = queue});
  EXPECT_EQ(started(decision), Ids{"q0@cpu"});
  EXPECT_TRUE(decision.passed_over.empty());
}

}  // namespace
}  // namespace bitsweep
