// Which running run is given up early, judged by its curve against those of its peers. Pure; the coordinator asks after
// each evaluation, the replay (replay.h) asks of recorded curves.
//
// A run that is stopped so has not trained to its end: nothing may use it as a finished one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bitsweep::schedule {

enum class StopRule { none, asha, median, curve };
std::optional<StopRule> stop_rule_from(std::string_view text);

struct StopSettings {
  StopRule rule = StopRule::none;
  int64_t grace = 0;          // steps before which nothing is stopped; the first rung of `asha`
  int64_t reduction = 3;      // of `asha`: each rung is this many times further, and the best 1/reduction go on
  int64_t fewest = 4;         // of `median`: peers that have come so far, for there to be a median to trust
  double probability = 0.95;  // of `curve`: that the run will end above the best, before it is stopped
  // Losses are negated values of a metric of which more is better: told to people as they are.
  bool negated = false;
};

struct LossAt {
  int64_t step = 0;
  double loss = 0;  // lower is better
};

// Of one run, by ascending steps; losses are finite.
struct RunCurve {
  std::string id;
  int64_t steps = 0;  // planned
  std::vector<LossAt> losses;
  bool done = false;  // to its end

  int64_t reached() const { return losses.empty() ? 0 : losses.back().step; }
  // The least loss up to a step; nothing before the first evaluation.
  std::optional<double> best_by(int64_t step) const;
};

// What a run's last loss will be.
struct Extrapolation {
  double loss = 0;
  double sd = 0;
};
// Nothing where the curve says too little. Given by the caller, who knows the law and the learning rate.
using Extrapolate = std::function<std::optional<Extrapolation>(const RunCurve&)>;

struct StopVerdict {
  bool stop = false;
  std::string why;  // a sentence, when it is stopped
};

// `peers`: the other runs that this one competes with, in any state but wrongly ended ones; stopped ones count with
// what they reached.
// - asha: asynchronous successive halving, its stopping form (Li et al. 2020, MLSys): at steps grace · reduction^k a
// run
//   goes on when its best loss is among the best 1/reduction of all that have come as far; until `reduction` have, all
//   go.
// - median: Vizier's rule (Golovin et al. 2017, KDD): stopped when its best loss is above the median of the peers' mean
//   losses up to this step.
// - curve: stopped when by its extrapolation it ends above the best finished peer with at least `probability`.
StopVerdict should_stop(const StopSettings& settings, const RunCurve& run, std::span<const RunCurve* const> peers,
                        const Extrapolate& extrapolate);

}  // namespace bitsweep::schedule
