// Kernels are tested once for every instruction set that this machine has, or that is emulated.
#pragma once

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/isa.h"
#include "kernels/sign_bits.h"

namespace bitsweep::kernels {

class EachIsa : public testing::TestWithParam<Isa> {
 protected:
  EachIsa() : isa_(GetParam()) {}

  SignBits random_signs(int64_t rows, int64_t columns) {
    SignBits bits(rows, columns);
    std::vector<float> values(static_cast<size_t>(rows * columns));
    for (float& value : values) value = random_() & 1 ? 1.0f : -1.0f;
    pack_signs(values.data(), bits, 0, rows);
    return bits;
  }

  std::vector<float> random_floats(int64_t count, float sd = 1) {
    std::normal_distribution<float> normal(0, sd);
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) value = normal(random_);
    return values;
  }

  int64_t random_size(int64_t most) { return 1 + static_cast<int64_t>(random_() % static_cast<uint64_t>(most)); }

  std::mt19937_64 random_{20};

 private:
  WithIsa isa_;
};

inline std::string isa_test_name(const testing::TestParamInfo<Isa>& info) {
  constexpr const char* kNames[] = {"Plain", "Avx2", "Avx512", "Avx512Vpopcnt"};
  return kNames[static_cast<size_t>(info.param)];
}

// 1 or −1.
inline int sign_at(const SignBits& bits, int64_t row, int64_t column) { return bits.negative(row, column) ? -1 : 1; }

inline bool same_bits(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0; }

#define BITSWEEP_FOR_EACH_ISA(SUITE) \
  INSTANTIATE_TEST_SUITE_P(On, SUITE, testing::ValuesIn(available_isas()), isa_test_name)

}  // namespace bitsweep::kernels
