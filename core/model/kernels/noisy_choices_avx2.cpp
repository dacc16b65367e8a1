// pruned_rows.h's choices with AVX2, eight queries at a time; and the best keys of a query, with noise and without.
#include <algorithm>
#include <bit>

#include "kernels/noisy_lanes_avx2.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX2

namespace bitsweep::kernels {
namespace {

constexpr float kCut = 1.0f;  // below the best bound of a row: keys with one there are looked at first

struct MostOfLanes {
  __m256 low, high;
};
float greatest(const MostOfLanes& most) { return greatest(_mm256_max_ps(most.low, most.high)); }

// Appends the keys of a row whose bounds exceed `limit`; returns how many there are then.
int64_t append(const float* z, const float* bounds, const uint32_t* bits, int64_t keys, float limit, int64_t count,
               const NoisyRows& to) {
  for (int64_t begin = 0; begin < keys; begin += kNoiseBlock) {
    uint64_t above = 0;
#pragma GCC unroll 8
    for (int64_t j = 0; j < kNoiseBlock; j += kEight) {
      const __m256 greater = _mm256_cmp_ps(_mm256_loadu_ps(bounds + begin + j), numbers(limit), _CMP_GT_OQ);
      above |= uint64_t{static_cast<uint32_t>(_mm256_movemask_ps(greater))} << j;
    }
    if (keys - begin < kNoiseBlock) above &= (uint64_t{1} << (keys - begin)) - 1;
    for (; above != 0; above &= above - 1, ++count) {
      const int64_t j = begin + std::countr_zero(above);
      to.candidate_bits[count] = bits[j];
      to.candidate_z[count] = z[j];
      to.candidate_key[count] = static_cast<int32_t>(j);
    }
  }
  return count;
}

// z and its noise of candidates [0, count), in place of z.
void add_noise(int64_t count, const NoisyRows& rows) {
  constexpr int kWide = 4;
  __m256i bits[kWide];
  __m256 noise[kWide];
  for (int64_t begin = 0; begin < count; begin += kWide * kEight) {
#pragma GCC unroll 4
    for (int g = 0; g < kWide; ++g)
      bits[g] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows.candidate_bits + begin + g * kEight));
    gumbel(bits, noise);
#pragma GCC unroll 4
    for (int g = 0; g < kWide; ++g) {
      float* z = rows.candidate_z + begin + g * kEight;
      _mm256_storeu_ps(z, _mm256_add_ps(_mm256_loadu_ps(z), noise[g]));
    }
  }
}

BestKey best_of(const NoisyRows& rows, int64_t begin, int64_t end) {
  BestKey best;
  for (int64_t c = begin; c < end; ++c) {
    const float sum = rows.candidate_z[c], value = sum * rows.rule->inverse_tau;
    if (value >= best.top) best = {.top = value, .limit = sum - kSafeMargin, .key = rows.candidate_key[c]};
  }
  return best;
}

// Scores and bounds of query t, which without noise are one; returns the largest bound of each lane.
template <bool kNoisy>
MostOfLanes bound_keys(const NoisyRows& rows, int64_t t, const uint32_t* bits) {
  score_row_of(rows, t, rows.z);
  MostOfLanes most{numbers(-kInfinity), numbers(-kInfinity)};
  for (int64_t j = 0, keys = grouped_keys(t); j < keys; j += kLanes) {
    const __m256 low = kNoisy ? bounds_of(rows.z + j, bits + j) : _mm256_loadu_ps(rows.z + j);
    const __m256 high =
        kNoisy ? bounds_of(rows.z + j + kEight, bits + j + kEight) : _mm256_loadu_ps(rows.z + j + kEight);
    _mm256_storeu_ps(rows.bounds + j, low);
    _mm256_storeu_ps(rows.bounds + j + kEight, high);
    most = {_mm256_max_ps(most.low, low), _mm256_max_ps(most.high, high)};
  }
  return most;
}

// A number that at least `keys` bounds of a row reach, from the largest of each lane; −∞ where lanes are too few.
float reached(const MostOfLanes& most, int64_t keys) {
  if (keys > kLanes) return -kInfinity;
  alignas(kLineBytes) float of_lane[kLanes];
  _mm256_store_ps(of_lane, most.low);
  _mm256_store_ps(of_lane + kEight, most.high);
  std::nth_element(of_lane, of_lane + keys - 1, of_lane + kLanes, [](float a, float b) { return a > b; });
  return of_lane[keys - 1];
}

// The softmax of query t's best, in place of their z.
void weigh_best(int64_t t, int64_t keys, float* p) {
  const int64_t alive = std::min(t + 1, keys);
  const float best = p[0];
  float sum = 0;
  for (int64_t r = 0; r < keys; ++r) p[r] = r < alive ? exp_nonpositive(p[r] - best) : 0.0f;
  for (int64_t r = 0; r < alive; ++r) sum += p[r];
  for (int64_t r = 0; r < alive; ++r) p[r] /= sum;
}

template <bool kNoisy>
void choose_top(const NoisyRows& rows, int64_t keys, int32_t* index, float* p) {
  constexpr float kMargin = kNoisy ? kCut : kSafeMargin;  // without noise, what is reached is
  for (int64_t first = 0; first < rows.head->context; first += kRowsAtOnce) {
    const int64_t queries = std::min(kRowsAtOnce, rows.head->context - first);
    if constexpr (kNoisy) bits_of_rows(rows, first, queries);
    int64_t begin[kRowsAtOnce + 1] = {};
    float cut[kRowsAtOnce], limit[kRowsAtOnce];
    const auto take = [&](int64_t i, float least, int64_t count) {
      return append(rows.z, rows.bounds, rows.bits + i * rows.step, grouped_keys(first + i), least, count, rows);
    };
    for (int64_t i = 0; i < queries; ++i) {
      cut[i] = reached(bound_keys<kNoisy>(rows, first + i, rows.bits + i * rows.step), keys) - kMargin;
      begin[i + 1] = take(i, cut[i], begin[i]);
    }
    if constexpr (kNoisy) add_noise(begin[queries], rows);
    int32_t* of_rows = index + first * keys;
    float* weights = p + first * keys;
    for (int64_t i = 0; i < queries; ++i)
      limit[i] = best_candidates(rows, /*first_place=*/0, first + i, begin[i], begin[i + 1], keys, of_rows + i * keys,
                                 weights + i * keys);
    for (int64_t i = 0; i < queries; ++i) {
      if (limit[i] < cut[i]) {
        bound_keys<kNoisy>(rows, first + i, rows.bits + i * rows.step);
        const int64_t count = take(i, limit[i], 0);
        if constexpr (kNoisy) add_noise(count, rows);
        best_candidates(rows, /*first_place=*/0, first + i, 0, count, keys, of_rows + i * keys, weights + i * keys);
      }
      weigh_best(first + i, keys, weights + i * keys);
    }
  }
}

}  // namespace

void choose_noisy_avx2(const NoisyRows& rows, int32_t* choice, float* top) {
  for (int64_t first = 0; first < rows.head->context; first += kRowsAtOnce) {
    const int64_t queries = std::min(kRowsAtOnce, rows.head->context - first);
    bits_of_rows(rows, first, queries);
    int64_t begin[kRowsAtOnce + 1] = {};
    float cut[kRowsAtOnce];
    for (int64_t i = 0; i < queries; ++i) {
      const uint32_t* bits = rows.bits + i * rows.step;
      cut[i] = greatest(bound_keys</*kNoisy=*/true>(rows, first + i, bits)) - kCut;
      begin[i + 1] = append(rows.z, rows.bounds, bits, grouped_keys(first + i), cut[i], begin[i], rows);
    }
    add_noise(begin[queries], rows);
    BestKey best[kRowsAtOnce];
    for (int64_t i = 0; i < queries; ++i) best[i] = best_of(rows, begin[i], begin[i + 1]);
    for (int64_t i = 0; i < queries; ++i) {
      if (best[i].limit < cut[i]) {  // seldom: a key that was not looked at may be better
        const uint32_t* bits = rows.bits + i * rows.step;
        bound_keys</*kNoisy=*/true>(rows, first + i, bits);
        const int64_t count = append(rows.z, rows.bounds, bits, grouped_keys(first + i), best[i].limit, 0, rows);
        add_noise(count, rows);
        best[i] = best_of(rows, 0, count);
      }
      choice[first + i] = best[i].key;
      top[first + i] = best[i].top;
    }
  }
}

void choose_top_noisy_avx2(const NoisyRows& rows, int64_t keys, int32_t* index, float* p) {
  if (rows.rule->noisy) return choose_top<true>(rows, keys, index, p);
  choose_top<false>(rows, keys, index, p);
}

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
