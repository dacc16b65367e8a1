// Each update against a weight at a time.
#include "kernels/flips.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "model/kernels/each_isa.h"

namespace bitsweep::kernels {
namespace {

constexpr uint32_t kVoteSeed = 5, kLevelSeed = 6;

size_t place(int64_t at) { return static_cast<size_t>(at); }

// A matrix in training.
struct Trained {
  int64_t rows = 0, columns = 0;
  int bits = 8;
  std::vector<float> gradient, row_factor, column_factor;
  std::vector<uint64_t> weights;
  std::vector<uint8_t> counter;

  int64_t words() const { return (columns + 63) / 64; }
  int64_t row_bytes() const { return (columns * bits + 7) / 8; }
  bool positive(int64_t r, int64_t c) const { return weights[place(r * words() + c / 64)] >> (c % 64) & 1; }
  void flip(int64_t r, int64_t c) { weights[place(r * words() + c / 64)] ^= uint64_t{1} << (c % 64); }

  // The counter in levels; of 32 bits itself.
  float level(int64_t r, int64_t c) const {
    const uint8_t* row = counter.data() + r * row_bytes();
    if (bits == 4) return static_cast<float>((row[c / 2] >> 4 * (c % 2) & 15) - 8);
    if (bits == 8) return static_cast<float>(static_cast<int8_t>(row[c]));
    int16_t word;
    float number;
    std::memcpy(&word, row + 2 * c, sizeof word);
    if (bits == 16) return static_cast<float>(word);
    std::memcpy(&number, row + 4 * c, sizeof number);
    return number;
  }
  void set_level(int64_t r, int64_t c, float x) {
    uint8_t* row = counter.data() + r * row_bytes();
    if (bits == 32) {
      std::memcpy(row + 4 * c, &x, sizeof x);
      return;
    }
    const auto level = static_cast<int16_t>(x);
    if (bits == 4) {
      const int shift = static_cast<int>(4 * (c % 2));
      row[c / 2] = static_cast<uint8_t>((row[c / 2] & ~(15 << shift)) | (level + 8) << shift);
    } else {
      std::memcpy(row + bits / 8 * c, &level, place(bits / 8));
    }
  }
  FlipUpdate update(const FlipUpdate& rule) {
    FlipUpdate update = rule;
    update.gradient = gradient.data();
    update.row_factor = row_factor.data();
    update.column_factor = column_factor.data();
    update.bits = weights.data();
    update.counter = counter.data();
    update.columns = columns;
    update.state_bits = bits;
    return update;
  }
};

bool same_state(const Trained& a, const Trained& b) { return a.weights == b.weights && a.counter == b.counter; }

// std::mt19937's numbers as fractions.
class Fractions {
 public:
  explicit Fractions(uint32_t seed) : engine_(seed) {}
  float next() { return static_cast<float>(engine_() & 0xffffffu) * 0x1p-24f; }

 private:
  std::mt19937 engine_;
};

float vote_of(const FlipUpdate& rule, float gradient, float n, Fractions& votes) {
  if (rule.vote == FlipVote::sign) return rule.share * static_cast<float>(gradient > 0 ? 1 : gradient < 0 ? -1 : 0);
  return rule.vote == FlipVote::linear ? n * rule.share : std::floor(n + votes.next());
}

int64_t flip_slowly(const FlipUpdate& rule, Trained& of) {
  Fractions votes(kVoteSeed), levels(kLevelSeed);
  int64_t flipped = 0;
  for (int64_t r = 0; r < of.rows; ++r) {
    for (int64_t c = 0; c < of.columns; ++c) {
      const float g = of.gradient[place(r * of.columns + c)];
      const float n = g * of.row_factor[place(r)] * of.column_factor[place(c)];
      float s = of.bits == 32 ? of.level(r, c) : of.level(r, c) * rule.unit;
      const float kept = s * rule.keep;
      s = kept + vote_of(rule, g, n, votes);
      if (rule.vote == FlipVote::linear && s < rule.low) s = rule.low;
      if (rule.vote == FlipVote::linear && s > rule.high) s = rule.high;
      const float against = of.positive(r, c) != rule.turned ? s : -s;
      if (against > rule.above) {
        of.flip(r, c);
        ++flipped;
        if (rule.reset) s = 0;
      }
      if (of.bits < 32) {
        const float scaled = s * rule.per_unit, level = std::floor(scaled + levels.next());
        s = std::isnan(level) ? 0 : std::clamp(level, -rule.most, rule.most);
      }
      of.set_level(r, c, s);
    }
  }
  return flipped;
}

class Flips : public EachIsa {
 protected:
  // Random but for the padding, which is zeros of weights and a level 0 of half a byte.
  Trained random_matrix(int64_t rows, int64_t columns, int bits, const FlipUpdate& rule) {
    Trained made;
    made.rows = rows;
    made.columns = columns;
    made.bits = bits;
    made.gradient = random_floats(rows * columns);
    for (const auto& [factors, count] : {std::pair(&made.row_factor, rows), std::pair(&made.column_factor, columns)}) {
      *factors = random_floats(count);
      for (float& factor : *factors) factor = std::abs(factor) + 0.1f;
    }
    made.weights.resize(place(rows * made.words()));
    made.counter.assign(place(rows * made.row_bytes()), uint8_t{0x88});
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c) {
        if (random_() & 1) made.flip(r, c);
        const float fraction = static_cast<float>(random_() % 2001) / 1000 - 1;
        made.set_level(r, c, bits == 32 ? fraction * rule.unit * 10 : std::floor(fraction * rule.most));
      }
    }
    return made;
  }

  // As the five rules have it, of counters of so many bits.
  std::vector<FlipUpdate> rules(int bits) {
    const float most = bits == 32 ? 16777216.0f : static_cast<float>((1 << (bits - 1)) - 1);
    const auto rule = [&](FlipVote vote, float range) {
      return FlipUpdate{.vote = vote,
                        .low = -std::numeric_limits<float>::infinity(),
                        .high = std::numeric_limits<float>::infinity(),
                        .unit = range / most,
                        .per_unit = most / range,
                        .most = most};
    };
    FlipUpdate linear = rule(FlipVote::linear, 0.5f), rounded = rule(FlipVote::rounded, most),
               sign = rule(FlipVote::sign, 1), clamped = rule(FlipVote::linear, 1);
    linear.keep = rounded.keep = 0.98f;
    linear.share = 0.2f;
    linear.above = 0.16f;
    rounded.above = std::min(3.0f, most - 1);
    linear.reset = rounded.reset = true;
    sign.keep = 0.9f;
    sign.share = 0.1f;
    clamped.share = -0.3f;
    clamped.low = -1;
    clamped.high = 1;
    clamped.turned = true;
    return {linear, rounded, sign, clamped};
  }
};

TEST_P(Flips, AreThoseOfAWeightAtATime) {
  for (const int bits : {4, 8, 16, 32}) {
    for (const FlipUpdate& rule : rules(bits)) {
      for (const auto& [rows, columns] : {std::pair(1, 1), {3, 7}, {1, 64}, {5, 65}, {2, 127}, {67, 40}, {3, 1100}}) {
        Trained matrix = random_matrix(rows, columns, bits, rule), slow = matrix;
        Twister votes = seeded_twister(kVoteSeed), levels = seeded_twister(kLevelSeed);
        const int64_t flipped = flip_rows(matrix.update(rule), 0, rows, &votes, &levels);
        EXPECT_EQ(flipped, flip_slowly(rule, slow));
        ASSERT_TRUE(same_state(matrix, slow)) << bits << " bits, " << rows << " x " << columns;
        EXPECT_TRUE(rows * columns < 300 || (flipped > 0 && flipped < rows * columns));
      }
    }
  }
}

TEST_P(Flips, AreTheSameInParts) {
  for (const int bits : {4, 8}) {
    for (const FlipUpdate& rule : rules(bits)) {
      Trained whole = random_matrix(20, 333, bits, rule), parts = whole;
      Twister votes = seeded_twister(1), levels = seeded_twister(2);
      const int64_t flipped = flip_rows(whole.update(rule), 0, 20, &votes, &levels);
      int64_t in_parts = 0;
      for (const auto& [first, last] : {std::pair(13, 20), {0, 1}, {1, 13}}) {
        votes = seeded_twister(1);
        levels = seeded_twister(2);
        skip(votes, first * 333);
        skip(levels, first * 333);
        in_parts += flip_rows(parts.update(rule), first, last, &votes, &levels);
      }
      EXPECT_EQ(in_parts, flipped);
      ASSERT_TRUE(same_state(whole, parts));
    }
  }
}

TEST_P(Flips, NotANumberFlipsNothingAndInfinitySaturates) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinite = std::numeric_limits<float>::infinity();
  for (const int bits : {4, 8, 16, 32}) {
    for (const FlipUpdate& rule : rules(bits)) {
      Trained matrix = random_matrix(4, 70, bits, rule);
      for (const int64_t c : {0, 1, 33, 68}) matrix.gradient[place(c)] = kNan;
      for (const int64_t c : {2, 17, 69}) matrix.gradient[place(70 + c)] = kInfinite;
      matrix.gradient[place(140)] = -kInfinite;
      matrix.row_factor[3] = kNan;
      Trained slow = matrix;
      const Trained before = matrix;
      Twister votes = seeded_twister(kVoteSeed), levels = seeded_twister(kLevelSeed);
      EXPECT_EQ(flip_rows(matrix.update(rule), 0, 4, &votes, &levels), flip_slowly(rule, slow));
      if (rule.vote == FlipVote::sign) {
        EXPECT_TRUE(same_state(matrix, slow));
        continue;
      }
      for (int64_t r = 0; r < 4; ++r) {
        for (int64_t c = 0; c < 70; ++c) {
          const float level = matrix.level(r, c), expected = slow.level(r, c);
          ASSERT_TRUE(same_bits(level, expected) || (std::isnan(level) && std::isnan(expected))) << r << " " << c;
          if (!std::isnan(matrix.gradient[place(r * 70 + c)]) && r != 3) continue;
          EXPECT_EQ(matrix.positive(r, c), before.positive(r, c));
          EXPECT_TRUE(bits == 32 ? std::isnan(level) : level == 0);
        }
      }
      EXPECT_EQ(matrix.weights, slow.weights);
    }
  }
}

TEST_P(Flips, SquaresAreSummedByRowsAndColumns) {
  for (const auto& [rows, columns] :
       {std::pair(1, 1), {1, 70}, {70, 1}, {64, 64}, {65, 17}, {130, 1024}, {7, 1025}, {3, 3000}, {200, 33}}) {
    const std::vector<float> gradient = random_floats(rows * columns);
    const int64_t blocks = square_blocks(rows);
    std::vector<float> of_rows(place(rows), 9), of_columns(place(blocks * columns), 9);
    square_sums(gradient.data(), columns, 0, rows, of_rows.data(), of_columns.data());
    for (int64_t r = 0; r < rows; ++r) {
      double sum = 0;
      for (int64_t c = 0; c < columns; ++c) sum += std::pow(gradient[place(r * columns + c)], 2);
      EXPECT_NEAR(of_rows[place(r)], sum, 1e-5 * sum);
    }
    for (int64_t c = 0; c < columns; ++c) {
      for (int64_t b = 0; b < blocks; ++b) {
        float sum = 0;
        for (int64_t r = b * kSquareRows; r < std::min<int64_t>(rows, (b + 1) * kSquareRows); ++r)
          sum += gradient[place(r * columns + c)] * gradient[place(r * columns + c)];
        ASSERT_EQ(of_columns[place(b * columns + c)], sum);
      }
    }
    // In blocks, and by the loops of any CPU.
    const WithIsa plain(Isa::plain);
    std::vector<float> rows_again(of_rows.size()), columns_again(of_columns.size());
    for (int64_t b = blocks - 1; b >= 0; --b)
      square_sums(gradient.data(), columns, b * kSquareRows, std::min<int64_t>(rows, (b + 1) * kSquareRows),
                  rows_again.data(), columns_again.data());
    ASSERT_EQ(rows_again, of_rows);
    ASSERT_EQ(columns_again, of_columns);
  }
}

BITSWEEP_FOR_EACH_ISA(Flips);

TEST(Moments, FollowTheMeansOfParts) {
  const std::vector<float> sums{1, 2, 3, 4, 5, 6};  // three parts of two
  std::vector<float> means{10, 20};
  follow_means(sums.data(), 3, 2, 9, 0.5f, means.data());
  EXPECT_FLOAT_EQ(means[0], 5.5f);
  EXPECT_FLOAT_EQ(means[1], 10 + 0.5f * (12.0f / 9));
}

TEST(Moments, NothingHasALargeInverseRootAndNotANumberNone) {
  const std::vector<float> means{4, 0, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()};
  std::vector<float> out(4);
  inverse_roots(means.data(), 4, 0.25f, out.data());
  EXPECT_EQ(out[0], 0.25f);
  EXPECT_FLOAT_EQ(out[1], 1e15f);
  EXPECT_TRUE(std::isnan(out[2]));
  EXPECT_EQ(out[3], 0.0f);
  inverse_roots(means.data(), 2, 0, out.data());
  EXPECT_FLOAT_EQ(out[0], 5e-16f);
}

TEST(Twister, DrawsWhatTheStandardLibraryDoes) {
  Twister twister = seeded_twister(7);
  std::mt19937 standard(7);
  std::vector<float> drawn(2000);
  for (const int64_t count : {0, 1, 5, 617, 1, 624, 623, 625, 2000}) {
    draw_fractions(twister, count, drawn.data());
    for (int64_t i = 0; i < count; ++i)
      ASSERT_EQ(drawn[place(i)], static_cast<float>(standard() & 0xffffffu) * 0x1p-24f) << count << " " << i;
    skip(twister, count);
    standard.discard(static_cast<unsigned long long>(count));
  }
}

}  // namespace
}  // namespace bitsweep::kernels
