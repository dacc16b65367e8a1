#include "fit/evaluate.h"

#include <limits>

#include <cmath>

#include "fit/fit.h"
#include "fit/objective.h"

namespace bitsweep::fit {

double law_at(const Law& law, const Eigen::VectorXd& amplitudes, const Eigen::VectorXd& shapes, const Point& at) {
  Basis basis;
  law.evaluate(law.coordinates({at}), shapes, 0, basis);
  return (basis.value.matrix() * amplitudes)(0);
}

Evaluation evaluate_law(const std::vector<Point>& points, const std::vector<double>& named_values,
                        const FitOptions& options) {
  const auto law = make_law(options.law, points, options.choice());
  Eigen::VectorXd amplitudes, shapes;
  law->from_named(named_values, amplitudes, shapes);
  Evaluation evaluation;
  for (const Point& point : points) {
    const double fitted = law_at(*law, amplitudes, shapes, point);
    evaluation.objective += huber(std::log(fitted / point.loss), options.delta);
    evaluation.fits.push_back({fitted, point.loss - fitted});
  }
  for (const Target& target : options.targets)
    evaluation.predictions.push_back(law_at(*law, amplitudes, shapes, point_at(target)));
  return evaluation;
}

Eigen::MatrixXd drawn_losses(const Law& law, const Eigen::MatrixXd& amplitudes, const Eigen::MatrixXd& shapes,
                             const std::vector<Target>& targets) {
  std::vector<Point> places;
  for (const Target& t : targets) places.push_back(point_at(t));
  const Eigen::ArrayXXd x = law.coordinates(places);
  Eigen::MatrixXd losses(shapes.rows(), static_cast<Eigen::Index>(targets.size()));
  Basis basis;
  for (Eigen::Index k = 0; k < shapes.rows(); ++k) {
    law.evaluate(x, shapes.row(k).transpose(), 0, basis);
    losses.row(k) = (basis.value.matrix() * amplitudes.row(k).transpose()).transpose();
  }
  for (size_t t = 0; t < targets.size(); ++t)
    if (!law.missing(targets[t]).empty())
      losses.col(static_cast<Eigen::Index>(t)).setConstant(std::numeric_limits<double>::quiet_NaN());
  return losses;
}

}  // namespace bitsweep::fit
