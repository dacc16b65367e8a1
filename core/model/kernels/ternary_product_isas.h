// What the implementations of ternary_products.h by instruction set share. Only this room's .cpp files include it.
#pragma once

#include "kernels/intrinsics.h"
#include "kernels/ternary_products.h"

namespace bitsweep::kernels {

#ifdef BITSWEEP_INTRINSICS
void ternary_rows_avx2(const TernaryProduct& product, int64_t first, int64_t last);
void ternary_rows_avx512(const TernaryProduct& product, int64_t first, int64_t last);
#endif

}  // namespace bitsweep::kernels
