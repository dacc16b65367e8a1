#include <algorithm>
#include <cstring>

#include "kernels/buffer.h"
#include "kernels/float_product_isas.h"
#include "kernels/table_product_isas.h"
#include "kernels/ternary_product_isas.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX2

namespace bitsweep::kernels {
namespace {

constexpr int kColumns = 4;
struct Sixteen {
  __m256 low, high;
};
inline __attribute__((always_inline)) Sixteen load(const float* from) {
  return {_mm256_load_ps(from), _mm256_load_ps(from + 8)};
}
inline __attribute__((always_inline)) void store(float* to, const Sixteen& x) {
  _mm256_store_ps(to, x.low);
  _mm256_store_ps(to + 8, x.high);
}
inline __attribute__((always_inline)) Sixteen load_any(const float* from) {
  return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)};
}
inline __attribute__((always_inline)) void store_any(float* to, const Sixteen& x) {
  _mm256_storeu_ps(to, x.low);
  _mm256_storeu_ps(to + 8, x.high);
}
inline __attribute__((always_inline)) Sixteen zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
inline __attribute__((always_inline)) Sixteen plus(const Sixteen& a, const Sixteen& b) {
  return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}
inline __attribute__((always_inline)) Sixteen minus(const Sixteen& a, const Sixteen& b) {
  return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
}
inline __attribute__((always_inline)) Sixteen negated(const Sixteen& a) {
  const __m256 minus = _mm256_set1_ps(-0.0f);
  return {_mm256_xor_ps(a.low, minus), _mm256_xor_ps(a.high, minus)};
}
inline __attribute__((always_inline)) Sixteen nothing_of(const Sixteen& a) {
  return {_mm256_mul_ps(a.low, _mm256_setzero_ps()), _mm256_mul_ps(a.high, _mm256_setzero_ps())};
}

inline void transpose(const float* from, int64_t from_step, int64_t rows, int64_t terms, float* to, int64_t to_step) {
  transpose_floats_avx2(from, from_step, rows, terms, to, to_step);
}

#include "kernels/rows_in_lanes.inc"

}  // namespace

void table_rows_avx2(const TableProduct& product, int64_t first, int64_t last) {
  rows_in_lanes<SignCodes>(lanes_of(product), first, last);
}

void ternary_rows_avx2(const TernaryProduct& product, int64_t first, int64_t last) {
  rows_in_lanes<TernaryCodes>(lanes_of(product), first, last);
}

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
