// L = E + A / N^α + B / D^β: Hoffmann et al. 2022, approach 3.
#include <cmath>

#include "fit/axis.h"
#include "fit/law.h"
#include "fit/refuse.h"

namespace bitsweep {
namespace {

class ChinchillaLaw : public Law {
 public:
  explicit ChinchillaLaw(const std::vector<Point>& points)
      : center_n_(log_center(points, Axis::params)), center_d_(log_center(points, Axis::tokens)) {}

  std::string name() const override { return "chinchilla"; }
  std::string formula() const override { return "L = E + A / N^alpha + B / D^beta"; }
  const std::vector<std::string>& terms() const override { return terms_; }
  const std::vector<Shape>& shapes() const override { return shapes_; }

  Eigen::ArrayXXd coordinates(const std::vector<Point>& points) const override {
    Eigen::ArrayXXd x(points.size(), 2);
    for (size_t i = 0; i < points.size(); ++i) {
      x(i, 0) = std::log(points[i].params) - center_n_;
      x(i, 1) = std::log(points[i].tokens) - center_d_;
    }
    return x;
  }

  void evaluate(const Eigen::ArrayXXd& x, const Eigen::VectorXd& shapes, int order, Basis& basis) const override {
    basis.resize(x.rows(), 3, 2, order);
    basis.value.col(0).setOnes();
    for (int j = 0; j < 2; ++j) {
      auto term = basis.value.col(j + 1);
      term = (-shapes[j] * x.col(j)).exp();
      if (order >= 1) basis.first[j].col(j + 1) = -x.col(j) * term;
      if (order >= 2) basis.second[j == 0 ? 0 : 2].col(j + 1) = x.col(j).square() * term;
    }
  }

  std::vector<NamedValue> named(const Eigen::VectorXd& amplitudes, const Eigen::VectorXd& shapes) const override {
    return {{"E", amplitudes[0]},
            {"A", amplitudes[1] * std::exp(shapes[0] * center_n_)},
            {"B", amplitudes[2] * std::exp(shapes[1] * center_d_)},
            {"alpha", shapes[0]},
            {"beta", shapes[1]}};
  }

  void from_named(const std::vector<double>& values, Eigen::VectorXd& amplitudes,
                  Eigen::VectorXd& shapes) const override {
    amplitudes.resize(3), shapes.resize(2);
    shapes << values.at(3), values.at(4);
    amplitudes << values.at(0), values.at(1) * std::exp(-shapes[0] * center_n_),
        values.at(2) * std::exp(-shapes[1] * center_d_);
  }

  std::vector<std::vector<double>> share_starts() const override {
    std::vector<std::vector<double>> shares;
    for (const double e : {0.02, 0.25, 0.5, 0.7, 0.9}) {
      for (const double a : {0.1, 0.35, 0.65, 0.9}) shares.push_back({e, (1 - e) * a, (1 - e) * (1 - a)});
    }
    return shares;  // 20, times 15 × 15 exponents: 4,500 starts
  }

  std::vector<std::string> design_refusals(const std::vector<Point>& points) const override {
    std::vector<std::string> reasons;
    refuse_few_configurations(points, dimension(), name(), reasons);
    refuse_few_levels(points, Axis::params, reasons);
    refuse_few_levels(points, Axis::tokens, reasons);
    refuse_collinear_axes(points, reasons);
    refuse_mixed_labels(points, reasons);
    return reasons;
  }

  double extrapolation(const std::vector<Point>& points, const Target& target) const override {
    return std::max(extrapolation_factor(points, target.params, Axis::params),
                    extrapolation_factor(points, target.tokens, Axis::tokens));
  }

  bool reads(Axis) const override { return true; }

 private:
  double center_n_, center_d_;
  std::vector<std::string> terms_ = {"E", "A", "B"};
  std::vector<Shape> shapes_ = {{"alpha", kExponentMin, kExponentMax, exponent_starts(15)},
                                {"beta", kExponentMin, kExponentMax, exponent_starts(15)}};
};

}  // namespace

std::unique_ptr<Law> make_chinchilla_law(const std::vector<Point>& points) {
  return std::make_unique<ChinchillaLaw>(points);
}

}  // namespace bitsweep
