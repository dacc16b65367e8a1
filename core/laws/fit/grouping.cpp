// compare_grouping: see fit.h.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "fit/fit.h"
#include "fit/objective.h"
#include "fit/optimise.h"

namespace bitsweep::fit {
namespace {

// A description of points: how much it leaves over and what it spent.
struct Description {
  double squares = 0;
  int parameters = 0;
};

std::optional<Description> describe(const std::string& name, const std::vector<Point>& points,
                                    const LawChoice& choice) {
  const auto law = make_law(name, points, choice);
  if (points.empty() || !law->design_refusals(points).empty()) return std::nullopt;
  Objective objective(*law, points, std::numeric_limits<double>::infinity());
  const Optimum optimum = minimise(objective, grid_of_starts(objective));
  if (optimum.basins.empty()) return std::nullopt;
  return Description{2 * optimum.basins[0].objective, law->dimension()};
}

// Gaussian, the scale of the noise one parameter more.
std::optional<double> aicc(const std::optional<Description>& description, size_t points) {
  if (!description || !(description->squares > 0)) return std::nullopt;
  const double n = static_cast<double>(points), k = description->parameters + 1;
  if (n - k - 1 <= 0) return std::nullopt;
  return n * std::log(description->squares / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1);
}

}  // namespace

GroupingTest compare_grouping(const std::vector<Point>& points, const FitOptions& options) {
  const auto law = make_law("grouped", points, {"", "", options.group});
  std::string Point::*const label = law->pools_datasets() ? &Point::dataset : &Point::variant;
  GroupingTest test;
  test.group = law->pools_datasets() ? "dataset" : "variant";
  // The law of one label: along the axes that the grouped one has.
  const std::string alone = law->axis().empty() ? "chinchilla" : "power";
  const LawChoice choice{law->axis(), "", ""};

  std::map<std::string, std::vector<Point>> apart;
  std::vector<Point> together = points;
  for (const Point& p : points) apart[p.*label].push_back(p);
  for (Point& p : together) p.*label = "";
  std::optional<Description> separate = Description{};
  for (const auto& [name, some] : apart) {
    const auto one = describe(alone, some, choice);
    if (one && separate)
      separate->squares += one->squares, separate->parameters += one->parameters;
    else
      separate.reset();
  }
  test.pooled = aicc(describe(alone, together, choice), points.size());
  test.grouped = aicc(describe("grouped", points, {"", "", options.group}), points.size());
  test.separate = aicc(separate, points.size());

  std::vector<std::pair<double, std::string>> ranked;
  if (test.pooled) ranked.emplace_back(*test.pooled, "pooled");
  if (test.grouped) ranked.emplace_back(*test.grouped, "grouped");
  if (test.separate) ranked.emplace_back(*test.separate, "separate");
  std::sort(ranked.begin(), ranked.end());
  if (!ranked.empty()) test.best = ranked[0].second;
  if (ranked.size() > 1) test.margin = ranked[1].first - ranked[0].first;
  return test;
}

}  // namespace bitsweep::fit
