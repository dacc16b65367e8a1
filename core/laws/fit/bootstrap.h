// The bootstrap over configurations: groups of points (the seeds of one configuration together) are drawn with
// replacement, and the law is fitted again to each draw.
//
// A draw that cannot carry the law by its own design rules (too few sizes, say) is drawn again; the count is told.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <Eigen/Dense>

#include "fit/objective.h"

namespace bitsweep::fit {

struct Bootstrap {
  std::vector<Eigen::VectorXd> thetas;   // one a resample
  std::vector<Eigen::VectorXd> without;  // the jackknife: fits without one of `parts` parts; none that cannot carry
  int parts = 0;                         // a group each, or several where there are very many
  int redrawn = 0;                       // draws that could not carry the law
};

// Each resample descends from every one of `minima` (θ of the fit's basins) and keeps the lowest end. Value i of the
// result depends on (seed, i) alone. May return fewer than `resamples` when draws keep failing.
Bootstrap bootstrap(const Law& law, const std::vector<Point>& points, double delta,
                    const std::vector<Eigen::VectorXd>& minima, int resamples, uint64_t seed);

// Bias-corrected and accelerated: percentiles shifted by where the estimate lies among the draws, and by how its spread
// changes with its value (Efron 1987). `without`: the jackknife's values, to which the acceleration is due.
std::pair<double, double> bca_interval(std::vector<double> values, double estimate, const std::vector<double>& without,
                                       double confidence);

// The central `confidence` share of the values, with linear interpolation between order statistics.
std::pair<double, double> percentile_interval(std::vector<double> values, double confidence);

}  // namespace bitsweep::fit
