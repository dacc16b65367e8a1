#include "fit/points.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/units.h"
#include "fit/mixed_units.h"

namespace bitsweep::fit {
namespace {

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

}  // namespace

double compute_of(const Point& point) {
  return point.flops > 0 ? point.flops : 6 * std::max(point.params, 1.0) * std::max(point.tokens, 1.0);
}

Target parse_target(const std::string& text, const std::string& name_for_message) {
  static const std::map<std::string, double Target::*> numbers = {{"params", &Target::params},
                                                                  {"tokens", &Target::tokens},
                                                                  {"unique_tokens", &Target::unique_tokens},
                                                                  {"lr_area", &Target::lr_area},
                                                                  {"annealing", &Target::annealing}};
  static const std::vector<std::string> known = {"params",  "tokens",  "unique_tokens", "variant",
                                                 "dataset", "lr_area", "annealing"};
  Target target;
  std::vector<Diagnostic> wrong;
  std::map<std::string, bool> seen;
  const auto complain = [&](std::string message) {
    wrong.push_back({"", 0, 0, fmt::format("{}: {}", name_for_message, message)});
  };
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = trimmed(std::string_view(text).substr(begin, end - begin));
    begin = end + 1;
    const size_t equals = part.find('=');
    const std::string key = trimmed(std::string_view(part).substr(0, equals));
    if (equals == std::string::npos) {
      complain(fmt::format("'{}' is not of the form params=300M,tokens=1B", part));
      continue;
    }
    const std::string value = trimmed(std::string_view(part).substr(equals + 1));
    if (std::exchange(seen[key], true)) complain(fmt::format("'{}' is given twice", key));
    if (key == "variant") {
      target.variant = value;
    } else if (key == "dataset") {
      target.dataset = value;
    } else if (const auto entry = numbers.find(key); entry != numbers.end()) {
      const auto number = parse_size(value);
      if (!number || !std::isfinite(*number) || *number <= 0)
        complain(fmt::format("{} must be a positive number such as 300M, not '{}'", key, value));
      else
        target.*entry->second = *number;
    } else {
      complain(fmt::format("unknown key '{}'{}", key, did_you_mean(key, known)));
    }
  }
  if (!wrong.empty()) throw Error(ErrorKind::input, wrong);
  return target;
}

Point point_at(const Target& target) {
  Point point;
  point.params = target.params > 0 ? target.params : 1;
  point.tokens = target.tokens > 0 ? target.tokens : 1;
  point.loss = 1;
  point.variant = target.variant;
  point.dataset = target.dataset;
  point.unique_tokens = target.unique_tokens;
  point.lr_area = target.lr_area > 0 ? target.lr_area : 1;
  point.annealing = target.annealing;
  return point;
}

std::vector<Point> without_largest_losses(std::vector<Point> points, int count) {
  std::vector<size_t> order(points.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return points[a].loss < points[b].loss; });
  order.resize(order.size() - std::min(order.size(), static_cast<size_t>(std::max(count, 0))));
  std::sort(order.begin(), order.end());
  std::vector<Point> kept;
  for (const size_t i : order) kept.push_back(std::move(points[i]));
  return kept;
}

namespace {

constexpr double kFewestParams = 1e3, kFewestTokens = 1e4;  // below: a count in millions or billions, not of ones
constexpr double kMostParams = 1e14, kMostTokens = 1e17;
constexpr double kMostOf6nd = 10;                        // attention and heads add less, sparse models take less off
constexpr double kLowestLoss = 0.05, kHighestLoss = 20;  // e^20 words are more than any vocabulary

// "params from 5.5 to 46.4"
std::string range_text(const std::vector<Point>& points, double Point::*of, const char* name) {
  const auto [low, high] =
      std::minmax_element(points.begin(), points.end(), [&](const Point& a, const Point& b) { return a.*of < b.*of; });
  if (*low.*of == *high.*of) return fmt::format("{} of {}", name, format_count(*low.*of));
  return fmt::format("{} from {} to {}", name, format_count(*low.*of), format_count(*high.*of));
}

// Of the points that tell their FLOPs; 0 where none does.
double median_flops_per_6nd(const std::vector<Point>& points) {
  std::vector<double> ratios;
  for (const Point& p : points)
    if (p.flops > 0 && p.params > 0 && p.tokens > 0) ratios.push_back(p.flops / (6 * p.params * p.tokens));
  if (ratios.empty()) return 0;
  const auto middle = ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2);
  std::nth_element(ratios.begin(), middle, ratios.end());
  return *middle;
}

}  // namespace

std::vector<std::string> implausible_magnitudes(const std::vector<Point>& points) {
  std::vector<std::string> found;
  const auto any = [&](double Point::*of, auto&& test) {
    return std::any_of(points.begin(), points.end(), [&](const Point& p) { return p.*of > 0 && test(p.*of); });
  };
  const auto count = [&](double Point::*of, const char* name, double fewest, double most, const char* hint) {
    if (any(of, [&](double v) { return v < fewest; }))
      found.push_back(fmt::format("{}: too few for a language model; are they in {}? (--units {}={})",
                                  range_text(points, of, name), hint, name, hint[0] == 'm' ? "M" : "B"));
    else if (any(of, [&](double v) { return v > most; }))
      found.push_back(
          fmt::format("{}: more than has ever been trained; is the unit right?", range_text(points, of, name)));
  };
  count(&Point::params, "params", kFewestParams, kMostParams, "millions");
  count(&Point::tokens, "tokens", kFewestTokens, kMostTokens, "billions");
  if (any(&Point::loss, [](double v) { return v < kLowestLoss; }))
    found.push_back(fmt::format("{}: below the entropy of any text, in bits or in nats; is it a loss?",
                                range_text(points, &Point::loss, "losses")));
  if (any(&Point::loss, [](double v) { return v > kHighestLoss; }))
    found.push_back(fmt::format("{}: above what guessing costs; is it a perplexity, or a sum over tokens?",
                                range_text(points, &Point::loss, "losses")));
  const double ratio = median_flops_per_6nd(points);
  if (ratio > kMostOf6nd || (ratio > 0 && ratio < 1 / kMostOf6nd))
    found.push_back(
        fmt::format("{}: {:.2g} times 6 N D; are they of the whole training, and is the unit right? (--units)",
                    range_text(points, &Point::flops, "flops"), ratio));
  if (std::string mixed = mixed_units(points); !mixed.empty()) found.push_back(std::move(mixed));
  return found;
}

namespace {

auto configuration(const Point& p) {
  return std::tie(p.params, p.tokens, p.unique_tokens, p.lr_area, p.annealing, p.variant, p.dataset);
}

}  // namespace

bool same_configuration(const Point& a, const Point& b) { return configuration(a) == configuration(b); }

std::vector<Point> thinned(const std::vector<Point>& points, size_t configurations) {
  if (points.size() <= configurations) return points;
  const std::vector<int> groups = group_by_configuration(points);
  std::vector<double> computes(static_cast<size_t>(*std::max_element(groups.begin(), groups.end())) + 1);
  if (computes.size() <= configurations) return points;
  for (size_t i = 0; i < points.size(); ++i) computes[static_cast<size_t>(groups[i])] = compute_of(points[i]);
  std::vector<size_t> order(computes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return computes[a] < computes[b]; });
  const size_t every = (order.size() + configurations - 1) / configurations;
  std::vector<bool> kept(order.size(), false);
  // Counted from the largest, which matters most.
  for (size_t k = 0; k < order.size(); k += every) kept[order[order.size() - 1 - k]] = true;
  std::vector<Point> rest;
  for (size_t i = 0; i < points.size(); ++i)
    if (kept[static_cast<size_t>(groups[i])]) rest.push_back(points[i]);
  return rest;
}

std::vector<int> group_by_configuration(const std::vector<Point>& points) {
  const auto before = [](const Point* a, const Point* b) { return configuration(*a) < configuration(*b); };
  std::map<const Point*, int, decltype(before)> numbers(before);
  std::vector<int> groups;
  groups.reserve(points.size());
  for (const Point& p : points) groups.push_back(numbers.emplace(&p, static_cast<int>(numbers.size())).first->second);
  return groups;
}

CheckpointCount count_checkpoints(const std::vector<Point>& points) {
  CheckpointCount count;
  std::set<std::string> runs;
  for (const Point& p : points) {
    count.checkpoints += p.checkpoints;
    count.runs += !p.within_run || runs.insert(p.run).second;
  }
  return count;
}

std::string place_name(double params, double tokens) {
  std::string place;
  if (params > 0) place = format_count(params) + " parameters";
  if (tokens > 0) place += (place.empty() ? "" : " and ") + format_count(tokens) + " tokens";
  return place;
}

}  // namespace bitsweep::fit
