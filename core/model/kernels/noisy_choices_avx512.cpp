// noisy_rows_avx2.cpp's choices with sixteen keys a register and sixteen queries at a time; and the best keys of a
// query.
#include <algorithm>
#include <bit>

#include "kernels/noisy_lanes_avx512.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX512

namespace bitsweep::kernels {
namespace {

constexpr float kCut = 0.8f;  // below the best bound of a row: keys with one there are looked at first

// Bounds of row i, which is query t's; returns the largest of each lane. Without noise, a key's z is its own.
template <bool kNoisy>
BITSWEEP_AVX512_INLINE __m512 bound_keys(const NoisyRows& rows, int64_t i, int64_t t) {
  const float* z = rows.z + i * rows.step;
  const uint32_t* bits = rows.bits + i * rows.step;
  __m512 most = numbers(-kInfinity);
  for (int64_t j = 0, keys = grouped_keys(t); j < keys; j += kLanes) {
    __m512 bounds = _mm512_loadu_ps(z + j);
    if constexpr (kNoisy) bounds = bounds_of(bounds, bits + j);
    _mm512_storeu_ps(rows.bounds + i * rows.step + j, bounds);
    most = _mm512_max_ps(most, bounds);
  }
  return most;
}

// Appends the places of a row's keys whose bounds exceed `limit`; returns how many there are then.
BITSWEEP_AVX512_INLINE int64_t append(const NoisyRows& rows, int64_t i, int64_t t, float limit, int64_t count) {
  const __m512 least_bound = numbers(limit);
  __m512i places = _mm512_add_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                                    integers(static_cast<int>(i * rows.step)));
  for (int64_t j = 0, keys = grouped_keys(t); j < keys; j += kLanes) {
    const __mmask16 above =
        _mm512_cmp_ps_mask(_mm512_loadu_ps(rows.bounds + i * rows.step + j), least_bound, _CMP_GT_OQ);
    _mm512_storeu_si512(rows.candidate_key + count, _mm512_maskz_compress_epi32(above, places));
    count += std::popcount(static_cast<uint32_t>(above));
    places = _mm512_add_epi32(places, integers(kLanes));
  }
  return count;
}

// z of candidates [0, count), with their noise where there is some.
template <bool kNoisy>
void take_candidates(int64_t count, const NoisyRows& rows) {
  constexpr int kWide = 4;
  __m512i bits[kWide];
  __m512 noise[kWide], z[kWide];
  for (int64_t begin = 0; begin < count; begin += kWide * kLanes) {
#pragma GCC unroll 4
    for (int g = 0; g < kWide; ++g) {
      const int64_t at = begin + g * kLanes;
      const __m512i places = _mm512_maskz_mov_epi32(first_lanes(std::max<int64_t>(count - at, 0)),
                                                    _mm512_loadu_si512(rows.candidate_key + at));
      if constexpr (kNoisy) bits[g] = _mm512_i32gather_epi32(places, rows.bits, 4);
      z[g] = _mm512_castsi512_ps(_mm512_i32gather_epi32(places, rows.z, 4));
    }
    if constexpr (kNoisy) gumbel(bits, noise);
#pragma GCC unroll 4
    for (int g = 0; g < kWide; ++g) {
      if constexpr (kNoisy) z[g] = _mm512_add_ps(z[g], noise[g]);
      _mm512_storeu_ps(rows.candidate_z + begin + g * kLanes, z[g]);
    }
  }
}

// Of candidates [begin, end), row i's.
BITSWEEP_AVX512_INLINE BestKey best_of(const NoisyRows& rows, int64_t i, int64_t begin, int64_t end) {
  BestKey best;
  for (int64_t c = begin; c < end; c += kLanes) {
    const __mmask16 live = first_lanes(end - c);
    const __m512 sums = _mm512_loadu_ps(rows.candidate_z + c);
    const __m512 values =
        _mm512_mask_mov_ps(numbers(-kInfinity), live, _mm512_mul_ps(sums, numbers(rows.rule->inverse_tau)));
    const float top = greatest(values);
    const uint32_t equal = _mm512_cmp_ps_mask(values, numbers(top), _CMP_EQ_OQ) & live;
    if (equal == 0 || !(top >= best.top)) continue;
    const int64_t at = c + std::bit_width(equal) - 1;
    best = {.top = top,
            .limit = rows.candidate_z[at] - kSafeMargin,
            .key = rows.candidate_key[at] - static_cast<int32_t>(i * rows.step)};
  }
  return best;
}

// Of each lane, how many others are greater.
BITSWEEP_AVX512_INLINE __m512i ranks_of(__m512 x) {
  __m512i ranks = _mm512_setzero_si512();
  __m512i turn = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#pragma GCC unroll 15
  for (int i = 1; i < kLanes; ++i) {
    turn = _mm512_add_epi32(turn, integers(1));  // of which four bits count
    const __mmask16 less = _mm512_cmp_ps_mask(x, _mm512_permutexvar_ps(turn, x), _CMP_LT_OQ);
    ranks = _mm512_mask_sub_epi32(ranks, less, ranks, integers(-1));
  }
  return ranks;
}

// A number that at least `keys` bounds of a row reach, from the largest of each lane; −∞ where lanes are too few.
BITSWEEP_AVX512_INLINE float reached(__m512 most, int64_t keys) {
  if (keys > kLanes) return -kInfinity;
  const __mmask16 best = _mm512_cmpgt_epi32_mask(integers(static_cast<int>(keys)), ranks_of(most));
  return least(_mm512_mask_mov_ps(numbers(kInfinity), best, most));
}

// The best of candidates [begin, end) of row i, as best_of_row has them, with z less the largest in p; returns what a
// bound must exceed to matter.
float best_of_many(const NoisyRows& rows, int64_t i, int64_t t, int64_t begin, int64_t end, int64_t keys,
                   int32_t* index, float* p) {
  const float limit = best_candidates(rows, static_cast<int32_t>(i * rows.step), t, begin, end, keys, index, p);
  const float best = p[0];
  for (int64_t r = 0; r < keys; ++r) p[r] -= best;
  return limit;
}

// The same of at most a register of them, and of `keys` or more.
float best_of_few(const NoisyRows& rows, int64_t i, int64_t t, int64_t begin, int64_t end, int64_t keys, int32_t* index,
                  float* p) {
  const float* sums = rows.candidate_z + begin;
  const int32_t* places = rows.candidate_key + begin;
  const __m512 values = _mm512_mask_mov_ps(numbers(-kInfinity), first_lanes(end - begin),
                                           _mm512_mul_ps(_mm512_loadu_ps(sums), numbers(rows.rule->inverse_tau)));
  alignas(kLineBytes) float of_lane[kLanes];
  _mm512_store_ps(of_lane, values);
  const __m512i ranks = ranks_of(values);
  int64_t last = 0;
  for (int64_t r = 0; r < keys;) {
    // Equals have one rank, and the most recent of them is first.
    uint32_t equal = _mm512_cmpeq_epi32_mask(ranks, integers(static_cast<int>(r))) & first_lanes(end - begin);
    if (equal == 0) return best_of_many(rows, i, t, begin, end, keys, index, p);  // what is no number has no rank
    do {
      last = std::bit_width(equal) - 1;
      p[r] = of_lane[last];
      index[r] = places[last] - static_cast<int32_t>(i * rows.step);
      equal ^= uint32_t{1} << last;
      ++r;
    } while (equal != 0 && r < keys);
  }
  const float best = p[0];
  for (int64_t r = 0; r < keys; ++r) p[r] -= best;
  return sums[last] - kSafeMargin;
}

BITSWEEP_AVX512_INLINE float best_of_candidates(const NoisyRows& rows, int64_t i, int64_t t, int64_t begin, int64_t end,
                                                int64_t keys, int32_t* index, float* p) {
  if (end - begin >= keys && end - begin <= kLanes) return best_of_few(rows, i, t, begin, end, keys, index, p);
  return best_of_many(rows, i, t, begin, end, keys, index, p);
}

// e^x of p, and their sums' shares, of queries [first, first + queries).
void weigh_best(int64_t first, int64_t queries, int64_t keys, float* p) {
  for (int64_t at = 0, count = queries * keys; at < count; at += kLanes) {
    const __mmask16 live = first_lanes(count - at);
    __m512 x[1] = {_mm512_maskz_loadu_ps(live, p + at)};
    exponential(x);
    _mm512_mask_storeu_ps(p + at, live, x[0]);
  }
  for (int64_t i = 0; i < queries; ++i, p += keys) {
    const int64_t alive = std::min(first + i + 1, keys);
    float sum = 0;
    for (int64_t r = 0; r < alive; ++r) sum += p[r];
    for (int64_t r = 0; r < alive; ++r) p[r] /= sum;
  }
}

template <bool kNoisy>
void choose_top(const NoisyRows& rows, int64_t keys, int32_t* index, float* p) {
  constexpr float kMargin = kNoisy ? kCut : kSafeMargin;  // without noise, what is reached is
  for (int64_t first = 0; first < rows.head->context; first += kNoisyRows) {
    const int64_t queries = std::min(kNoisyRows, rows.head->context - first);
    if constexpr (kNoisy) bits_of_rows(rows, first, queries);
    int64_t begin[kNoisyRows + 1] = {};
    float cut[kNoisyRows], limit[kNoisyRows];
    __m512 most[kNoisyRows];
    for (int64_t i = 0; i < queries; ++i) {
      rows.score(rows, first + i, rows.z + i * rows.step);
      most[i] = bound_keys<kNoisy>(rows, i, first + i);
    }
    for (int64_t i = 0; i < queries; ++i) cut[i] = reached(most[i], keys) - kMargin;
    for (int64_t i = 0; i < queries; ++i) begin[i + 1] = append(rows, i, first + i, cut[i], begin[i]);
    take_candidates<kNoisy>(begin[queries], rows);
    int32_t* of_rows = index + first * keys;
    float* weights = p + first * keys;
    for (int64_t i = 0; i < queries; ++i)
      limit[i] =
          best_of_candidates(rows, i, first + i, begin[i], begin[i + 1], keys, of_rows + i * keys, weights + i * keys);
    for (int64_t i = 0; i < queries; ++i) {
      if (!(limit[i] < cut[i])) continue;
      bound_keys<kNoisy>(rows, i, first + i);
      const int64_t count = append(rows, i, first + i, limit[i], 0);
      take_candidates<kNoisy>(count, rows);
      best_of_candidates(rows, i, first + i, 0, count, keys, of_rows + i * keys, weights + i * keys);
    }
    weigh_best(first, queries, keys, weights);
  }
}

}  // namespace

void choose_noisy_avx512(const NoisyRows& rows, int32_t* choice, float* top) {
  for (int64_t first = 0; first < rows.head->context; first += kNoisyRows) {
    const int64_t queries = std::min(kNoisyRows, rows.head->context - first);
    bits_of_rows(rows, first, queries);
    int64_t begin[kNoisyRows + 1] = {};
    float cut[kNoisyRows];
    __m512 most[kNoisyRows];
    for (int64_t i = 0; i < queries; ++i) {
      rows.score(rows, first + i, rows.z + i * rows.step);
      most[i] = bound_keys</*kNoisy=*/true>(rows, i, first + i);
    }
    for (int64_t i = 0; i < queries; ++i) cut[i] = greatest(most[i]) - kCut;
    for (int64_t i = 0; i < queries; ++i) begin[i + 1] = append(rows, i, first + i, cut[i], begin[i]);
    take_candidates</*kNoisy=*/true>(begin[queries], rows);
    BestKey best[kNoisyRows];
    for (int64_t i = 0; i < queries; ++i) best[i] = best_of(rows, i, begin[i], begin[i + 1]);
    for (int64_t i = 0; i < queries; ++i) {
      if (best[i].limit < cut[i]) {  // seldom: a key that was not looked at may be better
        bound_keys</*kNoisy=*/true>(rows, i, first + i);
        const int64_t count = append(rows, i, first + i, best[i].limit, 0);
        take_candidates</*kNoisy=*/true>(count, rows);
        best[i] = best_of(rows, i, 0, count);
      }
      choice[first + i] = best[i].key;
      top[first + i] = best[i].top;
    }
  }
}

void choose_top_noisy_avx512(const NoisyRows& rows, int64_t keys, int32_t* index, float* p) {
  if (rows.rule->noisy) return choose_top<true>(rows, keys, index, p);
  choose_top<false>(rows, keys, index, p);
}

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
