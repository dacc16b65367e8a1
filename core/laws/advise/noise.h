// How a run's log loss scatters around its law.
#pragma once

#include <string>
#include <vector>

#include "fit/points.h"
#include "fit/surface.h"

namespace bitsweep::advise {

// By its seed, and by its configuration, which all its seeds share (what the law does not know of: shape, rates). The
// second is what a repetition cannot average away.
struct NoiseModel {
  double seed_sd = 0, configuration_sd = 0;
  std::string source;  // in words: where the figures come from
  // Of the mean over this many seeds. REQUIRES runs > 0.
  double variance(int runs) const { return configuration_sd * configuration_sd + seed_sd * seed_sd / runs; }
};

// What repeated seeds and the scatter around the law tell, and where they do not `assumed` (of log loss), which counts
// as two more observations. Until both are seen, seed and configuration share the noise equally.
NoiseModel estimate_noise(const std::vector<fit::Point>& points, const fit::Surface& surface, double assumed);

}  // namespace bitsweep::advise
