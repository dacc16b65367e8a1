// Cuts element-wise and row-wise work into ranges for LibTorch's threads.
#pragma once

#include <cstdint>

#include <ATen/Parallel.h>

namespace bitsweep::nn {

inline constexpr int64_t kGrainElements = 1 << 14;  // below this a second thread costs more than it saves

// f(begin, end) over [0, count) elements.
template <class F>
void parallel_elements(int64_t count, const F& f) {
  at::parallel_for(0, count, kGrainElements, f);
}

// f(begin, end) over rows of `columns` elements each.
template <class F>
void parallel_rows(int64_t rows, int64_t columns, const F& f) {
  at::parallel_for(0, rows, kGrainElements / (columns > 0 ? columns : 1) + 1, f);
}

// f(begin, end) over columns, for sums over `rows`: every column belongs to one thread, so its order is fixed.
template <class F>
void parallel_columns(int64_t rows, int64_t columns, const F& f) {
  constexpr int64_t kBlock = 64;
  const int64_t blocks = (columns + kBlock - 1) / kBlock;
  at::parallel_for(0, blocks, kGrainElements / (rows * kBlock + 1) + 1, [&](int64_t begin, int64_t end) {
    f(begin * kBlock, end * kBlock < columns ? end * kBlock : columns);
  });
}

}  // namespace bitsweep::nn
