// All that is known for and against a fitted law, and what budgets are best spent on: one call for verbs and reports.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "fit/adequacy.h"
#include "frontier/approaches.h"
#include "frontier/optima.h"

namespace bitsweep::frontier {

struct Verdict {
  fit::Adequacy adequacy;
  std::vector<std::string> undetermined;  // fit::undetermined
  bool joint = false;  // runs of one variant and text that differ in size or length: the rest is filled
  Approaches approaches;
  Optima optima;

  // What is wrong with the law, approaches that contradict each other included; a sentence each.
  std::vector<std::string> inadequacy() const;
  bool adequate() const { return inadequacy().empty(); }
};

// `fit` is fit_law(points, options).
Verdict judge(const std::vector<fit::Point>& points, const fit::FitOptions& options, const fit::FitResult& fit,
              const std::vector<double>& budgets);

// "adequate", "inadequacy", "approaches", "optima" and what belongs to them.
json::object verdict_json(const Verdict& verdict);

}  // namespace bitsweep::frontier
