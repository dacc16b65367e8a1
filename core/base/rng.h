// Counter-based random numbers: value i of a stream is a pure function of (key, i), so that any step of any run can be
// reproduced without replaying the ones before it.
//
// Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#pragma once

#include <array>
#include <cstdint>

namespace bitsweep {

// The Philox4x32-10 block function. Matches the published known-answer vectors.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// 64 uniform bits from (seed, stream, index).
uint64_t random_bits(uint64_t seed, uint64_t stream, uint64_t index);

// A uniform double in [0, 1) with 53 bits.
double random_unit(uint64_t seed, uint64_t stream, uint64_t index);

// A uniform integer in [0, bound), bound > 0; bias below 2^-64 * bound.
uint64_t random_below(uint64_t seed, uint64_t stream, uint64_t index, uint64_t bound);

// Which purpose a stream of a run's seed serves. Values are part of the on-disk contract: only append.
enum class Stream : uint64_t {
  init = 1,
  data = 2,
  noise = 3,
  sweep = 4,
  bootstrap = 5,
  stories = 6,
  induction = 7,
  probe = 8,
  shots = 9,
  questions = 10,
  mixture = 11
};

}  // namespace bitsweep
