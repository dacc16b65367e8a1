#include "fit/discrepancy.h"

#include <cmath>
#include <numbers>

namespace bitsweep::fit {
namespace {

constexpr double kRatios[] = {0.5, 1, 2, 4, 8, 16};
constexpr double kSharedByLabels = 0.5;  // of the variance: variants of one law miss much of the same

std::vector<Axis> axes_of(const Law& law) {
  std::vector<Axis> axes;
  for (const Axis axis : {Axis::params, Axis::tokens, Axis::unique_tokens})
    if (law.reads(axis)) axes.push_back(axis);
  return axes;
}

}  // namespace

DiscrepancyPlaces::DiscrepancyPlaces(const Law& law, const std::vector<Point>& points) {
  const std::vector<Axis> axes = axes_of(law);
  at_.resize(static_cast<Eigen::Index>(points.size()), static_cast<Eigen::Index>(axes.size()));
  for (size_t i = 0; i < points.size(); ++i) {
    for (size_t a = 0; a < axes.size(); ++a) {
      const double value = axis_value(points[i], axes[a]);
      at_(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(a)) = value > 0 ? std::log(value) : 0;
    }
    labels_.push_back((law.pools_variants() ? points[i].variant : "") + '\n' +
                      (law.pools_datasets() ? points[i].dataset : ""));
  }
}

Eigen::MatrixXd DiscrepancyPlaces::correlation(const DiscrepancyPlaces& other) const {
  Eigen::MatrixXd k(at_.rows(), other.at_.rows());
  for (Eigen::Index j = 0; j < k.cols(); ++j) {
    for (Eigen::Index i = 0; i < k.rows(); ++i) {
      const double d = std::numbers::sqrt3 * (at_.row(i) - other.at_.row(j)).norm() / kDiscrepancyLength;
      const bool same = labels_[static_cast<size_t>(i)] == other.labels_[static_cast<size_t>(j)];
      k(i, j) = (1 + d) * std::exp(-d) * (same ? 1 : kSharedByLabels);
    }
  }
  return k;
}

std::vector<DiscrepancyScale> discrepancy_scales(const Eigen::MatrixXd& correlation, const Eigen::ArrayXd& weights) {
  std::vector<DiscrepancyScale> scales;
  for (const double ratio : kRatios) {
    Eigen::MatrixXd covariance = ratio * ratio * correlation;
    covariance.diagonal().array() += 1 / weights;
    DiscrepancyScale scale{ratio, Eigen::LLT<Eigen::MatrixXd>(covariance), 0};
    scale.log_determinant = scale.factor.matrixLLT().diagonal().array().log().sum();
    scales.push_back(std::move(scale));
  }
  return scales;
}

}  // namespace bitsweep::fit
