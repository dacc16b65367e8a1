// The words that people and other tools use for how a run ended, as ours (base/run_state.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace bitsweep::fit {

struct RowState {
  std::string state;       // "" for a finished run; else as RunRow has it: failed, stopped, running, queued, cancelled
  std::string exit_cause;  // "diverged", "crashed", "timeout" …; "" where no more is known
  bool finished() const { return state.empty(); }
};

// In any case, with blanks or hyphens for underscores: "COMPLETED", "timed out", "TrialState.PRUNED", "CANCELLED by 7".
// keep and discard both are finished: what was measured stands, whatever was made of it. Nothing for an unknown word.
std::optional<RowState> read_row_state(const std::string& text);

// The words to be shown, and among which the nearest of a mistyped one is looked for.
const std::vector<std::string>& row_state_words();

// Names of a column that holds them, lower case.
bool is_state_column(const std::string& name);

}  // namespace bitsweep::fit
