// Where a run's loss will end, read off its curve so far by the `curve` law, which knows the learning rate ahead.
#pragma once

#include "schedule/stopping.h"
#include "spec/run_spec.h"

namespace bitsweep::predict {

// Nothing before six evaluations after the warmup, and where the law refuses (the learning rate has not begun to fall).
// The standard deviation joins what the law leaves over with how far the same law, fitted to the first two thirds of
// the curve, missed what came last.
std::optional<schedule::Extrapolation> extrapolate_curve(const schedule::RunCurve& run, const spec::TrainSpec& train);

}  // namespace bitsweep::predict
