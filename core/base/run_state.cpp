#include "base/run_state.h"

#include <array>

namespace bitsweep {
namespace {

constexpr std::array<std::string_view, 7> kStates = {"queued", "starting", "running",  "done",
                                                     "failed", "stopped",  "cancelled"};
constexpr std::array<std::string_view, 16> kCauses = {
    "",           "exit_code", "signal",  "oom",  "diverged",  "bad_input", "environment", "cannot_start",
    "unfinished", "lost",      "timeout", "hung", "preempted", "stopped",   "cancelled",   "withdrawn"};

template <class Enum, class Names>
std::optional<Enum> find(const Names& names, std::string_view text) {
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] == text) return static_cast<Enum>(i);
  return std::nullopt;
}

}  // namespace

std::string_view to_text(RunState state) { return kStates[static_cast<size_t>(state)]; }
std::string_view to_text(ExitCause cause) { return kCauses[static_cast<size_t>(cause)]; }
std::optional<RunState> run_state_from(std::string_view text) { return find<RunState>(kStates, text); }
std::optional<ExitCause> exit_cause_from(std::string_view text) { return find<ExitCause>(kCauses, text); }

}  // namespace bitsweep
