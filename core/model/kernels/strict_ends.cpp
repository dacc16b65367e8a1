#include "kernels/strict_ends.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/lanes.h"

namespace bitsweep::kernels {
namespace {

// A word's columns of one row; `count` of them.
BITSWEEP_INLINE void end_backward_word(const float* g, uint32_t inside, uint32_t factor, float scale, int64_t count,
                                       float* out, float* sums) {
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t keep = 0u - (inside >> i & 1u), sign = (factor >> i & 1u) << 31;
    const float h = std::bit_cast<float>((std::bit_cast<uint32_t>(g[i]) & keep) ^ sign);
    sums[i] += h;
    out[i] = h * scale;
  }
}

// l in place of dots; returns its maximum.
BITSWEEP_INLINE float logits_of(const LogitRow& row, float* dots) {
  for (int64_t v = 0; v < row.vocab; ++v) dots[v] = dots[v] * row.scale + row.bias[v];
  return lane_max(dots, row.vocab);
}

// `powers` has room for e^(l − top) of a row, which is asked for twice.
BITSWEEP_CLONES double cross_entropy_into(const LogitRow& row, float* dots, int64_t target, float weight, float* powers,
                                          double& scale_gradient) {
  const float of_target = dots[target] * row.scale + row.bias[target];
  for (int64_t v = 0; v < row.vocab; ++v) powers[v] = dots[v] * row.scale + row.bias[v];
  const float top = lane_max(powers, row.vocab);
  for (int64_t v = 0; v < row.vocab; ++v) powers[v] = exp_nonpositive(powers[v] - top);
  const float sum = lane_sum<kLanes>(row.vocab, [&](int64_t v) { return powers[v]; });
  const float factor = weight / sum;
  double along = -static_cast<double>(weight) * dots[target];
  along += lane_sum<kLanes>(row.vocab, [&](int64_t v) {
    const float dot = dots[v], d = powers[v] * factor;
    dots[v] = d;
    return d * dot;
  });
  dots[target] -= weight;
  scale_gradient = along;
  return std::log(static_cast<double>(sum)) + (static_cast<double>(top) - of_target);
}

}  // namespace

BITSWEEP_CLONES void end_backward_words(const EndBackward& end, int64_t first_word, int64_t last_word) {
  constexpr int64_t kColumns = 4096;  // whose sums stand on the stack
  float sums[kColumns];
  for (int64_t begin = first_word; begin < last_word; begin += kColumns / kWordBits) {
    const int64_t stop = std::min(begin + kColumns / kWordBits, last_word);
    std::fill_n(sums, (stop - begin) * kWordBits, 0.0f);
    for (int64_t r = 0; r < end.rows; ++r) {
      for (int64_t w = begin; w < stop; ++w) {
        const int64_t column = w * kWordBits, at = r * end.columns + column;
        const uint32_t inside = end.inside != nullptr ? end.inside->word(w)[r] : ~0u;
        const uint32_t factor = end.factor != nullptr ? end.factor->word(w)[r] : 0u;
        float* of_word = sums + (w - begin) * kWordBits;
        if (column + kWordBits <= end.columns) {
          end_backward_word(end.gradient + at, inside, factor, end.scale, kWordBits, end.out + at, of_word);
        } else {
          end_backward_word(end.gradient + at, inside, factor, end.scale, end.columns - column, end.out + at, of_word);
        }
      }
    }
    if (end.threshold == nullptr) continue;
    for (int64_t c = begin * kWordBits; c < std::min(stop * kWordBits, end.columns); ++c) {
      const float sum = -sums[c - begin * kWordBits];
      end.threshold[c] = end.add ? end.threshold[c] + sum : sum;
    }
  }
}

double cross_entropy_row(const LogitRow& row, float* dots, int64_t target, float weight, double& scale_gradient) {
  thread_local Buffer<float> scratch;
  return cross_entropy_into(row, dots, target, weight, scratch.at_least(row.vocab), scale_gradient);
}

BITSWEEP_CLONES double nats_of_row(const LogitRow& row, float* dots, int64_t target, int64_t& likeliest) {
  const float top = logits_of(row, dots);
  const float of_target = dots[target];
  likeliest = 0;
  while (likeliest + 1 < row.vocab && dots[likeliest] != top) ++likeliest;
  const float sum = lane_sum<kLanes>(row.vocab, [&](int64_t v) { return exp_nonpositive(dots[v] - top); });
  return std::log(static_cast<double>(sum)) + (static_cast<double>(top) - of_target);
}

BITSWEEP_CLONES void sum_and_scale_columns(float* x, int64_t rows, int64_t columns, float scale, bool add, float* sums,
                                           int64_t first, int64_t last) {
  if (!add) std::fill(sums + first, sums + last, 0.0f);
  for (int64_t r = 0; r < rows; ++r) {
    float* row = x + r * columns;
    for (int64_t c = first; c < last; ++c) {
      sums[c] += row[c];
      row[c] *= scale;
    }
  }
}

BITSWEEP_CLONES void scatter_rows(const float* x, const int64_t* index, int64_t rows, int64_t columns, float* table,
                                  int64_t first, int64_t last) {
  for (int64_t r = 0; r < rows; ++r) {
    float* to = table + index[r] * columns;
    const float* from = x + r * columns;
    for (int64_t c = first; c < last; ++c) to[c] += from[c];
  }
}

}  // namespace bitsweep::kernels
