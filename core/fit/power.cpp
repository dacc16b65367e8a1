// L = E + A / x^α along one axis: x = N (parameters) or D (tokens). Kaplan et al. 2020 with a floor.
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "fit/axis.h"
#include "fit/law.h"
#include "fit/refuse.h"

namespace bitsweep {
namespace {

class PowerLaw : public Law {
 public:
  PowerLaw(const std::vector<Point>& points, Axis axis) : axis_(axis), center_(log_center(points, axis)) {}

  std::string name() const override { return "power"; }
  std::string formula() const override {
    return fmt::format("L = E + A / {}^alpha", axis_ == Axis::params ? "N" : "D");
  }
  std::string axis() const override { return axis_name(axis_); }
  const std::vector<std::string>& terms() const override { return terms_; }
  const std::vector<Shape>& shapes() const override { return shapes_; }

  Eigen::ArrayXXd coordinates(const std::vector<Point>& points) const override {
    Eigen::ArrayXXd x(points.size(), 1);
    for (size_t i = 0; i < points.size(); ++i) x(i, 0) = std::log(axis_value(points[i], axis_)) - center_;
    return x;
  }

  void evaluate(const Eigen::ArrayXXd& x, const Eigen::VectorXd& shapes, int order, Basis& basis) const override {
    basis.resize(x.rows(), 2, 1, order);
    basis.value.col(0).setOnes();
    basis.value.col(1) = (-shapes[0] * x.col(0)).exp();
    if (order >= 1) basis.first[0].col(1) = -x.col(0) * basis.value.col(1);
    if (order >= 2) basis.second[0].col(1) = x.col(0).square() * basis.value.col(1);
  }

  std::vector<NamedValue> named(const Eigen::VectorXd& amplitudes, const Eigen::VectorXd& shapes) const override {
    return {{"E", amplitudes[0]}, {"A", amplitudes[1] * std::exp(shapes[0] * center_)}, {"alpha", shapes[0]}};
  }

  void from_named(const std::vector<double>& values, Eigen::VectorXd& amplitudes,
                  Eigen::VectorXd& shapes) const override {
    amplitudes.resize(2), shapes.resize(1);
    shapes[0] = values.at(2);
    amplitudes << values.at(0), values.at(1) * std::exp(-shapes[0] * center_);
  }

  std::vector<std::vector<double>> share_starts() const override {
    std::vector<std::vector<double>> shares;
    for (const double e : {0.02, 0.15, 0.3, 0.45, 0.6, 0.75, 0.85, 0.92, 0.97}) shares.push_back({e, 1 - e});
    return shares;
  }

  std::vector<std::string> design_refusals(const std::vector<Point>& points) const override {
    std::vector<std::string> reasons;
    refuse_few_values(points, axis_, dimension(), name(), reasons);
    refuse_other_axis_varies(points, axis_, reasons);
    refuse_mixed_labels(points, reasons);
    return reasons;
  }

  double extrapolation(const std::vector<Point>& points, const Target& target) const override {
    return extrapolation_factor(points, axis_ == Axis::params ? target.params : target.tokens, axis_);
  }

  bool reads(Axis axis) const override { return axis == axis_; }

 private:
  Axis axis_;
  double center_;
  std::vector<std::string> terms_ = {"E", "A"};
  std::vector<Shape> shapes_ = {{"alpha", kExponentMin, kExponentMax, exponent_starts(60)}};
};

// The axis with more different values; parameters when they tie.
Axis varying_axis(const std::vector<Point>& points) {
  return distinct_values(points, Axis::tokens) > distinct_values(points, Axis::params) ? Axis::tokens : Axis::params;
}

}  // namespace

std::unique_ptr<Law> make_power_law(const std::vector<Point>& points, const std::string& axis) {
  if (axis.empty()) return std::make_unique<PowerLaw>(points, varying_axis(points));
  if (axis == "params") return std::make_unique<PowerLaw>(points, Axis::params);
  if (axis == "tokens") return std::make_unique<PowerLaw>(points, Axis::tokens);
  throw Error(ErrorKind::input, fmt::format("unknown axis '{}'{}; known: params, tokens", axis,
                                            did_you_mean(axis, {"params", "tokens"})));
}

}  // namespace bitsweep
