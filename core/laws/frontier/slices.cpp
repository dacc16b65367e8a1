#include "frontier/slices.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace bitsweep::frontier {
namespace {

constexpr double kSameSize = 0.02;     // of a logarithm: sizes that are one
constexpr double kWidestLadder = 0.4;  // of a logarithm: from the least to the most compute of one budget
constexpr size_t kSizesOfLadder = 3;
constexpr size_t kLadders = 3;          // from which they are taken for the design, where they span half of the compute
constexpr double kTokensSlope = -0.08;  // d log L / d log D where no two lengths of a size tell it

// Sizes, each with its places by length.
std::vector<std::vector<Place>> by_size(std::vector<Place> places) {
  std::stable_sort(places.begin(), places.end(), [](const Place& a, const Place& b) { return a.params < b.params; });
  std::vector<std::vector<Place>> sizes;
  for (const Place& p : places) {
    if (sizes.empty() || std::log(p.params / sizes.back()[0].params) > kSameSize) sizes.emplace_back();
    sizes.back().push_back(p);
  }
  for (auto& size : sizes)
    std::stable_sort(size.begin(), size.end(), [](const Place& a, const Place& b) { return a.flops < b.flops; });
  return sizes;
}

// d log L / d log C at a size, from its two lengths nearest to this budget.
double slope_near(const std::vector<Place>& lengths, double flops) {
  const Place* a = nullptr;
  const Place* b = nullptr;
  const auto away = [&](const Place& p) { return std::abs(std::log(p.flops / flops)); };
  for (const Place& p : lengths) {
    if (a == nullptr || away(p) < away(*a))
      b = a, a = &p;
    else if (b == nullptr || away(p) < away(*b))
      b = &p;
  }
  if (b == nullptr || std::abs(std::log(a->flops / b->flops)) < 0.2) return kTokensSlope;
  return std::clamp(std::log(a->loss / b->loss) / std::log(a->flops / b->flops), -0.5, 0.0);
}

// The loss between lengths i and i + 1 of a size: in the logarithms a parabola through them and the nearest third
// length, because a straight line lies above the loss, most so in its middle; that line where there are only two.
double loss_between(const std::vector<Place>& lengths, size_t i, double flops) {
  const auto x = [&](size_t k) { return std::log(lengths[k].flops / flops); };
  const auto y = [&](size_t k) { return std::log(lengths[k].loss); };
  const size_t j = i + 1;
  const double line = (y(i) * x(j) - y(j) * x(i)) / (x(j) - x(i));
  const bool before = i > 0, after = j + 1 < lengths.size();
  if (!before && !after) return std::exp(line);
  const size_t k = !after || (before && x(i) - x(i - 1) < x(j + 1) - x(j)) ? i - 1 : j + 1;
  if (std::min(std::abs(x(k) - x(i)), std::abs(x(k) - x(j))) < 0.1) return std::exp(line);
  const double slope = (y(j) - y(i)) / (x(j) - x(i)), next = (y(k) - y(j)) / (x(k) - x(j));
  return std::exp(line + (next - slope) / (x(k) - x(i)) * x(i) * x(j));
}

}  // namespace

std::vector<Place> places_of(const std::vector<fit::Point>& points) {
  const std::vector<int> groups = group_by_configuration(points);
  std::map<int, Place> found;
  for (size_t i = 0; i < points.size(); ++i) {
    const fit::Point& p = points[i];
    if (!(p.params > 0) || !(p.tokens > 0) || !(p.loss > 0)) continue;
    Place& place = found[groups[i]];
    if (place.runs == 0) place.params = p.params, place.tokens = p.tokens, place.flops = compute_of(p);
    place.loss += std::log(p.loss);
    ++place.runs;
  }
  std::vector<Place> places;
  for (auto& [group, place] : found) {
    place.loss = std::exp(place.loss / place.runs);
    places.push_back(place);
  }
  std::stable_sort(places.begin(), places.end(), [](const Place& a, const Place& b) { return a.flops < b.flops; });
  return places;
}

std::vector<Slice> ladders(const std::vector<Place>& places) {
  const auto sizes = by_size(places);
  const auto lengths_of = [&](const Place& p) -> const std::vector<Place>& {
    for (const auto& size : sizes)
      if (std::abs(std::log(p.params / size[0].params)) <= 2 * kSameSize) return size;
    return sizes.front();
  };
  std::vector<Slice> found;
  for (size_t first = 0, last = 0; first < places.size(); first = last) {
    double middle = 0;
    while (last < places.size() &&
           (last == first || (std::log(places[last].flops / places[last - 1].flops) < kSameCompute &&
                              std::log(places[last].flops / places[first].flops) < kWidestLadder)))
      middle += std::log(places[last++].flops);
    Slice slice;
    slice.flops = std::exp(middle / static_cast<double>(last - first));
    slice.measured = true;
    for (const auto& same : by_size({places.begin() + static_cast<std::ptrdiff_t>(first),
                                     places.begin() + static_cast<std::ptrdiff_t>(last)})) {
      // Of several lengths of a size the one nearest to the budget; its loss there by how loss falls along tokens.
      const Place& p = *std::min_element(same.begin(), same.end(), [&](const Place& a, const Place& b) {
        return std::abs(std::log(a.flops / slice.flops)) < std::abs(std::log(b.flops / slice.flops));
      });
      const double step = std::log(slice.flops / p.flops);
      slice.points.push_back({p.params, p.tokens * std::exp(step),
                              p.loss * std::exp(step * slope_near(lengths_of(p), slice.flops)), false});
    }
    found.push_back(std::move(slice));
  }
  return found;
}

Slice slice_at(const std::vector<Place>& places, double flops) {
  Slice slice;
  slice.flops = flops;
  for (const auto& lengths : by_size(places)) {
    for (size_t i = 0; i + 1 < lengths.size(); ++i) {
      const Place &a = lengths[i], &b = lengths[i + 1];
      if (!(a.flops <= flops && flops <= b.flops) || !(b.flops > a.flops)) continue;
      const double t = std::log(flops / a.flops) / std::log(b.flops / a.flops);
      slice.points.push_back({a.params, std::exp(std::log(a.tokens) + t * std::log(b.tokens / a.tokens)),
                              loss_between(lengths, i, flops), t > 1e-9 && t < 1 - 1e-9});
      break;
    }
  }
  return slice;
}

std::vector<Slice> slices(const std::vector<Place>& places) {
  std::vector<Slice> found;
  for (Slice& slice : ladders(places))
    if (slice.points.size() >= kSizesOfLadder) found.push_back(std::move(slice));
  if (places.empty()) return found;
  const double whole = std::log(places.back().flops / places.front().flops);
  if (found.size() >= kLadders && std::log(found.back().flops / found.front().flops) >= whole / 2) return found;
  // A grid, where few runs share their compute: budgets a factor of two apart through it.
  std::vector<Slice> through;
  for (double flops = places.front().flops; flops <= places.back().flops * 1.0001; flops *= 2) {
    Slice slice = slice_at(places, flops);
    if (slice.points.size() >= kSizesOfLadder) through.push_back(std::move(slice));
  }
  return through.size() > found.size() ? through : found;
}

}  // namespace bitsweep::frontier
