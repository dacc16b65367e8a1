// The work loop: takes runs off the queue, starts them on this machine's devices, reads their events into the database,
// retries what failed by a fault, and leaves a state from which the same command goes on, however it is ended.
//
// One coordinator a root (CoordinatorLock). It may be killed at any instant: workers live on under their shims, and the
// next coordinator adopts them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "coordinate/disk_watch.h"
#include "coordinate/early_stop.h"
#include "execute/executor.h"
#include "schedule/schedule.h"
#include "store/store.h"

namespace bitsweep::coordinate {

// ROOT/coord.lock, held as long as the object lives. Throws Error{refused} naming the pid that holds it, and
// Error{environment} when the root cannot be written. Refuses network filesystems.
class CoordinatorLock {
 public:
  explicit CoordinatorLock(const fs::path& root);

 private:
  Fd fd_;
};

struct WorkOptions {
  std::vector<schedule::DeviceSlots> devices;  // empty: one CPU slot
  int64_t threads = 1;               // of the CPU, shared by its slots
  std::vector<std::string> sweeps;   // only runs of these; empty: all
  bool forever = false;              // stay when the queue is empty
  double grace_s = 60;               // from a graceful stop to KILL
  double first_retry_s = 1;          // before the first retry of a fault; later ones wait longer
  // Where runs take less than this, workers are started before there are runs for them (0: never). Of such a run the
  // loading of LibTorch, about 0.3 s, is more than a hundredth.
  double warm_below_s = 30;
  bool own_cpus = true;          // each attempt on the CPU keeps to processors of its own
  double hung_after_s = 600;     // of silence, before a run is looked at as one that hangs; 0: never
  int64_t slots_per_device = 1;  // of GPUs in a list of devices that is given later
  int64_t disk_floor_bytes = kDefaultDiskFloor_bytes;  // free on the root's disk; 0: none is asked for
  fs::path worker_program, plugin_folder;
  CurveEnd curve_end;        // of the rule `curve`
  std::optional<Disk> disk;  // the root's, when nothing else is given
};

// What happened to one run, for whoever watches. `line` of a RunProgress is what a live table shows.
struct RunProgress {
  std::string run, sweep, plugin, point;  // point: its axes and seed in words
  std::string device;
  int64_t attempt = 0;
  int64_t step = 0, steps = 0;
  std::optional<double> val_bpc, tokens_per_s;
  std::string unit = "bpc";     // of the loss
  std::optional<double> eta_s;  // of this run, from its own measured rate
  bool diverging = false;       // its last loss is far above that of a model that knows nothing
};

struct QueueProgress {
  int64_t queued = 0, running = 0, done = 0, failed = 0, total = 0;  // of the runs in scope
  std::optional<double> eta_s;                                       // of all that is left, from measured rates
  std::vector<RunProgress> runs;                                     // those running
  std::string held;                                                  // why nothing is started now, "" when it is
};

// Told what happens, from the coordinator's own thread. All have empty defaults.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void started(const RunProgress&) {}
  virtual void adopted(const RunProgress&) {}
  virtual void evaluated(const RunProgress&, const event::Event&) {}
  // The attempt ended; `after.state` is queued when it will be tried again.
  virtual void ended(const RunProgress&, const store::RunRecord& after) { static_cast<void>(after); }
  virtual void tick(const QueueProgress&) {}   // a few times a second
  virtual void message(const std::string&) {}  // something a person should know
};

struct WorkResult {
  int64_t done = 0;                // runs that ended well during this call
  std::vector<store::RunRecord> failed;  // that ended badly during this call, or before it in the sweeps asked for
  std::vector<store::RunRecord>
      waiting;  // still queued though nothing can start them (their base failed, no such device)
  bool interrupted = false;
  int exit_code() const { return interrupted ? 130 : failed.empty() && waiting.empty() ? 0 : 1; }
};

// Works until the queue of the sweeps is empty (or for ever). SIGINT or SIGTERM once: every worker is stopped
// gracefully, its run goes back to the queue with its checkpoint, and `interrupted` is set; twice: they are killed.
// Durations are counted by the clock's monotonic time alone; its wall clock is for records.
WorkResult work(store::Store& store, const CoordinatorLock& lock, execute::Executor& executor, Clock& clock,
                const WorkOptions& options, Progress& progress);

}  // namespace bitsweep::coordinate
