#include "suggest/share.h"

#include <cstddef>

namespace bitsweep {
namespace {

constexpr size_t kNone = static_cast<size_t>(-1);

// The law whose next run buys most per cost within `left`.
size_t best_next(const std::vector<Offer>& offers, const std::vector<size_t>& taken, double left) {
  size_t best = kNone;
  double most = 0;
  for (size_t k = 0; k < offers.size(); ++k) {
    if (taken[k] == offers[k].gain.size() || offers[k].cost[taken[k]] > left) continue;
    const double rate = offers[k].gain[taken[k]] / offers[k].cost[taken[k]];
    if (rate > most) most = rate, best = k;
  }
  return best;
}

}  // namespace

std::vector<double> divide_budget(const std::vector<Offer>& offers, double budget) {
  std::vector<double> parts(offers.size(), 0);
  std::vector<size_t> taken(offers.size(), 0);
  double left = budget;
  for (size_t k; (k = best_next(offers, taken, left)) != kNone;) {
    const double cost = offers[k].cost[taken[k]++];
    parts[k] += cost, left -= cost;
  }
  const size_t next = best_next(offers, taken, budget);
  if (next != kNone) parts[next] += left;
  return parts;
}

}  // namespace bitsweep
