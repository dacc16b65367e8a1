// How compute budgets of a report are best divided (frontier/optima.h), with what they take in hours. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fit/fit.h"
#include "frontier/optima.h"

namespace bitsweep::analysis {

struct LawFit;
struct GroupAnalysis;
struct ReportInput;

struct BudgetRow : frontier::Optimum {
  double six_nd = 0;            // 6·N·D there, FLOPs
  std::optional<double> hours;  // at the measured speed of the largest models
};

// Along the best division of each budget.
struct FrontierPoint {
  double flops = 0, params = 0, loss = 0, low = 0, high = 0;
};

struct ComputeOptimum {
  std::string variant;
  double flops_per_nd = 6;            // κ
  bool counted = false;               // the runs say their FLOPs; else 6·N·D is taken
  double largest_flops = 0;           // of a measured run
  std::optional<double> flops_per_s;  // training FLOPs a second, mean over the largest models' runs
  std::vector<BudgetRow> rows;        // a row a budget
  std::vector<FrontierPoint> path;    // ascending FLOPs, from the least measured run to a hundred times the largest
};

// Nothing unless the law is chinchilla's, and there is a budget of which something can be said.
std::optional<ComputeOptimum> compute_optimum(const LawFit& fit, const GroupAnalysis& g, const ReportInput& input);

}  // namespace bitsweep::analysis
