#include "kernels/head_products.h"

#include <cstring>

#include "kernels/head_product_isas.h"
#include "kernels/isa.h"
#include "kernels/lanes.h"

namespace bitsweep::kernels {
namespace {

constexpr int64_t kEight = 8, kSumRegisters = 8;

typedef float Eight __attribute__((vector_size(kEight * sizeof(float))));

BITSWEEP_INLINE void load(const float* from, Eight& to) { std::memcpy(&to, from, sizeof to); }
BITSWEEP_INLINE void store(const Eight& from, float* to) { std::memcpy(to, &from, sizeof from); }

// Sums side by side, as many as fit into the registers.
template <int64_t Parts>
constexpr int64_t kSums = kSumRegisters / Parts;

template <int64_t Parts>
BITSWEEP_INLINE void add_up(const Eight (&sums)[kSums<Parts>][Parts], int64_t part, Eight& sum) {
  if constexpr (kSums<Parts> == 4) {
    sum = (sums[0][part] + sums[1][part]) + (sums[2][part] + sums[3][part]);
  } else {
    sum = sums[0][part] + sums[1][part];
  }
}

// Adds w[k · step] · rows[k] for k in [0, count), count a multiple of the number of sums, each of Parts parts.
template <int64_t Parts>
BITSWEEP_INLINE void add_terms(const float* w, int64_t step, const float* rows, int64_t count,
                               Eight (&sums)[kSums<Parts>][Parts]) {
  for (int64_t k = 0; k < count; k += kSums<Parts>) {
#pragma GCC unroll 4
    for (int64_t s = 0; s < kSums<Parts>; ++s) {
      const Eight weight = w[(k + s) * step] - Eight{};
#pragma GCC unroll 4
      for (int64_t part = 0; part < Parts; ++part) {
        Eight row;
        load(rows + ((k + s) * Parts + part) * kEight, row);
        sums[s][part] += row * weight;
      }
    }
  }
}

template <int64_t Parts>
BITSWEEP_INLINE void clear(Eight (&sums)[kSums<Parts>][Parts]) {
#pragma GCC unroll 4
  for (int64_t s = 0; s < kSums<Parts>; ++s)
#pragma GCC unroll 4
    for (int64_t part = 0; part < Parts; ++part) sums[s][part] = Eight{};
}

template <int64_t Parts>
BITSWEEP_INLINE void mix_keys_of(const float* w, int64_t room, int64_t first, int64_t queries, const float* rows,
                                 float* out, int64_t out_step) {
  for (int64_t i = 0; i < queries; ++i) {
    const float* weights = w + i * room;
    Eight sums[kSums<Parts>][Parts];
    clear<Parts>(sums);
    // Behind the query all is 0, up to whole groups.
    for (int64_t j = 0; j <= first + i; j += kLanes) {
      int32_t weighs = 0;
#pragma GCC unroll 1  // unrolled, it would not be vectorized
      for (int64_t l = 0; l < kLanes; ++l) weighs += weights[j + l] != 0.0f;
      if (weighs > 0) add_terms<Parts>(weights + j, 1, rows + j * Parts * kEight, kLanes, sums);
    }
#pragma GCC unroll 4
    for (int64_t part = 0; part < Parts; ++part) {
      Eight sum;
      add_up<Parts>(sums, part, sum);
      store(sum, out + i * out_step + part * kEight);
    }
  }
}

template <int64_t Parts>
BITSWEEP_INLINE void mix_queries_of(const float* w, int64_t room, int64_t first, int64_t queries, const float* rows,
                                    float* out, int64_t out_step) {
  const int64_t whole = queries / kSums<Parts> * kSums<Parts>;
  const float* of_block = rows + first * Parts * kEight;
  for (int64_t j = 0; j < first + queries; ++j) {
    // Queries before key j have no weight there; whole groups of four are begun with.
    const int64_t begin = j > first ? (j - first) / kSums<Parts> * kSums<Parts> : 0;
    Eight sums[kSums<Parts>][Parts];
    clear<Parts>(sums);
    add_terms<Parts>(w + begin * room + j, room, of_block + begin * Parts * kEight, whole - begin, sums);
#pragma GCC unroll 4
    for (int64_t part = 0; part < Parts; ++part) {
      Eight sum, row;
      add_up<Parts>(sums, part, sum);
      for (int64_t i = whole; i < queries; ++i) {
        load(of_block + (i * Parts + part) * kEight, row);
        sum += row * (w[i * room + j] - Eight{});
      }
      load(out + j * out_step + part * kEight, row);
      store(row + sum, out + j * out_step + part * kEight);
    }
  }
}

BITSWEEP_CLONES void mix_keys_plain(const float* w, int64_t room, int64_t first, int64_t queries, const float* rows,
                                    int64_t size, float* out, int64_t out_step) {
  if (size == 16) return mix_keys_of<2>(w, room, first, queries, rows, out, out_step);
  mix_keys_of<4>(w, room, first, queries, rows, out, out_step);
}

BITSWEEP_CLONES void mix_queries_plain(const float* w, int64_t room, int64_t first, int64_t queries, const float* rows,
                                       int64_t size, float* out, int64_t out_step) {
  if (size == 16) return mix_queries_of<2>(w, room, first, queries, rows, out, out_step);
  mix_queries_of<4>(w, room, first, queries, rows, out, out_step);
}

}  // namespace

void mix_keys(const float* w, int64_t room, int64_t first, int64_t queries, const float* rows, int64_t size, float* out,
              int64_t out_step) {
#ifdef BITSWEEP_INTRINSICS
  if (current_isa() >= Isa::avx512) return mix_keys_avx512(w, room, first, queries, rows, size, out, out_step);
#endif
  mix_keys_plain(w, room, first, queries, rows, size, out, out_step);
}

void mix_queries(const float* w, int64_t room, int64_t first, int64_t queries, const float* rows, int64_t size,
                 float* out, int64_t out_step) {
#ifdef BITSWEEP_INTRINSICS
  if (current_isa() >= Isa::avx512) return mix_queries_avx512(w, room, first, queries, rows, size, out, out_step);
#endif
  mix_queries_plain(w, room, first, queries, rows, size, out, out_step);
}

}  // namespace bitsweep::kernels
