// Cuts element-wise and row-wise work into ranges for the program's threads (engine/thread_pool.h), as many as LibTorch
// says. Within a range LibTorch's own operations have no place: they would start threads of theirs.
#pragma once

#include <cstdint>

#include <ATen/Parallel.h>

#include "engine/workers.h"

namespace bitsweep::nn {

// One where LibTorch itself has cut the work that this is part of.
inline int64_t thread_count() { return at::in_parallel_region() ? 1 : at::get_num_threads(); }

// f(begin, end) over [0, count) elements.
template <class F>
void parallel_elements(int64_t count, const F& f) {
  constexpr int64_t kBlock = 64;  // no two threads in one line of the cache
  engine::in_ranges(thread_count(), count, kBlock, count, f);
}

// f(begin, end) over rows of `columns` elements each, or whatever else works on as many.
template <class F>
void parallel_rows(int64_t rows, int64_t columns, const F& f) {
  engine::in_ranges(thread_count(), rows, 1, rows * columns, f);
}

// f(begin, end) over columns, for sums over `rows`: every column belongs to one thread, so its order is fixed.
template <class F>
void parallel_columns(int64_t rows, int64_t columns, const F& f) {
  constexpr int64_t kBlock = 64;
  engine::in_ranges(thread_count(), columns, kBlock, rows * columns, f);
}

}  // namespace bitsweep::nn
