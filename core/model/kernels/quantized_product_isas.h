// The implementations of quantized_products.h by instruction set. Only this room's .cpp files include it.
//
// Their tables, by the form of the index: [entries][kQuantizedRows][8] of int16 (triples16), [entries][kQuantizedRows]
// [2][8] of int8 (triples8), [entries][3][kQuantizedRows][32] of int16 (fives16), [entries][kQuantizedRows][4][16] of
// int8 (fours8). Element e is Σ_t ±q_t, − where bit t of e is set.
#pragma once

#include "kernels/intrinsics.h"
#include "kernels/quantized_products.h"

namespace bitsweep::kernels {

#ifdef BITSWEEP_INTRINSICS
void build_triples16_avx2(const void* const rows[kQuantizedRows], int64_t entries, uint8_t* tables);
void build_triples8_avx2(const void* const rows[kQuantizedRows], int64_t entries, uint8_t* tables);
void triples16_tile_avx2(const QuantizedTile& tile);
void triples8_tile_avx2(const QuantizedTile& tile);

void build_fives16_avx512(const void* const rows[kQuantizedRows], int64_t entries, uint8_t* tables);
void fives16_tile_avx512(const QuantizedTile& tile);
void triples8_tile_avx512(const QuantizedTile& tile);

void build_fours8_vnni(const void* const rows[kQuantizedRows], int64_t entries, uint8_t* tables);
void fours8_tile_vnni(const QuantizedTile& tile);
#endif

}  // namespace bitsweep::kernels
