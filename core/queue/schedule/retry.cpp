// What follows an attempt.
#include <algorithm>
#include <cmath>

#include "schedule/schedule.h"

namespace bitsweep::schedule {
namespace {

constexpr double kMostDelays = 300;  // of the first

}  // namespace

bool is_fault(ExitCause cause) { return after_attempt(cause, 0, 0).fault; }

AfterAttempt after_attempt(ExitCause cause, int64_t faults, int64_t retries, double first_delay_s) {
  switch (cause) {
    case ExitCause::none:
      return {.run = RunState::done};
    case ExitCause::stopped:
    case ExitCause::preempted:
      return {.run = RunState::queued};
    case ExitCause::cancelled:
    case ExitCause::withdrawn:
      return {.run = RunState::cancelled};
    // The same program on the same input ends the same way.
    case ExitCause::diverged:
    case ExitCause::oom:
    case ExitCause::bad_input:
    case ExitCause::timeout:
      return {.run = RunState::failed};
    default:
      break;
  }
  if (faults >= retries) return {.run = RunState::failed, .fault = true};
  const double delays = std::min(std::pow(4.0, static_cast<double>(std::min<int64_t>(faults, 10))), kMostDelays);
  return {.run = RunState::queued, .fault = true, .delay_s = delays * first_delay_s};
}

std::optional<OnOom> on_oom_from(std::string_view text) {
  if (text == "fail") return OnOom::fail;
  if (text == "alone") return OnOom::alone;
  if (text == "smaller_batch") return OnOom::smaller_batch;
  return std::nullopt;
}

std::optional<OomRetry> after_memory_ran_out(OnOom policy, int64_t times, int64_t batch, int64_t accumulate) {
  if (policy == OnOom::fail || times != 1) return std::nullopt;
  if (policy == OnOom::alone) return OomRetry{true, accumulate};
  const int64_t parts = 2 * accumulate;
  if (batch % parts != 0) return std::nullopt;  // nothing smaller gives the same batch
  return OomRetry{false, parts};
}

double longest_delay_s(double first_delay_s) { return kMostDelays * first_delay_s; }

bool stops_starting(std::optional<int64_t> stop_after, int64_t failed) { return stop_after && failed >= *stop_after; }

}  // namespace bitsweep::schedule
