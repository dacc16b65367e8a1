// Observations that lie near each other as one, where there are more than a dense covariance can hold.
#pragma once

#include "fit/likelihood.h"

namespace bitsweep::fit {

struct Neighbourhoods {
  Observations observed;  // freedom: as it was
  double squares = 0;     // Σ w r² of log loss about the neighbourhoods' means …
  double freedom = 0;     // … and its degrees of freedom
};

// At most `limit` neighbourhoods of equal labels: boxes in the logarithms of params, tokens and unique tokens, as small
// as that allows. With `limit` observations or fewer, they are as they were.
Neighbourhoods pool_neighbours(Observations observed, size_t limit);

}  // namespace bitsweep::fit
