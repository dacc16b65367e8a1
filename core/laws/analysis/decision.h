// What to do next, by an analysis: the run, its cost, the loss to expect of it, whether the law behind it can be
// trusted, and which variant wins. Pure values; a report words them.
//
// What a caveat takes back does not lead: a finding whose premise is in doubt is given with what stands in its way, and
// not as a result.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/analysis.h"

namespace bitsweep::analysis {

// Kinds of findings that a caveat may take back.
enum Finding : unsigned { kWinner = 1, kLaw = 2 };

// A caveat as far as it takes findings back: "up to 73 epochs".
struct Doubt {
  std::string rule, brief;
  unsigned takes_back = 0;  // of Finding
};

// What the next run is for.
enum class Purpose {
  nothing,  // no run has finished: there is nothing to go by
  narrow,   // a prediction or the law (NextRuns)
  target,   // what was asked for (TargetPlan)
  divide,   // a budget, by the law
  sizes,    // another size: there are too few for a law
  budgets,  // another length
  tune,     // another learning rate at the largest size
  seed      // the best configuration again: what a seed does is not known
};

struct Trust {
  bool fitted = false;      // a law of all runs of the variant has parameters
  bool determined = false;  // … and the runs determine them
  // Log loss: scatter of the runs about the law, and of repeated seeds.
  std::optional<double> residual_sd, noise_sd;
  std::string why_not;                                // the first reason for not being determined; "" when it is
  std::vector<std::string> inadequacy, undetermined;  // sentences (frontier/verdict.h)
  std::optional<double> a_opt;
  std::optional<fit::Interval> a_opt_interval;
  // Of the largest runs, foretold from the others: how many were within their intervals, and the law's error.
  size_t held_out = 0, held_out_inside = 0;
  double held_out_error = 0;

  bool adequate() const { return determined && inadequacy.empty(); }
};

// At equal what.
enum class Equal { params, bytes, flops };

struct Winner {
  Equal equal = Equal::params;
  std::string variant;              // "": nobody
  std::vector<std::string> others;  // what it is better than
  // Of params: the least fall of the loss, over `comparisons`. Else how many of the second's a byte or FLOP is worth.
  std::optional<double> by;
  size_t comparisons = 0;
  std::vector<std::string> in_the_way;  // why nobody is named, in words; "tiny validation text: 300 tokens"
};

struct Decision {
  size_t group = 0;  // into Analysis::groups
  Purpose purpose = Purpose::nothing;
  std::string variant;
  std::optional<double> params, tokens, lr, batch;
  std::optional<double> cost_hours, cost_flops;  // of this run, on one slot
  std::optional<double> loss;                    // nothing: not foretold
  std::optional<fit::Interval> interval;         // 95 %, of a new run there
  const NextRuns* next = nullptr;                // of narrow: the batch that it is of
  frontier::Basis basis = frontier::Basis::law;  // of divide
  std::string leans_on;                          // of divide: what else it rests on (frontier::Optimum::note)
  std::optional<double> now,
      leaves;  // of narrow: half-width of the first target's prediction before and after the batch
  size_t sizes = 0, budgets = 0;      // of the variant's runs
  bool shape_given = false;           // its runs start from weights: no other size can be run
  size_t finished = 0;                // runs of the group
  bool repeated = false;              // some configuration has several seeds
  Trust trust;
  std::vector<Winner> winners;    // none with fewer than two variants
  std::vector<Doubt> law_doubts;  // what takes back what the law says
};

// `doubts`: of the group's caveats. The result points into `input`.
Decision decide(const ReportInput& input, const Analysis& analysis, size_t group, const std::vector<Doubt>& doubts);

}  // namespace bitsweep::analysis
