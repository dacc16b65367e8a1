// The implementations of bit_products.h by instruction set. Only this room's .cpp files include it.
#pragma once

#include "kernels/bit_products.h"
#include "kernels/intrinsics.h"

namespace bitsweep::kernels {

#ifdef BITSWEEP_INTRINSICS
extern const BitProductKernels kBitProductsAvx2, kBitProductsAvx512, kBitProductsVpopcnt;
#endif

}  // namespace bitsweep::kernels
