#include "train/loss_meter.h"

#include <cmath>
#include <limits>

#include <ATen/ATen.h>

namespace bitsweep::train {

void LossMeter::add(int64_t step, const at::Tensor& nats) {
  pending_.push_back(nats);
  pending_steps_.push_back(step);
  if (static_cast<int64_t>(pending_.size()) >= group_) flush();
}

void LossMeter::flush() {
  if (pending_.empty()) return;
  const at::Tensor values = at::stack(pending_).to(at::kCPU, at::kDouble);  // [pending]
  const double* value = values.const_data_ptr<double>();
  for (size_t i = 0; i < pending_.size(); ++i) {
    if (!std::isfinite(value[i]) && !first_non_finite_) first_non_finite_ = pending_steps_[i];
    sum_nats_ += value[i];
    ++count_;
  }
  pending_.clear();
  pending_steps_.clear();
}

double LossMeter::mean_nats() {
  flush();
  return count_ > 0 ? sum_nats_ / static_cast<double>(count_) : std::numeric_limits<double>::quiet_NaN();
}

void LossMeter::begin_interval() { restore(0, 0); }

void LossMeter::restore(double sum_nats, int64_t count) {
  sum_nats_ = sum_nats;
  count_ = count;
}

}  // namespace bitsweep::train
