// Products of rounded rows with a ±1 matrix by look-up: table_products.h with tables of small integers.
//
//   C[i, j] = (or +=) scale[i] · Σ_r q[i, r] · S[r, j]          q [rows, depth], S ±1 [depth, columns], C f32
//
// The sums are exact integers, so their order does not matter: a result is the same bits whatever the instruction set,
// the cut and the neighbours. One multiplication of float(sum) and one addition (add) round. A row whose scale is NaN
// gives NaN throughout.
//
// AVX2 looks three terms up for 16 columns (vpshufb on pairs of bytes; 6 bits: two threes, added by vpmaddubsw),
// AVX-512 five (vpermw), and with VBMI and VNNI four times four of 6 bits (vpermb and vpdpbusd).
#pragma once

#include <cstdint>

#include "kernels/quantized_index.h"
#include "kernels/quantized_rows.h"

namespace bitsweep::kernels {

// `index` is of a's kind and depth.
struct QuantizedProduct {
  const QuantizedRows* a = nullptr;
  const QuantizedIndex* index = nullptr;
  float* c = nullptr;  // [rows, columns]
  int64_t c_step = 0;  // from row to row
  bool add = false;    // to what C has
};

// Rows [first, last) of C; of `a` it reads these rows alone. A thread keeps 64 KB of room.
void quantized_product_rows(const QuantizedProduct& product, int64_t first, int64_t last);

// What an instruction set does for four rows and the terms of a depth block: their tables from their integers, and
// then the sums of blocks of 32 columns.
inline constexpr int64_t kQuantizedRows = 4;
inline constexpr int64_t kMostTableBytes = 16384;

// Terms of a depth block, whole entries of each form: s6, as many as 16-bit sums hold (160 times six of 31); int16, two
// such sums, as the way from 16 to 32 bits costs something.
constexpr int64_t quantized_depth_block(QuantizedKind kind) {
  return kind == QuantizedKind::int16 ? 2 * kInt16SumTerms : 960;
}
static_assert(kInt16SumTerms % terms_of_entry(IndexForm::triples16) == 0);
static_assert(kInt16SumTerms % terms_of_entry(IndexForm::fives16) == 0);
static_assert(quantized_depth_block(QuantizedKind::s6) % terms_of_entry(IndexForm::triples8) == 0);
static_assert(quantized_depth_block(QuantizedKind::s6) % terms_of_entry(IndexForm::fours8) == 0);

struct QuantizedTile {
  const uint8_t* tables = nullptr;  // of `entries` entries
  int64_t entries = 0;
  const uint8_t* index = nullptr;  // the first entry of the first block of columns
  int64_t index_step = 0;          // in bytes, from block to block
  int64_t blocks = 0;
  int32_t* sums = nullptr;  // [kQuantizedRows][32 · blocks]
  int64_t sums_step = 0;    // from row to row
  bool add = false;         // to what sums has
};

struct QuantizedKernels {
  // Tables of `entries` entries from the terms of each row (int16_t or int8_t); up to 8 terms further are read.
  void (*build)(const void* const rows[kQuantizedRows], int64_t entries, uint8_t* tables);
  void (*tile)(const QuantizedTile& tile);
};
QuantizedKernels quantized_kernels(QuantizedKind kind, Isa isa);

}  // namespace bitsweep::kernels
