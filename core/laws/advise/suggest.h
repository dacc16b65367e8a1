// The next runs: candidates ranked by how much of a prediction's variance each is expected to take away per cost, and a
// batch of them. Pure: points and candidates in, numbers out; who trains what, and what an hour is, is the caller's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "advise/design.h"
#include "advise/noise.h"
#include "fit/points.h"

namespace bitsweep::advise {

// A run that could be made: a place, and how often.
struct Candidate {
  double params = 0, tokens = 0;
  std::string variant, dataset;
  double unique_tokens = 0;  // as in Point
  double cost = 0;           // of one run, > 0; hours, or FLOPs where no speed is known
  int available = 1;         // seeds not yet used
};

struct SuggestOptions {
  std::string law = "chinchilla";
  std::vector<fit::Target> targets;  // at least one
  BatchLimits limits;
  std::optional<double> aim;  // half-width of the prediction's interval: then the cheapest batch within limits.runs
  double confidence = 0.95;   // of the intervals that are told
  int draws = 512;            // of the posterior
  uint64_t seed = 0;          // of the draws
  double noise = 0.01;        // assumed scatter of a run's log loss, for as long as the runs do not tell
};

// What is known of one target, and what will be after the batch, if all goes as expected. In the unit of the loss.
struct TargetOutlook {
  fit::Target target;
  double loss = 0;        // median over the draws
  double half_width = 0;  // of the law's loss there, a normal interval with the draws' sd
  double half_width_after = 0;
};

struct RankedCandidate {
  size_t candidate = 0;  // into what was given
  double reduction = 0;  // of the targets' variance by one run of it alone, as a fraction of that now
};

struct SuggestedRun {
  size_t candidate = 0;
  double loss = 0;       // that the draws expect of it, median
  double reduction = 0;  // in its turn, as a fraction of the variance now
  double remaining = 0;  // of the variance, after it and those before it
};

struct Suggestion {
  std::string law, formula;
  int points = 0, configurations = 0, draws = 0;
  NoiseModel noise;
  // Why the points alone do not determine the law, a sentence each. The ranking then leans on the prior
  // (fit/posterior.h); the loss at a target is no prediction to rely on.
  std::vector<std::string> leans_on_prior;
  std::vector<TargetOutlook> targets;
  std::vector<RankedCandidate> ranking;  // by reduction per cost, best first
  std::vector<SuggestedRun> batch;  // as Batch::picks; empty when nothing is affordable, or the aim is out of reach
  double cost = 0;                  // of the batch
};

// Throws Error{input} for an unknown law, no points, or a target without a value on an axis of the law. Deterministic.
Suggestion suggest(const std::vector<fit::Point>& points, const std::vector<Candidate>& candidates,
                   const SuggestOptions& options);

// What suggest() would leave with each of these budgets (ascending, instead of options.limits.cost): the mean over
// targets of the variance of their predicted losses, in squares of the loss. Never rising. Throws as suggest().
std::vector<double> variance_left(const std::vector<fit::Point>& points, const std::vector<Candidate>& candidates,
                                  const SuggestOptions& options, const std::vector<double>& budgets);

}  // namespace bitsweep::advise
