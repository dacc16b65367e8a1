// What of a law's findings survives other choices that an analyst could have made: outliers, δ, the smallest sizes, how
// compute, size and loss are counted. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/input.h"
#include "base/json.h"
#include "fit/fit.h"

namespace bitsweep::analysis {

struct LawFit;

// The same law, fitted with one choice made otherwise.
struct Variation {
  std::string choice;  // "without 2 configurations far from the law"
  int configurations = 0;
  std::optional<double> a_opt, E;
  std::optional<double> prediction;  // at Robustness::at
  std::string refused;               // why there is no fit; "" when there is
};

struct Robustness {
  fit::Target at;                   // the first target, or the division of ten times the largest run's compute
  std::vector<Variation> rows;      // the fit as it is first; choices that change nothing here are left out
  // The least and the most over the rows that have one.
  std::optional<fit::Interval> a_opt, E, prediction;
};

// Of a chinchilla law of one variant that has parameters; nothing for others.
std::optional<Robustness> robustness(const LawFit& fit, const ReportInput& input);

json::object robustness_json(const Robustness& robustness);

}  // namespace bitsweep::analysis
