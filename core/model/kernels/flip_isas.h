// The parts of flips.h that are written for an instruction set. Only this room's .cpp files include it.
#pragma once

#include "base/simd.h"
#include "kernels/flips.h"
#include "kernels/intrinsics.h"

namespace bitsweep::kernels {

inline constexpr int64_t kFlipWord = 64;  // weights of a word of bits
// Columns whose squares a row sums up in its lanes, and whose numbers are drawn at once.
inline constexpr int64_t kFlipColumns = 1024;

#ifdef BITSWEEP_INTRINSICS
void square_sums_avx2(const float* gradient, int64_t columns, int64_t first, int64_t last, float* of_rows,
                      float* of_columns);
void square_sums_avx512(const float* gradient, int64_t columns, int64_t first, int64_t last, float* of_rows,
                        float* of_columns);
int64_t flip_rows_avx2(const FlipUpdate& update, int64_t first, int64_t last, Twister* votes, Twister* levels);
int64_t flip_rows_avx512(const FlipUpdate& update, int64_t first, int64_t last, Twister* votes, Twister* levels);
#endif

}  // namespace bitsweep::kernels
