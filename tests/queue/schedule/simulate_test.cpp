#include "schedule/simulate.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace bitsweep::schedule {
namespace {

SimulatedRun run_of(const std::string& id, double seconds, double submitted = 0, int64_t slots = 1) {
  SimulatedRun run;
  run.run.id = id;
  run.run.slots = slots;
  run.run.predicted_s = seconds;
  run.seconds = seconds;
  run.submitted = submitted;
  return run;
}

TEST(Simulate, LongestFirstPacksWell) {
  const std::vector<DeviceSlots> devices = {{"cpu", 2, 0}};
  const std::vector<SimulatedRun> runs = {run_of("a", 1), run_of("b", 1), run_of("c", 1), run_of("d", 3)};
  const Simulation result = simulate(devices, runs);
  EXPECT_EQ(result.done, 4);
  EXPECT_DOUBLE_EQ(result.makespan_s, 3);
  EXPECT_DOUBLE_EQ(result.lower_bound_s, 3);
  EXPECT_DOUBLE_EQ(result.utilisation, 1);
  EXPECT_DOUBLE_EQ(result.longest_wait_s, 2);
}

TEST(Simulate, FaultsAreTriedAgainAndBasesWaitedFor) {
  const std::vector<DeviceSlots> devices = {{"cpu", 1, 0}};
  std::vector<SimulatedRun> runs = {run_of("base", 10), run_of("tuned", 10), run_of("hopeless", 2)};
  runs[0].faults = 1;
  runs[1].run.init_from = "base";
  runs[2].faults = 99;
  const Simulation result = simulate(devices, runs, {.retries = 2, .back_off_s = 5});
  EXPECT_EQ(result.done, 2);
  EXPECT_EQ(result.failed, 1);
  EXPECT_EQ(result.never_started, 0);
  EXPECT_GE(result.makespan_s, 5 + 5 + 10 + 10);
}

TEST(Simulate, WhatFitsNowhereIsNeverStarted) {
  const std::vector<DeviceSlots> devices = {{"cpu", 2, 100}};
  std::vector<SimulatedRun> runs = {run_of("wide", 1, 0, 3), run_of("fat", 1), run_of("late", 1, 50)};
  runs[1].run.memory_bytes = 101;
  const Simulation result = simulate(devices, runs);
  EXPECT_EQ(result.done, 1);
  EXPECT_EQ(result.never_started, 2);
  EXPECT_EQ(simulate(devices, {}).runs, 0);
}

// Random months: nothing is overcommitted, nobody is left, and the makespan keeps to list scheduling's bound.
TEST(Simulate, RandomMonths) {
  for (uint64_t trial = 0; trial < 20; ++trial) {
    std::vector<DeviceSlots> devices;
    const auto count = static_cast<int64_t>(1 + random_below(5, trial, 0, 6));
    for (int64_t i = 0; i < count; ++i) devices.push_back({"cuda:" + std::to_string(i), 2, 100});
    std::vector<SimulatedRun> runs;
    for (uint64_t i = 0; i < 300; ++i) {
      const auto dice = [&](uint64_t what, uint64_t below) {
        return static_cast<int64_t>(random_below(5, trial * 1000 + what, i, below));
      };
      SimulatedRun run = run_of("r" + std::to_string(i), static_cast<double>(1 + dice(1, 20)),
                                static_cast<double>(dice(2, 200)), 1 + dice(3, 2));
      run.run.sweep = std::string(1, static_cast<char>('a' + dice(4, 4)));
      run.run.priority = dice(5, 2);
      run.run.memory_bytes = dice(6, 100);
      runs.push_back(run);
    }
    const Simulation result = simulate(devices, runs);
    EXPECT_EQ(result.done, 300);
    EXPECT_EQ(result.overcommitted, 0);
    EXPECT_GE(result.makespan_s, result.lower_bound_s - 1e-9);
    EXPECT_LE(result.makespan_s, 2.5 * result.lower_bound_s + 20);
    const Simulation again = simulate(devices, runs);
    EXPECT_EQ(again.makespan_s, result.makespan_s);
    EXPECT_EQ(again.mean_wait_s, result.mean_wait_s);
  }
}

}  // namespace
}  // namespace bitsweep::schedule
