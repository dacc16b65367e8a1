#include "kernels/quantized_rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "kernels/isa.h"
#include "kernels/quantized_row_isas.h"

namespace bitsweep::kernels {
namespace {

constexpr int64_t kPanel = 64;     // rows of an A that lies by columns, transposed at once
constexpr int64_t kAcross = 1024;  // of these rows whose magnitudes are found at once
constexpr int64_t kSumLanes = 8;   // of a sum of magnitudes
static_assert(kInt16SumTerms % kSumLanes == 0);

// What every 120 |q| may add up to before rounding: each rounding adds at most 1/2, and f32 errors of the sum and of
// the products with its inverse less than 1.
constexpr float kMostInt16 = 32767 - kInt16SumTerms / 2 - 1;
constexpr float kMostS6 = 31;
constexpr float kNoiseUnits = 256;
constexpr float kLeast = 1e-30f;  // below, the inverse is not finite
constexpr uint32_t kMagnitude = 0x7fffffff, kInfinityBits = 0x7f800000;

int64_t step_of(int64_t depth) { return rounded_up(depth, kSpan) + kSpan; }

// Wellons' "hash prospector" function (lowbias32).
BITSWEEP_INLINE uint32_t mix(uint32_t h) {
  h ^= h >> 16;
  h *= 0x7feb352du;
  h ^= h >> 15;
  h *= 0x846ca68bu;
  return h ^ h >> 16;
}
BITSWEEP_INLINE uint32_t row_key_of(uint64_t key, int64_t row) {
  return mix(mix(static_cast<uint32_t>(row) ^ static_cast<uint32_t>(key)) ^ static_cast<uint32_t>(key >> 32));
}
// Of the terms 64s + lane, and 16, 32 and 48 further on: a byte each, the least significant first.
BITSWEEP_INLINE uint32_t span_noise(uint32_t row_key, int64_t span, int64_t lane) {
  return mix(row_key + static_cast<uint32_t>(span * kNoiseLanes + lane) * kNoiseStep);
}

// Nearest, ties to even, for |x| < 2^22: the sum's last bit is 1.
BITSWEEP_INLINE int32_t nearest_integer(float x) {
  return std::bit_cast<int32_t>(x + 12582912.0f) - std::bit_cast<int32_t>(12582912.0f);
}
BITSWEEP_INLINE uint32_t magnitude_bits(float x) { return std::bit_cast<uint32_t>(x) & kMagnitude; }
BITSWEEP_INLINE void raise(uint32_t& most, float x) {
  const uint32_t magnitude = magnitude_bits(x);
  most = magnitude > most ? magnitude : most;
}

// Of a row with this magnitude (as bits, which order as the numbers do, with NaN above all).
RowRounding rounding_of(QuantizedKind kind, uint32_t magnitude, uint32_t key, float& scale) {
  const float most = std::bit_cast<float>(magnitude);
  scale = magnitude < kInfinityBits ? 0.0f : std::numeric_limits<float>::quiet_NaN();
  if (magnitude >= kInfinityBits || most < kLeast) return {};
  const float top = kind == QuantizedKind::s6 ? kMostS6 : kMostInt16;
  scale = most / top;
  return {.factor = (kind == QuantizedKind::s6 ? kNoiseUnits * top : top) / most, .live = -1, .key = key};
}

// To `q` at last, which as bytes may alias anything, so that the loops are vectorized.
BITSWEEP_INLINE void round_span(const float* x, RowRounding row, int16_t* q) {
  int16_t out[kSpan];
  for (int64_t r = 0; r < kSpan; ++r) out[r] = static_cast<int16_t>(nearest_integer(x[r] * row.factor) & row.live);
  std::copy_n(out, kSpan, q);
}
BITSWEEP_INLINE void round_span(const float* x, RowRounding row, int64_t span, int8_t* q) {
  uint32_t noise[kNoiseLanes];
  int32_t wide[kSpan];
  int8_t out[kSpan];
  for (int64_t l = 0; l < kNoiseLanes; ++l) noise[l] = span_noise(row.key, span, l);
#pragma GCC unroll 4
  for (int b = 0; b < 4; ++b) {
    for (int64_t l = 0; l < kNoiseLanes; ++l) {
      const int32_t u = static_cast<int32_t>(noise[l] >> (8 * b) & 255u);
      wide[b * kNoiseLanes + l] = (nearest_integer(x[b * kNoiseLanes + l] * row.factor) + u) >> 8 & row.live;
    }
  }
  for (int64_t r = 0; r < kSpan; ++r) out[r] = static_cast<int8_t>(wide[r]);
  std::copy_n(out, kSpan, q);
}

// `spans` spans of a row from `span`, whose terms x are. No part of its callers: within loops over rows its own are not
// vectorized.
BITSWEEP_CLONES void round_spans_plain(const float* x, const RowRounding& rounding, int64_t row, int64_t span,
                                       int64_t spans, const QuantizedRows& out) {
  if (out.kind() == QuantizedKind::int16) {
    for (int64_t s = 0; s < spans; ++s) round_span(x + s * kSpan, rounding, out.words(row) + (span + s) * kSpan);
  } else {
    for (int64_t s = 0; s < spans; ++s)
      round_span(x + s * kSpan, rounding, span + s, out.bytes(row) + (span + s) * kSpan);
  }
}

BITSWEEP_CLONES uint32_t largest_term_plain(const float* x, int64_t depth) {
  uint32_t lanes[kSumLanes] = {};
  int64_t r = 0;
  for (; r + kSumLanes <= depth; r += kSumLanes)
    for (int64_t l = 0; l < kSumLanes; ++l) raise(lanes[l], x[r + l]);
  for (; r < depth; ++r) raise(lanes[0], x[r]);
  return *std::max_element(lanes, lanes + kSumLanes);
}

using FourFloats [[gnu::vector_size(16)]] = float;

BITSWEEP_INLINE FourFloats load_four(const float* from) {
  FourFloats out;
  std::memcpy(&out, from, sizeof out);
  return out;
}

// to [kPanel][kSpan] is from [kSpan][kPanel] transposed, four by four: as a plain loop it takes twice as long as all
// the rest of the rounding.
void turn_plain(const float* from, int64_t from_step, float* to) {
  for (int64_t r = 0; r < kSpan; r += 4, from += 4 * from_step) {
    for (int64_t i = 0; i < kPanel; i += 4) {
      const FourFloats a = load_four(from + i), b = load_four(from + from_step + i);
      const FourFloats c = load_four(from + 2 * from_step + i), d = load_four(from + 3 * from_step + i);
      const FourFloats ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
      const FourFloats ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
      const FourFloats cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
      const FourFloats cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
      const FourFloats turned[4] = {
          __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5), __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
          __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5), __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
      for (int64_t p = 0; p < 4; ++p) std::memcpy(to + (i + p) * kSpan + r, &turned[p], sizeof(FourFloats));
    }
  }
}

// What the current instruction set has of its own.
struct RoundingKernels {
  void (*spans)(const float* x, const RowRounding& rounding, int64_t row, int64_t span, int64_t spans,
                const QuantizedRows& out) = round_spans_plain;
  uint32_t (*largest)(const float* x, int64_t depth) = largest_term_plain;
  void (*turn)(const float* from, int64_t from_step, float* to) = turn_plain;
};
RoundingKernels rounding_kernels() {
#ifdef BITSWEEP_INTRINSICS
  if (current_isa() >= Isa::avx512) return {round_spans_avx512, largest_term_avx512, turn_avx512};
#endif
  return {};
}

// The zeros behind a row's last span.
void end_row(const QuantizedRows& out, int64_t row) {
  const int64_t end = rounded_up(out.depth(), kSpan);
  if (out.kind() == QuantizedKind::int16)
    std::fill_n(out.words(row) + end, kSpan, int16_t{0});
  else
    std::fill_n(out.bytes(row) + end, kSpan, int8_t{0});
}

// The sum of the lanes in pairs, for `width` rows: lanes [kSumLanes][width].
BITSWEEP_INLINE void raise_to_sums(float* lanes, int64_t width, uint32_t* magnitudes) {
  for (int64_t half = kSumLanes / 2; half > 0; half /= 2)
    for (int64_t i = 0; i < half * width; ++i) lanes[i] += lanes[half * width + i];
  for (int64_t i = 0; i < width; ++i) raise(magnitudes[i], lanes[i]);
}

BITSWEEP_INLINE uint32_t largest_sum(const float* x, int64_t depth) {
  uint32_t most = 0;
  for (int64_t block = 0; block < depth; block += kInt16SumTerms) {
    const int64_t end = std::min(block + kInt16SumTerms, depth);
    float lanes[kSumLanes] = {};
    int64_t r = block;
    for (; r + kSumLanes <= end; r += kSumLanes)
      for (int64_t l = 0; l < kSumLanes; ++l) lanes[l] += std::fabs(x[r + l]);
    for (int64_t l = 0; r < end; ++r, ++l) lanes[l] += std::fabs(x[r]);
    raise_to_sums(lanes, 1, &most);
  }
  return most;
}

// Rows whose terms are neighbours.
BITSWEEP_CLONES void quantize_along(const RoundingKernels& kernels, const FloatRows& a, uint64_t key,
                                    QuantizedRows& out, int64_t first, int64_t last) {
  const int64_t depth = out.depth();
  for (int64_t i = first; i < last; ++i) {
    const float* x = a.data + i * a.row_step;
    const uint32_t most = out.kind() == QuantizedKind::s6 ? kernels.largest(x, depth) : largest_sum(x, depth);
    const RowRounding rounding = rounding_of(out.kind(), most, row_key_of(key, i), out.scales()[i]);
    const int64_t spans = depth / kSpan;
    kernels.spans(x, rounding, i, 0, spans, out);
    if (spans * kSpan < depth) {
      float rest[kSpan] = {};
      std::copy(x + spans * kSpan, x + depth, rest);
      kernels.spans(rest, rounding, i, spans, 1, out);
    }
    end_row(out, i);
  }
}

// The same magnitudes of `rows` rows that are neighbours in a term, a term at a time; `x` is the first's, and lanes is
// room for kSumLanes · rows.
BITSWEEP_CLONES void magnitudes_across(const float* x, int64_t term_step, QuantizedKind kind, int64_t depth,
                                       int64_t rows, float* lanes, uint32_t* most) {
  std::fill_n(most, rows, 0u);
  if (kind == QuantizedKind::s6) {
    for (int64_t r = 0; r < depth; ++r)
      for (int64_t i = 0; i < rows; ++i) raise(most[i], x[r * term_step + i]);
    return;
  }
  for (int64_t block = 0; block < depth; block += kInt16SumTerms) {
    std::fill_n(lanes, kSumLanes * rows, 0.0f);
    for (int64_t r = block; r < std::min(block + kInt16SumTerms, depth); ++r) {
      float* lane = lanes + r % kSumLanes * rows;
      for (int64_t i = 0; i < rows; ++i) lane[i] += std::fabs(x[r * term_step + i]);
    }
    raise_to_sums(lanes, rows, most);
  }
}

// Rows [first, first + rows), at most kPanel; x is the first's first term.
void round_across(const RoundingKernels& kernels, const float* x, int64_t term_step, const RowRounding* roundings,
                  QuantizedRows& out, int64_t first, int64_t rows) {
  const int64_t depth = out.depth();
  alignas(kLineBytes) float turned[kPanel][kSpan];
  for (int64_t span = 0; span * kSpan < depth; ++span) {
    const int64_t terms = std::min(kSpan, depth - span * kSpan);
    const float* from = x + span * kSpan * term_step;
    if (terms < kSpan) std::fill_n(turned[0], kPanel * kSpan, 0.0f);
    if (terms == kSpan && rows == kPanel) {
      kernels.turn(from, term_step, turned[0]);
    } else {
      for (int64_t r = 0; r < terms; ++r)
        for (int64_t i = 0; i < rows; ++i) turned[i][r] = from[r * term_step + i];
    }
    for (int64_t i = 0; i < rows; ++i) kernels.spans(turned[i], roundings[i], first + i, span, 1, out);
  }
  for (int64_t i = 0; i < rows; ++i) end_row(out, first + i);
}

// Rows that are neighbours in a term, kAcross at a time.
void quantize_across(const RoundingKernels& kernels, const FloatRows& a, uint64_t key, QuantizedRows& out,
                     int64_t first, int64_t last) {
  thread_local Buffer<float> room;
  uint32_t most[kAcross];
  RowRounding roundings[kPanel];
  float* const lanes = room.at_least(kSumLanes * kAcross);
  for (int64_t begin = first; begin < last; begin += kAcross) {
    const int64_t end = std::min(begin + kAcross, last);
    magnitudes_across(a.data + begin, a.term_step, out.kind(), out.depth(), end - begin, lanes, most);
    for (int64_t i = begin; i < end; i += kPanel) {
      const int64_t rows = std::min(kPanel, end - i);
      for (int64_t p = 0; p < rows; ++p)
        roundings[p] = rounding_of(out.kind(), most[i - begin + p], row_key_of(key, i + p), out.scales()[i + p]);
      round_across(kernels, a.data + i, a.term_step, roundings, out, i, rows);
    }
  }
}

}  // namespace

void QuantizedRows::shape(QuantizedKind kind, int64_t rows, int64_t depth) {
  if (depth > kMostQuantizedDepth) throw std::length_error("more terms than rounded products can sum");
  kind_ = kind;
  rows_ = rows;
  depth_ = depth;
  step_ = step_of(depth);
  scales_.at_least(rows);
  if (kind == QuantizedKind::int16)
    words_.at_least(rows * step_);
  else
    bytes_.at_least(rows * step_);
}

int64_t QuantizedRows::memory(QuantizedKind kind, int64_t rows, int64_t depth) {
  const int64_t of_term = kind == QuantizedKind::int16 ? 2 : 1;
  return rows * (static_cast<int64_t>(sizeof(float)) + of_term * step_of(depth));
}

void round_rows(const FloatRows& a, uint64_t key, QuantizedRows& out, int64_t first, int64_t last) {
  const RoundingKernels kernels = rounding_kernels();
  if (a.term_step == 1)
    quantize_along(kernels, a, key, out, first, last);
  else
    quantize_across(kernels, a, key, out, first, last);
}

uint32_t rounding_noise(uint64_t key, int64_t row, int64_t term) {
  const uint32_t noise = span_noise(row_key_of(key, row), term / kSpan, term % kNoiseLanes);
  return noise >> (8 * (term % kSpan / kNoiseLanes)) & 255u;
}

}  // namespace bitsweep::kernels
