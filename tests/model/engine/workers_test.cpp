#include "engine/workers.h"

#include <gtest/gtest.h>

#include <mutex>

namespace bitsweep::engine {
namespace {

struct Range {
  int64_t first = 0, last = 0;
  bool operator<(const Range& other) const { return first < other.first; }
};

std::vector<Range> ranges_of(int64_t threads, int64_t count, int64_t step, int64_t work) {
  std::mutex mutex;
  std::vector<Range> ranges;
  in_ranges(threads, count, step, work, [&](int64_t first, int64_t last) {
    const std::lock_guard lock(mutex);
    ranges.push_back({first, last});
  });
  std::sort(ranges.begin(), ranges.end());
  return ranges;
}

TEST(InRanges, CoversAllOnceAtMultiplesOfTheStep) {
  for (const int64_t threads : {1, 2, 3, 7})
    for (const int64_t count : {0, 1, 31, 32, 33, 100, 4096})
      for (const int64_t step : {1, 16, 32})
        for (const int64_t work : {int64_t{0}, kLeastWork, 5 * kLeastWork, 1000 * kLeastWork}) {
          int64_t at = 0;
          for (const Range& range : ranges_of(threads, count, step, work)) {
            EXPECT_EQ(range.first, at);
            EXPECT_EQ(range.first % step, 0);
            EXPECT_GT(range.last, range.first);
            at = range.last;
          }
          EXPECT_EQ(at, count);
        }
}

TEST(InRanges, LeavesLittleWorkInOnePiece) {
  EXPECT_EQ(ranges_of(4, 1000, 1, kLeastWork).size(), 1u);
  EXPECT_EQ(ranges_of(4, 1000, 1, 2 * kLeastWork).size(), 2u);
}

TEST(InRanges, GivesEveryThreadAsManyRanges) {
  for (int64_t work = 4; work < 40; ++work) EXPECT_EQ(ranges_of(4, 1000, 1, work * kLeastWork).size() % 4, 0u) << work;
}

TEST(InRanges, MakesNoMoreRangesThanThereAreSteps) { EXPECT_EQ(ranges_of(4, 96, 32, 1000 * kLeastWork).size(), 3u); }

}  // namespace
}  // namespace bitsweep::engine
