// Runs of one budget: the slices on which a budget's best size can be seen without any law. Pure.
#pragma once

#include <vector>

#include "fit/points.h"

namespace bitsweep::frontier {

// A configuration: its seeds together.
struct Place {
  double params = 0, tokens = 0;
  double loss = 0;  // geometric mean over seeds
  int runs = 0;
  double flops = 0;  // of one of them
};
// Those with parameters, tokens and a loss, ascending by compute. REQUIRES points of one variant and dataset.
std::vector<Place> places_of(const std::vector<fit::Point>& points);

struct SlicePoint {
  double params = 0, tokens = 0, loss = 0;
  bool interpolated = false;  // between two lengths at that size
};

struct Slice {
  double flops = 0;
  std::vector<SlicePoint> points;  // a size each, ascending
  bool measured = false;           // runs of this very budget
};

// Budgets at which several sizes were run: runs whose compute differs by less than kSameCompute are one budget, and
// each loss is moved to the budget's by the local slope along tokens.
constexpr double kSameCompute = 0.12;  // of a logarithm, from one run to the next
std::vector<Slice> ladders(const std::vector<Place>& places);

// The sizes that were run on both sides of a budget, each with its loss read between its two nearest lengths. No size
// is extended beyond its lengths.
Slice slice_at(const std::vector<Place>& places, double flops);

// Every ladder of three sizes or more; where they are few or span little of the compute, slices through a grid instead.
std::vector<Slice> slices(const std::vector<Place>& places);

}  // namespace bitsweep::frontier
