// Profile likelihood: the values of a parameter that the points do not contradict, whatever the others do.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "fit/likelihood.h"

namespace bitsweep::fit {

// For every value of Law::named, and a_opt where the law has alpha and beta: where ½ Σ w (log L − log loss)², minimised
// over all other parameters, stays below its minimum by less than ½ s² t², s² the scatter and t Student's quantile with
// `observed.freedom`. Exact for straight lines; follows bent valleys where a matrix of covariances does not. 0 or
// infinity where nothing bounds a side. `theta` is the minimum of least squares over `observed`. REQUIRES
// observed.freedom > 0.
std::map<std::string, std::pair<double, double>> profile_intervals(const Law& law, const Observations& observed,
                                                                   const Eigen::VectorXd& theta, double confidence);

}  // namespace bitsweep::fit
