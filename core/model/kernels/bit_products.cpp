#include "kernels/bit_products.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/simd.h"
#include "kernels/bit_product_isas.h"

namespace bitsweep::kernels {
namespace {

// The end of p, as linear_end_rows computes it.
struct End {
  float depth, scale, threshold;
  float of(int64_t p) const { return (depth - 2.0f * static_cast<float>(p)) * scale - threshold; }
};

// The largest p of −1 … depth with at_most(p), which holds for all below one p and none above; at(p): where to look
// first.
template <class Holds>
int64_t last_where(int64_t depth, double near, const Holds& holds) {
  const double bounded = std::isfinite(near) ? std::clamp(near, -1.0, static_cast<double>(depth)) : -1.0;
  int64_t p = static_cast<int64_t>(bounded);
  while (p >= 0 && !holds(p)) --p;
  while (p < depth && holds(p + 1)) ++p;
  return p;
}

// Where the loops above would walk far: a threshold that is no number, or beyond all levels.
int64_t last_at_least(const End& end, int64_t depth, float bound) {
  if (!(end.of(0) >= bound)) return -1;  // none, and NaN
  const double near = (end.depth - (static_cast<double>(bound) + end.threshold) / end.scale) / 2;
  return last_where(depth, near, [&](int64_t p) { return end.of(p) >= bound; });
}

// The smallest p whose end is at most `bound`; depth + 1 where there is none.
int64_t first_at_most(const End& end, int64_t depth, float bound) {
  if (!(end.of(depth) <= bound)) return depth + 1;
  const double near = (end.depth - (static_cast<double>(bound) + end.threshold) / end.scale) / 2;
  return last_where(depth, near, [&](int64_t p) { return !(end.of(p) <= bound); }) + 1;
}

// f(row, rows, first column of the panel, counts) for every block of rows and every panel.
template <class F>
void for_each_count(const SignBits& x, const SignBits& w, int64_t first, int64_t last, const BitProductKernels& kernels,
                    const F& f) {
  thread_local Buffer<uint8_t> panel;
  alignas(kLineBytes) uint16_t counts[kPanelRows * kPanelColumns];
  panel.at_least(panel_bytes(x.words()));
  for (int64_t n = 0; n < w.rows(); n += kPanelColumns) {
    kernels.fill_panel(w, n, panel.data());
    for (int64_t m = first; m < last; m += kPanelRows) {
      const int64_t rows = std::min(kPanelRows, last - m);
      kernels.count(x, m, rows, panel.data(), counts);
      f(m, rows, n, counts);
    }
  }
}

// ---- plain ----

void fill_panel_plain(const SignBits& w, int64_t first, uint8_t* panel) {
  const int64_t columns = std::min(kPanelColumns, w.rows() - first);
  for (int64_t word = 0; word < w.words(); ++word, panel += kPanelColumns * sizeof(uint32_t)) {
    std::memset(panel, 0, kPanelColumns * sizeof(uint32_t));
    std::memcpy(panel, w.word(word) + first, static_cast<size_t>(columns) * sizeof(uint32_t));
  }
}

void count_plain(const SignBits& x, int64_t row, int64_t rows, const uint8_t* panel, uint16_t* counts) {
  std::fill_n(counts, rows * kPanelColumns, uint16_t{0});
  uint32_t words[kPanelColumns];
  for (int64_t word = 0; word < x.words(); ++word, panel += sizeof words) {
    std::memcpy(words, panel, sizeof words);
    for (int64_t r = 0; r < rows; ++r) {
      const uint32_t bits = x.word(word)[row + r];
      uint16_t* of_row = counts + r * kPanelColumns;
      for (int64_t n = 0; n < kPanelColumns; ++n)
        of_row[n] = static_cast<uint16_t>(of_row[n] + std::popcount(bits ^ words[n]));
    }
  }
}

void end_plain(const uint16_t* counts, const int16_t* sign_limit, const int16_t* low, const int16_t* high,
               uint32_t* sign, uint32_t* inside) {
  for (int64_t half = 0; half < kPanelColumns / kWordBits; ++half) {
    uint32_t negative = 0, within = 0;
    for (int64_t i = 0; i < kWordBits; ++i) {
      const int64_t n = half * kWordBits + i;
      const int32_t p = counts[n];
      negative |= static_cast<uint32_t>(p > sign_limit[n]) << i;
      within |= static_cast<uint32_t>(p >= low[n] && p <= high[n]) << i;
    }
    sign[half] = negative;
    inside[half] = within;
  }
}

constexpr BitProductKernels kPlain{fill_panel_plain, count_plain, end_plain};

BITSWEEP_CLONES void dots_of(const uint16_t* counts, float depth, float* out, int64_t columns) {
  for (int64_t n = 0; n < columns; ++n) out[n] = depth - 2.0f * static_cast<float>(counts[n]);
}

}  // namespace

BITSWEEP_CLONES void fill_nibble_panel(const SignBits& w, int64_t first, uint8_t* panel) {
  const int64_t columns = std::min(kPanelColumns, w.rows() - first);
  uint32_t words[kPanelColumns];
  for (int64_t word = 0; word < w.words(); ++word, panel += kNibbles * kPanelColumns) {
    std::memset(words, 0, sizeof words);
    std::memcpy(words, w.word(word) + first, static_cast<size_t>(columns) * sizeof(uint32_t));
    for (int64_t nibble = 0; nibble < kNibbles; ++nibble)
      for (int64_t n = 0; n < kPanelColumns; ++n)
        panel[nibble * kPanelColumns + n] = static_cast<uint8_t>(words[n] >> (4 * nibble) & 15);
  }
}

const BitProductKernels& bit_product_kernels(Isa isa) {
#ifdef BITSWEEP_INTRINSICS
  if (isa == Isa::avx512_vpopcnt) return kBitProductsVpopcnt;
  if (isa == Isa::avx512) return kBitProductsAvx512;
  if (isa == Isa::avx2) return kBitProductsAvx2;
#endif
  return kPlain;
}

EndLimits::EndLimits(int64_t outputs)
    : sign(rounded_up(outputs, kPanelColumns)),
      low(rounded_up(outputs, kPanelColumns)),
      high(rounded_up(outputs, kPanelColumns)) {}

void find_end_limits(int64_t depth, float scale, const float* thresholds, int64_t outputs, EndLimits& limits) {
  for (int64_t n = 0; n < outputs; ++n) {
    const End end{static_cast<float>(depth), scale, thresholds[n]};
    *limits.sign.at(n) = static_cast<int16_t>(last_at_least(end, depth, 0.0f));
    *limits.low.at(n) = static_cast<int16_t>(first_at_most(end, depth, 1.0f));
    *limits.high.at(n) = static_cast<int16_t>(last_at_least(end, depth, -1.0f));
  }
}

void strict_linear_rows(const SignBits& x, const SignBits& w, const EndLimits& limits, SignBits& sign, SignBits* inside,
                        int64_t first, int64_t last) {
  const BitProductKernels& kernels = bit_product_kernels(current_isa());
  for_each_count(x, w, first, last, kernels, [&](int64_t m, int64_t rows, int64_t n, const uint16_t* counts) {
    constexpr int64_t kHalves = kPanelColumns / kWordBits;
    uint32_t signs[kHalves], insides[kHalves];
    const int64_t word = n / kWordBits, halves = std::min(kHalves, sign.words() - word);
    for (int64_t r = 0; r < rows; ++r) {
      kernels.end(counts + r * kPanelColumns, limits.sign.at(n), limits.low.at(n), limits.high.at(n), signs, insides);
      for (int64_t h = 0; h < halves; ++h) {
        const uint32_t live = word + h + 1 == sign.words() ? sign.last_word_mask() : ~0u;
        sign.word(word + h)[m + r] = signs[h] & live;
        if (inside != nullptr) inside->word(word + h)[m + r] = insides[h] & live;
      }
    }
  });
}

void sign_product_rows(const SignBits& x, const SignBits& w, float* out, int64_t first, int64_t last) {
  const auto depth = static_cast<float>(x.columns());
  for_each_count(x, w, first, last, bit_product_kernels(current_isa()),
                 [&](int64_t m, int64_t rows, int64_t n, const uint16_t* counts) {
                   const int64_t columns = std::min(kPanelColumns, w.rows() - n);
                   for (int64_t r = 0; r < rows; ++r)
                     dots_of(counts + r * kPanelColumns, depth, out + (m - first + r) * w.rows() + n, columns);
                 });
}

}  // namespace bitsweep::kernels
