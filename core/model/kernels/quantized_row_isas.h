// The parts of quantized_rows.h that are written for an instruction set, and what they share with the loops. Only this
// room's .cpp files include it.
#pragma once

#include "base/simd.h"
#include "kernels/intrinsics.h"
#include "kernels/quantized_rows.h"

namespace bitsweep::kernels {

inline constexpr int64_t kSpan = 64;  // terms rounded at once: four bytes of noise of 16 lanes
inline constexpr int64_t kNoiseLanes = kSpan / 4;
inline constexpr uint32_t kNoiseStep = 0x9e3779b9u;  // from a lane's noise to the next one's

// How a row is rounded.
struct RowRounding {
  float factor = 0;
  int32_t live = 0;  // all bits, or none: then every q is 0
  uint32_t key = 0;
};

#ifdef BITSWEEP_INTRINSICS
// `spans` spans of a row from `span`, whose terms x are.
void round_spans_avx512(const float* x, const RowRounding& rounding, int64_t row, int64_t span, int64_t spans,
                        const QuantizedRows& out);
// The largest |x| of `depth` terms, as bits.
uint32_t largest_term_avx512(const float* x, int64_t depth);
// to [kSpan][kSpan] is from [kSpan][kSpan] transposed.
void turn_avx512(const float* from, int64_t from_step, float* to);
#endif

}  // namespace bitsweep::kernels
