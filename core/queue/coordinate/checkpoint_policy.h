// Which checkpoints may go: a policy over those that lie in a root. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/run_state.h"

namespace bitsweep::coordinate {

struct StoredCheckpoint {
  std::string run;
  RunState state = RunState::done;  // of the run
  std::string kind;                 // best | last | half-written
  fs::path file;
  uint64_t bytes = 0;
  double since = 0;       // unix seconds: when its run ended, else when it was written
  std::string needed_by = {};  // in words: what still needs it; "" when nothing does
  std::optional<double> most_age_s = std::nullopt;  // it cannot be older, by a clock that nobody can set
};

// Never below 0: what comes from the future, by a clock that was set since, is young.
double age_s(const StoredCheckpoint& one, double now);

struct CheckpointPolicy {
  // Kinds that stay. A run that has no `best` keeps its `last` in its place.
  std::set<std::string> keep = {"best"};
  std::set<RunState> states = {RunState::done};       // of runs that may lose some
  std::optional<double> older_than_s = std::nullopt;  // only of runs that ended so long ago
  std::optional<double> most_bytes = std::nullopt;    // oldest first, until what is left is no more than this
};

// Indices into `all` of those to delete, oldest first. What something needs is never among them; half-written files of
// ended runs always are, within the policy's states and age.
std::vector<size_t> to_delete(const std::vector<StoredCheckpoint>& all, const CheckpointPolicy& policy, double now);

}  // namespace bitsweep::coordinate
