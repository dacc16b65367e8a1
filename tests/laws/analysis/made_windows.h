// Made-up measurements whose runs tell of their validation windows.
#pragma once

#include <vector>

#include "analysis/report_input.h"

namespace bitsweep::analysis {

// The windows' own hardness, far larger than what tells models apart, and a little of each model's.
inline std::vector<double> made_windows(double loss, uint64_t model, double noise, size_t count = 64) {
  std::vector<double> windows(count);
  double mean = 0;
  for (size_t w = 0; w < count; ++w) {
    windows[w] = random_unit(7, 1, w) - 0.5 + noise * (random_unit(7, 2 + model, w) - 0.5);
    mean += windows[w] / static_cast<double>(count);
  }
  for (double& window : windows) window += loss - mean;
  return windows;
}

inline ReportInput with_windows(const std::vector<Made>& runs, double noise) {
  ReportInput input = made_input(runs);
  for (size_t r = 0; r < input.runs.size(); ++r)
    input.runs[r].windows.blocks = made_windows(*input.runs[r].row.last_val_bpc, r, noise);
  return input;
}

}  // namespace bitsweep::analysis
