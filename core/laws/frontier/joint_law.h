// A chinchilla law as a formula, and how it divides a budget: the minimum of A/N^α + B/D^β under κ·N·D = C (Hoffmann et
// al. 2022, equation 4). Pure.
#pragma once

#include <optional>
#include <vector>

#include "fit/law.h"

namespace bitsweep::frontier {

struct Division {
  double params = 0, tokens = 0, loss = 0;
};

// N in parameters and D in tokens; what is missing is 0.
struct JointLaw {
  double E = 0, A = 0, B = 0, alpha = 0, beta = 0;

  double loss(double params, double tokens) const;
  // Nothing where a term has vanished.
  std::optional<Division> divide(double flops, double flops_per_nd) const;
};
// From values by their names E, A, B, alpha, beta.
JointLaw joint_law(const std::vector<fit::NamedValue>& values);

}  // namespace bitsweep::frontier
