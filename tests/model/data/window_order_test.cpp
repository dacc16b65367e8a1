#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include <gmock/gmock.h>

#include "data/window_order.h"

namespace bitsweep::data {
namespace {

std::vector<uint64_t> starts_of(const WindowOrder& order, uint64_t seed, uint64_t first, size_t count) {
  std::vector<uint64_t> starts(count);
  order.starts(seed, first, starts);
  return starts;
}

// Where every index of [0, size) goes.
std::vector<uint64_t> images_of(const Permutation& permutation, uint64_t size) {
  std::vector<uint64_t> images(size);
  std::iota(images.begin(), images.end(), uint64_t{0});
  permutation.apply(images);
  return images;
}

TEST(Permutation, is_a_bijection_of_every_size) {
  for (uint64_t size = 1; size < 300; ++size) {
    std::vector<bool> seen(size);
    for (const uint64_t image : images_of(Permutation(size, 42, size), size)) {
      ASSERT_LT(image, size);
      ASSERT_FALSE(seen[image]);
      seen[image] = true;
    }
  }
}

TEST(Permutation, depends_on_seed_and_epoch) {
  const auto images = [](uint64_t seed, uint64_t epoch) { return images_of(Permutation(10'000, seed, epoch), 10'000); };
  const auto a = images(1, 0), b = images(2, 0), c = images(1, 1);
  EXPECT_EQ(a, images(1, 0));
  int same_seed = 0, same_epoch = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    same_seed += a[i] == b[i];
    same_epoch += a[i] == c[i];
  }
  EXPECT_LT(same_seed, 12);  // one is expected of two independent permutations
  EXPECT_LT(same_epoch, 12);
}

TEST(Permutation, spreads_neighbours_and_puts_every_value_everywhere) {
  constexpr uint64_t size = 5;
  std::map<std::pair<uint64_t, uint64_t>, int> images;
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    const auto gone = images_of(Permutation(size, seed, 0), size);
    for (uint64_t i = 0; i < size; ++i) ++images[{i, gone[i]}];
  }
  for (const auto& [pair, count] : images) EXPECT_NEAR(count, 1000, 150) << pair.first << " -> " << pair.second;
  const auto big = images_of(Permutation(100'000, 7, 0), 100'000);
  double ascending = 0, distance = 0;
  for (size_t i = 0; i + 1 < big.size(); ++i) {
    ascending += big[i + 1] > big[i];
    distance += std::abs(static_cast<double>(big[i + 1]) - static_cast<double>(big[i]));
  }
  EXPECT_NEAR(ascending / 1e5, 0.5, 0.01);
  EXPECT_NEAR(distance / 1e5 / 1e5, 1.0 / 3, 0.01);  // of two uniform numbers
}

TEST(WindowOrder, visits_every_window_once_an_epoch) {
  const std::vector<Segment> segments{{5, 1005}, {2000, 2070}, {3000, 3011}, {4000, 4010}, {5000, 9001}};
  const WindowOrder order(segments, 10);
  const auto per_epoch = static_cast<size_t>(order.windows_per_epoch());
  EXPECT_EQ(per_epoch, (99u - 1) + 6 + 1 + 0 + (400 - 1));
  for (uint64_t epoch = 0; epoch < 5; ++epoch) {
    auto starts = starts_of(order, 3, epoch * per_epoch, per_epoch);
    EXPECT_FALSE(std::is_sorted(starts.begin(), starts.end()));
    std::sort(starts.begin(), starts.end());
    for (size_t i = 0; i < starts.size(); ++i) {
      const auto segment =
          std::find_if(segments.begin(), segments.end(), [&](const Segment& s) { return starts[i] < s.end; });
      EXPECT_GE(starts[i], segment->begin);
      EXPECT_LE(starts[i] + 11, segment->end);
      if (i > 0 && starts[i - 1] >= segment->begin) {
        EXPECT_EQ(starts[i], starts[i - 1] + 10);
      }
    }
  }
}

TEST(WindowOrder, covers_every_byte_but_the_edges) {
  const WindowOrder order({{0, 100'000}}, 64);
  const auto per_epoch = static_cast<size_t>(order.windows_per_epoch());
  std::set<uint64_t> phases;
  for (uint64_t epoch = 0; epoch < 200; ++epoch) {
    const auto starts = starts_of(order, 9, epoch * per_epoch, per_epoch);
    phases.insert(*std::min_element(starts.begin(), starts.end()));
  }
  EXPECT_LE(*phases.rbegin(), 63u);
  EXPECT_GT(phases.size(), 50u);  // of 64 possible ones
}

TEST(WindowOrder, any_part_can_be_had_alone) {
  const WindowOrder order({{0, 5000}, {6000, 7000}}, 16);
  const auto all = starts_of(order, 11, 0, 2000);  // more than five epochs
  for (const size_t first : {0u, 1u, 371u, 372u, 373u, 1000u, 1999u})
    for (const size_t count : {1u, 64u, 700u}) {
      if (first + count > all.size()) continue;
      EXPECT_EQ(starts_of(order, 11, first, count),
                std::vector<uint64_t>(all.begin() + first, all.begin() + first + count));
    }
}

TEST(WindowOrder, goes_on_at_huge_indices) {
  const WindowOrder order({{0, 5000}}, 16);
  for (const uint64_t start : starts_of(order, 1, uint64_t{1} << 42, 100)) EXPECT_LE(start + 17, 5000u);
}

TEST(WindowOrder, one_window_is_enough) {
  const WindowOrder order({{7, 24}}, 16);
  EXPECT_EQ(order.windows_per_epoch(), 1);
  EXPECT_EQ(starts_of(order, 5, 0, 3), (std::vector<uint64_t>{7, 7, 7}));
}

// The order is part of what makes a run repeatable: a change of these numbers changes every result.
TEST(WindowOrder, golden) {
  const WindowOrder order({{0, 100'000}, {120'000, 400'000}}, 128);
  EXPECT_EQ(starts_of(order, 1, 0, 4), (std::vector<uint64_t>{291476, 392724, 347028, 382356}));
  EXPECT_EQ(starts_of(order, 2, 1'000'000, 2), (std::vector<uint64_t>{282841, 242393}));
}

}  // namespace
}  // namespace bitsweep::data
