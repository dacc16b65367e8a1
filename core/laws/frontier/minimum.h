// The minimum of loss over size on slices of equal compute, by parabolas in log N. Pure.
#pragma once

#include <string>
#include <vector>

#include "frontier/slices.h"

namespace bitsweep::frontier {

struct Minimum {
  double flops = 0;
  double params = 0, tokens = 0, loss = 0;
  double log_params_sd = 0;  // of log N at the minimum; 0: not known
  double loss_sd = 0;        // of log loss there; 0: not known
  std::string outside;       // "" where it lies between measured sizes, else "below" or "above" them, or "flat"
  Slice slice;

  bool inside() const { return outside.empty(); }
};

struct Minima {
  std::vector<Minimum> all;  // a slice each, in their order
  double scatter = 0;        // of log loss about the parabolas, over all slices …
  double freedom = 0;        // … and its degrees of freedom; 0: nobody knows
};

// A quadratic in log N, least squares, through the sizes about the best one: those within a factor of six of it, and
// the four nearest at least. The scatter about the parabolas is one for all slices. REQUIRES slices of three sizes or
// more.
Minima minima_of(const std::vector<Slice>& slices);

}  // namespace bitsweep::frontier
