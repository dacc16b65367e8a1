// How long planned runs will take, from speeds that were measured on this machine: of runs that are done, and of short
// calibration runs. Pure; core/show/cli/planning.cpp brings the measurements.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "plan/plan.h"

namespace bitsweep::plan {

struct MeasuredSpeed {
  std::string key;  // speed_key() of the run it was measured on
  std::string plugin;
  double flops_per_token = 0;  // of training
  double tokens_per_s = 0;     // of training steps alone, on one slot with the other slots at work
};

// Everything of a spec that decides how fast a step is, as text: model, tokenizer, context, batch, precision,
// gradients. Neither rates and seeds nor the number of steps.
std::string speed_key(const spec::RunSpec& spec);

// Seconds on one slot: steps, and evaluations at a third of a step's work a token. Of the same key when it was measured
// (the median of several), else scaled by FLOPs from the nearest measured shape of the same plugin; nothing without
// one.
std::optional<TimeEstimate> estimate_time(const PlannedRun& run, std::span<const MeasuredSpeed> speeds);

}  // namespace bitsweep::plan
