// How far a place lies beyond the runs, in the one meaning that predictions, divisions of budgets, guards and texts
// share.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "fit/axis.h"
#include "fit/points.h"

namespace bitsweep::fit {

struct Beyond {
  // The place's training compute by that of the largest run; below 1 where the place is smaller. Of a place without
  // params or tokens, the factor along the axis it has.
  double compute = 1;
  // The factor by which the place leaves the range of the runs along the axis stretched most, and that axis; 1 and ""
  // where it leaves none.
  double stretch = 1;
  std::string axis;

  bool inside() const { return compute <= 1 && axis.empty(); }
  double most() const { return compute > stretch ? compute : stretch; }
  // "12 times the compute of the largest run, and params 3.2 times outside of the runs"; "within the runs".
  std::string text() const;
  // "12× (params 3.2×)", as a table's cell has it.
  std::string cell() const;
};

// `axes`: those that count. Compute is κ N D, with the κ of the run of the largest compute (compute_of).
Beyond beyond(const std::vector<Point>& points, const Target& target,
              const std::vector<Axis>& axes = {Axis::params, Axis::tokens});

// Why a guard refuses what lies so far out; "" where it does not. Both factors count.
std::string too_far(const Beyond& beyond, double limit);

json::object beyond_json(const Beyond& beyond);

}  // namespace bitsweep::fit
