#include "prepare/duration.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "base/units.h"

namespace bitsweep::prepare {
namespace {

// Of the runs that are not done, in the order in which the scheduler starts them; nothing when one is not known.
std::optional<std::vector<double>> times_of(const plan::Plan& plan) {
  std::vector<double> times;
  for (const plan::PlannedRun& run : plan.runs) {
    if (run.state == "done") continue;
    if (!run.time) return std::nullopt;
    times.push_back(run.time->seconds);
  }
  if (plan.sweep.order == "shortest")
    std::sort(times.begin(), times.end());
  else
    std::sort(times.begin(), times.end(), std::greater<>());
  return times;
}

int64_t runs_left(const std::vector<plan::Plan>& plans) {
  int64_t left = 0;
  for (const plan::Plan& plan : plans)
    left += std::count_if(plan.runs.begin(), plan.runs.end(), [](const auto& run) { return run.state != "done"; });
  return left;
}

}  // namespace

std::optional<double> expected_seconds(const std::vector<plan::Plan>& plans, int64_t slots) {
  if (runs_left(plans) == 0) return std::nullopt;
  std::vector<double> free_at(static_cast<size_t>(std::max<int64_t>(1, slots)), 0.0);
  for (const plan::Plan& plan : plans) {
    const auto times = times_of(plan);
    if (!times) return std::nullopt;
    for (const double seconds : *times) *std::min_element(free_at.begin(), free_at.end()) += seconds;
  }
  return *std::max_element(free_at.begin(), free_at.end());
}

std::string expected_text(const std::vector<plan::Plan>& plans, int64_t slots) {
  const auto seconds = expected_seconds(plans, slots);
  if (!seconds) return "";
  const int64_t left = runs_left(plans);
  return fmt::format("{} run{} to train: about {}, {} at once", left, left == 1 ? "" : "s", format_duration(*seconds),
                     std::min(left, std::max<int64_t>(1, slots)));
}

}  // namespace bitsweep::prepare
