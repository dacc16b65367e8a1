#include "coordinate/checkpoint_policy.h"

#include <algorithm>
#include <numeric>

namespace bitsweep::coordinate {

double age_s(const StoredCheckpoint& one, double now) {
  const double told = std::max(0.0, now - one.since);
  return one.most_age_s ? std::min(told, *one.most_age_s) : told;
}

std::vector<size_t> to_delete(const std::vector<StoredCheckpoint>& all, const CheckpointPolicy& policy, double now) {
  std::set<std::string> with_best;
  for (const StoredCheckpoint& one : all)
    if (one.kind == "best") with_best.insert(one.run);
  const auto stays = [&](const StoredCheckpoint& one) {
    if (!one.needed_by.empty() || !policy.states.contains(one.state)) return true;
    if (policy.older_than_s && age_s(one, now) < *policy.older_than_s) return true;
    if (one.kind == "last" && policy.keep.contains("best") && !with_best.contains(one.run)) return true;
    return policy.keep.contains(one.kind);
  };
  std::vector<size_t> order(all.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return all[a].since < all[b].since; });
  double left = 0;
  for (const StoredCheckpoint& one : all) left += static_cast<double>(one.bytes);
  std::vector<size_t> chosen;
  for (const size_t i : order) {
    if (stays(all[i]) || (policy.most_bytes && left <= *policy.most_bytes)) continue;
    left -= static_cast<double>(all[i].bytes);
    chosen.push_back(i);
  }
  return chosen;
}

}  // namespace bitsweep::coordinate
