#include "fit/adequacy.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include <fmt/format.h>

#include "base/rng.h"
#include "fit/distributions.h"
#include "fit/likelihood.h"
#include "fit/surface.h"

namespace bitsweep::fit {
namespace {

constexpr double kFarShare = 0.05;  // of the configurations
constexpr int kFewest = 8;          // configurations from which a fit is judged
constexpr int kFewestHeldOut = 12;  // … and from which a fifth of them is held out
constexpr double kChance = 0.01;    // of a pattern by chance, over axes and tests together
constexpr size_t kTests = 2;        // for each axis: runs of one sign, and levels that differ
constexpr size_t kMostLevels = 6;
constexpr uint64_t kShuffles = 1999;
constexpr double kMatters = 2e-3;    // of log loss: a pattern smaller than that changes no decision
constexpr double kExcess = 2;        // times the noise: scatter that noise does not explain
constexpr double kNeighbour = 0.35;  // of a natural logarithm: configurations this near differ by noise …
constexpr double kNoiseFreedom = 4;  // … of which so many are needed
constexpr double kHeldOutShare = 0.2;
constexpr size_t kMostHeldOut = 300;  // configurations of the trial; of more every so many
constexpr double kMissedByLaw = 0.6;  // of the held-out runs within what the law alone allows: fewer is a failure

// Configurations with the mean of their residuals of log loss.
struct Residual {
  Point at;
  double value = 0;
  int runs = 0;
};

std::vector<Residual> residuals_of(const std::vector<Point>& points, const FitResult& fit) {
  const std::vector<int> groups = group_by_configuration(points);
  std::vector<Residual> all;
  for (size_t i = 0; i < points.size(); ++i) {
    if (static_cast<size_t>(groups[i]) == all.size()) all.push_back({points[i], 0, 0});
    Residual& r = all[static_cast<size_t>(groups[i])];
    r.value += std::log(points[i].loss / fit.fits[i].fitted);
    ++r.runs;
  }
  for (Residual& r : all) r.value /= r.runs;
  return all;
}

// P(as few runs of one sign or fewer) of a sequence with `above` and `below` signs: normal, corrected for continuity.
double few_runs_chance(int runs, double above, double below) {
  const double n = above + below, mean = 2 * above * below / n + 1;
  const double variance = (mean - 1) * (mean - 2) / (n - 1);
  return variance > 0 ? normal_cdf((runs + 0.5 - mean) / std::sqrt(variance)) : 1;
}

// P(levels that differ as much or more) if residuals were shuffled: one-way analysis of variance, by permutations, over
// levels of the axis, of which neighbours are taken together until there are few. 1 with less than three levels.
double levels_chance(const std::vector<Residual>& sorted, const std::vector<size_t>& ends) {
  std::vector<size_t> level(sorted.size());
  const size_t step = (ends.size() + kMostLevels - 1) / kMostLevels;
  for (size_t i = 0, l = 0; i < sorted.size(); ++i) {
    if (i >= ends[l]) ++l;
    level[i] = l / step;
  }
  const size_t levels = (ends.size() + step - 1) / step;
  if (levels < 3) return 1;
  std::vector<double> values, sums(levels), counts(levels, 0);
  for (const Residual& r : sorted) values.push_back(r.value);
  for (const size_t l : level) ++counts[l];
  const auto between = [&] {
    std::fill(sums.begin(), sums.end(), 0);
    for (size_t i = 0; i < values.size(); ++i) sums[level[i]] += values[i];
    double squares = 0;
    for (size_t l = 0; l < levels; ++l) squares += sums[l] * sums[l] / counts[l];
    return squares;
  };
  const double seen = between();
  int as_much = 0;
  for (uint64_t k = 0; k < kShuffles; ++k) {
    for (size_t i = values.size(); i > 1; --i)
      std::swap(values[i - 1], values[random_below(k, static_cast<uint64_t>(Stream::bootstrap) << 48, i, i)]);
    as_much += between() >= seen * (1 - 1e-12);
  }
  return (as_much + 1.0) / (kShuffles + 1.0);
}

std::optional<Pattern> pattern_along(std::vector<Residual> all, const std::string& axis,
                                     const std::function<double(const Point&)>& value) {
  std::stable_sort(all.begin(), all.end(),
                   [&](const Residual& a, const Residual& b) { return value(a.at) < value(b.at); });
  if (value(all.back().at) < 1.05 * value(all.front().at)) return std::nullopt;
  // Of configurations alike on the axis the mean counts: their order among each other says nothing.
  std::vector<double> sequence;
  std::vector<size_t> ends;
  for (size_t first = 0, last = 0; first < all.size(); first = last) {
    double sum = 0;
    while (last < all.size() && value(all[last].at) < 1.02 * value(all[first].at)) sum += all[last++].value;
    sequence.push_back(sum / static_cast<double>(last - first));
    ends.push_back(last);
  }
  Pattern pattern{axis};
  int above = 0, runs = 0;
  for (size_t i = 0; i < sequence.size(); ++i) {
    above += sequence[i] > 0;
    runs += i == 0 || (sequence[i] > 0) != (sequence[i - 1] > 0);
  }
  pattern.p =
      std::min(few_runs_chance(runs, above, static_cast<double>(sequence.size()) - above), levels_chance(all, ends));
  const auto third = [&](size_t from, size_t to) {
    double sum = 0;
    for (size_t i = from; i < to; ++i) sum += all[i].value;
    return sum / static_cast<double>(std::max<size_t>(1, to - from));
  };
  const size_t n = all.size();
  pattern.low = third(0, n / 3), pattern.middle = third(n / 3, n - n / 3), pattern.high = third(n - n / 3, n);
  return pattern;
}

// Noise of log loss from pairs of configurations that lie near each other, each configuration in one pair: half of the
// squared difference of their residuals.
std::optional<double> noise_of_neighbours(std::vector<Residual> all) {
  double squares = 0, freedom = 0;
  std::vector<bool> taken(all.size(), false);
  const auto apart = [&](size_t a, size_t b) {
    if (all[a].at.variant != all[b].at.variant || all[a].at.dataset != all[b].at.dataset) return HUGE_VAL;
    return std::hypot(std::log(all[a].at.params / all[b].at.params), std::log(all[a].at.tokens / all[b].at.tokens));
  };
  for (size_t i = 0; i < all.size(); ++i) {
    if (taken[i]) continue;
    size_t best = i;
    double least = kNeighbour;
    for (size_t j = i + 1; j < all.size(); ++j)
      if (!taken[j] && apart(i, j) < least) least = apart(i, j), best = j;
    if (best == i) continue;
    taken[i] = taken[best] = true;
    squares += std::pow(all[i].value - all[best].value, 2) / 2;
    ++freedom;
  }
  if (freedom < kNoiseFreedom) return std::nullopt;
  return std::sqrt(squares / freedom);
}

std::string percent(double log_value) { return fmt::format("{:+.2g} %", 100 * std::expm1(log_value)); }

class Judging {
 public:
  Judging(const std::vector<Point>& points, const FitOptions& options, const FitResult& fit)
      : points_(points), options_(options), fit_(fit) {}

  Adequacy run() {
    const auto law = make_law(options_.law, points_, options_.choice());
    if (!fit_.has_params() || fit_.fits.size() != points_.size()) return untold("no law was fitted");
    if (are_checkpoints(*law, points_)) return untold("residuals of checkpoints of one run are no test of a law");
    all_ = residuals_of(points_, fit_);
    const int needed = std::max(kFewest, law->dimension() + 3);
    if (static_cast<int>(all_.size()) < needed)
      return untold(fmt::format("{} configurations do not test a law of {} parameters: {} are needed", all_.size(),
                                law->dimension(), needed));
    out_.judged = true;
    double squares = 0;
    for (const Residual& r : all_) squares += r.value * r.value;
    out_.scatter = std::sqrt(squares / static_cast<double>(all_.size()));
    out_.misfit = fit_.surface ? fit_.surface->misfit() : 0;
    noise();
    far(*law);
    patterns(*law);
    compare_with_noise();
    hold_out();
    return std::move(out_);
  }

 private:
  static Adequacy untold(std::string why) {
    Adequacy none;
    none.words.push_back(std::move(why));
    return none;
  }

  void noise() {
    const SeedNoise seeds = seed_noise(points_);
    if (seeds.freedom >= kNoiseFreedom && repeats_are_seeds(points_)) {
      out_.noise = seeds.sd;
      out_.noise_source = "repeated seeds";
    } else if (const auto near = noise_of_neighbours(all_)) {
      out_.noise = near;
      out_.noise_source = "neighbouring configurations";
    }
  }

  // A few runs that went wrong are told with the fit; of more the law is no description.
  void far(const Law& law) {
    const size_t count = far_observations(law, points_, fit_.log_fitted()).far.size();
    if (count < 2 || static_cast<double>(count) < kFarShare * static_cast<double>(all_.size())) return;
    out_.words.push_back(
        fmt::format("{} of {} configurations lie far from the law, as runs do that went wrong", count, all_.size()));
  }

  void patterns(const Law& law) {
    std::vector<std::pair<std::string, std::function<double(const Point&)>>> axes;
    if (law.reads(Axis::params)) axes.emplace_back("parameters", [](const Point& p) { return p.params; });
    if (law.reads(Axis::tokens)) axes.emplace_back("tokens", [](const Point& p) { return p.tokens; });
    if (axes.size() == 2) axes.emplace_back("compute", [](const Point& p) { return compute_of(p); });
    for (const auto& [name, value] : axes) {
      const auto pattern = pattern_along(all_, name, value);
      if (!pattern || pattern->p > kChance / static_cast<double>(kTests * axes.size())) continue;
      out_.patterns.push_back(*pattern);
      const double most = std::max({std::abs(pattern->low), std::abs(pattern->middle), std::abs(pattern->high)});
      if (most < kMatters && out_.misfit < kMatters) continue;
      out_.words.push_back(
          fmt::format("residuals have a pattern along {} (p {:.2g}): what was measured lies {} off the law in the "
                      "lowest third, {} in the middle, {} in the highest",
                      name, pattern->p, percent(pattern->low), percent(pattern->middle), percent(pattern->high)));
    }
  }

  void compare_with_noise() {
    if (!out_.noise || out_.scatter < kMatters || out_.scatter < kExcess * *out_.noise) return;
    out_.words.push_back(fmt::format(
        "configurations scatter about the law by {:.2g} %, {:.2g} times what {} differ by ({:.2g} %)",
        100 * out_.scatter, out_.scatter / std::max(*out_.noise, 1e-12), out_.noise_source, 100 * *out_.noise));
  }

  void hold_out() {
    if (static_cast<int>(all_.size()) < kFewestHeldOut || !fit_.surface) return;
    out_.held_out = hold_out_largest(thinned(points_, kMostHeldOut), options_, kHeldOutShare);
    if (!out_.held_out) return;
    const HoldOut& h = *out_.held_out;
    double inside = 0, bias = 0;
    for (const HeldOut& run : h.runs) {
      inside += run.inside_law;
      bias += std::log(run.point.loss / run.predicted);
    }
    const double n = static_cast<double>(h.runs.size());
    if (inside / n >= kMissedByLaw || std::abs(bias / n) < kMatters) return;
    out_.words.push_back(fmt::format(
        "of the {} largest runs, predicted from the others, {} lie within what the law alone allows; they end {} "
        "from it",
        h.runs.size(), inside == 0 ? "none" : fmt::format("{:.0f}", inside), percent(bias / n)));
  }

  const std::vector<Point>& points_;
  const FitOptions& options_;
  const FitResult& fit_;
  std::vector<Residual> all_;
  Adequacy out_;
};

}  // namespace

Adequacy judge_law(const std::vector<Point>& points, const FitOptions& options, const FitResult& fit) {
  return Judging(points, options, fit).run();
}

std::vector<std::string> undetermined(const FitResult& fit) {
  std::vector<std::string> words;
  const auto a = fit.intervals.find("a_opt");
  if (a != fit.intervals.end() && (a->second.second - a->second.first) / 2 > kDeterminedAOpt)
    words.push_back(fmt::format("the best size grows as compute to a power of {:.2f} to {:.2f} (a_opt)",
                                a->second.first, a->second.second));
  for (const Prediction& p : fit.predictions) {
    if (!p.interval || !p.loss) continue;
    const double half = (p.interval->second - p.interval->first) / 2;
    if (half > kDeterminedLoss * *p.loss)
      words.push_back(fmt::format("the 95 % interval of the loss at {} is {:.4g} to {:.4g}",
                                  place_name(p.target.params, p.target.tokens), p.interval->first, p.interval->second));
  }
  return words;
}

json::object adequacy_json(const Adequacy& adequacy) {
  json::array patterns;
  for (const Pattern& p : adequacy.patterns)
    patterns.push_back(
        json::object{{"axis", p.axis}, {"p", p.p}, {"low", p.low}, {"middle", p.middle}, {"high", p.high}});
  return {{"adequate", adequacy.adequate()},
          {"inadequacy", strings_json(adequacy.words)},
          {"scatter", finite_or_null(adequacy.scatter)},
          {"noise", finite_or_null(adequacy.noise)},
          {"misfit", finite_or_null(adequacy.misfit)},
          {"patterns", patterns}};
}

}  // namespace bitsweep::fit
