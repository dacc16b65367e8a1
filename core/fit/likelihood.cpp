#include "fit/likelihood.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "fit/distributions.h"

namespace bitsweep {
namespace {

constexpr double kRare = 1e-3;  // the chance that usual scatter throws an observation so far
constexpr double kUpperQuartileOfNormal = 1.1503493803760083;  // of its size

// The share of an observation that counts, by its residual: 1, or less for one that no usual scatter explains.
Eigen::ArrayXd shares(const Eigen::ArrayXd& residuals, int parameters) {
  const Eigen::Index n = residuals.size();
  if (n < parameters + 3) return Eigen::ArrayXd::Ones(n);
  // A fit by absolute deviations passes through as many points as it has parameters: those say nothing of the scatter.
  // The upper quartile of the others stands a quarter of outliers, and is steadier than their median.
  std::vector<double> sizes(n);
  for (Eigen::Index i = 0; i < n; ++i) sizes[i] = std::abs(residuals[i]);
  std::sort(sizes.begin(), sizes.end());
  const Eigen::Index freedom = n - parameters;
  const double scatter = sizes[parameters + (3 * freedom) / 4] / kUpperQuartileOfNormal;
  if (!(scatter > 1e-12)) return Eigen::ArrayXd::Ones(n);
  const double usual = scatter * student_quantile(1 - kRare / 2, static_cast<double>(freedom));
  return (usual / residuals.abs().max(1e-300)).square().min(1.0);
}

// How much of n consecutive observations is left when neighbours are correlated: (1 − ρ)/(1 + ρ).
double effective_share(const std::vector<Point>& points, const Eigen::ArrayXd& residuals) {
  double products = 0, squares = 0;
  for (Eigen::Index i = 0; i < residuals.size(); ++i) {
    squares += residuals[i] * residuals[i];
    if (i > 0 && points[i].run == points[i - 1].run) products += residuals[i] * residuals[i - 1];
  }
  const double rho = squares > 0 ? std::clamp(products / squares, 0.0, 0.95) : 0;
  return (1 - rho) / (1 + rho);
}

}  // namespace

Observations observations(const Law& law, const std::vector<Point>& points, const Eigen::ArrayXd& log_fitted) {
  Observations result;
  const auto groups = group_by_configuration(points);
  const int count = groups.empty() ? 0 : 1 + *std::max_element(groups.begin(), groups.end());
  const bool known = log_fitted.size() == static_cast<Eigen::Index>(points.size());
  if (law.within_runs()) {
    result.points = points;
    result.weights = Eigen::ArrayXd::Ones(static_cast<Eigen::Index>(points.size()));
    if (known) {
      Eigen::ArrayXd residuals(log_fitted.size());
      for (size_t i = 0; i < points.size(); ++i) residuals[i] = std::log(points[i].loss) - log_fitted[i];
      result.weights *= effective_share(points, residuals);
    }
    result.freedom = result.weights.sum() - law.dimension();
    return result;
  }
  result.points.resize(count);
  result.weights = Eigen::ArrayXd::Zero(count);
  Eigen::ArrayXd logs = Eigen::ArrayXd::Zero(count), fitted = Eigen::ArrayXd::Zero(count);
  for (size_t i = 0; i < points.size(); ++i) {
    const int g = groups[i];
    if (result.weights[g] == 0) result.points[g] = points[i];
    result.weights[g] += 1;
    logs[g] += std::log(points[i].loss);
    if (known) fitted[g] = log_fitted[static_cast<Eigen::Index>(i)];
  }
  logs /= result.weights;
  for (int g = 0; g < count; ++g) result.points[g].loss = std::exp(logs[g]);
  result.freedom = count - law.dimension();
  if (!known) return result;
  const Eigen::ArrayXd counted = shares((logs - fitted) * result.weights.sqrt(), law.dimension());
  result.weights *= counted;
  result.freedom = counted.sum() - law.dimension();
  return result;
}

SeedNoise seed_noise(const std::vector<Point>& points) {
  const auto groups = group_by_configuration(points);
  const int count = groups.empty() ? 0 : 1 + *std::max_element(groups.begin(), groups.end());
  std::vector<double> sum(count, 0), size(count, 0);
  for (size_t i = 0; i < points.size(); ++i) sum[groups[i]] += std::log(points[i].loss), size[groups[i]] += 1;
  SeedNoise noise;
  double squares = 0;
  for (size_t i = 0; i < points.size(); ++i)
    squares += std::pow(std::log(points[i].loss) - sum[groups[i]] / size[groups[i]], 2);
  for (const double n : size) noise.freedom += n - 1;
  if (noise.freedom > 0) noise.sd = std::sqrt(squares / noise.freedom);
  return noise;
}

std::vector<int> resampling_groups(const Law& law, const std::vector<Point>& points) {
  if (!law.within_runs()) return group_by_configuration(points);
  std::map<std::string, int> numbers;
  std::vector<int> groups;
  for (const Point& p : points)
    groups.push_back(numbers.emplace(p.run, static_cast<int>(numbers.size())).first->second);
  return groups;
}

}  // namespace bitsweep
