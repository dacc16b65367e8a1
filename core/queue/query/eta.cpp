#include "query/eta.h"

#include <algorithm>
#include <cmath>

namespace bitsweep::query {
namespace {

double distance(const RunRow& a, const RunRow& b) {
  const auto size = [](const RunRow& run) { return std::log(static_cast<double>(std::max<int64_t>(run.params, 1))); };
  return std::abs(size(a) - size(b));
}

std::optional<double> expected_tokens_per_s(const RunRow& run, const std::vector<RunRow>& runs) {
  if (is_live(run.state) && run.tokens_per_s) return run.tokens_per_s;
  const RunRow* nearest = nullptr;
  for (const RunRow& other : runs) {
    if (other.plugin != run.plugin || !other.tokens_per_s || !(*other.tokens_per_s > 0)) continue;
    if (nearest == nullptr || distance(other, run) < distance(*nearest, run)) nearest = &other;
  }
  if (nearest == nullptr) return std::nullopt;
  const double ratio = static_cast<double>(std::max<int64_t>(nearest->params, 1)) /
                       static_cast<double>(std::max<int64_t>(run.params, 1));
  return *nearest->tokens_per_s * ratio;
}

}  // namespace

std::optional<double> remaining_s(const RunRow& run, const std::vector<RunRow>& runs) {
  if (is_terminal(run.state)) return 0;
  const auto rate = expected_tokens_per_s(run, runs);
  if (!rate || !(*rate > 0)) return std::nullopt;
  const double left = run.steps > 0 ? 1 - static_cast<double>(run.step) / static_cast<double>(run.steps) : 1;
  return std::max(0.0, left) * static_cast<double>(run.tokens) / *rate;
}

std::optional<double> remaining_total_s(const std::vector<RunRow>& runs, int64_t slots) {
  double total = 0, longest = 0;
  for (const RunRow& run : runs) {
    const auto seconds = remaining_s(run, runs);
    if (!seconds) return std::nullopt;
    total += *seconds;
    longest = std::max(longest, *seconds);
  }
  return std::max(longest, total / static_cast<double>(std::max<int64_t>(slots, 1)));
}

}  // namespace bitsweep::query
