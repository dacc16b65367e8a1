// Starting, watching and stopping the process of one attempt, wherever it runs. One contract for local processes and
// for batch systems; what decides is the evidence in the attempt's folder, never a clock.
//
// Folder of a run:  lock; attempt-K/{intent.json, spec.json, process.json, worker.log, events.jsonl, exit.json, …}
//   intent.json   written durably before anything is started: the number K is used up from then on
//   process.json  by the shim: pids, start times, boot id
//   exit.json     by the shim, durably: how the worker ended. It is written once.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "base/run_state.h"

namespace bitsweep::execute {

// One attempt to be started.
struct Launch {
  std::string run;
  int64_t attempt = 0;
  fs::path run_folder;                             // ROOT/runs/ID; made when missing
  std::vector<std::string> command;                // program (a path) and its arguments
  std::map<std::string, std::string> environment;  // added to the coordinator's own
  json::object spec;                               // becomes attempt-K/spec.json
  std::string device;                              // cpu | cuda:N; becomes CUDA_VISIBLE_DEVICES
  int64_t threads = 1;                             // becomes OMP_NUM_THREADS

  fs::path folder() const { return run_folder / ("attempt-" + std::to_string(attempt)); }
};

// A worker that waits for a run, so that the run need not wait for what all runs load.
struct WarmSlot {
  std::string program;  // the first word of the commands that it is for
  std::string device;
  int64_t threads = 1;
  bool operator==(const WarmSlot&) const = default;
};

// A process that cannot be mistaken for a later one with the same pid.
struct ProcessIdentity {
  int64_t pid = 0;
  int64_t start_ticks = 0;  // field 22 of /proc/PID/stat
  std::string boot_id;
};

// What exit.json holds: how the worker ended, as the system told its parent.
struct ExitRecord {
  std::optional<int64_t> exit_code;
  std::optional<int64_t> signal;
  bool out_of_memory = false;  // the kernel's own counters say that it killed for memory meanwhile
  std::string cannot_start;    // why the program could not be executed, else ""
  int64_t peak_rss_bytes = 0;
  double started = 0, ended = 0;  // unix seconds
};

enum class StartResult {
  started,
  busy,  // something of an earlier attempt is still alive: nothing was started, the number is not used up
};

// Without a record nothing of it is alive, and the last three say what is known of why.
enum class Liveness {
  running,
  ended,              // with a record
  never_began,        // the coordinator ended before anything was started
  lost_with_machine,  // the machine was restarted under it
  lost,
};

struct Poll {
  Liveness liveness = Liveness::lost;
  std::optional<ExitRecord> exit = std::nullopt;         // when ended
  std::optional<ProcessIdentity> worker = std::nullopt;  // once known
  std::optional<double> age_s = std::nullopt;  // of one that adopt() found running, by no clock that anybody can set
};

enum class StopMode { graceful, kill };

// Not thread-safe. Destroying it leaves every process alone.
class Executor {
 public:
  virtual ~Executor() = default;
  // Throws Error{environment} when the folder cannot be written or no process can be made.
  virtual StartResult start(const Launch& launch) = 0;
  // Takes charge of an attempt that an earlier coordinator started: running, or what became of it.
  virtual Poll adopt(const std::string& run, int64_t attempt, const fs::path& run_folder) = 0;
  // REQUIRES: an attempt that was started or adopted, and of which no poll has said `ended` or `lost`.
  virtual Poll poll(const std::string& run) = 0;
  // Processor time that the attempt has used so far; nothing when it cannot be told. Asked only of those that are
  // silent.
  virtual std::optional<double> cpu_seconds(const std::string& run) = 0;
  // Signals the whole process group of the worker; returns at once. Harmless when repeated, or when it has ended.
  virtual void stop(const std::string& run, StopMode mode) = 0;
  // So many workers as there are slots are to wait from now on; others that wait are ended. start() takes one where it
  // fits. An executor need not keep any.
  virtual void keep_warm(const std::vector<WarmSlot>&) {}
  // Returns when one of its attempts may have ended, when `wake_fd` (or -1) becomes readable, or after `timeout_s`.
  virtual void wait(double timeout_s, int wake_fd) = 0;
};

// What the exit record and the worker's last word (status of its "end" event, "" when it wrote none) mean.
// Exit codes of a worker: 0 done, 1 failed, 2 bad input, 3 environment, 5 diverged, 6 out of memory, 75 stopped after
// a checkpoint.
struct Outcome {
  RunState state = RunState::failed;  // done | failed | stopped
  ExitCause cause = ExitCause::none;
  std::string message;  // a sentence for people
};
Outcome decode_exit(const ExitRecord& exit, const std::string& end_status, const std::string& end_message);

}  // namespace bitsweep::execute
