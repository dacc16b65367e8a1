// What a law would have said of the largest runs, had they not been seen: the check that comes nearest to what a fit is
// wanted for.
#pragma once

#include <optional>
#include <vector>

#include "fit/fit.h"

namespace bitsweep::fit {

struct HeldOut {
  Point point;
  double predicted = 0;  // by the law
  double expected = 0;   // by the law and what it misses nearby
  Interval interval;     // of a new run
  bool inside_law = false;  // of the interval that the law alone gives
  double error() const { return point.loss / predicted - 1; }
  bool inside() const { return interval.first <= point.loss && point.loss <= interval.second; }
};

struct HoldOut {
  std::vector<HeldOut> runs;          // those held out, by compute
  double root_mean_square_error = 0;  // of the law, relative to its loss
  double bias = 0;                    // mean of measured / expected − 1
  double coverage = 0;                // share inside of their intervals; nominal: options.confidence
  double law_coverage = 0;            // … and of those of the law alone
  double half_width() const;          // of the intervals, the middle one, relative to its loss
};

// Holds out the configurations of the largest compute (compute_of), `share` of them and at least one, and predicts
// them from the rest. Nothing when the law reads neither axis, or has no interval from the rest.
std::optional<HoldOut> hold_out_largest(const std::vector<Point>& points, const FitOptions& options,
                                        double share = 0.2);

json::object hold_out_json(const HoldOut& hold_out);

}  // namespace bitsweep::fit
