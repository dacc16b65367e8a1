// How a compute budget is best divided between parameters and tokens, by a fitted chinchilla law. Pure.
//
// The minimum of A/N^α + B/D^β under κ·N·D = C (Hoffmann et al. 2022, equation 4): N = G·(C/κ)^(β/(α+β)) with
// G = (αA/(βB))^(1/(α+β)). κ is 6 in the rule of thumb, and what the largest measured models take where it is known.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fit/fit.h"

namespace bitsweep::analysis {

struct LawFit;
struct GroupAnalysis;
struct ReportInput;

struct BudgetRow {
  double flops = 0;
  double params = 0, tokens = 0, loss = 0;  // at the optimum
  fit::Interval params_range, tokens_range;  // 95 %; an infinite end: not bounded by the runs
  fit::Interval loss_range;                  // of the law's loss at the optimum
  double six_nd = 0;                        // 6·N·D there, FLOPs
  fit::Beyond beyond;                       // of the division
  std::optional<double> hours;              // at the measured speed of the largest models
  bool refused = false;                     // too far beyond the runs for any figure to be told
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

struct Division {
  double params = 0, tokens = 0, loss = 0;
};
// A chinchilla law, N in parameters and D in tokens; what is missing is 0.
struct JointLaw {
  double E = 0, A = 0, B = 0, alpha = 0, beta = 0;

  double loss(double params, double tokens) const;
  // Nothing where a term has vanished.
  std::optional<Division> divide(double flops, double flops_per_nd) const;
};
// From values by their names E, A, B, alpha, beta.
JointLaw joint_law(const std::vector<fit::NamedValue>& values);

// Nothing unless the law is chinchilla's and the runs determine it. `points` of the group's chosen cells.
std::optional<ComputeOptimum> compute_optimum(const LawFit& fit, const GroupAnalysis& g, const ReportInput& input);

}  // namespace bitsweep::analysis
