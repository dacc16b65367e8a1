// The threads that a step's work is cut for. Whoever calls hands them in, so that the program has one set of threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>

namespace bitsweep::engine {

class Workers {
 public:
  virtual ~Workers() = default;
  virtual int64_t count() const = 0;
  // f(0) … f(parts − 1), each once, on any of the threads; returns when all are done.
  virtual void run(int64_t parts, const std::function<void(int64_t)>& f) = 0;
};

// The calling thread alone.
class OneWorker final : public Workers {
 public:
  int64_t count() const override { return 1; }
  void run(int64_t parts, const std::function<void(int64_t)>& f) override {
    for (int64_t part = 0; part < parts; ++part) f(part);
  }
};

// f(first, last) over [0, count) in as many ranges as there are threads, cut at multiples of `step`. Of little work,
// one range. What is computed must not depend on the cut.
template <class F>
void in_ranges(Workers& workers, int64_t count, int64_t step, const F& f) {
  const int64_t steps = (count + step - 1) / step, parts = std::min(workers.count(), steps);
  if (parts <= 1) {
    if (count > 0) f(int64_t{0}, count);
    return;
  }
  workers.run(parts, [&](int64_t part) {
    const int64_t first = steps * part / parts * step, last = std::min(count, steps * (part + 1) / parts * step);
    if (first < last) f(first, last);
  });
}

}  // namespace bitsweep::engine
