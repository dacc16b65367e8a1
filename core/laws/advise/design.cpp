#include "advise/design.h"

#include <algorithm>
#include <cmath>

namespace bitsweep::advise {
namespace {

constexpr double kPowers[] = {1, 0.75, 0.5, 0.25, 0};  // of the cost, in the greedy rules
constexpr int kExchangeRounds = 4;
constexpr int kBudgetSteps = 14;      // of the search for the cheapest batch
constexpr double kWorthwhile = 1e-9;  // gains below are rounding
constexpr double kNoticed = 1e-3;     // of what remains: a run that takes less is not worth its cost

// The posterior's covariance in feature space, after the runs that were taken so far.
class State {
 public:
  explicit State(const DesignProblem& problem)
      : problem_(problem),
        covariance_(Eigen::MatrixXd::Identity(problem.candidates.rows(), problem.candidates.rows())),
        taken_(problem.cost.size(), 0) {
    for (Eigen::Index t = 0; t < problem.targets.cols(); ++t)
      now_.push_back(std::max(problem.targets.col(t).squaredNorm(), 1e-300));
  }

  int taken(size_t c) const { return taken_[c]; }

  // What one more run of each candidate would take from the mean relative variance. [M]
  Eigen::ArrayXd gains() const {
    const Eigen::MatrixXd spread = covariance_ * problem_.candidates;  // [r, M]
    const Eigen::ArrayXd own = (problem_.candidates.array() * spread.array()).colwise().sum().transpose();
    Eigen::ArrayXd sum = Eigen::ArrayXd::Zero(own.size());
    for (size_t t = 0; t < now_.size(); ++t)
      sum += (spread.transpose() * problem_.targets.col(t)).array().square() / now_[t];
    for (Eigen::Index c = 0; c < own.size(); ++c) {
      const double precision = added_precision(c);
      sum[c] *= precision / (1 + precision * own[c]) / static_cast<double>(now_.size());
    }
    return sum;
  }

  void take(size_t c) {
    const Eigen::VectorXd f = covariance_ * problem_.candidates.col(c);
    const double precision = added_precision(c);
    covariance_ -= (precision / (1 + precision * problem_.candidates.col(c).dot(f))) * f * f.transpose();
    ++taken_[c];
  }

  double variance(size_t t) const {
    const auto target = problem_.targets.col(static_cast<Eigen::Index>(t));
    return std::max(0.0, target.dot(covariance_ * target));
  }

  double remaining() const {
    double sum = 0;
    for (size_t t = 0; t < now_.size(); ++t) sum += variance(t) / now_[t];
    return sum / static_cast<double>(now_.size());
  }

 private:
  // A configuration's mean over n seeds is one measurement; another seed sharpens it.
  double added_precision(size_t c) const {
    const int runs = problem_.measured[c] + taken_[c];
    const double before = runs > 0 ? 1 / problem_.noise.variance(runs) : 0;
    return 1 / problem_.noise.variance(runs + 1) - before;
  }

  const DesignProblem& problem_;
  Eigen::MatrixXd covariance_;
  std::vector<int> taken_;
  std::vector<double> now_;
};

State state_after(const DesignProblem& problem, const std::vector<size_t>& picks) {
  State state(problem);
  for (const size_t c : picks) state.take(c);
  return state;
}

double cost_of(const DesignProblem& problem, const std::vector<size_t>& picks) {
  double sum = 0;
  for (const size_t c : picks) sum += problem.cost[c];
  return sum;
}

// The affordable candidate with the highest gain per cost^power; M when none helps.
size_t best_candidate(const DesignProblem& problem, const State& state, double budget, double power) {
  const Eigen::ArrayXd gains = state.gains();
  size_t best = problem.cost.size();
  double highest = 0;
  const double least = std::max(kWorthwhile, kNoticed * state.remaining());
  for (size_t c = 0; c < problem.cost.size(); ++c) {
    if (problem.cost[c] > budget || state.taken(c) >= problem.available[c] || gains[c] < least) continue;
    const double score = gains[c] / std::pow(problem.cost[c], power);
    if (score > highest) {
      highest = score;
      best = c;
    }
  }
  return best;
}

std::vector<size_t> greedy(const DesignProblem& problem, const BatchLimits& limits, double power) {
  State state(problem);
  std::vector<size_t> picks;
  double left = limits.cost;
  while (static_cast<int>(picks.size()) < limits.runs) {
    const size_t c = best_candidate(problem, state, left, power);
    if (c == problem.cost.size()) break;
    state.take(c);
    picks.push_back(c);
    left -= problem.cost[c];
  }
  return picks;
}

// Each run in turn is given up for the one that then helps most, for as long as that lowers what remains.
void exchange(const DesignProblem& problem, const BatchLimits& limits, std::vector<size_t>& picks) {
  double lowest = state_after(problem, picks).remaining();
  for (int round = 0; round < kExchangeRounds; ++round) {
    bool better = false;
    for (size_t i = 0; i < picks.size(); ++i) {
      std::vector<size_t> rest = picks;
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
      State state = state_after(problem, rest);
      const size_t c = best_candidate(problem, state, limits.cost - cost_of(problem, rest), 0);
      if (c == problem.cost.size() || c == picks[i]) continue;
      state.take(c);
      if (state.remaining() < lowest * (1 - 1e-9)) {
        lowest = state.remaining();
        picks[i] = c;
        better = true;
      }
    }
    if (!better) return;
  }
}

// The picks in the order in which each buys most per cost, with what remains after each.
Batch in_order(const DesignProblem& problem, std::vector<size_t> picks) {
  Batch batch;
  State state(problem);
  while (!picks.empty()) {
    const Eigen::ArrayXd gains = state.gains();
    const auto next = std::max_element(picks.begin(), picks.end(), [&](size_t a, size_t b) {
      return gains[a] / problem.cost[a] < gains[b] / problem.cost[b];
    });
    state.take(*next);
    batch.picks.push_back(*next);
    batch.remaining.push_back(state.remaining());
    batch.cost += problem.cost[*next];
    picks.erase(next);
  }
  return batch;
}

}  // namespace

Eigen::MatrixXd features_of(const Eigen::MatrixXd& draws, double floor) {
  const Eigen::Index count = draws.rows();
  Eigen::MatrixXd left = draws.rowwise() - draws.colwise().mean();
  left /= std::sqrt(std::max<double>(1, static_cast<double>(count - 1)));
  const Eigen::Index most = std::min(count, left.cols());
  Eigen::MatrixXd features(most, left.cols());
  Eigen::Index rank = 0;
  for (; rank < most; ++rank) {
    Eigen::Index pivot = 0;
    const double largest = left.colwise().squaredNorm().maxCoeff(&pivot);
    if (!(largest > floor)) break;
    const Eigen::VectorXd direction = left.col(pivot) / std::sqrt(largest);
    features.row(rank) = direction.transpose() * left;
    left.noalias() -= direction * features.row(rank);
  }
  return features.topRows(rank);
}

Batch choose_batch(const DesignProblem& problem, const BatchLimits& limits) {
  std::vector<size_t> best;
  double lowest = 1;
  for (const double power : kPowers) {
    std::vector<size_t> picks = greedy(problem, limits, power);
    exchange(problem, limits, picks);
    const double remaining = state_after(problem, picks).remaining();
    if (picks.empty() || remaining >= lowest) continue;
    lowest = remaining;
    best = std::move(picks);
  }
  return in_order(problem, std::move(best));
}

std::optional<Batch> cheapest_batch(const DesignProblem& problem, int runs, double goal) {
  if (problem.cost.empty()) return std::nullopt;
  std::optional<Batch> found;
  double low = *std::min_element(problem.cost.begin(), problem.cost.end());
  double high = *std::max_element(problem.cost.begin(), problem.cost.end()) * runs;
  Batch all = choose_batch(problem, {runs, high});
  if (all.picks.empty() || all.left() > goal) return std::nullopt;
  high = all.cost;
  found = std::move(all);
  for (int step = 0; step < kBudgetSteps && high > 1.02 * low; ++step) {
    const double middle = std::sqrt(low * high);
    Batch batch = choose_batch(problem, {runs, middle});
    if (!batch.picks.empty() && batch.left() <= goal) {
      high = std::min(middle, batch.cost);
      found = std::move(batch);
    } else {
      low = middle;
    }
  }
  return found;
}

std::vector<double> target_variances(const DesignProblem& problem, const std::vector<size_t>& picks) {
  const State state = state_after(problem, picks);
  std::vector<double> variances;
  for (Eigen::Index t = 0; t < problem.targets.cols(); ++t) variances.push_back(state.variance(t));
  return variances;
}

Eigen::ArrayXd single_gains(const DesignProblem& problem) { return State(problem).gains(); }

}  // namespace bitsweep::advise
