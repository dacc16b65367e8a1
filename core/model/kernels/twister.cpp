#include "kernels/twister.h"

#include <algorithm>

#include "base/simd.h"

namespace bitsweep::kernels {
namespace {

constexpr int64_t kTwistWords = Twister::kWords, kTwistDistance = 397;

BITSWEEP_INLINE uint32_t twisted(uint32_t first, uint32_t second) {
  const uint32_t both = (first & 0x80000000u) | (second & 0x7fffffffu);
  return both >> 1 ^ ((0u - (second & 1u)) & 0x9908b0dfu);
}

// Every stretch reads what lies before or behind it by more than any vector is long.
BITSWEEP_CLONES void renew(uint32_t* words) {
  constexpr int64_t kRest = kTwistWords - kTwistDistance;
  for (int64_t i = 0; i < kRest; ++i) words[i] = words[i + kTwistDistance] ^ twisted(words[i], words[i + 1]);
  for (int64_t i = kRest; i < kTwistWords - 1; ++i) words[i] = words[i - kRest] ^ twisted(words[i], words[i + 1]);
  words[kTwistWords - 1] = words[kTwistDistance - 1] ^ twisted(words[kTwistWords - 1], words[0]);
}

BITSWEEP_CLONES void fractions_of(const uint32_t* words, int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i) {
    uint32_t y = words[i];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    y ^= y >> 18;
    out[i] = static_cast<float>(static_cast<int32_t>(y & 0xffffffu)) * 0x1p-24f;
  }
}

// f(words, count) for each stretch of the next `count` numbers that are made at once.
template <class F>
void take(Twister& twister, int64_t count, const F& f) {
  while (count > 0) {
    if (twister.used == kTwistWords) {
      renew(twister.words);
      twister.used = 0;
    }
    const int64_t taken = std::min(count, kTwistWords - twister.used);
    f(twister.words + twister.used, taken);
    twister.used += taken;
    count -= taken;
  }
}

}  // namespace

Twister seeded_twister(uint32_t seed) {
  Twister twister;
  twister.words[0] = seed;
  for (int64_t i = 1; i < kTwistWords; ++i) {
    const uint32_t before = twister.words[i - 1];
    twister.words[i] = 1812433253u * (before ^ before >> 30) + static_cast<uint32_t>(i);
  }
  return twister;
}

void skip(Twister& twister, int64_t count) {
  take(twister, count, [](const uint32_t*, int64_t) {});
}

void draw_fractions(Twister& twister, int64_t count, float* out) {
  take(twister, count, [&](const uint32_t* words, int64_t taken) {
    fractions_of(words, taken, out);
    out += taken;
  });
}

}  // namespace bitsweep::kernels
