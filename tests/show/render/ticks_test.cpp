#include "render/ticks.h"

#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"

namespace bitsweep::render {
namespace {

using testing::ElementsAre;

std::vector<std::string> labels(const AxisTicks& axis) {
  std::vector<std::string> out;
  for (const Tick& tick : axis.ticks)
    if (!tick.label.empty()) out.push_back(tick.label);
  return out;
}

void expect_sound(const AxisTicks& axis, const std::string& what) {
  std::set<std::string> seen;
  double before = -HUGE_VAL;
  const double air = 1e-6 * (axis.high - axis.low);
  for (const Tick& tick : axis.ticks) {
    EXPECT_GT(tick.value, before) << what;
    EXPECT_GE(tick.value, axis.low - air) << what;
    EXPECT_LE(tick.value, axis.high + air) << what;
    if (!tick.label.empty()) {
      EXPECT_TRUE(seen.insert(tick.label).second) << what << ": '" << tick.label << "' twice";
    }
    before = tick.value;
  }
  EXPECT_GE(seen.size(), 2u) << what;
  EXPECT_LE(seen.size(), 20u) << what;
}

TEST(Ticks, LinearOnesAreRound) {
  EXPECT_THAT(labels(linear_ticks(0, 1, 5, TickFormat::plain)), ElementsAre("0", "0.2", "0.4", "0.6", "0.8", "1.0"));
  EXPECT_THAT(labels(linear_ticks(2.31, 4.02, 4, TickFormat::plain)), ElementsAre("2.5", "3.0", "3.5", "4.0"));
  EXPECT_THAT(labels(linear_ticks(-0.011, 0.012, 4, TickFormat::plain)),
              ElementsAre("−0.010", "−0.005", "0", "0.005", "0.010"));
  EXPECT_THAT(labels(linear_ticks(0, 4e6, 4, TickFormat::count)), ElementsAre("0", "1M", "2M", "3M", "4M"));
}

TEST(Ticks, LogarithmicOnesAreDecadesOrSimpleParts) {
  EXPECT_THAT(labels(log_ticks(1e5, 1e8, 5, TickFormat::count)), ElementsAre("100k", "1M", "10M", "100M"));
  EXPECT_THAT(labels(log_ticks(9e4, 1.2e6, 5, TickFormat::count)), ElementsAre("100k", "200k", "300k", "500k", "1M"));
  EXPECT_THAT(labels(log_ticks(1e12, 1e15, 5, TickFormat::power)), ElementsAre("10¹²", "10¹³", "10¹⁴", "10¹⁵"));
}

TEST(Ticks, ALogarithmicAxisOfLessThanADecadeStillHasLabels) {
  EXPECT_GE(labels(log_ticks(4.1e6, 4.4e6, 4, TickFormat::count)).size(), 2u);
  EXPECT_GE(labels(log_ticks(2e6, 4e6, 4, TickFormat::count)).size(), 2u);
}

TEST(Ticks, ManyDecadesAreThinnedOut) {
  const AxisTicks axis = log_ticks(1e-30, 1e30, 5, TickFormat::power);
  EXPECT_LE(labels(axis).size(), 8u);
  EXPECT_GE(labels(axis).size(), 2u);
}

TEST(Ticks, AreSoundForAnyRange) {
  for (uint64_t i = 0; i < 2000; ++i) {
    const double low = (random_unit(1, 1, i) - 0.5) * std::pow(10.0, 12 * random_unit(1, 2, i) - 4);
    const double high = low + std::pow(10.0, 12 * random_unit(1, 3, i) - 4);
    if (high - low < 1e-3 * std::abs(low)) continue;  // labels have room for three digits of difference
    expect_sound(linear_ticks(low, high, 5, TickFormat::plain),
                 "linear " + std::to_string(low) + " " + std::to_string(high));
    const double from = std::pow(10.0, 20 * random_unit(1, 4, i) - 6),
                 to = from * std::pow(10.0, 0.3 + 8 * random_unit(1, 5, i));
    expect_sound(log_ticks(from, to, 5, TickFormat::power), "log " + std::to_string(from) + " " + std::to_string(to));
  }
}

TEST(Ticks, AnEmptyRangeIsWidenedInsteadOfLoopingForEver) {
  for (const double value : {0.0, 1.0, -1e300, 1e17, 1e-310})
    EXPECT_GE(linear_ticks(value, value, 5, TickFormat::plain).ticks.size(), 2u) << value;
}

TEST(Ticks, ExtentsHaveAirAndAreNeverEmpty) {
  const Extent e = padded_extent(Scale::linear, 2, 4, 0.1);
  EXPECT_DOUBLE_EQ(e.low, 1.8);
  EXPECT_DOUBLE_EQ(e.high, 4.2);
  const Extent same = padded_extent(Scale::linear, 3, 3, 0.05);
  EXPECT_LT(same.low, 3);
  EXPECT_GT(same.high, 3);
  const Extent log = padded_extent(Scale::log, 1e6, 1e6, 0.05);
  EXPECT_LT(log.low, 1e6);
  EXPECT_GT(log.low, 0);
  EXPECT_GT(log.high, 1e6);
}

}  // namespace
}  // namespace bitsweep::render
