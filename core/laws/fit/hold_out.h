// What a law would have said of the largest runs, had they not been seen: the check that comes nearest to what a fit is
// wanted for.
#pragma once

#include <optional>
#include <vector>

#include "fit/fit.h"

namespace bitsweep::fit {

struct HeldOut {
  Point point;
  double predicted = 0;
  Interval interval;  // of a new run
  double error() const { return point.loss / predicted - 1; }
  bool inside() const { return interval.first <= point.loss && point.loss <= interval.second; }
};

struct HoldOut {
  std::vector<HeldOut> runs;          // those held out, by compute
  double root_mean_square_error = 0;  // of the loss, relative
  double coverage = 0;                // share inside of their intervals; nominal: options.confidence
};

// Holds out the configurations of the largest compute (compute_of), `share` of them and at least one, and predicts
// them from the rest. Nothing when the law reads neither axis, or has no interval from the rest.
std::optional<HoldOut> hold_out_largest(const std::vector<Point>& points, const FitOptions& options,
                                        double share = 0.2);

json::object hold_out_json(const HoldOut& hold_out);

}  // namespace bitsweep::fit
