#include "query/eta.h"

#include <gtest/gtest.h>

namespace bitsweep::query {
namespace {

RunRow run(const std::string& state, const std::string& plugin, int64_t params, int64_t step,
           std::optional<double> rate) {
  RunRow row;
  row.id = plugin + state;
  row.state = run_state_from(state).value();
  row.plugin = plugin;
  row.params = params;
  row.tokens = 1000;
  row.steps = 100;
  row.step = step;
  row.tokens_per_s = rate;
  return row;
}

TEST(Outlook, ALiveRunGoesOnAtItsOwnRate) {
  const RunRow live = run("running", "v57", 1000, 25, 10.0);
  EXPECT_DOUBLE_EQ(remaining_s(live, {live}).value(), 75.0);
}

TEST(Outlook, AQueuedRunTakesTheRateOfTheNearestSize) {
  const std::vector<RunRow> runs = {run("done", "v57", 1000, 100, 10.0), run("done", "v57", 8000, 100, 5.0),
                                    run("done", "llama", 2000, 100, 1.0), run("queued", "v57", 2000, 0, {})};
  EXPECT_DOUBLE_EQ(remaining_s(runs[3], runs).value(), 200.0);  // 10 tok/s at half the size
}

TEST(Outlook, AnUnmeasuredPluginIsNotGuessed) {
  const std::vector<RunRow> runs = {run("done", "v57", 1000, 100, 10.0), run("queued", "llama", 1000, 0, {})};
  EXPECT_FALSE(remaining_s(runs[1], runs).has_value());
  EXPECT_FALSE(remaining_total_s(runs, 1).has_value());
}

TEST(Outlook, EndedRunsTakeNoTime) {
  for (const char* state : {"done", "failed", "stopped", "cancelled"})
    EXPECT_EQ(remaining_s(run(state, "v57", 1000, 3, {}), {}).value(), 0);
  EXPECT_EQ(remaining_total_s({}, 0).value(), 0);
}

TEST(Outlook, SlotsShareTheWorkButNoRunIsSplit) {
  const std::vector<RunRow> runs = {run("running", "v57", 1000, 0, 10.0), run("queued", "v57", 1000, 0, {})};
  EXPECT_DOUBLE_EQ(remaining_total_s(runs, 1).value(), 200.0);
  EXPECT_DOUBLE_EQ(remaining_total_s(runs, 2).value(), 100.0);
  EXPECT_DOUBLE_EQ(remaining_total_s(runs, 8).value(), 100.0);
}

TEST(Outlook, ZeroStepsAndZeroRatesAreNoTrap) {
  RunRow odd = run("running", "v57", 0, 0, 0.0);
  odd.steps = 0;
  EXPECT_FALSE(remaining_s(odd, {odd}).has_value());
}

}  // namespace
}  // namespace bitsweep::query
