// What points leave open of a law: draws of its parameters from the posterior under a weak prior.
//
// The prior is there so that three runs can be ranked as well as thirty: amplitudes are shares of the mean loss within
// a factor of about three, shapes spread as widely as the law's own starts. It is never used for a prediction that is
// told to people as a fit.
//
// Each draw is a randomised maximum a posteriori: measurements and prior are perturbed by their own errors and the
// parameters fitted again (Oliver, He, Reynolds 1996; Bardsley et al. 2014); exact for linear models, close for these.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <Eigen/Dense>

#include "fit/law.h"
#include "fit/points.h"

namespace bitsweep {

// How a run's log loss scatters around the law: by its seed, and by its configuration, which all its seeds share (what
// the law does not know of: shape, rates). The second is what a repetition cannot average away.
struct NoiseModel {
  double seed_sd = 0, configuration_sd = 0;
  std::string source;  // in words: where the figures come from
  // Of the mean over this many seeds. REQUIRES runs > 0.
  double variance(int runs) const { return configuration_sd * configuration_sd + seed_sd * seed_sd / runs; }
};

struct DrawOptions {
  int draws = 512;
  uint64_t seed = 0;
  double assumed_noise = 0.01;  // of log loss, for as long as the runs themselves do not tell
};

struct LawDraws {
  std::vector<Eigen::VectorXd> thetas;  // a draw each; in the law's own coordinates
  int basins = 0;                       // distinct minima that draws may come from
  int configurations = 0;               // of the points
  NoiseModel noise;
};

// REQUIRES points with positive finite values; none at all leaves the prior. Draw i depends on (options.seed, i) alone.
LawDraws draw_law(const Law& law, const std::vector<Point>& points, const DrawOptions& options);

// log loss of each draw at each place: [draws, places]. Of `places` all but the loss is read.
Eigen::MatrixXd log_losses(const Law& law, const std::vector<Eigen::VectorXd>& thetas,
                           const std::vector<Point>& places);

}  // namespace bitsweep
