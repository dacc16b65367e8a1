#include "fit/likelihood.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "fit/distributions.h"

namespace bitsweep::fit {
namespace {

constexpr double kRare = 1e-3;        // the chance that usual scatter throws an observation so far
constexpr double kFar = 2;            // times as far as usual scatter reaches: told
constexpr double kNoticeable = 1e-3;  // of log loss: nobody looks into less
constexpr double kUpperQuartileOfNormal = 1.1503493803760083;  // of its size

// The scatter of residuals, whatever a few of them do; 0 where they do not tell.
double usual_scatter(const Eigen::ArrayXd& residuals, int parameters) {
  const Eigen::Index n = residuals.size();
  if (n < parameters + 3) return 0;
  // A fit by absolute deviations passes through as many points as it has parameters: those say nothing of the scatter.
  // The upper quartile of the others stands a quarter of outliers, and is steadier than their median.
  std::vector<double> sizes(n);
  for (Eigen::Index i = 0; i < n; ++i) sizes[i] = std::abs(residuals[i]);
  std::sort(sizes.begin(), sizes.end());
  const double scatter = sizes[parameters + (3 * (n - parameters)) / 4] / kUpperQuartileOfNormal;
  return scatter > 1e-12 ? scatter : 0;
}

// As far as usual scatter throws an observation.
double usual_reach(double scatter, Eigen::Index observations, int parameters) {
  return scatter * student_quantile(1 - kRare / 2, static_cast<double>(observations - parameters));
}

// The share of an observation that counts, by its residual: 1, or less for one that no usual scatter explains.
Eigen::ArrayXd shares(const Eigen::ArrayXd& residuals, int parameters) {
  const double scatter = usual_scatter(residuals, parameters);
  if (scatter == 0) return Eigen::ArrayXd::Ones(residuals.size());
  const double usual = usual_reach(scatter, residuals.size(), parameters);
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

// Configurations: the geometric mean of their seeds' losses, and how far its logarithm is from the law's (0 where no
// law is known).
struct Means {
  std::vector<Point> points;
  Eigen::ArrayXd sizes, residuals;
};

Means means_of(const std::vector<Point>& points, const std::vector<int>& groups, const Eigen::ArrayXd& log_fitted) {
  const int count = groups.empty() ? 0 : 1 + *std::max_element(groups.begin(), groups.end());
  const bool known = log_fitted.size() == static_cast<Eigen::Index>(points.size());
  Means means{std::vector<Point>(count), Eigen::ArrayXd::Zero(count), Eigen::ArrayXd::Zero(count)};
  Eigen::ArrayXd logs = Eigen::ArrayXd::Zero(count);
  for (size_t i = 0; i < points.size(); ++i) {
    const int g = groups[i];
    if (means.sizes[g] == 0) means.points[g] = points[i];
    means.sizes[g] += 1;
    logs[g] += std::log(points[i].loss);
    if (known) means.residuals[g] += std::log(points[i].loss) - log_fitted[static_cast<Eigen::Index>(i)];
  }
  logs /= means.sizes, means.residuals /= means.sizes;
  for (int g = 0; g < count; ++g) means.points[g].loss = std::exp(logs[g]);
  return means;
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
  Means means = means_of(points, groups, log_fitted);
  result.points = std::move(means.points);
  result.weights = means.sizes;
  result.freedom = count - law.dimension();
  if (!known) return result;
  const Eigen::ArrayXd counted = shares(means.residuals * means.sizes.sqrt(), law.dimension());
  result.weights *= counted;
  result.freedom = counted.sum() - law.dimension();
  return result;
}

FarObservations far_observations(const Law& law, const std::vector<Point>& points, const Eigen::ArrayXd& log_fitted) {
  FarObservations found;
  if (are_checkpoints(law, points)) return found;
  const Means means = means_of(points, group_by_configuration(points), log_fitted);
  const Eigen::ArrayXd residuals = means.residuals * means.sizes.sqrt();
  found.usual = usual_scatter(residuals, law.dimension());
  found.of = static_cast<int>(means.points.size());
  if (found.usual == 0) return found;
  const double far = kFar * usual_reach(found.usual, residuals.size(), law.dimension());
  for (Eigen::Index i = 0; i < residuals.size(); ++i)
    if (std::abs(residuals[i]) > far && std::abs(means.residuals[i]) > kNoticeable)
      found.far.push_back({means.points[static_cast<size_t>(i)], means.residuals[i]});
  std::stable_sort(found.far.begin(), found.far.end(),
                   [](const auto& a, const auto& b) { return std::abs(a.log_residual) > std::abs(b.log_residual); });
  return found;
}

std::string far_sentence(const FarObservations& seen) {
  constexpr size_t kMostTold = 3;
  if (seen.far.empty()) return "";
  std::vector<std::string> told;
  for (const auto& [point, residual] : seen.far)
    told.push_back(fmt::format("{} ({:+.2g} %)", place_name(point.params, point.tokens), 100 * std::expm1(residual)));
  if (told.size() > kMostTold) {
    told.resize(kMostTold);
    told.push_back(fmt::format("{} more", seen.far.size() - kMostTold));
  }
  const bool one = seen.far.size() == 1;
  return fmt::format(
      "{} of {} configurations lie{} far from the law, where the others scatter by {:.2g} %: {}; see what is fitted "
      "without {}",
      seen.far.size(), seen.of, one ? "s" : "", 100 * seen.usual, fmt::join(told, ", "), one ? "it" : "them");
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

double known_noise(const std::vector<Point>& points, double freedom, double stated) {
  if (freedom >= 1) return 0;
  const SeedNoise seeds = seed_noise(points);
  if (seeds.freedom >= 2 && seeds.sd > 0) return seeds.sd;
  double mean = 0;
  for (const Point& p : points) mean += p.loss / static_cast<double>(points.size());
  return 0.5 * stated / mean;
}

bool are_checkpoints(const Law& law, const std::vector<Point>& points) {
  return law.within_runs() ||
         std::any_of(points.begin(), points.end(), [](const Point& point) { return point.within_run; });
}

bool repeats_are_seeds(const std::vector<Point>& points) {
  const auto groups = group_by_configuration(points);
  std::set<std::pair<int, int64_t>> seen;
  for (size_t i = 0; i < points.size(); ++i)
    if (points[i].seed && !seen.emplace(groups[i], *points[i].seed).second) return false;
  return true;
}

std::vector<int> resampling_groups(const Law& law, const std::vector<Point>& points) {
  if (!are_checkpoints(law, points)) return group_by_configuration(points);
  std::map<std::string, int> numbers;
  std::vector<int> groups;
  for (const Point& p : points)
    groups.push_back(numbers.emplace(p.run, static_cast<int>(numbers.size())).first->second);
  return groups;
}

}  // namespace bitsweep::fit
