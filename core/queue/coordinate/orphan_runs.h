// Run folders and attempts that the history does not tell of: of a root older than its history file, or begun in the
// moment before a power cut.
#pragma once

#include "store/rebuild.h"

namespace bitsweep::coordinate {

inline constexpr const char* kRecoveredSweep = "recovered";

struct OrphanRuns {
  int64_t runs = 0, attempts = 0;
};

// Takes from each what its files tell: spec.json, the start event, process.json, exit.json and events.jsonl. An attempt
// of which something is still alive is left running, for a coordinator to adopt; the others end as a coordinator would
// have judged them.
OrphanRuns adopt_orphan_runs(const store::RootPaths& paths, store::Rebuild& rebuild);

}  // namespace bitsweep::coordinate
