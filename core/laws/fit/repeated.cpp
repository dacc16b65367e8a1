// L = E + A / N^α + B / D'^β with D' = U + U·R*·(1 − e^(−R/R*)) and R = D/U − 1: tokens seen again are worth less.
// Muennighoff et al. 2023, "Scaling data-constrained language models", equation 5 (there R* = 15.39).
//
// Inside, the shape is κ = 1/R*: 0 where a repeated token is worth as much as a new one, and of order 1 where it is
// worth nothing, so that neither end is at infinity.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "fit/refuse.h"
#include "fit/sum_of_powers.h"

namespace bitsweep::fit {
namespace {

constexpr double kDecayMin = 1e-3, kDecayMax = 10;  // R* from 0.1 to 1,000 epochs
constexpr double kSmall = 0.05;                     // of κR, below which differences of exponentials cancel

// h(x) = (1 − e^−x) / x, h' and h''.
struct Worth {
  double h, first, second;
};

Worth worth(double x) {
  if (x < kSmall) {
    // Σ (−x)^k / (k + 1)!, differentiated term by term.
    return {1 - x * (1. / 2 - x * (1. / 6 - x * (1. / 24 - x * (1. / 120 - x * (1. / 720 - x / 5040))))),
            -1. / 2 + x * (1. / 3 - x * (1. / 8 - x * (1. / 30 - x * (1. / 144 - x * (1. / 840 - x / 5760))))),
            1. / 3 - x * (1. / 4 - x * (1. / 10 - x * (1. / 36 - x * (1. / 168 - x / 960))))};
  }
  const double e = std::exp(-x), h = -std::expm1(-x) / x, first = (e - h) / x;
  return {h, first, (-e - 2 * first) / x};
}

class RepeatedLaw : public SumOfPowers {
 public:
  explicit RepeatedLaw(const std::vector<Point>& points)
      : SumOfPowers(points, {Axis::params, Axis::tokens}, {{"E", -1, -1, -1}, {"A", 0, 0, -1}, {"B", 1, 1, -1}},
                    {{"alpha", kExponentMin, kExponentMax, exponent_starts(9)},
                     {"beta", kExponentMin, kExponentMax, exponent_starts(9)},
                     {"R_star", kDecayMin, kDecayMax, {0.01, 0.065, 0.5}}}) {}

  std::string name() const override { return "repeated"; }
  std::string formula() const override {
    return "L = E + A / N^alpha + B / D'^beta, D' = U + U R_star (1 - exp(-R / R_star)), R = D / U - 1";
  }
  bool reads(Axis axis) const override { return SumOfPowers::reads(axis) || axis == Axis::unique_tokens; }

  bool depends(int term, int shape) const override { return shape == 0 ? term == 1 : term == 2; }

  // log N, log min(D, U) (both centred), R.
  Eigen::ArrayXXd coordinates(const std::vector<Point>& points) const override {
    Eigen::ArrayXXd x(points.size(), 3);
    for (size_t i = 0; i < points.size(); ++i) {
      const double unique = points[i].unique_tokens > 0 ? points[i].unique_tokens : points[i].tokens;
      x(i, 0) = std::log(points[i].params) - center(0);
      x(i, 1) = std::log(std::min(points[i].tokens, unique)) - center(1);
      x(i, 2) = std::max(0.0, points[i].tokens / unique - 1);
    }
    return x;
  }

  void evaluate(const Eigen::ArrayXXd& x, const Eigen::VectorXd& shapes, int order, Basis& basis) const override {
    basis.resize(x.rows(), 3, 3, order);
    const double alpha = shapes[0], beta = shapes[1], decay = shapes[2];
    basis.value.col(0).setOnes();
    for (Eigen::Index i = 0; i < x.rows(); ++i) {
      const double n = x(i, 0), repeats = x(i, 2);
      const double a = basis.value(i, 1) = std::exp(-alpha * n);
      const Worth w = worth(decay * repeats);
      const double gain = 1 + repeats * w.h;
      const double d = x(i, 1) + std::log(gain);  // log D', centred
      const double b = basis.value(i, 2) = std::exp(-beta * d);
      const double slope = repeats * repeats * w.first / gain;  // of log D' in κ
      if (order >= 1)
        basis.first[0](i, 1) = -n * a, basis.first[1](i, 2) = -d * b, basis.first[2](i, 2) = -beta * slope * b;
      if (order < 2) continue;
      const double curve = repeats * repeats * repeats * w.second / gain - slope * slope;
      basis.second[0](i, 1) = n * n * a;
      basis.second[2](i, 2) = d * d * b;
      basis.second[4](i, 2) = (beta * d - 1) * slope * b;
      basis.second[5](i, 2) = (beta * beta * slope * slope - beta * curve) * b;
    }
  }

  std::vector<NamedValue> named(const Eigen::VectorXd& amplitudes, const Eigen::VectorXd& shapes) const override {
    auto values = SumOfPowers::named(amplitudes, shapes);
    values.back().value = 1 / values.back().value;
    return values;
  }

  void from_named(const std::vector<double>& values, Eigen::VectorXd& amplitudes,
                  Eigen::VectorXd& shapes) const override {
    SumOfPowers::from_named(values, amplitudes, shapes);
    shapes[2] = 1 / values.at(5);
  }

  std::optional<Plane> level(int index, double value) const override {
    if (index < 5) return SumOfPowers::level(index, value);
    if (!(value > 0)) return std::nullopt;
    return SumOfPowers::level(index, 1 / value);
  }

  std::vector<std::string> design_refusals(const std::vector<Point>& points) const override {
    std::vector<std::string> reasons;
    refuse_few_configurations(points, dimension(), name(), reasons);
    const auto unknown =
        std::count_if(points.begin(), points.end(), [](const Point& p) { return !(p.unique_tokens > 0); });
    double most = 0;
    for (const Point& p : points) most = std::max(most, p.unique_tokens > 0 ? p.tokens / p.unique_tokens : 0);
    if (unknown > 0)
      reasons.push_back(
          fmt::format("of {} of {} points it is not known how many of their tokens are different "
                      "(unique_tokens)",
                      unknown, points.size()));
    else if (!points.empty() && most < kFewestEpochs)
      reasons.push_back(
          fmt::format("no run passes its data more than {:.3g} times: what a repeated token is worth cannot "
                      "be read off; fit 'chinchilla'",
                      most));
    refuse_unidentified_axes(points, reasons);
    refuse_mixed_labels(points, reasons);
    return reasons;
  }

 private:
  static constexpr double kFewestEpochs = 1.5;
};

}  // namespace

std::unique_ptr<Law> make_repeated_law(const std::vector<Point>& points, const LawChoice&) {
  return std::make_unique<RepeatedLaw>(points);
}

}  // namespace bitsweep::fit
