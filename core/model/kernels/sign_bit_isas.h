// The parts of sign_bits.h that are written for an instruction set. Only this room's .cpp files include it.
#pragma once

#include "kernels/intrinsics.h"
#include "kernels/sign_bits.h"

namespace bitsweep::kernels {

#ifdef BITSWEEP_INTRINSICS
void pack_row_avx512(const float* row, SignBits& out, int64_t r);
void transpose_signs_avx512(const SignBits& in, SignBits& out, int64_t first, int64_t last);
#endif

}  // namespace bitsweep::kernels
