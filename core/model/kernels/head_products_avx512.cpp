// head_products.h with sixteen numbers a register, several rows of weights at a time. The same sums in the same order:
// what is multiplied is ±1, so that a multiply-add rounds as two steps would; and weights of 0 are left out, as no sum
// is −0.
#include <algorithm>

#include "kernels/head_product_isas.h"
#include "kernels/lanes.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX512

namespace bitsweep::kernels {
namespace {

constexpr int kRowsAtOnce = 4;
constexpr int64_t kMostQueries = 32;

// Sums side by side, as head_products.cpp has them.
template <int Parts>
constexpr int kSums = Parts == 1 ? 4 : 2;

template <int Parts>
struct Sums {
  __m512 of[kSums<Parts>][Parts];

  inline __attribute__((always_inline)) void clear() {
#pragma GCC unroll 4
    for (int s = 0; s < kSums<Parts>; ++s)
#pragma GCC unroll 2
      for (int part = 0; part < Parts; ++part) of[s][part] = _mm512_setzero_ps();
  }
  inline __attribute__((always_inline)) __m512 total(int part) const {
    const __m512 first = _mm512_add_ps(of[0][part], of[1][part]);
    if constexpr (Parts == 1) return _mm512_add_ps(first, _mm512_add_ps(of[2][part], of[3][part]));
    return first;
  }
};

inline __attribute__((always_inline)) __m512 with_sign(__m512 x, __m512 of) {
  const __m512i sign = _mm512_and_si512(_mm512_castps_si512(of), _mm512_set1_epi32(static_cast<int>(0x80000000u)));
  return _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(x), sign));
}

// Adds w[q · w_row + s · w_step] · rows[s] to the sums s of each q.
template <int Parts, int Rows>
inline __attribute__((always_inline)) void add_terms(const float* w, int64_t w_row, int64_t w_step, const float* rows,
                                                     Sums<Parts> (&sums)[Rows]) {
#pragma GCC unroll 4
  for (int s = 0; s < kSums<Parts>; ++s) {
    __m512 row[Parts];
#pragma GCC unroll 2
    for (int part = 0; part < Parts; ++part) row[part] = _mm512_loadu_ps(rows + (s * Parts + part) * kLanes);
#pragma GCC unroll 4
    for (int q = 0; q < Rows; ++q) {
      const __m512 weight = _mm512_set1_ps(w[q * w_row + s * w_step]);
#pragma GCC unroll 2
      for (int part = 0; part < Parts; ++part) {
        __m512& sum = sums[q].of[s][part];
        // The same by other ports than multiply-adds': the weight with the row's sign.
        sum = q == 3 ? _mm512_add_ps(sum, with_sign(weight, row[part])) : _mm512_fmadd_ps(row[part], weight, sum);
      }
    }
  }
}

inline __attribute__((always_inline)) bool weighs(const float* w) {
  return _mm512_cmp_ps_mask(_mm512_loadu_ps(w), _mm512_setzero_ps(), _CMP_NEQ_UQ) != 0;
}

// Of `Rows` queries, the last of which sees `keys` keys.
template <int Parts, int Rows>
void mix_keys_of(const float* w, int64_t room, int64_t keys, const float* rows, float* out, int64_t out_step) {
  Sums<Parts> sums[Rows];
#pragma GCC unroll 4
  for (int q = 0; q < Rows; ++q) sums[q].clear();
  for (int64_t j = 0; j < keys; j += kLanes) {
    bool any = false;
#pragma GCC unroll 4
    for (int q = 0; q < Rows; ++q) any |= weighs(w + q * room + j);
    if (!any) continue;
    for (int64_t k = j; k < j + kLanes; k += kSums<Parts>)
      add_terms<Parts, Rows>(w + k, room, 1, rows + k * Parts * kLanes, sums);
  }
#pragma GCC unroll 4
  for (int q = 0; q < Rows; ++q)
#pragma GCC unroll 2
    for (int part = 0; part < Parts; ++part) _mm512_storeu_ps(out + q * out_step + part * kLanes, sums[q].total(part));
}

template <int Parts>
void mix_keys_all(const float* w, int64_t room, int64_t first, int64_t queries, const float* rows, float* out,
                  int64_t out_step) {
  int64_t i = 0;
  for (; i + kRowsAtOnce <= queries; i += kRowsAtOnce)
    mix_keys_of<Parts, kRowsAtOnce>(w + i * room, room, first + i + kRowsAtOnce, rows, out + i * out_step, out_step);
  for (; i < queries; ++i) mix_keys_of<Parts, 1>(w + i * room, room, first + i + 1, rows, out + i * out_step, out_step);
}

// Groups of queries, a sum each.
struct LiveGroups {
  int32_t first[kMostQueries];
  int count = 0;
};

// Those of [0, whole) of which a row of weights has one that is not 0 among sixteen keys.
template <int Parts>
inline __attribute__((always_inline)) void find_live(const float* w, int64_t room, int64_t whole, LiveGroups& live) {
  live.count = 0;
  for (int64_t i = 0; i < whole; i += kSums<Parts>) {
    bool any = false;
#pragma GCC unroll 4
    for (int s = 0; s < kSums<Parts>; ++s) any |= weighs(w + (i + s) * room);
    live.first[live.count] = static_cast<int32_t>(i);
    live.count += any;
  }
}

// Of keys [j, j + kRowsAtOnce), of which there are `keys`; queries behind the last whole group come one by one.
template <int Parts>
inline __attribute__((always_inline)) void mix_queries_of(const float* w, int64_t room, int64_t whole, int64_t queries,
                                                          const LiveGroups& live, const float* rows, int64_t keys,
                                                          float* out, int64_t out_step) {
  Sums<Parts> sums[kRowsAtOnce];
#pragma GCC unroll 4
  for (int q = 0; q < kRowsAtOnce; ++q) sums[q].clear();
  for (int g = 0; g < live.count; ++g) {
    const int64_t i = live.first[g];
    add_terms<Parts, kRowsAtOnce>(w + i * room, 1, room, rows + i * Parts * kLanes, sums);
  }
#pragma GCC unroll 4
  for (int q = 0; q < kRowsAtOnce; ++q) {
    if (q >= keys) return;
#pragma GCC unroll 2
    for (int part = 0; part < Parts; ++part) {
      __m512 sum = sums[q].total(part);
      for (int64_t i = whole; i < queries; ++i) {
        const __m512 row = _mm512_loadu_ps(rows + (i * Parts + part) * kLanes);
        sum = _mm512_fmadd_ps(row, _mm512_set1_ps(w[i * room + q]), sum);
      }
      float* to = out + q * out_step + part * kLanes;
      _mm512_storeu_ps(to, _mm512_add_ps(_mm512_loadu_ps(to), sum));
    }
  }
}

template <int Parts>
void mix_queries_all(const float* w, int64_t room, int64_t first, int64_t queries, const float* rows, float* out,
                     int64_t out_step) {
  const float* of_block = rows + first * Parts * kLanes;
  const int64_t whole = queries / kSums<Parts> * kSums<Parts>;
  LiveGroups live;
  for (int64_t j = 0; j < first + queries; j += kLanes) {
    find_live<Parts>(w + j, room, whole, live);
    if (live.count == 0 && whole == queries) continue;
    for (int64_t k = j, end = std::min(j + kLanes, first + queries); k < end; k += kRowsAtOnce)
      mix_queries_of<Parts>(w + k, room, whole, queries, live, of_block, end - k, out + k * out_step, out_step);
  }
}

}  // namespace

void mix_keys_avx512(const float* w, int64_t room, int64_t first, int64_t queries, const float* rows, int64_t size,
                     float* out, int64_t out_step) {
  if (size == 16) return mix_keys_all<1>(w, room, first, queries, rows, out, out_step);
  mix_keys_all<2>(w, room, first, queries, rows, out, out_step);
}

void mix_queries_avx512(const float* w, int64_t room, int64_t first, int64_t queries, const float* rows, int64_t size,
                        float* out, int64_t out_step) {
  if (size == 16) return mix_queries_all<1>(w, room, first, queries, rows, out, out_step);
  mix_queries_all<2>(w, room, first, queries, rows, out, out_step);
}

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
