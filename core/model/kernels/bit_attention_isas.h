// The implementations of bit_attention.h by instruction set. Only this room's .cpp files include it.
#pragma once

#include "kernels/bit_attention.h"
#include "kernels/intrinsics.h"

namespace bitsweep::kernels {

#ifdef BITSWEEP_INTRINSICS
void bit_scores_avx2(const SignBits& queries, int64_t t, const SignBits& keys, int64_t count, int64_t size, float* out);
void bit_scores_vpopcnt(const SignBits& queries, int64_t t, const SignBits& keys, int64_t count, int64_t size,
                        float* out);
#endif

}  // namespace bitsweep::kernels
