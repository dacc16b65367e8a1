#include "fit/sum_of_powers.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "fit/kernels.h"

namespace bitsweep::fit {

std::vector<std::string> distinct_labels(const std::vector<Point>& points, std::string Point::*of) {
  std::set<std::string> names;
  for (const Point& p : points) names.insert(p.*of);
  return {names.begin(), names.end()};
}

std::vector<std::vector<double>> joint_shares() {
  std::vector<std::vector<double>> shares;
  for (const double e : {0.02, 0.25, 0.5, 0.7, 0.9}) {
    for (const double a : {0.1, 0.35, 0.65, 0.9}) shares.push_back({e, (1 - e) * a, (1 - e) * (1 - a)});
  }
  return shares;  // 20, times 15 × 15 exponents: 4,500 starts
}

SumOfPowers::SumOfPowers(const std::vector<Point>& points, std::vector<Axis> axes, std::vector<PowerTerm> terms,
                         std::vector<Shape> shapes, std::vector<std::string> labels)
    : axes_(std::move(axes)), terms_(std::move(terms)), shapes_(std::move(shapes)), labels_(std::move(labels)) {
  for (const Axis axis : axes_) centers_.push_back(log_center(points, axis));
  for (const PowerTerm& term : terms_) term_names_.push_back(term.name);
}

bool SumOfPowers::reads(Axis axis) const { return std::find(axes_.begin(), axes_.end(), axis) != axes_.end(); }

// The centred logarithms, then a column of 0 and 1 a label.
Eigen::ArrayXXd SumOfPowers::coordinates(const std::vector<Point>& points) const {
  const Eigen::Index sizes = static_cast<Eigen::Index>(axes_.size());
  Eigen::ArrayXXd x = Eigen::ArrayXXd::Zero(points.size(), sizes + static_cast<Eigen::Index>(labels_.size()));
  for (size_t i = 0; i < points.size(); ++i) {
    for (Eigen::Index c = 0; c < sizes; ++c) x(i, c) = std::log(axis_value(points[i], axes_[c])) - centers_[c];
    if (const int label = label_of(points[i]); label >= 0) x(i, sizes + label) = 1;
  }
  return x;
}

void SumOfPowers::evaluate(const Eigen::ArrayXXd& x, const Eigen::VectorXd& shapes, int order, Basis& basis) const {
  const int sizes = static_cast<int>(axes_.size()), count = static_cast<int>(terms_.size());
  basis.resize(x.rows(), count, static_cast<int>(shapes_.size()), order);
  for (int k = 0; k < count; ++k) {
    const PowerTerm& term = terms_[k];
    const PowerTerm* before = k > 0 ? &terms_[k - 1] : nullptr;
    auto value = basis.value.col(k);
    if (term.shape < 0) {
      if (term.label >= 0)
        value = x.col(sizes + term.label);
      else
        value.setOnes();
      continue;
    }
    const int j = term.shape;
    // The same power for another label is the same column with other rows; exp is what costs.
    if (term.label > 0 && before && before->shape == j && before->column == term.column && before->label >= 0) {
      value = basis.common;
    } else {
      exp_scaled(x.col(term.column).data(), -shapes[j], value.data(), x.rows());
      if (term.label >= 0) basis.common = value;
    }
    if (term.label >= 0) value *= x.col(sizes + term.label);
    if (order >= 1) basis.first[j].col(k) = -x.col(term.column) * value;
    if (order >= 2) basis.second[j * (j + 1) / 2 + j].col(k) = x.col(term.column).square() * value;
  }
}

std::vector<NamedValue> SumOfPowers::named(const Eigen::VectorXd& amplitudes, const Eigen::VectorXd& shapes) const {
  std::vector<NamedValue> values;
  for (size_t k = 0; k < terms_.size(); ++k) {
    const PowerTerm& term = terms_[k];
    const double scale = term.shape < 0 ? 1 : std::exp(shapes[term.shape] * centers_[term.column]);
    values.push_back({term.name, amplitudes[k] * scale});
  }
  for (size_t j = 0; j < shapes_.size(); ++j) values.push_back({shapes_[j].name, shapes[j]});
  return values;
}

void SumOfPowers::from_named(const std::vector<double>& values, Eigen::VectorXd& amplitudes,
                             Eigen::VectorXd& shapes) const {
  amplitudes.resize(terms_.size()), shapes.resize(shapes_.size());
  for (size_t j = 0; j < shapes_.size(); ++j) shapes[j] = values.at(terms_.size() + j);
  for (size_t k = 0; k < terms_.size(); ++k) {
    const PowerTerm& term = terms_[k];
    amplitudes[k] = values.at(k) * (term.shape < 0 ? 1 : std::exp(-shapes[term.shape] * centers_[term.column]));
  }
}

// log A = θ_A + s·center.
std::optional<Plane> SumOfPowers::level(int index, double value) const {
  const int count = static_cast<int>(terms_.size());
  Plane plane{Eigen::VectorXd::Zero(dimension()), value};
  plane.normal[index] = 1;
  if (index >= count) return plane;
  if (!(value > 0)) return std::nullopt;
  plane.offset = std::log(value);
  if (const PowerTerm& term = terms_[index]; term.shape >= 0) plane.normal[count + term.shape] = centers_[term.column];
  return plane;
}

// Every term of a kind (the same exponent, or constant) has its kind's share.
std::vector<std::vector<double>> SumOfPowers::share_starts() const {
  std::vector<std::vector<double>> shares;
  const auto spread = [&](const std::vector<double>& of_kind) {
    std::vector<double> share;
    for (const PowerTerm& term : terms_) share.push_back(of_kind[term.shape + 1]);
    shares.push_back(std::move(share));
  };
  if (shapes_.size() == 1) {
    for (const double e :
         {0.01, 0.04, 0.08, 0.13, 0.19, 0.25, 0.32, 0.39, 0.46, 0.53, 0.6, 0.67, 0.74, 0.8, 0.86, 0.91, 0.95, 0.98})
      spread({e, 1 - e});  // 18, times 250 exponents: 4,500 starts
  } else {
    for (const auto& joint : joint_shares()) spread(joint);
  }
  return shares;
}

Beyond SumOfPowers::beyond_points(const std::vector<Point>& points, const Target& target) const {
  return beyond(points, target, axes_);
}

}  // namespace bitsweep::fit
