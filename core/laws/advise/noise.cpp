#include "advise/noise.h"

#include <algorithm>
#include <cmath>

#include "fit/likelihood.h"

namespace bitsweep::advise {
namespace {

constexpr double kPseudoFreedom = 2;  // degrees of freedom that an assumption is worth

// A variance seen with so many degrees of freedom, and the one that was assumed.
double shrunk(double seen, double freedom, double assumed) {
  return (freedom * seen + kPseudoFreedom * assumed) / (freedom + kPseudoFreedom);
}

}  // namespace

NoiseModel estimate_noise(const std::vector<fit::Point>& points, const fit::Surface& surface, double assumed) {
  const fit::SeedNoise seeds = seed_noise(points);
  const double half = assumed * assumed / 2;
  const double freedom = surface.freedom() >= 1 ? surface.freedom() : 0;
  const double run = freedom > 0 ? surface.noise().square().mean() : 0;
  double seed = half, configuration = half;
  if (seeds.freedom >= 1) {
    seed = shrunk(seeds.sd * seeds.sd, seeds.freedom, half);
    configuration = shrunk(std::max(0.0, run - seed), freedom, seed);
  } else if (freedom > 0) {
    seed = configuration = shrunk(run, freedom, assumed * assumed) / 2;
  }
  return {std::sqrt(seed), std::sqrt(configuration),
          seeds.freedom >= 1 && freedom > 0 ? "repeated seeds and the scatter around the law"
          : seeds.freedom >= 1              ? "repeated seeds"
          : freedom > 0                     ? "the scatter around the law"
                                            : "assumed: too few runs tell of it"};
}

}  // namespace bitsweep::advise
