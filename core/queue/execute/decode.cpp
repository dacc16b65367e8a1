// What an exit record means. Pure.
#include <cstring>

#include <fmt/format.h>

#include "execute/executor.h"

namespace bitsweep::execute {
namespace {

enum WorkerExit : int64_t {
  kDone = 0,
  kFailed = 1,
  kBadInput = 2,
  kEnvironment = 3,
  kDiverged = 5,
  kOutOfMemory = 6,
  kStopped = 75
};

std::string signal_name(int64_t signal) {
  const char* name = sigabbrev_np(static_cast<int>(signal));
  return name == nullptr ? fmt::format("signal {}", signal) : fmt::format("SIG{}", name);
}

Outcome decode_code(int64_t code, const std::string& end_status, const std::string& end_message) {
  const auto or_text = [&](std::string text) { return end_message.empty() ? std::move(text) : end_message; };
  switch (code) {
    case kDone:
      if (end_status == "done") return {RunState::done, ExitCause::none, ""};
      return {RunState::failed, ExitCause::unfinished, "the worker ended with code 0, but never said that it was done"};
    case kBadInput:
      return {RunState::failed, ExitCause::bad_input, or_text("bad input; the worker's log says what")};
    case kEnvironment:
      return {RunState::failed, ExitCause::environment, or_text("the worker missed something; its log says what")};
    case kDiverged:
      return {RunState::failed, ExitCause::diverged, or_text("the loss is not finite")};
    case kOutOfMemory:
      return {RunState::failed, ExitCause::oom, or_text("out of memory")};
    case kStopped:
      return {RunState::stopped, ExitCause::preempted, "stopped after a checkpoint"};
    default:
      return {RunState::failed, ExitCause::exit_code, or_text(fmt::format("the worker ended with code {}", code))};
  }
}

}  // namespace

Outcome decode_exit(const ExitRecord& exit, const std::string& end_status, const std::string& end_message) {
  if (!exit.cannot_start.empty()) return {RunState::failed, ExitCause::cannot_start, exit.cannot_start};
  if (exit.out_of_memory)
    return {RunState::failed, ExitCause::oom,
            fmt::format("killed for memory at {:.2f} GB", static_cast<double>(exit.peak_rss_bytes) * 1e-9)};
  if (exit.signal) {
    // Its last word was that all is done and saved; what ended it afterwards changes nothing.
    if (end_status == "done") return {RunState::done, ExitCause::none, ""};
    return {RunState::failed, ExitCause::signal, fmt::format("ended by {}", signal_name(*exit.signal))};
  }
  return decode_code(exit.exit_code.value_or(kFailed), end_status, end_message);
}

}  // namespace bitsweep::execute
