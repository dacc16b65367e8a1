#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "schedule/fit_in.h"
#include "schedule/schedule.h"

namespace bitsweep::schedule {
namespace {

QueuedRun queued(const std::string& id, int64_t position, const std::string& device = "any", int64_t slots = 1) {
  QueuedRun run;
  run.id = id;
  run.position = position;
  run.device = device;
  run.slots = slots;
  return run;
}

RunQueue queue_of(const std::vector<QueuedRun>& runs, double now = 0) {
  RunQueue queue;
  for (const QueuedRun& run : runs) queue.put(run);
  queue.advance(now);
  return queue;
}

std::vector<std::string> started(const Decision& decision) {
  std::vector<std::string> ids;
  for (const Start& start : decision.starts) ids.push_back(start.run + "@" + start.device);
  return ids;
}

Decision decided(const std::vector<DeviceSlots>& devices, const std::vector<QueuedRun>& runs,
                 const std::vector<RunningRun>& running = {}, double now = 0, int64_t patience = 16) {
  const RunQueue queue = queue_of(runs, now);
  return decide({.now = now, .devices = devices, .running = running, .queue = &queue, .patience = patience});
}

using Ids = std::vector<std::string>;

TEST(Decide, FirstComeFirstServed) {
  EXPECT_EQ(started(decided({{"cpu", 2, 0}}, {queued("a", 1), queued("b", 2), queued("c", 3)})),
            (Ids{"a@cpu", "b@cpu"}));
}

TEST(Decide, PriorityGoesFirst) {
  QueuedRun urgent = queued("u", 9);
  urgent.priority = 5;
  EXPECT_EQ(started(decided({{"cpu", 1, 0}}, {queued("a", 1), urgent})), Ids{"u@cpu"});
}

TEST(Decide, OfASweepTheLongestGoesFirst) {
  QueuedRun a = queued("a", 1), b = queued("b", 2), c = queued("c", 3), far = queued("far", 3 + RunQueue::kBlock);
  a.predicted_s = 1;
  b.predicted_s = 3;
  c.predicted_s = 2;
  far.predicted_s = 9;
  EXPECT_EQ(started(decided({{"cpu", 4, 0}}, {a, b, c, far})), (Ids{"b@cpu", "c@cpu", "a@cpu", "far@cpu"}));
}

TEST(Decide, ASweepMayAskForTheShortestFirst) {
  QueuedRun a = queued("a", 1), b = queued("b", 2), c = queued("c", 3);
  a.predicted_s = 2;
  b.predicted_s = 3;
  c.predicted_s = 1;
  a.shortest_first = b.shortest_first = c.shortest_first = true;
  EXPECT_EQ(started(decided({{"cpu", 3, 0}}, {a, b, c})), (Ids{"c@cpu", "a@cpu", "b@cpu"}));
}

TEST(Decide, StartsOfAnEarlierProcessCountAsItsOwn) {
  QueuedRun a = queued("a", 1), b = queued("b", 2);
  a.sweep = "first";
  b.sweep = "second";
  RunQueue own = queue_of({a, b, queued("past", 0)}), told = queue_of({a, b});
  QueuedRun past = queued("past", 0);
  past.sweep = "first";
  own.put(past);
  own.start("past");
  told.was_started("first", 1);
  EXPECT_EQ(told.start_tag("first"), own.start_tag("first"));
  EXPECT_EQ(told.start_tag("second"), own.start_tag("second"));
  EXPECT_LT(told.start_tag("second"), told.start_tag("first"));
  const std::vector<DeviceSlots> devices{{"cpu", 1, 0}};
  const ScheduleInput input{.now = 0, .devices = devices, .running = {}, .queue = &told, .patience = 16};
  EXPECT_EQ(started(decide(input)), Ids{"b@cpu"});
}

TEST(Decide, SweepsShareByWhatTheyWereServed) {
  std::vector<QueuedRun> runs;
  for (int64_t i = 0; i < 8; ++i) {
    runs.push_back(queued("a" + std::to_string(i), i)), runs.back().sweep = "a", runs.back().predicted_s = 1;
    runs.push_back(queued("b" + std::to_string(i), 100 + i)), runs.back().sweep = "b", runs.back().predicted_s = 2;
  }
  RunQueue queue = queue_of(runs);
  const std::vector<DeviceSlots> devices = {{"cpu", 1, 0}};
  std::map<char, double> served;
  std::string order;
  for (int turn = 0; turn < 9; ++turn) {
    const Decision decision = decide({.devices = devices, .queue = &queue});
    const auto run = queue.start(decision.starts.at(0).run);
    served[run->id[0]] += run->predicted_s;
    order += run->id[0];
  }
  EXPECT_LE(std::abs(served['a'] - served['b']), 2) << order;
  // One that comes later begins where the others are: no arrears.
  QueuedRun late = queued("c", 500);
  late.sweep = "c";
  late.predicted_s = 100;
  queue.put(late);
  std::string after;
  for (int turn = 0; turn < 4; ++turn)
    after += queue.start(decide({.devices = devices, .queue = &queue}).starts.at(0).run)->id[0];
  EXPECT_EQ(std::count(after.begin(), after.end(), 'c'), 1) << after;
}

TEST(Decide, WhatRunsTakesItsSlots) {
  EXPECT_EQ(started(decided({{"cpu", 3, 0}}, {queued("a", 1), queued("b", 2)}, {{"r", "cpu", 2, 0}})), Ids{"a@cpu"});
}

TEST(Decide, DevicesAreAskedForByKindOrName) {
  EXPECT_EQ(started(decided({{"cpu", 1, 0}, {"cuda:0", 1, 0}, {"cuda:1", 1, 0}},
                            {queued("named", 1, "cuda:1"), queued("kind", 2, "cuda"), queued("more", 3, "cuda"),
                             queued("cpu", 4, "cpu"), queued("missing", 5, "cuda:7")})),
            (Ids{"named@cuda:1", "kind@cuda:0", "cpu@cpu"}));
}

TEST(Decide, RunsSpreadOverDevices) {
  EXPECT_EQ(started(decided({{"cuda:0", 2, 0}, {"cuda:1", 2, 0}}, {queued("a", 1), queued("b", 2), queued("c", 3)})),
            (Ids{"a@cuda:0", "b@cuda:1", "c@cuda:0"}));
}

TEST(Decide, BytesAreNotOvercommitted) {
  std::vector<QueuedRun> runs = {queued("a", 1), queued("b", 2), queued("c", 3)};
  runs[0].memory_bytes = runs[1].memory_bytes = 7;
  runs[2].memory_bytes = 3;
  EXPECT_EQ(started(decided({{"cuda:0", 4, 10}}, runs)), (Ids{"a@cuda:0", "c@cuda:0"}));
}

TEST(Decide, OneThatWantsADeviceAloneGetsAllOfIt) {
  std::vector<QueuedRun> runs = {queued("a", 1), queued("b", 2)};
  runs[0].alone = true;
  EXPECT_EQ(started(decided({{"cpu", 2, 0}}, runs)), Ids{"a@cpu"});
  EXPECT_EQ(started(decided({{"cpu", 2, 0}}, runs, {{"r", "cpu", 1, 0}})), Ids{"b@cpu"});
}

TEST(Decide, PausedHeldWaitingAndDependentRunsAreLeft) {
  const std::vector<DeviceSlots> devices = {{"cpu", 9, 0}};
  std::vector<QueuedRun> runs = {queued("paused", 1), queued("later", 2), queued("after", 3), queued("orphan", 4),
                                 queued("ready", 5),  queued("tuned", 6), queued("held", 7)};
  runs[0].paused = true;
  runs[1].not_before = 150;
  runs[2].init_from = "x";
  runs[2].init_from_state = RunState::running;
  runs[3].init_from = "nowhere";
  runs[5].init_from = "y";
  runs[5].init_from_state = RunState::done;
  runs[6].sweep = "second";
  RunQueue queue = queue_of(runs, 100);
  queue.hold("second", "it comes after the first");
  const Decision decision = decide({.now = 100, .devices = devices, .queue = &queue});
  EXPECT_EQ(started(decision), (Ids{"ready@cpu", "tuned@cpu"}));
  EXPECT_EQ(decision.wake_at, 150);
  queue.advance(150);
  queue.base_is("x", RunState::done);
  queue.hold("second", "");
  EXPECT_EQ(decide({.now = 150, .devices = devices, .queue = &queue}).starts.size(), 5u);
  for (const Start& start : decide({.devices = devices, .queue = &queue}).starts) EXPECT_TRUE(queue.start(start.run));
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_FALSE(queue.start("ready"));
}

TEST(Decide, SmallerRunsPassALargeOneOnlySoOften) {
  std::vector<QueuedRun> runs = {queued("large", 1, "any", 2), queued("small", 2)};
  const Decision passed = decided({{"cpu", 2, 0}}, runs, {{"r", "cpu", 1, 0}}, 0, 3);
  EXPECT_EQ(started(passed), Ids{"small@cpu"});
  ASSERT_EQ(passed.passed_over.size(), 1u);
  EXPECT_EQ(passed.passed_over[0].run, "large");
  EXPECT_EQ(passed.passed_over[0].times, 1);
  runs[0].passed_over = 3;
  EXPECT_TRUE(decided({{"cpu", 2, 0}}, runs, {{"r", "cpu", 1, 0}}, 0, 3).starts.empty());  // kept for it
}

TEST(Decide, NothingToDoIsFine) {
  EXPECT_TRUE(decide({}).starts.empty());
  EXPECT_TRUE(decided({}, {queued("a", 1)}).starts.empty());
}

TEST(Decide, ARunThatChangesIsWhereItBelongs) {
  RunQueue queue = queue_of({queued("a", 1), queued("b", 2)});
  QueuedRun changed = queued("b", 2);
  changed.priority = 1;
  queue.put(changed);
  const std::vector<DeviceSlots> devices = {{"cpu", 1, 0}};
  EXPECT_EQ(started(decide({.devices = devices, .queue = &queue})), Ids{"b@cpu"});
  queue.erase("b");
  EXPECT_EQ(started(decide({.devices = devices, .queue = &queue})), Ids{"a@cpu"});
  queue.clear();
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(decide({.devices = devices, .queue = &queue}).starts.empty());
}

TEST(ReservedBytes, WhatWasSeenTakesThePlaceOfWhatWasPredicted) {
  EXPECT_EQ(reserved_bytes(100, 0), 100);
  EXPECT_EQ(reserved_bytes(100, 40), 42);
  EXPECT_EQ(reserved_bytes(100, 200), 210);
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
  RunQueue index() const { return queue_of(queue, 100); }
  ScheduleInput input(const RunQueue& index) const {
    return {.now = 100, .devices = devices, .running = running, .queue = &index, .patience = 4};
  }
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
    run.sweep = std::string(1, static_cast<char>('a' + dice.below(3)));
    run.predicted_s = static_cast<double>(dice.below(5));
    run.alone = dice.below(12) == 0;
    run.memory_bytes = dice.below(12);
    run.paused = dice.below(8) == 0;
    run.not_before = dice.below(6) == 0 ? 200 : 0;
    run.passed_over = dice.below(6);
    w.queue.push_back(run);
  }
  return w;
}

RandomWorld after(const RandomWorld& w, const Decision& decision) {
  RandomWorld next = w;
  for (const Start& start : decision.starts) {
    const auto run =
        std::find_if(next.queue.begin(), next.queue.end(), [&](const QueuedRun& q) { return q.id == start.run; });
    int64_t slots = run->slots;
    for (const DeviceSlots& device : w.devices)
      if (run->alone && device.name == start.device) slots = device.slots;
    next.running.push_back({run->id, start.device, slots, run->memory_bytes});
    next.queue.erase(run);
  }
  return next;
}

class DecideProperties : public testing::TestWithParam<int> {};

TEST_P(DecideProperties, HoldInRandomWorlds) {
  for (uint64_t i = 0; i < 500; ++i) {
    const RandomWorld w = random_world(static_cast<uint64_t>(GetParam()) * 1000 + i);
    const RunQueue index = w.index();
    const Decision decision = decide(w.input(index));
    const RandomWorld next = after(w, decision);
    // Never more than there is.
    const RunQueue rest = next.index();
    const ScheduleInput then = next.input(rest);
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
      EXPECT_EQ(index.readiness(*run, 100), Readiness::ready);
      EXPECT_EQ(++times[start.run], 1);
    }
    // Nothing ready that fits is left, unless a device is kept for someone whose patience ran out.
    bool someone_is_kept_for = false;
    for (const QueuedRun& run : next.queue) someone_is_kept_for |= run.passed_over >= 4;
    if (!someone_is_kept_for) {
      EXPECT_TRUE(decide(then).starts.empty());
    }
    // The same input, the same decision.
    EXPECT_EQ(started(decide(w.input(w.index()))), started(decision));
  }
}

INSTANTIATE_TEST_SUITE_P(Worlds, DecideProperties, testing::Range(0, 4));

// With everything taken and given back one by one, every run that fits anywhere is started: nobody starves.
TEST(Decide, EveryRunIsStartedInTheEnd) {
  for (uint64_t trial = 0; trial < 100; ++trial) {
    RandomWorld w = random_world(77'000 + trial);
    for (QueuedRun& run : w.queue) run.paused = false, run.not_before = 0;
    for (int turn = 0; turn < 400 && !w.queue.empty(); ++turn) {
      const RunQueue index = w.index();
      const Decision decision = decide(w.input(index));
      for (const PassedOver& passed : decision.passed_over)
        for (QueuedRun& run : w.queue)
          if (run.id == passed.run) run.passed_over += passed.times;
      w = after(w, decision);
      if (!w.running.empty()) w.running.erase(w.running.begin());
    }
    for (const QueuedRun& run : w.queue) {
      const RunQueue index = w.index();
      const ScheduleInput input = w.input(index);
      const auto devices = free_devices(input);
      EXPECT_TRUE(std::none_of(devices.begin(), devices.end(), [&](const FreeDevice& d) { return d.could_fit(run); }))
          << run.id;
    }
  }
}

// The queue kept up to date by single changes decides as one made afresh.
TEST(RunQueue, IsTheSameHoweverItCameAbout) {
  for (uint64_t trial = 0; trial < 200; ++trial) {
    const RandomWorld w = random_world(5'000 + trial);
    RunQueue queue;
    for (auto run = w.queue.rbegin(); run != w.queue.rend(); ++run) {
      QueuedRun other = *run;
      other.priority = 7;
      other.paused = false;
      other.slots = 9;
      queue.put(other);
      queue.put(queued("gone" + run->id, 1000 + run->position));
    }
    for (const QueuedRun& run : w.queue) queue.put(run), queue.erase("gone" + run.id);
    queue.advance(100);
    EXPECT_EQ(started(decide(w.input(queue))), started(decide(w.input(w.index()))));
  }
}

TEST(Decide, OnlyHeadsOfALongQueueAreLookedAt) {
  std::vector<QueuedRun> runs;
  for (int64_t i = 0; i < 20'000; ++i) runs.push_back(queued("q" + std::to_string(i), i));
  const Decision decision = decided({{"cpu", 1, 0}}, runs);
  EXPECT_EQ(started(decision), Ids{"q0@cpu"});
  EXPECT_TRUE(decision.passed_over.empty());
}

}  // namespace
}  // namespace bitsweep::schedule
