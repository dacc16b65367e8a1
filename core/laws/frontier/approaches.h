// How the best size grows with compute, asked in three ways (Hoffmann et al. 2022, section 3): the lower envelope of
// all runs (1), the minima of iso-FLOP parabolas (2), the joint law (3). N_opt ∝ C^a_opt. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "fit/fit.h"
#include "frontier/minimum.h"

namespace bitsweep::frontier {

struct Approach {
  std::optional<double> a_opt;
  std::optional<fit::Interval> interval;
  std::string why_not;  // where a_opt is missing, in words
  int budgets = 0;      // that it rests on
};

struct Approaches {
  Approach envelope, isoflop, joint;
  Minima minima;                           // a slice each, ascending by compute; those outside too
  std::vector<std::string> disagreements;  // of minima and law, whose intervals do not meet; a sentence each
  // Minima beyond the sizes that were run; where the envelope says otherwise, which over few sizes is coarse.
  std::vector<std::string> remarks;
};

// `fit`: of a joint law of the same points.
Approaches approaches(const std::vector<fit::Point>& points, const fit::FitResult& fit);

json::object approaches_json(const Approaches& approaches);

}  // namespace bitsweep::frontier
