// Products of ±1 matrices by xor and popcount: y = K − 2 · popcount(x ^ w), exact.
//
// Every row of y is made alone, so that callers may cut rows for their threads. K is at most kMostBitDepth.
#pragma once

#include <cstdint>

#include "kernels/isa.h"
#include "kernels/sign_bits.h"

namespace bitsweep::kernels {

inline constexpr int64_t kMostBitDepth = 32766;

// The end of a strict linear, y · scale − threshold, in terms of p = popcount(x ^ w), one of 0 … K: its sign is −1
// where p > sign, and it lies in [−1, 1] where low <= p <= high. Found by the same f32 arithmetic as
// linear_end_rows (cpu_kernels.h), so that both agree at every level, whatever the threshold.
struct EndLimits {
  EndLimits() = default;
  explicit EndLimits(int64_t outputs);
  Buffer<int16_t> sign, low, high;  // [outputs rounded up to whole panels]
};
// scale > 0; thresholds [outputs].
void find_end_limits(int64_t depth, float scale, const float* thresholds, int64_t outputs, EndLimits& limits);

// x [M, K], w [N, K] -> sign [M, N] of the linear's end and, unless null, inside [M, N]: its bits are |y| <= 1. Rows
// [first, last).
void strict_linear_rows(const SignBits& x, const SignBits& w, const EndLimits& limits, SignBits& sign, SignBits* inside,
                        int64_t first, int64_t last);

// y itself as f32: out [last − first, N], of rows [first, last).
void sign_product_rows(const SignBits& x, const SignBits& w, float* out, int64_t first, int64_t last);

// What an instruction set does of them; the rest is common. A panel holds kPanel columns of y.
inline constexpr int64_t kPanelColumns = 64, kPanelRows = 8;
struct BitProductKernels {
  // `panel` has room for panel_bytes(words of K). Of w's rows [first, first + kPanelColumns), 0 beyond its end.
  void (*fill_panel)(const SignBits& w, int64_t first, uint8_t* panel);
  // p of x's rows [row, row + rows), rows <= kPanelRows, with every column of the panel: counts [rows, kPanelColumns].
  void (*count)(const SignBits& x, int64_t row, int64_t rows, const uint8_t* panel, uint16_t* counts);
  // Of one row of counts and limits from the panel's first column on: two words each.
  void (*end)(const uint16_t* counts, const int16_t* sign_limit, const int16_t* low, const int16_t* high,
              uint32_t* sign, uint32_t* inside);
};
constexpr int64_t panel_bytes(int64_t words) { return words * 8 * kPanelColumns; }
const BitProductKernels& bit_product_kernels(Isa isa);

}  // namespace bitsweep::kernels
