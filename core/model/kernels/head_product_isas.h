// The implementations of head_products.h by instruction set, of up to 32 queries. Only this room's .cpp files include
// it.
#pragma once

#include "kernels/head_products.h"
#include "kernels/intrinsics.h"

namespace bitsweep::kernels {

#ifdef BITSWEEP_INTRINSICS
void mix_keys_avx512(const float* w, int64_t room, int64_t first, int64_t queries, const float* rows, int64_t size,
                     float* out, int64_t out_step);
void mix_queries_avx512(const float* w, int64_t room, int64_t first, int64_t queries, const float* rows, int64_t size,
                        float* out, int64_t out_step);
#endif

}  // namespace bitsweep::kernels
