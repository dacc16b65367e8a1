// How a step's work is cut for the program's threads (thread_pool.h).
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/thread_pool.h"

namespace bitsweep::engine {

// Work is counted in steps of simple loops over floats, a step a float: about half a nanosecond. Below so many, a
// second thread costs more than it saves: calling one takes some microseconds.
inline constexpr int64_t kLeastWork = 1 << 14;
// Multiply-adds that are made in the time of one such step, about: of two ±1 matrices; of floats with one, by look-up;
// of floats with floats.
inline constexpr int64_t kSignProducts = 128, kTableProducts = 32, kFloatProducts = 16;

// Columns of floats are cut at multiples of a cache line.
inline constexpr int64_t kLineFloats = 16;

// How many threads there are for whoever calls; asked before each cut.
class Workers {
 public:
  virtual ~Workers() = default;
  virtual int64_t count() const = 0;
};

// f(first, last) over [0, count) in ranges that threads take, cut at multiples of `step`. Of little work, one range;
// of much, some for each thread, so that one which is held up delays the others less. What is computed must not depend
// on the cut. `work`: of all of it.
template <class F>
void in_ranges(int64_t threads, int64_t count, int64_t step, int64_t work, const F& f) {
  constexpr int64_t kRangesOfThread = 4;
  const int64_t steps = (count + step - 1) / step;
  int64_t parts = std::min({steps, work / kLeastWork, threads * kRangesOfThread});
  if (parts > threads) parts -= parts % threads;
  if (threads <= 1 || parts <= 1) {
    if (count > 0) f(int64_t{0}, count);
    return;
  }
  run_parts(threads, parts, [&](int64_t part) {
    const int64_t first = steps * part / parts * step, last = std::min(count, steps * (part + 1) / parts * step);
    if (first < last) f(first, last);
  });
}
template <class F>
void in_ranges(const Workers& workers, int64_t count, int64_t step, int64_t work, const F& f) {
  in_ranges(workers.count(), count, step, work, f);
}

}  // namespace bitsweep::engine
