// The best setting of one place, from a local quadratic of log loss. Pure.
#pragma once

#include <vector>

#include "analysis/least_squares.h"
#include "analysis/setting_law.h"

namespace bitsweep::analysis {

// A quadratic about the lowest loss of a place; its noise is only known when all places are.
struct SettingQuadratic {
  LeastSquares fit;
  double log_lr = 0, log_batch = 0;  // its origin
  bool joint = false;                // 1, u, v, u², v², uv; else 1, x, x² of one setting
};

struct PlaceQuadratics {
  SettingPlace place;
  std::optional<SettingQuadratic> joint, lr, batch;  // joint: in place of the other two
};

// REQUIRES runs of one place, with rates.
PlaceQuadratics place_quadratics(const std::vector<SettingRun>& runs);

// The optima, with the errors that this noise gives them.
SettingPlace with_optima(const PlaceQuadratics& quadratics, double noise);

}  // namespace bitsweep::analysis
