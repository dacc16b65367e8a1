#include <algorithm>
#include <cstring>

#include "kernels/buffer.h"
#include "kernels/float_product_isas.h"
#include "kernels/table_product_isas.h"
#include "kernels/ternary_product_isas.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX512

namespace bitsweep::kernels {
namespace {

constexpr int kColumns = 8;
using Sixteen = __m512;
inline __attribute__((always_inline)) Sixteen load(const float* from) { return _mm512_load_ps(from); }
inline __attribute__((always_inline)) void store(float* to, Sixteen x) { _mm512_store_ps(to, x); }
inline __attribute__((always_inline)) Sixteen load_any(const float* from) { return _mm512_loadu_ps(from); }
inline __attribute__((always_inline)) void store_any(float* to, Sixteen x) { _mm512_storeu_ps(to, x); }
inline __attribute__((always_inline)) Sixteen zero() { return _mm512_setzero_ps(); }
inline __attribute__((always_inline)) Sixteen plus(Sixteen a, Sixteen b) { return _mm512_add_ps(a, b); }
inline __attribute__((always_inline)) Sixteen minus(Sixteen a, Sixteen b) { return _mm512_sub_ps(a, b); }
inline __attribute__((always_inline)) Sixteen negated(Sixteen a) { return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f)); }
inline __attribute__((always_inline)) Sixteen nothing_of(Sixteen a) { return _mm512_mul_ps(a, _mm512_setzero_ps()); }

inline void transpose(const float* from, int64_t from_step, int64_t rows, int64_t terms, float* to, int64_t to_step) {
  transpose_floats_avx512(from, from_step, rows, terms, to, to_step);
}

#include "kernels/rows_in_lanes.inc"

}  // namespace

void table_rows_avx512(const TableProduct& product, int64_t first, int64_t last) {
  rows_in_lanes<SignCodes>(lanes_of(product), first, last);
}

void ternary_rows_avx512(const TernaryProduct& product, int64_t first, int64_t last) {
  rows_in_lanes<TernaryCodes>(lanes_of(product), first, last);
}

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
