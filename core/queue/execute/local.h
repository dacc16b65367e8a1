// Executor for processes of this machine: a shim per run (shim.h), whose inherited lock on run/lock says whether
// anything of the attempt is alive.
#pragma once

#include <memory>

#include <sys/types.h>

#include "base/clock.h"
#include "execute/executor.h"
#include "execute/shim.h"

namespace bitsweep::execute {

class LocalExecutor : public Executor {
 public:
  struct Options {
    // Whether an attempt without a living shim and worker may still hold the lock this long, before whoever holds it
    // (something the worker left behind) is killed.
    double leftover_grace_s = 1.0;
    // How often an attempt is looked at that has given no sign.
    double look_s = 0.5;
    // Whether an attempt on the CPU gets processors of its own, as far as there are free ones (cpu_claim.h).
    bool own_cpus = true;
  };

  LocalExecutor();
  explicit LocalExecutor(Options options, Clock& clock = system_clock());
  ~LocalExecutor() override;

  StartResult start(const Launch& launch) override;
  Poll adopt(const std::string& run, int64_t attempt, const fs::path& run_folder) override;
  Poll poll(const std::string& run) override;
  std::optional<double> cpu_seconds(const std::string& run) override;
  void stop(const std::string& run, StopMode mode) override;
  void keep_warm(const std::vector<WarmSlot>& slots) override;
  void wait(double timeout_s, int wake_fd) override;

 private:
  struct Watched;
  struct Warm;
  Shim start_shim(const Launch& launch, int lock_fd, std::span<const Fd> held);
  void learn_processes(Watched& attempt);
  void deliver_stop(Watched& attempt);
  void end_leftovers(Watched& attempt);
  void wake_shim(Watched& attempt);
  void reap();

  Options options_;
  Clock& clock_;
  std::map<std::string, std::unique_ptr<Watched>> watched_;
  std::vector<Warm> warm_;
  std::vector<pid_t> unreaped_;  // shims that have recorded the end of their worker, and end in a moment
};

// What a worker is told of its slot before it begins. `gpu` as visible_gpu() gives it.
std::map<std::string, std::string> slot_environment(const std::string& gpu, int64_t threads);

// What a command line begins with so that it runs in a slot's environment.
std::vector<std::string> slot_command(const std::string& device, int64_t threads);

}  // namespace bitsweep::execute
