// What lies in a run's attempt folders, and the worker's command line made from it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/store.h"

namespace bitsweep::coordinate {

// Highest K of attempt-K in the run's folder, whatever the database says; 0 when there is none.
int64_t highest_attempt(const fs::path& run_folder);

// Checkpoints to go on from, of which the worker takes the furthest: of the newest attempt first, `last` before `best`;
// of attempts after `finished` alone, the last one that was done: what comes after it is made anew.
std::vector<fs::path> resume_candidates(const fs::path& run_folder, int64_t finished = 0);

// What another run starts from: the newest `best`, else the newest `last`.
std::optional<fs::path> best_checkpoint(const fs::path& run_folder);

// The newest of a kind ("best", "last").
std::optional<fs::path> newest_checkpoint(const fs::path& run_folder, std::string_view kind);
// What the run's next checkpoint will take: as much as its newest one, or twelve bytes a parameter (weights and two
// moments in f32) where there is none yet.
int64_t checkpoint_bytes(const fs::path& run_folder, int64_t params);

// The end of what its worker has written to worker.log; "" when there is none.
std::string log_tail(const fs::path& attempt_folder);

// K of a path RUN/attempt-K/checkpoints/FILE.
int64_t attempt_of(const fs::path& checkpoint);

// Of every kind of checkpoint only the newest attempt's is kept: a later one holds all of an earlier one. Files that a
// killed writer left half-written in attempts before `attempt` go too. Never throws: what cannot be removed stays.
// Those of attempts up to `finished` stay, as above.
void drop_superseded_checkpoints(const fs::path& run_folder, int64_t attempt, int64_t finished = 0);

// After a run is done: only the kinds that its spec keeps.
void apply_retention(const fs::path& run_folder, const json::object& spec);

struct WorkerCall {
  fs::path worker_program, plugin_folder, cache;
  std::string run;
  int64_t attempt = 0;
  fs::path attempt_folder;
  std::string device;  // as scheduled: cpu | cuda:N
  int64_t threads = 1;
  std::vector<fs::path> resume;
  std::optional<fs::path> init;
};
// A GPU is always the worker's first: the others are hidden from it.
std::vector<std::string> worker_command(const WorkerCall& call);

}  // namespace bitsweep::coordinate
