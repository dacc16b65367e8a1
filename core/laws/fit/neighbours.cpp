#include "fit/neighbours.h"

#include <cmath>
#include <map>
#include <tuple>
#include <utility>

namespace bitsweep::fit {
namespace {

constexpr double kFirstBox = 0.05, kGrowth = 1.3;  // of a natural logarithm

using Box = std::tuple<std::string, std::string, long, long, long>;

double log_or_zero(double value) { return value > 0 ? std::log(value) : 0; }

Box box_of(const Point& p, double side) {
  const auto cell = [&](double value) { return std::lround(log_or_zero(value) / side); };
  return {p.variant, p.dataset, cell(p.params), cell(p.tokens), cell(p.unique_tokens)};
}

std::map<Box, std::vector<size_t>> boxes(const std::vector<Point>& points, double side) {
  std::map<Box, std::vector<size_t>> found;
  for (size_t i = 0; i < points.size(); ++i) found[box_of(points[i], side)].push_back(i);
  return found;
}

}  // namespace

Neighbourhoods pool_neighbours(Observations observed, size_t limit) {
  if (observed.points.size() <= limit) return {std::move(observed)};
  double side = kFirstBox;
  auto found = boxes(observed.points, side);
  for (; found.size() > limit; found = boxes(observed.points, side)) side *= kGrowth;
  Neighbourhoods pooled;
  pooled.observed.freedom = observed.freedom;
  pooled.observed.weights.resize(static_cast<Eigen::Index>(found.size()));
  for (const auto& [box, members] : found) {
    const auto weight = [&](size_t i) { return observed.weights[static_cast<Eigen::Index>(i)]; };
    const auto mean = [&](double Point::*of) {
      double sum = 0, total = 0;
      for (const size_t i : members) sum += weight(i) * log_or_zero(observed.points[i].*of), total += weight(i);
      return sum / total;
    };
    Point middle = observed.points[members[0]];
    const double log_loss = mean(&Point::loss);
    for (double Point::*of : {&Point::params, &Point::tokens, &Point::unique_tokens})
      if (middle.*of > 0) middle.*of = std::exp(mean(of));
    middle.loss = std::exp(log_loss);
    double total = 0;
    for (const size_t i : members) {
      total += weight(i);
      pooled.squares += weight(i) * std::pow(std::log(observed.points[i].loss) - log_loss, 2);
    }
    pooled.observed.weights[static_cast<Eigen::Index>(pooled.observed.points.size())] = total;
    pooled.observed.points.push_back(std::move(middle));
    pooled.freedom += static_cast<double>(members.size()) - 1;
  }
  return pooled;
}

}  // namespace bitsweep::fit
