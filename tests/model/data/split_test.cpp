#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>

#include "data/split.h"
#include "temp_folder.h"

namespace bitsweep::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

uint64_t total(const std::vector<Segment>& segments) {
  return std::accumulate(segments.begin(), segments.end(), uint64_t{0},
                         [](uint64_t sum, const Segment& s) { return sum + s.size(); });
}

// Every byte belongs to exactly one segment of one side.
void expect_partition(const Split& split, uint64_t bytes) {
  std::vector<Segment> all = split.train;
  all.insert(all.end(), split.val.begin(), split.val.end());
  std::sort(all.begin(), all.end(), [](const Segment& a, const Segment& b) { return a.begin < b.begin; });
  uint64_t at = 0;
  for (const Segment& segment : all) {
    EXPECT_EQ(segment.begin, at);
    EXPECT_GT(segment.end, segment.begin);
    at = segment.end;
  }
  EXPECT_EQ(at, bytes);
}

TEST(Split, is_disjoint_and_covers_the_corpus) {
  for (const uint64_t bytes : {2000u, 65'537u, 1'115'394u, 38'754'372u})
    for (const double fraction : {0.05, 0.1, 0.333, 0.5})
      for (const int64_t context : {1, 16, 30}) {
        const Split split = split_corpus(bytes, fraction, context);
        expect_partition(split, bytes);
        EXPECT_EQ(total(split.val), static_cast<uint64_t>(static_cast<double>(bytes) * fraction));
        EXPECT_LE(split.val.size(), 16u);
      }
}

TEST(Split, has_as_many_blocks_as_4096_bytes_fit_up_to_16) {
  EXPECT_EQ(split_corpus(100'000, 0.05, 64).val.size(), 1u);
  EXPECT_EQ(split_corpus(400'000, 0.05, 64).val.size(), 4u);
  EXPECT_EQ(split_corpus(100'000'000, 0.05, 64).val.size(), 16u);
}

TEST(Split, spreads_its_blocks_evenly) {
  const Split split = split_corpus(16'000'000, 0.05, 256);
  ASSERT_EQ(split.val.size(), 16u);
  for (size_t i = 0; i < 16; ++i) EXPECT_EQ(split.val[i], (Segment{i * 1'000'000 + 475'000, i * 1'000'000 + 525'000}));
}

TEST(Split, uses_fewer_blocks_where_a_window_would_not_fit) {
  EXPECT_EQ(split_corpus(1'000'000, 0.05, 8192).val.size(), 6u);
  EXPECT_EQ(split_corpus(1'000'000, 0.05, 45'000).val.size(), 1u);
}

TEST(Split, says_how_many_bytes_it_needs_and_is_right) {
  for (const double fraction : {0.01, 0.05, 0.3, 0.9})
    for (const int64_t context : {1, 8, 255, 1024}) {
      const std::string text = error_of([&] { split_corpus(1, fraction, context); }).what();
      EXPECT_THAT(text, HasSubstr("too short: 1 bytes"));
      std::string digits = text.substr(text.rfind("at least ") + 9);
      std::erase(digits, ',');
      const uint64_t needed = std::stoull(digits);
      EXPECT_NO_THROW(split_corpus(needed, fraction, context)) << text;
      EXPECT_THROW(split_corpus(needed - 1, fraction, context), Error) << text;
    }
}

TEST(Split, refuses_absurd_fractions_and_contexts) {
  for (const double fraction : {0.0, 1.0, -0.1, 2.0, std::nan(""), HUGE_VAL})
    EXPECT_THROW(split_corpus(1'000'000, fraction, 64), Error) << fraction;
  EXPECT_THROW(split_corpus(1'000'000, 0.05, 0), Error);
  EXPECT_THROW(split_corpus(1'000'000, 0.05, -5), Error);
  EXPECT_THROW(split_corpus(1'000'000, 0.05, INT64_MAX - 1), Error);
  EXPECT_THROW(split_corpus(0, 0.05, 64), Error);
  EXPECT_THROW(split_corpus(1000, 1e-300, 64), Error);
}

TEST(Split, separate_texts_are_taken_whole) {
  const Split split = split_separate(1000, 300, 64);
  EXPECT_THAT(split.train, ElementsAre(Segment{0, 1000}));
  EXPECT_THAT(split.val, ElementsAre(Segment{0, 300}));
}

TEST(Split, separate_texts_that_are_too_short_are_told_together) {
  const Error error = error_of([] { split_separate(10, 64, 64); });
  ASSERT_EQ(error.diagnostics().size(), 2u);
  EXPECT_THAT(error.what(),
              HasSubstr("the training text is too short: 10 bytes, but data.context 64 needs at least 65"));
  EXPECT_THAT(error.what(), HasSubstr("the validation text is too short: 64 bytes"));
}

TEST(ValidationWindows, do_not_overlap_and_stay_in_their_blocks) {
  const Split split = split_corpus(1'000'000, 0.05, 100);
  for (const int64_t wanted : {1, 7, 100, 256, 480, 10'000}) {
    const auto starts = validation_windows(split.val, 100, wanted);
    EXPECT_EQ(static_cast<int64_t>(starts.size()), std::min(wanted, count_validation_windows(split.val, 100)));
    for (size_t i = 0; i < starts.size(); ++i) {
      if (i > 0) {
        EXPECT_GE(starts[i], starts[i - 1] + 101);
      }
      EXPECT_TRUE(std::any_of(split.val.begin(), split.val.end(), [&](const Segment& block) {
        return block.begin <= starts[i] && starts[i] + 101 <= block.end;
      }));
    }
  }
}

TEST(ValidationWindows, are_evenly_chosen) {
  const std::vector<Segment> block{{1000, 2000}};
  EXPECT_THAT(validation_windows(block, 9, 4), ElementsAre(1120, 1370, 1620, 1870));
  EXPECT_THAT(validation_windows(block, 9, 0), ElementsAre());
}

TEST(Sample, takes_everything_up_to_the_limit) {
  const std::vector<Segment> segments{{0, 10}, {20, 50}};
  EXPECT_EQ(sample_segments(segments, 40, 4), segments);
}

TEST(Sample, cuts_pieces_at_the_borders_of_segments) {
  EXPECT_THAT(sample_segments({{0, 10}, {20, 50}}, 20, 4),
              ElementsAre(Segment{0, 5}, Segment{20, 25}, Segment{30, 35}, Segment{40, 45}));
  EXPECT_THAT(sample_segments({{0, 12}, {20, 48}}, 20, 4),
              ElementsAre(Segment{0, 5}, Segment{10, 12}, Segment{20, 23}, Segment{28, 33}, Segment{38, 43}));
}

}  // namespace
}  // namespace bitsweep::data
