// When a run's loss says that it has diverged although every number is finite. Pure.
//
// A model that knows nothing, the uniform one over V symbols, loses log2 V bits a symbol. A run that stays far above
// that is worse than knowing nothing, and more so the longer it trains: its weights have left every place from which
// training comes back within its steps. What is just begun may well lie above it (strict models begin high), so the
// warm-up and the first tenth of the steps do not count, and one evaluation alone decides nothing but at the run's end.
#pragma once

#include <cstdint>
#include <string>

namespace bitsweep::schedule {

inline constexpr double kDivergedMultiple = 2;

struct DivergenceRule {
  double uniform_bpc = 0;                // loss of the uniform model; 0: not known, and nothing is judged
  double multiple = kDivergedMultiple;   // of it, above which a loss is far above it; 0: nothing is judged
  int64_t warmup = 0, steps = 0;         // of the run
  std::string unit = "bits per byte";    // of its losses
};

class DivergenceWatch {
 public:
  enum class Verdict {
    fine,
    suspected,  // far above, but not often enough
    diverged,   // three evaluations in a row, or that of the last step
  };

  DivergenceWatch() = default;
  explicit DivergenceWatch(const DivergenceRule& rule) : rule_(rule) {}

  // The next evaluation. A run that was resumed may repeat steps.
  Verdict take(int64_t step, double loss);
  bool is_far(double loss) const;
  // "at 172.6 bits per byte at step 20, far above the 7 of a model that knows nothing"
  std::string words() const;

 private:
  DivergenceRule rule_;
  int64_t in_a_row_ = 0, step_ = 0;
  double loss_ = 0;
};

}  // namespace bitsweep::schedule
