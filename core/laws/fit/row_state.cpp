#include "fit/row_state.h"

#include <algorithm>
#include <cctype>
#include <map>

namespace bitsweep::fit {
namespace {

struct Words {
  RowState state;
  std::vector<const char*> words;
};

const std::vector<Words>& words() {
  static const std::vector<Words> kWords = {
      {{"", ""}, {"done",       "finished",  "finish", "complete",  "completed",  "ok",        "okay",     "success",
                  "successful", "succeeded", "keep",   "kept",      "discard",    "discarded", "reverted", "accepted",
                  "rejected",   "passed",    "pass",   "converged", "terminated", "ended",     "trained",  "valid"}},
      {{"stopped", ""}, {"stopped", "pruned", "early_stopped", "stopped_early", "partial", "incomplete", "unfinished"}},
      {{"failed", "diverged"}, {"diverged", "diverge", "nan", "exploded"}},
      {{"failed", ""}, {"failed", "fail", "failure", "error", "errored", "bad", "invalid"}},
      {{"failed", "crashed"}, {"crashed", "crash", "segfault", "node_fail", "boot_fail", "lost"}},
      {{"failed", "killed"}, {"killed", "sigkill", "sigterm"}},
      {{"failed", "oom"}, {"oom", "out_of_memory", "cuda_oom", "oom_killed", "oomkilled"}},
      {{"failed", "timeout"}, {"timeout", "timed_out", "time_out", "timelimit", "time_limit"}},
      {{"failed", "preempted"}, {"preempted", "preempting"}},
      {{"running", ""}, {"running", "in_progress", "started", "training", "resumed", "active", "completing", "wip"}},
      {{"queued", ""},
       {"queued", "pending", "waiting", "scheduled", "planned", "created", "not_started", "todo", "submitted"}},
      {{"cancelled", ""},
       {"cancelled", "canceled", "aborted", "abort", "interrupted", "skipped", "skip", "withdrawn", "revoked"}},
  };
  return kWords;
}

// Lower case, underscores between words; of "TrialState.COMPLETE" the last part, of "CANCELLED by 7" the first word.
std::string plain_word(const std::string& text) {
  std::string word;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '-' || c == '\t';
    if (c == '.')
      word.clear();
    else
      word += blank ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return word.substr(0, word.find("_by_"));
}

}  // namespace

std::optional<RowState> read_row_state(const std::string& text) {
  static const std::map<std::string, RowState> kStates = [] {
    std::map<std::string, RowState> states;
    for (const Words& group : words())
      for (const char* word : group.words) states.emplace(word, group.state);
    return states;
  }();
  const auto found = kStates.find(plain_word(text));
  if (found == kStates.end()) return std::nullopt;
  return found->second;
}

const std::vector<std::string>& row_state_words() {
  static const std::vector<std::string> kShown = {"done",    "finished", "completed", "success",  "keep",    "discard",
                                                  "failed",  "crashed",  "killed",    "oom",      "timeout", "diverged",
                                                  "stopped", "running",  "queued",    "cancelled"};
  return kShown;
}

bool is_state_column(const std::string& name) {
  const std::string word = plain_word(name);
  return word == "state" || word == "status" || word == "run_state" || word == "run_status" || word == "outcome";
}

}  // namespace bitsweep::fit
