// How old a checkpoint is where clocks are set: nothing young is deleted for it.
#include "coordinate/checkpoint_policy.h"

#include <gtest/gtest.h>

namespace bitsweep::coordinate {
namespace {

constexpr double kDay_s = 86'400, kNow = 1.7e9;

StoredCheckpoint ended(double days_ago, std::optional<double> most_age_s) {
  return {
      .run = "a", .kind = "last", .file = "x", .bytes = 1, .since = kNow - days_ago * kDay_s, .most_age_s = most_age_s};
}

bool goes(const StoredCheckpoint& one, double now) {
  const CheckpointPolicy policy{.keep = {}, .older_than_s = 7 * kDay_s};
  return !to_delete({one}, policy, now).empty();
}

TEST(CheckpointPolicy, AClockSetAheadMakesNothingOld) {
  EXPECT_FALSE(goes(ended(1, 1 * kDay_s), kNow + 30 * kDay_s));
  EXPECT_TRUE(goes(ended(1, std::nullopt), kNow + 30 * kDay_s));  // of an earlier boot: nothing tells otherwise
  EXPECT_TRUE(goes(ended(8, 9 * kDay_s), kNow));
}

TEST(CheckpointPolicy, AClockSetBackMakesNothingOld) {
  EXPECT_FALSE(goes(ended(1, 1 * kDay_s), kNow - 30 * kDay_s));
  EXPECT_FALSE(goes(ended(-30, std::nullopt), kNow));  // it ended in the future
  EXPECT_EQ(age_s(ended(-30, std::nullopt), kNow), 0);
  EXPECT_FALSE(goes(ended(10, 0.5 * kDay_s), kNow));  // it ended while the clock was ten days late
}

TEST(CheckpointPolicy, ARunWithoutBestKeepsItsLast) {
  const std::vector<StoredCheckpoint> all = {
      {.run = "a", .kind = "last", .file = {}, .bytes = 5, .since = 1, .needed_by = ""},
      {.run = "b", .kind = "last", .file = {}, .bytes = 5, .since = 2, .needed_by = ""},
      {.run = "b", .kind = "best", .file = {}, .bytes = 5, .since = 2, .needed_by = ""}};
  EXPECT_THAT(to_delete(all, {}, 10), testing::ElementsAre(1));
  EXPECT_THAT(to_delete(all, {.keep = {"last"}}, 10), testing::ElementsAre(2));
  EXPECT_THAT(to_delete(all, {.keep = {}, .most_bytes = 10.0}, 10), testing::ElementsAre(0));
  EXPECT_THAT(to_delete(all, {.keep = {}, .most_bytes = 15.0}, 10), testing::IsEmpty());
}

}  // namespace
}  // namespace bitsweep::coordinate
