// Learning rates as they were tried, and how the best one moves with size. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "analysis/analysis.h"

namespace bitsweep::analysis {

// The rates that were tried at one size, budget and batch, with the best of them.
struct RateLadder {
  const ReportCell* best = nullptr;
  std::set<double> rates;

  bool at_an_end() const { return rates.size() > 1 && (*best->lr <= *rates.begin() || *best->lr >= *rates.rbegin()); }
};
// About the cell, of its variant.
RateLadder ladder_about(const GroupAnalysis& g, const ReportCell& cell);

// How the best learning rate moves with size, over sizes at which three or more rates were tried and neither end was
// the best: lr ∝ N^exponent, least squares in the logarithms.
struct RateTrend {
  double exponent = 0;
  std::optional<double> half_width;     // of its 95 % interval, with four sizes or more
  double log_params = 0, log_rate = 0;  // the middle of the sizes
  size_t sizes = 0;

  double at(double params) const;
};
// Nothing with less than three such sizes.
std::optional<RateTrend> rate_trend(const GroupAnalysis& g, const std::string& variant);

}  // namespace bitsweep::analysis
