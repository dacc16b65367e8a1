#include "schedule/divergence.h"

#include <algorithm>

#include <fmt/format.h>

namespace bitsweep::schedule {
namespace {

constexpr int64_t kInARow = 3;
constexpr int64_t kFirstPart = 10;  // of the steps, a tenth, in which nothing is judged

}  // namespace

bool DivergenceWatch::is_far(double loss) const {
  return rule_.uniform_bpc > 0 && rule_.multiple > 0 && loss > rule_.multiple * rule_.uniform_bpc;
}

DivergenceWatch::Verdict DivergenceWatch::take(int64_t step, double loss) {
  step_ = step;
  loss_ = loss;
  const bool at_its_end = rule_.steps > 0 && step >= rule_.steps;
  const bool early = step < std::max(rule_.warmup, rule_.steps / kFirstPart);
  if (!is_far(loss) || (early && !at_its_end)) {
    in_a_row_ = 0;
    return Verdict::fine;
  }
  ++in_a_row_;
  return at_its_end || in_a_row_ >= kInARow ? Verdict::diverged : Verdict::suspected;
}

std::string DivergenceWatch::words() const {
  return fmt::format("at {:.1f} {} at step {}, far above the {:.3g} of a model that knows nothing", loss_, rule_.unit,
                     step_, rule_.uniform_bpc);
}

}  // namespace bitsweep::schedule
