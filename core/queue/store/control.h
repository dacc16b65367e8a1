// What people tell a queue as a whole, and what its coordinator tells them: rows of the table `control`, so that
// neither needs the other to be there. What concerns single runs is in their rows (Store::cancel, set_paused …).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"

namespace bitsweep::store {

struct Control {
  bool paused = false;           // nothing is started, and what runs is stopped after a checkpoint
  std::string devices;           // "cpu:2,cuda:0", to be used from now on; "": those the coordinator was started with
  int64_t slots_per_device = 1;  // of GPUs in `devices`
};
Control read_control(Store& store);

void set_all_paused(Store& store, bool paused);
void set_devices(Store& store, std::string_view devices, int64_t slots_per_device);

// What the coordinator at work (or the last one) uses; nothing before the first.
struct CoordinatorStatus {
  std::string devices;           // "cpu:2,cuda:0", as parse_devices() reads it
  int64_t slots_per_device = 1;  // of GPUs
  int64_t disk_floor_bytes = 0;
};
void put_coordinator_status(Store& store, const CoordinatorStatus& word);
std::optional<CoordinatorStatus> read_coordinator_status(Store& store);

// Live runs that someone has paused, and all that are.
std::vector<std::string> asked_to_pause(Store& store);
std::vector<std::string> paused_runs(Store& store);
// One more than the highest priority of any run in the queue: what goes before all others.
int64_t foremost_priority(Store& store);

// What is ahead in the sweeps named (all, when none is): of one plugin in one state.
struct Ahead {
  std::string plugin;
  bool live = false;
  int64_t runs = 0;
  double params = 0, flops = 0;  // sums
};
std::vector<Ahead> what_is_ahead(Store& store, const std::vector<std::string>& sweeps = {});
// FLOP/s of training, the mean of up to twenty of the largest finished runs of the plugin; nothing without one.
std::optional<double> measured_flops_per_s(Store& store, std::string_view plugin);
// The last attempts that were begun, in the order of their starts.
struct PastStart {
  std::string sweep, plugin;
  int64_t slots = 1;
  double flops = 0;  // of the run
};
std::vector<PastStart> last_starts(Store& store, int64_t most);
// What the queue will leave on the disk: of runs that keep a checkpoint, those that have begun (their files may lie
// there already) and the parameters of those that have not, in the sweeps named (all, when none is).
struct CheckpointsAhead {
  struct Begun {
    std::string run;
    int64_t params = 0;
  };
  std::vector<Begun> begun;
  double params = 0;
};
CheckpointsAhead checkpoints_ahead(Store& store, const std::vector<std::string>& sweeps);
// Every run, in the order of submission, as far as its checkpoints are concerned.
struct KnownRun {
  std::string id, init_from;
  RunState state = RunState::done;
  double ended = 0;  // unix seconds; 0: not yet
};
std::vector<KnownRun> known_runs(Store& store);
// Some finished runs of the plugin, with their parameters.
std::vector<std::pair<std::string, int64_t>> finished_runs(Store& store, std::string_view plugin, int64_t most);

}  // namespace bitsweep::store
