#include <cmath>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "schedule/replay.h"

namespace bitsweep::schedule {
namespace {

RunCurve curve(const std::string& id, const std::vector<double>& losses, int64_t every = 100) {
  RunCurve run{id, 1000, {}, false};
  for (double loss : losses) run.losses.push_back({static_cast<int64_t>(run.losses.size() + 1) * every, loss});
  return run;
}

StopVerdict verdict(const StopSettings& settings, const RunCurve& run, const std::vector<RunCurve>& others,
                    const Extrapolate& extrapolate = {}) {
  std::vector<const RunCurve*> peers;
  for (const RunCurve& other : others) peers.push_back(&other);
  return should_stop(settings, run, peers, extrapolate);
}

TEST(Asha, TheBestThirdOfARungGoesOn) {
  const StopSettings settings{.rule = StopRule::asha, .grace = 100, .reduction = 3};
  const std::vector<RunCurve> others = {curve("b", {2.0}), curve("c", {2.5})};
  EXPECT_FALSE(verdict(settings, curve("a", {1.9}), others).stop);
  const StopVerdict worse = verdict(settings, curve("a", {2.1}), others);
  EXPECT_TRUE(worse.stop);
  EXPECT_NE(worse.why.find("asha"), std::string::npos);
  EXPECT_FALSE(verdict(settings, curve("a", {9}), {others[0]}).stop);  // two cannot be thirded
  // Between rungs it is judged by what it had at the last one; better ones that have not come so far do not count.
  EXPECT_FALSE(verdict(settings, curve("a", {1.9, 3.0}), others).stop);
  EXPECT_TRUE(verdict(settings, curve("a", {2.1, 1.0}), others).stop);
}

TEST(Asha, NothingBeforeTheGraceNorAtTheEnd) {
  const StopSettings settings{.rule = StopRule::asha, .grace = 300, .reduction = 2};
  const std::vector<RunCurve> others = {curve("b", {1, 1, 1}), curve("c", {1, 1, 1})};
  EXPECT_FALSE(verdict(settings, curve("a", {9, 9}), others).stop);
  EXPECT_TRUE(verdict(settings, curve("a", {9, 9, 9}), others).stop);
  EXPECT_FALSE(verdict(settings, curve("a", {9, 9, 9}, 500), others).stop);  // it has reached 1,500 of 1,000
  EXPECT_FALSE(verdict(settings, curve("a", {}), others).stop);
}

TEST(Median, AboveTheMedianOfMeansIsStopped) {
  const StopSettings settings{.rule = StopRule::median, .grace = 200, .fewest = 3};
  const std::vector<RunCurve> others = {curve("b", {3, 1}), curve("c", {4, 2}), curve("d", {5, 3})};  // means 2, 3, 4
  EXPECT_FALSE(verdict(settings, curve("a", {5, 3}), others).stop);  // its best is not above 3
  EXPECT_TRUE(verdict(settings, curve("a", {5, 3.1}), others).stop);
  EXPECT_FALSE(verdict(settings, curve("a", {5}), others).stop);
  EXPECT_FALSE(verdict(settings, curve("a", {5, 9}), {others[0], others[1]}).stop);  // too few
  const std::vector<RunCurve> shorter = {others[0], others[1], curve("d", {5})};
  EXPECT_FALSE(verdict(settings, curve("a", {5, 9}), shorter).stop);
}

TEST(Curve, StopsWhenItWillNotMatter) {
  StopSettings settings{.rule = StopRule::curve, .grace = 200, .probability = 0.95};
  RunCurve best = curve("best", {2, 1.5});
  const auto ends_at = [](double loss, double sd) {
    return [=](const RunCurve&) { return std::optional(Extrapolation{loss, sd}); };
  };
  const RunCurve run = curve("a", {3, 2});
  EXPECT_FALSE(verdict(settings, run, {best}, ends_at(9, 0.1)).stop);  // nobody is done
  best.done = true;
  EXPECT_TRUE(verdict(settings, run, {best}, ends_at(1.7, 0.1)).stop);
  EXPECT_FALSE(verdict(settings, run, {best}, ends_at(1.6, 0.1)).stop);  // one sd above: 0.84
  EXPECT_FALSE(verdict(settings, run, {best}, [](const RunCurve&) { return std::nullopt; }).stop);
  EXPECT_FALSE(verdict(settings, run, {best}).stop);
  EXPECT_FALSE(verdict(settings, run, {best}, ends_at(NAN, 0.1)).stop);
  settings.probability = 0.8;
  EXPECT_TRUE(verdict(settings, run, {best}, ends_at(1.6, 0.1)).stop);
}

// 27 runs whose order at the end is their order all the way.
std::vector<RunCurve> parallel_curves() {
  std::vector<RunCurve> runs;
  for (int64_t i = 0; i < 27; ++i) {
    RunCurve run{"r" + std::to_string(i), 900, {}, false};
    for (int64_t step = 100; step <= 900; step += 100)
      run.losses.push_back(
          {step, 1 + static_cast<double>((i * 7) % 27) * 0.1 + 10 / std::sqrt(static_cast<double>(step))});
    runs.push_back(run);
  }
  return runs;
}

TEST(Replay, SavesWhereOrderIsPlainAndKillsNobodyWrongly) {
  const std::vector<RunCurve> runs = parallel_curves();
  const ReplayResult none = replay_stopping({}, runs, 4, {});
  EXPECT_EQ(none.runs, 27);
  EXPECT_EQ(none.stopped, 0);
  EXPECT_EQ(none.steps_saved, 0);
  EXPECT_EQ(none.steps, 27 * 900);
  for (const StopRule rule : {StopRule::asha, StopRule::median}) {
    const ReplayResult result = replay_stopping({.rule = rule, .grace = 100}, runs, 4, {});
    EXPECT_GT(result.stopped, 5);
    EXPECT_GT(result.steps_saved, 27 * 900 / 5);
    EXPECT_EQ(result.best_stopped, 0);
    EXPECT_EQ(result.regret, 0);
  }
}

TEST(Replay, SaysWhatWasKilledWrongly) {
  std::vector<RunCurve> runs = parallel_curves();
  runs.push_back({"late", 900, {}, false});
  for (int64_t step = 100; step <= 900; step += 100) runs.back().losses.push_back({step, step < 900 ? 20.0 : 0.5});
  const ReplayResult result = replay_stopping({.rule = StopRule::asha, .grace = 100}, runs, 4, {});
  EXPECT_EQ(result.best_stopped, 1);
  EXPECT_EQ(result.top, 2);
  EXPECT_EQ(result.top_stopped, 1);
  EXPECT_GT(result.regret, 0.5);
  EXPECT_EQ(replay_stopping({}, {}, 4, {}).runs, 0);
}

}  // namespace
}  // namespace bitsweep::schedule
