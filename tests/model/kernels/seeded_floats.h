// Numbers to try kernels on, where no instruction set is chosen (each_isa.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace bitsweep::kernels {

// ~ N(0, 1).
inline std::vector<float> seeded_floats(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

}  // namespace bitsweep::kernels
