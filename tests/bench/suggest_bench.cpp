// What does advice buy, and how fast is it? Runs are simulated from known laws of language models; grids and ladders
// that people plan beforehand are held against as many runs that suggest chose in three batches. Deterministic.
// usage: bench_suggest [TRUTHS] [REPEATS]     (40 truths, 20 repeats: about five minutes on one core)
//
// Costs are 6·N·D, told as fractions of the target's own. Both arms see the same noise (0.4 % of a seed, 0.2 % of a
// configuration), may use the same sizes and lengths (up to the target's), and are fitted by the same descents; a
// ladder by the power law along it, which is what a ladder is for. For each compute the best of all plain designs is
// taken after the fact, which favours them.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/rng.h"
#include "fit/distributions.h"
#include "fit/objective.h"
#include "fit/optimise.h"
#include "advise/suggest.h"

namespace bitsweep {
namespace {

constexpr double kParams = 3e8, kTokens = 6e9;  // of the target
constexpr int kRuns = 12;                       // of every design
constexpr double kSeedSd = 0.004, kConfigurationSd = 0.002;
constexpr double kQuantile = 0.8;  // the error that four of five predictions keep
constexpr size_t kFitStarts = 12;

double uniform(uint64_t seed, uint64_t i, double low, double high) {
  return low + (high - low) * random_unit(seed, 1001, i);
}
fit::Target target() {
  fit::Target target;
  target.params = kParams;
  target.tokens = kTokens;
  return target;
}

double gaussian(uint64_t seed, uint64_t i) { return fit::normal_quantile(random_unit(seed, 1002, i) + 0x1p-54); }

struct Truth {
  double e, a, b, alpha, beta;
  double operator()(double params, double tokens) const {
    return e + a * std::pow(params / 1e7, -alpha) + b * std::pow(tokens / 2e8, -beta);
  }
};

Truth truth_of(uint64_t i) {
  const uint64_t seed = 900 + i;
  return {uniform(seed, 0, 0.6, 1.8), uniform(seed, 1, 0.3, 1.0), uniform(seed, 2, 0.3, 1.0),
          uniform(seed, 3, 0.2, 0.5), uniform(seed, 4, 0.2, 0.5)};
}

using Place = std::pair<double, double>;  // params, tokens

double cost_of(const Place& place) { return place.first * place.second / (kParams * kTokens); }

// A simulated laboratory: what it is asked to run it measures, with the noise of this repetition.
class Laboratory {
 public:
  Laboratory(const Truth& truth, uint64_t repetition) : truth_(truth), repetition_(repetition) {}
  void run(const Place& place) {
    fit::Point point;
    point.params = std::round(place.first);
    point.tokens = std::round(place.second);
    point.seed = static_cast<int64_t>(points.size());
    const auto configuration = static_cast<uint64_t>(1e6 * std::log(point.params)) * 1000003 +
                               static_cast<uint64_t>(1e6 * std::log(point.tokens));
    point.loss = truth_(point.params, point.tokens) *
                 std::exp(kConfigurationSd * gaussian(repetition_ * 7919 + 11, configuration) +
                          kSeedSd * gaussian(repetition_ * 7919 + 13, points.size()));
    spent += cost_of({point.params, point.tokens});
    points.push_back(point);
  }
  double spent = 0;
  std::vector<fit::Point> points;

 private:
  const Truth& truth_;
  uint64_t repetition_;
};

double predicted(const std::vector<fit::Point>& points, bool ladder) {
  const auto law = make_law(ladder ? "power" : "chinchilla", points, {ladder ? "params" : "", "", ""});
  fit::Objective objective(*law, points, 1e-3);
  const auto starts = grid_of_starts(objective);
  const size_t stride = std::max<size_t>(1, starts.size() / kFitStarts);
  fit::Descent best;
  for (size_t i = stride / 2; i < starts.size(); i += stride) {
    fit::Descent end = descend_wide(objective, starts[i]);
    if (best.theta.size() == 0 || end.objective < best.objective) best = std::move(end);
  }
  fit::Point place;
  place.params = kParams;
  place.tokens = kTokens;
  place.loss = 1;
  return std::exp(fit::Objective(*law, {place}, 1e-3).predict(best.theta)[0]);
}

// A plan made beforehand: sizes × lengths × seeds with equal factors between them, from the largest run down.
struct Plain {
  int sizes, lengths, seeds;
  double factor, tilt;  // tilt: the largest run is this much wider, and as much shorter, than the target's shape
  bool ladder() const { return lengths == 1; }
  std::string name() const {
    return ladder() ? fmt::format("ladder of {}, {} seeds, ×{:g}", sizes, seeds, factor)
                    : fmt::format("grid {}×{}, ×{:g}, tilt {:g}", sizes, lengths, factor, tilt);
  }
  std::vector<Place> places(double scale) const {
    std::vector<Place> all;
    for (int i = 0; i < sizes; ++i)
      for (int j = 0; j < lengths; ++j)
        for (int s = 0; s < seeds; ++s)
          all.emplace_back(kParams * std::sqrt(scale) * tilt / std::pow(factor, i),
                           kTokens * std::sqrt(scale) / tilt / std::pow(factor, ladder() ? i : j));
    return all;
  }
  // The places that cost this much together; none when one would be larger than the target, or too small to be a model.
  std::vector<Place> of_cost(double compute) const {
    double unit = 0;
    for (const Place& place : places(1)) unit += cost_of(place);
    std::vector<Place> all = places(compute / unit);
    const bool too_large = all.front().first > 1.001 * kParams || all.front().second > 1.001 * kTokens;
    const bool too_small = all.back().first < 3e4 || all.back().second < 1e6;
    return too_large || too_small ? std::vector<Place>() : all;
  }
};

std::vector<Plain> plain_designs() {
  std::vector<Plain> designs;
  for (const double factor : {3., 4., 6., 8.}) {
    for (const double tilt : {0.25, 1.}) {
      designs.push_back({4, 3, 1, factor, tilt});
      designs.push_back({3, 4, 1, factor, tilt});
    }
  }
  for (const double factor : {1.5, 2.}) designs.push_back({12, 1, 1, factor, 1});
  for (const double factor : {2., 3., 4., 6., 8.}) designs.push_back({6, 1, 2, factor, 1});
  for (const double factor : {3., 4., 6., 8.}) designs.push_back({4, 1, 3, factor, 1});
  return designs;
}

// Every power of two below the target, at 0.5 to 2,000 tokens a parameter.
std::vector<advise::Candidate> candidates() {
  std::vector<advise::Candidate> all;
  for (int i = 0; i <= 13; ++i) {
    for (int j = 0; j <= 12; ++j) {
      advise::Candidate candidate;
      candidate.params = std::round(kParams * std::pow(2, -i));
      candidate.tokens = std::round(kTokens * std::pow(2, -j));
      const double ratio = candidate.tokens / candidate.params;
      candidate.cost = cost_of({candidate.params, candidate.tokens});
      candidate.available = 3;
      if (ratio >= 0.5 && ratio <= 2000) all.push_back(candidate);
    }
  }
  return all;
}

// Four small runs to begin with, then three batches: a tenth, a third and the rest of what is left.
void follow_advice(Laboratory& laboratory, double compute, uint64_t seed) {
  static const std::vector<advise::Candidate> all = candidates();
  const double small = std::sqrt(compute / 600);
  for (const Place& corner : {Place{1, 1}, {0.25, 1}, {1, 0.25}, {0.25, 0.25}})
    laboratory.run({kParams * small * corner.first, kTokens * small * corner.second});
  for (const double share : {0.1, 0.35, 1.0}) {
    advise::SuggestOptions options;
    options.targets = {target()};
    const int left = kRuns - static_cast<int>(laboratory.points.size());
    options.limits = {share == 0.1 ? left / 3 : share < 1 ? left / 2 : left, share * (compute - laboratory.spent)};
    options.draws = 200;
    options.seed = seed;
    options.noise = 0.005;
    const advise::Suggestion suggestion = suggest(laboratory.points, all, options);
    for (const advise::SuggestedRun& run : suggestion.batch)
      laboratory.run({all[run.candidate].params, all[run.candidate].tokens});
  }
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<size_t>(q * static_cast<double>(values.size())))];
}

double error_of(const Laboratory& laboratory, const Truth& truth, bool ladder) {
  return std::abs(std::log(predicted(laboratory.points, ladder) / truth(kParams, kTokens)));
}

struct Row {
  double compute, plain, advised;
  double spent;  // by the advised, on average: batches need not use up what they may
};

// The compute at which a falling curve of errors first reaches the goal, between its points by straight lines in
// logarithms; nothing when it does not.
std::optional<double> compute_for(const std::vector<Row>& rows, double Row::*compute, double Row::*error, double goal) {
  double lowest = std::numeric_limits<double>::infinity(), at = 0;
  for (const Row& row : rows) {
    const double now = std::min(lowest, row.*error);
    if (now <= goal) {
      if (!std::isfinite(lowest)) return row.*compute;
      const double part = std::log(lowest / goal) / std::log(lowest / now);
      return at * std::pow(row.*compute / at, part);
    }
    lowest = now;
    at = row.*compute;
  }
  return std::nullopt;
}

Row compare(double compute, int truths, int repeats) {
  Row row{compute, std::numeric_limits<double>::infinity(), 0, 0};
  std::string best;
  for (const Plain& design : plain_designs()) {
    const std::vector<Place> places = design.of_cost(compute);
    if (places.empty()) continue;
    std::vector<double> errors;
    for (int t = 0; t < truths; ++t) {
      const Truth truth = truth_of(t);
      for (int r = 0; r < repeats; ++r) {
        Laboratory laboratory(truth, 100 * t + r);
        for (const Place& place : places) laboratory.run(place);
        errors.push_back(error_of(laboratory, truth, design.ladder()));
      }
    }
    const double error = quantile(errors, kQuantile);
    if (error < row.plain) {
      row.plain = error;
      best = design.name();
    }
  }
  std::vector<double> errors;
  for (int t = 0; t < truths; ++t) {
    const Truth truth = truth_of(t);
    for (int r = 0; r < repeats; ++r) {
      Laboratory laboratory(truth, 100 * t + r);
      follow_advice(laboratory, compute, 100 * t + r);
      errors.push_back(error_of(laboratory, truth, false));
      row.spent += laboratory.spent / (truths * repeats);
    }
  }
  row.advised = quantile(errors, kQuantile);
  fmt::print("{:9.1e}   {:6.2f} %  {:32} {:6.2f} %  (spent {:.1e})\n", compute, 100 * row.plain, best,
             100 * row.advised, row.spent);
  std::fflush(stdout);
  return row;
}

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// The anchor is one search of the law's 4,500 starts on the same points, in the same run.
void time_it() {
  const Truth truth = truth_of(0);
  Laboratory laboratory(truth, 1);
  for (int i = 0; i < 8; ++i)
    for (int j = 0; j < 5; ++j) laboratory.run({1e6 * std::pow(2, i), 2e7 * std::pow(3, j)});
  std::vector<advise::Candidate> many;
  for (int i = 0; i < 32; ++i) {
    for (int j = 0; j < 32; ++j) {
      advise::Candidate candidate;
      candidate.params = 5e5 * std::pow(1.25, i);
      candidate.tokens = 1e7 * std::pow(1.25, j);
      candidate.cost = cost_of({candidate.params, candidate.tokens});
      candidate.available = 3;
      many.push_back(candidate);
    }
  }
  advise::SuggestOptions options;
  options.targets = {target()};
  options.limits = {8, laboratory.spent};
  const auto law = make_law("chinchilla", laboratory.points);
  fit::Objective objective(*law, laboratory.points, 1e-3);
  const double anchor = seconds_of([&] { minimise(objective, grid_of_starts(objective)); });
  const double budget = seconds_of([&] { suggest(laboratory.points, many, options); });
  options.aim = 0.05;
  options.limits.cost = std::numeric_limits<double>::infinity();
  const double aim = seconds_of([&] { suggest(laboratory.points, many, options); });
  fmt::print("{} candidates, 8 runs within a budget: {:.2f} s, {:.1f} times a search of 4,500 starts on 40 points\n",
             many.size(), budget, budget / anchor);
  fmt::print("… the cheapest of them for an aim: {:.2f} s, {:.1f} times\n\n", aim, aim / anchor);
}

}  // namespace
}  // namespace bitsweep

int main(int argc, char** argv) {
  using namespace bitsweep;
  const int truths = argc > 1 ? std::atoi(argv[1]) : 40, repeats = argc > 2 ? std::atoi(argv[2]) : 20;
  time_it();
  if (truths < 1 || repeats < 1) return 0;
  fmt::print(
      "{} truths, {} repeats, {} runs a design; the error of L({:.0e}, {:.0e}) that {:.0f} % of predictions keep\n",
      truths, repeats, kRuns, kParams, kTokens, 100 * kQuantile);
  fmt::print("  compute      best plain design                           suggested\n");
  std::vector<Row> rows;
  for (double compute = 3e-4; compute < 0.05; compute *= std::sqrt(10))
    rows.push_back(compare(compute, truths, repeats));
  fmt::print("\ncompute to reach an error\n");
  for (const double goal : {0.04, 0.03, 0.025, 0.02, 0.015}) {
    const auto plain = compute_for(rows, &Row::compute, &Row::plain, goal),
               advised = compute_for(rows, &Row::spent, &Row::advised, goal);
    const auto text = [](const std::optional<double>& x) {
      return x ? fmt::format("{:.1e}", *x) : std::string("not reached");
    };
    fmt::print("  {:4.1f} %: plain {:>11}, suggested {:>11}{}\n", 100 * goal, text(plain), text(advised),
               plain && advised ? fmt::format("; {:.2f} times", *advised / *plain) : "");
  }
}
