// What the implementations of byte_products.h by instruction set share. Only this room's .cpp files include it.
#pragma once

#include "kernels/byte_products.h"
#include "kernels/intrinsics.h"

namespace bitsweep::kernels {

inline constexpr int64_t kMostByteTileRows = 12;
// Groups whose sums of two products, each up to 2 · 2 · 127, an int16 holds.
inline constexpr int64_t kShortGroups = 64;

#ifdef BITSWEEP_INTRINSICS
extern const ByteKernels kBytesAvx2, kBytesAvx512, kBytesVnni;
#endif

}  // namespace bitsweep::kernels
