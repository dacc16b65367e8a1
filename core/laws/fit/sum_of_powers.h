// What most laws are: a sum of amplitudes times powers of sizes, some of them for the points of one label alone.
#pragma once

#include <string>
#include <vector>

#include "fit/axis.h"
#include "fit/law.h"

namespace bitsweep::fit {

// A · x^−s, or A alone.
struct PowerTerm {
  std::string name;
  int shape = -1;   // index of the exponent; -1: none, the term is a constant
  int column = -1;  // of sizes(): the logarithm it is a power of
  int label = -1;   // index into labels(): only points of that label have the term; -1: all have
};

// A law gives its terms, and for each point the logarithms of its sizes and its label. Logarithms are centred, so that
// an amplitude is the term's share of the loss in the middle of the points.
class SumOfPowers : public Law {
 public:
  const std::vector<std::string>& terms() const override { return term_names_; }
  const std::vector<Shape>& shapes() const override { return shapes_; }
  bool reads(Axis axis) const override;
  bool depends(int term, int shape) const override { return terms_[term].shape == shape; }
  Eigen::ArrayXXd coordinates(const std::vector<Point>& points) const override;
  void evaluate(const Eigen::ArrayXXd& coordinates, const Eigen::VectorXd& shapes, int order,
                Basis& basis) const override;
  std::vector<NamedValue> named(const Eigen::VectorXd& amplitudes, const Eigen::VectorXd& shapes) const override;
  void from_named(const std::vector<double>& values, Eigen::VectorXd& amplitudes,
                  Eigen::VectorXd& shapes) const override;
  std::optional<Plane> level(int index, double value) const override;
  std::vector<std::vector<double>> share_starts() const override;
  Beyond beyond_points(const std::vector<Point>& points, const Target& target) const override;

 protected:
  SumOfPowers(const std::vector<Point>& points, std::vector<Axis> axes, std::vector<PowerTerm> terms,
              std::vector<Shape> shapes, std::vector<std::string> labels = {});

  // Index into labels of a point's label, −1 for none of them.
  virtual int label_of(const Point&) const { return -1; }
  double center(int column) const { return centers_[column]; }
  const std::vector<std::string>& labels() const { return labels_; }
  const std::vector<PowerTerm>& power_terms() const { return terms_; }

 private:
  std::vector<Axis> axes_;  // a column each
  std::vector<double> centers_;
  std::vector<PowerTerm> terms_;
  std::vector<std::string> term_names_;
  std::vector<Shape> shapes_;
  std::vector<std::string> labels_;
};

// The different labels of points, sorted. `of` is &Point::variant or &Point::dataset.
std::vector<std::string> distinct_labels(const std::vector<Point>& points, std::string Point::*of);

// Shares of the loss from which laws E + A/N^α + B/D^β start.
std::vector<std::vector<double>> joint_shares();

}  // namespace bitsweep::fit
