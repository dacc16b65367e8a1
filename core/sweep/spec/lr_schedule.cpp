#include "spec/lr_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"

namespace bitsweep::spec {
namespace {

// How much of [begin, end) lies behind `step`.
double part_behind(int64_t step, int64_t begin, int64_t end) {
  if (step <= begin) return 0.0;
  return std::min(1.0, static_cast<double>(step - begin) / static_cast<double>(std::max<int64_t>(1, end - begin)));
}

}  // namespace

double learning_rate(const TrainSpec& train, int64_t step) {
  if (step < train.warmup) return train.lr * static_cast<double>(step + 1) / static_cast<double>(train.warmup);
  const double floor = train.lr_final;
  const double p = part_behind(step, train.warmup, train.steps);
  if (train.schedule == "cosine")
    return train.lr * (floor + (1.0 - floor) * 0.5 * (1.0 + std::cos(std::numbers::pi * p)));
  if (train.schedule == "linear") return train.lr * (1.0 - (1.0 - floor) * p);
  if (train.schedule == "two_stage") {
    const double part = 2 * step < train.steps ? 1.0 : 2.0 / 3.0;
    return train.lr * (floor + (1.0 - floor) * part * (1.0 - p));
  }
  if (train.schedule == "constant") return train.lr;
  if (train.schedule == "wsd") {
    const auto decay_steps = std::llround(train.decay_fraction * static_cast<double>(train.steps));
    const int64_t begin = std::max<int64_t>(train.warmup, train.steps - decay_steps);
    return train.lr * (1.0 - (1.0 - floor) * part_behind(step, begin, train.steps));
  }
  throw Error(ErrorKind::input,
              fmt::format("unknown schedule '{}'{}", train.schedule,
                          did_you_mean(train.schedule, {"cosine", "linear", "constant", "wsd", "two_stage"})));
}

double weight_decay(const TrainSpec& train, int64_t step) {
  if (train.weight_decay_until >= 1) return train.weight_decay;
  return step < std::llround(train.weight_decay_until * static_cast<double>(train.steps)) ? train.weight_decay : 0.0;
}

}  // namespace bitsweep::spec
