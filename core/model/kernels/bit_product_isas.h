// What the implementations of bit_products.h by instruction set share. Only this room's .cpp files include it.
#pragma once

#include <bit>

#include "kernels/bit_products.h"
#include "kernels/intrinsics.h"

namespace bitsweep::kernels {

inline constexpr int64_t kNibbles = 8;     // of a word
inline constexpr int64_t kFlushWords = 7;  // of which a byte can count the bits: 7 · 32 < 256

// Of two nibbles, how many bits differ: a nibble's table has 16 bytes.
struct NibbleTables {
  alignas(kLineBytes) uint8_t differ[16][16];
  constexpr NibbleTables() : differ() {
    for (unsigned a = 0; a < 16; ++a)
      for (unsigned b = 0; b < 16; ++b) differ[a][b] = static_cast<uint8_t>(std::popcount(a ^ b));
  }
};
inline constexpr NibbleTables kNibbleTables;

// A panel of w's nibbles as bytes, [nibble][column].
void fill_nibble_panel(const SignBits& w, int64_t first, uint8_t* panel);

#ifdef BITSWEEP_INTRINSICS
extern const BitProductKernels kBitProductsAvx2, kBitProductsAvx512, kBitProductsVpopcnt;
#endif

}  // namespace bitsweep::kernels
