// Sums of a head's ±1 rows with the weights of a causal matrix, for heads as narrow as kNarrowSizes: a few registers
// hold a whole row, and keys without weight cost nothing. Wider heads take table_products.h.
#pragma once

#include <cstdint>

namespace bitsweep::kernels {

constexpr bool narrow_head(int64_t size) { return size == 16 || size == 32; }

// out[i, size] = Σ_{j <= first + i} w[i, j] · rows[j, size] for i in [0, queries): rows ±1 as floats, w [queries,
// room], room a multiple of 16. Of size 16, four sums take every fourth term in order, then (s0 + s1) + (s2 + s3); of
// 32, two.
void mix_keys(const float* w, int64_t room, int64_t first, int64_t queries, const float* rows, int64_t size, float* out,
              int64_t out_step);
// out[j, size] += Σ_{i, j <= first + i} w[i, j] · rows[first + i, size] for all keys j < first + queries; likewise.
void mix_queries(const float* w, int64_t room, int64_t first, int64_t queries, const float* rows, int64_t size,
                 float* out, int64_t out_step);

}  // namespace bitsweep::kernels
