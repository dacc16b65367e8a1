// MT19937 (Matsumoto, Nishimura 1998), the generator behind <random> and behind LibTorch's draws on the CPU, whole
// stretches of it at a time: the same numbers in the same order, on every instruction set.
#pragma once

#include <cstdint>

namespace bitsweep::kernels {

struct Twister {
  static constexpr int64_t kWords = 624;

  uint32_t words[kWords];
  int64_t used = kWords;  // of `words`; then they are made anew
};

// As std::mt19937(seed) begins.
Twister seeded_twister(uint32_t seed);

// Leaves the next `count` numbers out.
void skip(Twister& twister, int64_t count);

// out[0, count): the lower 24 bits of each of the next numbers as a fraction in [0, 1), which is what LibTorch's
// uniform_ makes of them in f32.
void draw_fractions(Twister& twister, int64_t count, float* out);

}  // namespace bitsweep::kernels
