// Do 95 % intervals hold the truth in 95 of 100 cases, and are designs refused that cannot carry a law? Data are drawn
// from known laws over designs as people run them, and fitted by fit_law as `bitsweep fit` does. Deterministic.
// usage: bench_coverage [TRUTHS] [DESIGN]     (100 truths a design; about five minutes on one core)
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/rng.h"
#include "fit/distributions.h"
#include "fit/fit.h"

namespace bitsweep {
namespace {

// A law of language models: shares of the loss at 30M parameters and 1B tokens, not amplitudes, are what is known of
// it.
struct Truth {
  double e, a, b, alpha, beta;
  std::map<std::string, double> eff = {{"llama", 1}};

  double operator()(const fit::Point& p) const {
    const auto worth = eff.find(p.variant);
    const double n = p.params * (worth == eff.end() ? 1 : worth->second);
    return e + a * std::pow(n / 3e7, -alpha) + b * std::pow(p.tokens / 1e9, -beta);
  }
  double named(const std::string& name) const {
    if (name == "E") return e;
    if (name == "A") return a * std::pow(3e7, alpha);
    if (name == "B") return b * std::pow(1e9, beta);
    if (name == "alpha") return alpha;
    if (name == "beta") return beta;
    if (name == "a_opt") return beta / (alpha + beta);
    for (const auto& [variant, value] : eff) {
      if (name == "eff(" + variant + ")") return value;
    }
    return NAN;
  }
};

double uniform(uint64_t seed, uint64_t i, double low, double high) {
  return low + (high - low) * random_unit(seed, 1001, i);
}

double gaussian(uint64_t seed, uint64_t i) { return fit::normal_quantile(random_unit(seed, 1002, i) + 0x1p-54); }

Truth truth_of(uint64_t seed) {
  Truth t{uniform(seed, 0, 0.8, 1.9), uniform(seed, 1, 0.3, 1.2), uniform(seed, 2, 0.3, 1.2),
          uniform(seed, 3, 0.25, 0.45), uniform(seed, 4, 0.2, 0.45)};
  t.eff["bitnet"] = uniform(seed, 5, 0.3, 0.8);
  t.eff["truebit"] = uniform(seed, 6, 0.02, 0.3);
  return t;
}

fit::Point place(double params, double tokens, const std::string& variant = "", int64_t seed = 0) {
  fit::Point p;
  p.params = params;
  p.tokens = tokens;
  p.loss = 1;
  p.variant = variant;
  p.seed = seed;
  return p;
}

std::vector<fit::Point> product(const std::vector<double>& sizes, const std::vector<double>& budgets, int seeds,
                                const std::vector<std::string>& variants = {""}) {
  std::vector<fit::Point> points;
  for (const auto& v : variants) {
    for (const double n : sizes) {
      for (const double d : budgets) {
        for (int s = 0; s < seeds; ++s) points.push_back(place(n, d, v, s));
      }
    }
  }
  return points;
}

std::vector<fit::Point> iso_flop() {
  std::vector<fit::Point> points;
  for (const double flops : {1e16, 1e17, 1e18, 1e19}) {
    for (const double ratio : {2., 6., 20., 60., 200.}) {
      const double n = std::sqrt(flops / 6 / ratio);
      points.push_back(place(std::floor(n), std::floor(ratio * n)));
    }
  }
  return points;
}

std::vector<fit::Point> scattered(int count) {
  std::vector<fit::Point> points;
  for (int i = 0; i < count; ++i)
    points.push_back(place(std::floor(std::pow(10, uniform(3, 2 * i, 6.3, 8.3))),
                           std::floor(std::pow(10, uniform(3, 2 * i + 1, 8, 10)))));
  return points;
}

std::vector<fit::Point> ladder(double ratio, int rungs) {
  std::vector<fit::Point> points;
  for (int i = 0; i < rungs; ++i) points.push_back(place(1e6 * std::pow(2.0, i), ratio * 1e6 * std::pow(2.0, i)));
  return points;
}

struct Design {
  std::string name, law;
  std::vector<fit::Point> points;
  double noise = 0.005;
  fit::Target target{};
  bool heavy = false;  // Student's t with 4 degrees of freedom in the place of the normal
};

std::vector<Design> sound_designs() {
  const fit::Target far{1e9, 4e10, "", ""};
  return {
      {"power law, 10 sizes",
       "power",
       product({1e6, 2e6, 4e6, 8e6, 1.6e7, 3.2e7, 6.4e7, 1.28e8, 2.56e8, 5.12e8}, {1e9}, 1),
       0.005,
       {2e9, 1e9, "", ""}},
      {"grid 4 x 4", "chinchilla", product({3e6, 1e7, 3e7, 1e8}, {3e8, 1e9, 3e9, 1e10}, 1), 0.004, far},
      {"grid 5 x 4, 3 seeds", "chinchilla", product({3e6, 1e7, 3e7, 1e8, 2e8}, {3e8, 1e9, 3e9, 1e10}, 3), 0.008, far},
      {"isoFLOP 4 x 5", "chinchilla", iso_flop(), 0.005, far},
      {"scattered 40", "chinchilla", scattered(40), 0.01, far},
      {"scattered 40, heavy tails", "chinchilla", scattered(40), 0.006, far, true},
      {"3 variants, 3 x 3",
       "precision",
       product({5e6, 3e7, 2e8}, {5e8, 2e9, 1e10}, 1, {"llama", "bitnet", "truebit"}),
       0.005,
       {1e9, 4e10, "truebit", ""}}};
}

struct Unsound {
  std::string name, law;
  std::vector<fit::Point> points;
};

std::vector<Unsound> unsound_designs() {
  return {{"7 runs for 5 parameters",
           "chinchilla",
           {place(3e6, 3e8), place(3e6, 3e9), place(1e7, 3e8), place(1e7, 1e9), place(3e7, 1e9), place(1e8, 3e9),
            place(1e8, 1e9)}},
          {"ladder at 20 tokens a parameter", "chinchilla", ladder(20, 9)},
          {"a single size", "chinchilla", product({1e7}, {1e8, 2e8, 4e8, 8e8, 1.6e9, 3.2e9, 6.4e9, 1.3e10}, 1)},
          {"a single budget", "chinchilla", product({1e6, 2e6, 4e6, 8e6, 1.6e7, 3.2e7, 6.4e7, 1.3e8}, {1e9}, 1)},
          {"two sizes", "chinchilla", product({1e7, 1e8}, {1e8, 3e8, 1e9, 3e9, 1e10}, 1)},
          {"3 configurations, 5 seeds each", "power", product({1e6, 1e7, 1e8}, {1e9}, 5)},
          {"sizes and budgets, one axis", "power", product({1e6, 3e6, 1e7}, {1e8, 1e9}, 1)},
          {"variants without a reference", "precision",
           product({5e6, 3e7, 2e8}, {5e8, 2e9, 1e10}, 1, {"bitnet", "truebit"})}};
}

// Fills losses in; `first` numbers the runs, each of which has noise of its own.
void measure(std::vector<fit::Point>& points, const Design& design, const Truth& truth, uint64_t seed,
             uint64_t first = 0) {
  for (size_t i = 0; i < points.size(); ++i) {
    double z = gaussian(seed, first + i);
    // Student's t with 4 degrees of freedom has a variance of 2.
    if (design.heavy) z *= std::sqrt(4 / fit::chi_squared_draw(4, seed, 2000 + first + i) / 2);
    points[i].loss = truth(points[i]) * std::exp(design.noise * z);
  }
}

struct Count {
  int held = 0, all = 0;
  std::vector<double> widths;
  void add(const std::optional<fit::Interval>& interval, double value) {
    if (!interval || !std::isfinite(value)) return;
    ++all, held += interval->first <= value && value <= interval->second;
  }
  std::string text() const { return all == 0 ? "     -" : fmt::format("{:5.1f} %", 100.0 * held / all); }
};

std::optional<fit::Interval> find(const std::map<std::string, fit::Interval>& intervals, const std::string& name) {
  const auto at = intervals.find(name);
  return at == intervals.end() ? std::nullopt : std::optional(at->second);
}

void cover(const Design& design, uint64_t number, int truths) {
  std::map<std::string, std::map<std::string, Count>> counts;  // by parameter, by method
  std::map<std::string, Count> over;                           // by method
  std::vector<std::string> names;
  int refused = 0;
  for (int i = 0; i < truths; ++i) {
    const uint64_t seed = 100 + static_cast<uint64_t>(i);
    const Truth truth = truth_of(seed + 1000 * number);
    std::vector<fit::Point> points = design.points;
    measure(points, design, truth, seed + 1000 * number);
    fit::FitOptions options;
    options.law = design.law;
    options.resamples = 400;
    options.targets = {design.target};
    const fit::FitResult fit = fit_law(points, options);
    refused += !fit.refused.empty();
    if (!fit.refused.empty()) continue;
    std::vector<fit::NamedValue> values = fit.params;
    if (fit.a_opt) values.push_back({"a_opt", *fit.a_opt});
    for (const fit::NamedValue& v : values) {
      const double value = design.law == "power" && v.name == "E" ? truth.e + truth.b : truth.named(v.name);
      if (i == refused) names.push_back(v.name);
      const std::pair<const char*, const std::map<std::string, fit::Interval>*> methods[] = {
          {"intervals", &fit.intervals}, {"profile", &fit.profile}, {"bootstrap", &fit.bootstrap}};
      for (const auto& [method, intervals] : methods) {
        counts[v.name][method].add(find(*intervals, v.name), value);
        over[method].add(find(*intervals, v.name), value);
      }
    }
    const fit::Prediction& p = fit.predictions[0];
    std::vector<fit::Point> next = {place(design.target.params, design.target.tokens, design.target.variant)};
    measure(next, design, truth, seed + 1000 * number, 5000);
    over["prediction"].add(p.interval, next[0].loss);
  }
  fmt::print("{:<28} refused {:3d}  intervals {}  profile {}  bootstrap {}  a new run {}\n", design.name, refused,
             over["intervals"].text(), over["profile"].text(), over["bootstrap"].text(), over["prediction"].text());
  for (const std::string& name : names)
    fmt::print("    {:<24}              intervals {}  profile {}  bootstrap {}\n", name,
               counts[name]["intervals"].text(), counts[name]["profile"].text(), counts[name]["bootstrap"].text());
  std::fflush(stdout);
}

void refuse(const Unsound& design, int truths) {
  int refused = 0, claimed = 0;
  std::string words;
  for (int i = 0; i < truths; ++i) {
    const uint64_t seed = 100 + static_cast<uint64_t>(i);
    std::vector<fit::Point> points = design.points;
    measure(points, {design.name, design.law, {}, 0.005}, truth_of(seed), seed);
    fit::FitOptions options;
    options.law = design.law;
    options.resamples = 50;
    options.noise = 0.02;
    const fit::FitResult fit = fit_law(points, options);
    refused += !fit.refused.empty();
    claimed += !fit.intervals.empty() || fit.identified;
    if (words.empty() && !fit.refused.empty()) words = fit.refused[0];
  }
  fmt::print("{:<32} refused {:3d} of {:3d}, intervals all the same {}\n    \"{}\"\n", design.name, refused, truths,
             claimed, words);
  std::fflush(stdout);
}

// Truths that the law cannot describe, at x = log(N / 100M) and y = log(D / 2B).
struct Misfit {
  std::string name;
  std::function<double(double x, double y)> loss;
};

std::vector<Misfit> misfits() {
  const auto law = [](double x, double y) { return 1.7 + 0.9 * std::exp(-0.34 * x) + 1.2 * std::exp(-0.28 * y); };
  return {{"bent exponents",
           [](double x, double y) {
             return 1.7 + 0.9 * std::exp(-0.34 * x + 0.015 * x * x) + 1.2 * std::exp(-0.28 * y + 0.01 * y * y);
           }},
          {"a floor that depends on size",
           [](double x, double y) {
             return 1.7 + 0.05 * std::tanh(x) + 0.9 * std::exp(-0.34 * x) + 1.2 * std::exp(-(0.28 + 0.01 * x) * y);
           }},
          {"small sizes tuned less well",
           [law](double x, double y) { return law(x, y) * (1 + 0.04 * std::exp(-std::max(x + 1.5, 0.0))); }},
          {"none: the law holds", law}};
}

std::vector<std::pair<std::string, std::vector<fit::Point>>> misfit_designs() {
  std::vector<fit::Point> wide, narrow, ladders;
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) wide.push_back(place(1e7 * std::pow(4, i), 2e8 * std::pow(4, j)));
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) narrow.push_back(place(1e7 * std::pow(2.5, i), 2e8 * std::pow(3, j)));
  for (const double nd : {1e16, 3e16, 1e17, 3e17, 1e18})
    for (int i = 0; i < 6; ++i) {
      const double n = 1.2e8 * std::sqrt(nd / 1e17) * std::exp(-1.5 + 0.6 * i);
      ladders.push_back(place(n, nd / n));
    }
  return {{"grid 4 x 4, factors 4", wide}, {"grid 4 x 4, factors 2.5 and 3", narrow}, {"5 ladders of 6", ladders}};
}

// Of a run at ten times the largest compute, at three ratios of tokens to parameters.
void cover_misfit(const Misfit& misfit, int truths) {
  constexpr double kNoise = 0.004;
  const auto loss = [&](double params, double tokens) {
    return misfit.loss(std::log(params / 1e8), std::log(tokens / 2e9));
  };
  for (const auto& [name, design] : misfit_designs()) {
    double held = 0, by_law = 0, of = 0, width = 0;
    for (int t = 0; t < truths; ++t) {
      std::vector<fit::Point> points = design;
      const fit::Point* largest = &points[0];
      for (size_t i = 0; i < points.size(); ++i) {
        points[i].loss = loss(points[i].params, points[i].tokens) * std::exp(kNoise * gaussian(4000 + t, i));
        if (compute_of(points[i]) > compute_of(*largest)) largest = &points[i];
      }
      fit::FitOptions options;
      options.second_opinions = false;
      for (const double tilt : {0.5, 1., 2.}) {
        options.targets.emplace_back();
        options.targets.back().params = largest->params * std::sqrt(10) * tilt;
        options.targets.back().tokens = largest->tokens * std::sqrt(10) / tilt;
      }
      const fit::FitResult fit = fit_law(points, options);
      for (size_t k = 0; k < fit.predictions.size(); ++k) {
        const fit::Prediction& p = fit.predictions[k];
        if (!p.interval || !p.law_interval) continue;
        const double measured = loss(p.target.params, p.target.tokens) * std::exp(kNoise * gaussian(9000 + t, k));
        held += p.interval->first <= measured && measured <= p.interval->second;
        by_law += p.law_interval->first <= measured && measured <= p.law_interval->second;
        width += (p.interval->second - p.interval->first) / 2 / measured;
        ++of;
      }
    }
    fmt::print("  {:30} {:32} {:5.1f} % within (the law alone {:5.1f} %), half-width {:.1f} %\n", misfit.name, name,
               100 * held / of, 100 * by_law / of, 100 * width / of);
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace bitsweep

int main(int argc, char** argv) {
  using namespace bitsweep;
  const int truths = argc > 1 ? std::atoi(argv[1]) : 100;
  const std::string only = argc > 2 ? argv[2] : "";
  fmt::print("Coverage of 95 % intervals, {} truths a design (one standard error: {:.1f} %)\n", truths,
             100 * std::sqrt(0.95 * 0.05 / truths));
  uint64_t number = 0;
  for (const Design& design : sound_designs()) {
    ++number;
    if (design.name.find(only) != std::string::npos) cover(design, number, truths);
  }
  if (only.empty() || only == "misfit") {
    fmt::print("\nPredictions at ten times the compute, of truths that do not follow the law\n");
    for (const Misfit& misfit : misfits()) cover_misfit(misfit, truths);
  }
  if (!only.empty()) return 0;
  fmt::print("\nDesigns that cannot carry the law\n");
  for (const Unsound& design : unsound_designs()) refuse(design, std::min(truths, 20));
  return 0;
}
