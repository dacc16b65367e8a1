#include "execute/local.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.h"
#include "execute/cpu_claim.h"
#include "execute/gpus.h"
#include "execute/process_identity.h"
#include "execute/records.h"
#include "execute/shim.h"

namespace bitsweep::execute {

struct LocalExecutor::Watched {
  std::string run;
  int64_t attempt = 0;
  fs::path run_folder;
  Fd lock;          // of our own opening: when we can take it, nothing of the attempt is alive
  Fd ended;         // of a shim of ours: readable when its record is there …
  std::optional<bool> readable;  // … as the last wait() found it, until poll() has used it
  Fd shim_end;      // pidfd; readable when the shim has ended
  Fd worker_end;    // pidfd
  pid_t child = 0;  // the shim, when it is ours to reap
  std::optional<ProcessRecord> processes;
  std::optional<StopMode> stop;  // asked for, perhaps before the pids were known
  bool stop_sent = false;
  double leftover_since = 0;  // monotonic; 0: shim and worker were alive when last looked at
  double looked = -1;         // monotonic; when poll() last asked the system all it can ask
  double idle_since = 0;      // monotonic; 0: its worker was alive when last looked at

  fs::path folder() const { return run_folder / ("attempt-" + std::to_string(attempt)); }
};

namespace {

bool take_lock(const Fd& fd) {
  int result = 0;
  do result = ::flock(fd.get(), LOCK_EX | LOCK_NB);
  while (result != 0 && errno == EINTR);
  return result == 0;
}

// A probe: the lock is let go at once, by its own call, because a shim that was forked a moment ago may still hold a
// copy of this descriptor.
bool is_free(const Fd& fd) {
  if (!take_lock(fd)) return false;
  ::flock(fd.get(), LOCK_UN);
  return true;
}

Fd open_lock(const fs::path& run_folder) { return open_file(run_folder / "lock", O_RDWR | O_CREAT); }

// What CUDA_VISIBLE_DEVICES is to be for a run on `device`.
std::string visible_gpu_of(const std::string& device) {
  if (device == "cpu") return "";
  return visible_gpu(device, visible_gpus(visible_variable(), driver_gpus()));
}

Poll ended_or_lost(const fs::path& attempt_folder) {
  Poll poll;
  poll.exit = read_exit(attempt_folder);
  if (poll.exit) {
    poll.liveness = Liveness::ended;
  } else if (!fs::exists(attempt_folder / "intent.json")) {
    poll.liveness = Liveness::never_began;
  } else {
    const auto processes = read_process(attempt_folder);
    const bool restarted = processes && processes->shim.boot_id != current_boot_id();
    poll.liveness = restarted ? Liveness::lost_with_machine : Liveness::lost;
  }
  return poll;
}

}  // namespace

struct LocalExecutor::Warm {
  WarmSlot slot;
  WarmShim shim;
};

LocalExecutor::LocalExecutor() : LocalExecutor(Options{}) {}
LocalExecutor::LocalExecutor(Options options, Clock& clock) : options_(std::move(options)), clock_(clock) {}
LocalExecutor::~LocalExecutor() = default;

StartResult LocalExecutor::start(const Launch& launch) {
  assert(!watched_.contains(launch.run));
  make_folder(launch.run_folder);
  Fd lock = open_lock(launch.run_folder);
  if (!take_lock(lock)) return StartResult::busy;
  const fs::path folder = launch.folder();
  if (fs::exists(folder / "intent.json"))
    throw Error(ErrorKind::refused,
                fmt::format("attempt '{}' was made before; its number cannot be used again", folder.string()));
  make_folder(folder);
  write_visible(folder / "spec.json", pretty_json(launch.spec) + "\n");
  // A GPU's run needs a processor only to feed it, and is better moved about.
  const CpuClaim claim = options_.own_cpus && launch.device == "cpu" ? claim_cpus(launch.threads) : CpuClaim{};
  Intent intent{.run = launch.run,
                .attempt = launch.attempt,
                .command = launch.command,
                .environment = slot_environment(visible_gpu_of(launch.device), launch.threads),
                .cpus = claim.cpus};
  for (const auto& [name, value] : launch.environment) intent.environment[name] = value;
  write_intent(folder, intent);

  auto attempt = std::make_unique<Watched>();
  attempt->run = launch.run;
  attempt->attempt = launch.attempt;
  attempt->run_folder = launch.run_folder;
  attempt->lock = open_lock(launch.run_folder);
  Shim shim = start_shim(launch, lock.get(), claim.locks);
  attempt->child = shim.pid;
  attempt->ended = std::move(shim.ended);
  attempt->shim_end = Fd(static_cast<int>(::syscall(SYS_pidfd_open, attempt->child, 0)));
  watched_[launch.run] = std::move(attempt);
  return StartResult::started;  // our copy of the locked descriptor closes here; the shim's keeps the lock
}

// One that waits, if there is one for such a slot; else a new one.
Shim LocalExecutor::start_shim(const Launch& launch, int lock_fd, std::span<const Fd> held) {
  const WarmSlot slot{launch.command[0], launch.device, launch.threads};
  while (launch.environment.empty()) {
    const auto found = std::find_if(warm_.begin(), warm_.end(), [&](const Warm& warm) { return warm.slot == slot; });
    if (found == warm_.end()) break;
    Warm warm = std::move(*found);
    warm_.erase(found);
    if (give_run(warm.shim, launch.folder(), lock_fd, held)) return std::move(warm.shim.shim);
    unreaped_.push_back(warm.shim.shim.pid);
  }
  return spawn_shim(launch.folder(), lock_fd, held);
}

void LocalExecutor::keep_warm(const std::vector<WarmSlot>& slots) {
  reap();
  std::vector<Warm> kept;
  for (const WarmSlot& slot : slots) {
    const auto found = std::find_if(warm_.begin(), warm_.end(), [&](const Warm& warm) {
      return warm.slot == slot && !has_ended(warm.shim.shim.ended);
    });
    if (found != warm_.end()) {
      kept.push_back(std::move(*found));
      warm_.erase(found);
    } else {
      kept.push_back(
          {slot, spawn_warm_shim(slot.program, slot_environment(visible_gpu_of(slot.device), slot.threads))});
    }
  }
  for (const Warm& warm : std::exchange(warm_, std::move(kept))) unreaped_.push_back(warm.shim.shim.pid);
}

Poll LocalExecutor::adopt(const std::string& run, int64_t number, const fs::path& run_folder) {
  auto attempt = std::make_unique<Watched>();
  attempt->run = run;
  attempt->attempt = number;
  attempt->run_folder = run_folder;
  if (!fs::exists(run_folder / "lock")) return ended_or_lost(attempt->folder());
  attempt->lock = open_lock(run_folder);
  if (is_free(attempt->lock)) return ended_or_lost(attempt->folder());
  learn_processes(*attempt);
  Poll poll{.liveness = Liveness::running};
  if (attempt->processes) {
    poll.worker = attempt->processes->worker;
    if (const auto age = age_of(attempt->processes->shim)) poll.age_s = age->least_s;
  }
  watched_[run] = std::move(attempt);
  return poll;
}

Poll LocalExecutor::poll(const std::string& run) {
  const auto found = watched_.find(run);
  assert(found != watched_.end());
  Watched& attempt = *found->second;
  const std::optional<bool> found_readable = std::exchange(attempt.readable, std::nullopt);
  // A shim of ours holds the lock until its end is readable.
  const bool held = attempt.ended && !(found_readable ? *found_readable : has_ended(attempt.ended));
  const double now = clock_.monotonic_s();
  const bool expects_something = !attempt.processes || (attempt.stop && !attempt.stop_sent);
  if (held && !expects_something && attempt.looked >= 0 && now - attempt.looked < options_.look_s)
    return {.liveness = Liveness::running, .worker = attempt.processes->worker};
  attempt.looked = now;
  if (attempt.child != 0 && ::waitpid(attempt.child, nullptr, WNOHANG) != 0) attempt.child = 0;
  reap();
  if (!held && is_free(attempt.lock)) {
    if (attempt.child != 0) unreaped_.push_back(attempt.child);
    const Poll poll = ended_or_lost(attempt.folder());
    watched_.erase(found);
    return poll;
  }
  learn_processes(attempt);
  if (attempt.stop && !attempt.stop_sent) deliver_stop(attempt);
  // Shim and worker are gone, and yet the lock is held: from here on this end would only keep waking us.
  if (!held) attempt.ended.reset();
  wake_shim(attempt);
  if (!held) end_leftovers(attempt);
  Poll poll{.liveness = Liveness::running};
  if (attempt.processes) poll.worker = attempt.processes->worker;
  return poll;
}

std::optional<double> LocalExecutor::cpu_seconds(const std::string& run) {
  const auto found = watched_.find(run);
  if (found == watched_.end() || !found->second->processes) return std::nullopt;
  return bitsweep::execute::cpu_seconds(found->second->processes->worker);
}

void LocalExecutor::learn_processes(Watched& attempt) {
  if (attempt.processes) return;
  attempt.processes = read_process(attempt.folder());
  if (!attempt.processes) return;
  if (!attempt.shim_end) attempt.shim_end = open_pidfd(attempt.processes->shim);
  attempt.worker_end = open_pidfd(attempt.processes->worker);
}

void LocalExecutor::reap() {
  std::erase_if(unreaped_, [](pid_t child) { return ::waitpid(child, nullptr, WNOHANG) != 0; });
}

void LocalExecutor::stop(const std::string& run, StopMode mode) {
  const auto found = watched_.find(run);
  if (found == watched_.end()) return;  // it ended meanwhile
  Watched& attempt = *found->second;
  attempt.stop = mode;
  attempt.stop_sent = false;
  learn_processes(attempt);
  deliver_stop(attempt);
}

void LocalExecutor::deliver_stop(Watched& attempt) {
  if (!attempt.processes) return;  // a moment after the start; poll() tries again
  attempt.stop_sent = true;
  const ProcessIdentity& worker = attempt.processes->worker;
  if (!is_alive(worker)) return;
  const auto group = static_cast<pid_t>(-worker.pid);
  ::kill(group, *attempt.stop == StopMode::kill ? SIGKILL : SIGTERM);
  ::kill(group, SIGCONT);  // a suspended one could not hear the first
}

// Shim and worker are dead, but something they started escaped them and holds the lock, perhaps a GPU as well.
void LocalExecutor::end_leftovers(Watched& attempt) {
  // Asked at every turn, so the cheapest question first.
  if (attempt.shim_end && !has_ended(attempt.shim_end)) return;
  if (!attempt.processes || is_alive(attempt.processes->shim) || is_alive(attempt.processes->worker)) {
    attempt.leftover_since = 0;
    return;
  }
  const double now = clock_.monotonic_s();
  if (attempt.leftover_since == 0) attempt.leftover_since = now;
  if (now - attempt.leftover_since < options_.leftover_grace_s) return;
  for (const int64_t pid : holders_of(attempt.run_folder / "lock")) ::kill(static_cast<pid_t>(pid), SIGKILL);
}

// The worker has ended, or never was named, but its shim says nothing: someone suspended it. One that only waits for
// room on a full disk is not disturbed by this.
void LocalExecutor::wake_shim(Watched& attempt) {
  if (attempt.worker_end && !has_ended(attempt.worker_end)) return;
  if (attempt.shim_end && has_ended(attempt.shim_end)) return;
  const double now = clock_.monotonic_s();
  if (attempt.idle_since == 0) attempt.idle_since = now;
  if (now - attempt.idle_since < options_.leftover_grace_s) return;
  attempt.idle_since = now;
  for (const int64_t pid : holders_of(attempt.run_folder / "lock")) ::kill(static_cast<pid_t>(pid), SIGCONT);
}

void LocalExecutor::wait(double timeout_s, int wake_fd) {
  constexpr double kBlindStep_s = 0.05;  // where there is nothing to wait on, the lock is asked this often
  std::vector<pollfd> fds{{wake_fd, POLLIN, 0}};  // one below 0 is passed over
  std::vector<Watched*> of_shims;                 // of the descriptors after it
  for (const auto& [run, attempt] : watched_) {
    const bool shim_ended = attempt->leftover_since != 0;
    if (!attempt->ended && (!attempt->shim_end || shim_ended)) {
      timeout_s = std::min(timeout_s, kBlindStep_s);
      continue;
    }
    of_shims.push_back(attempt.get());
    fds.push_back({attempt->ended ? attempt->ended.get() : attempt->shim_end.get(), POLLIN, 0});
  }
  if (::poll(fds.data(), fds.size(), static_cast<int>(std::max(timeout_s, 0.0) * 1000)) < 0) return;
  for (size_t i = 0; i < of_shims.size(); ++i)
    if (of_shims[i]->ended) of_shims[i]->readable = fds[i + 1].revents != 0;
}

std::map<std::string, std::string> slot_environment(const std::string& gpu, int64_t threads) {
  return {{"CUDA_DEVICE_ORDER", "PCI_BUS_ID"},
          {"CUDA_VISIBLE_DEVICES", gpu},
          {"OMP_NUM_THREADS", std::to_string(threads)},
          // LibTorch's threads wait awake for milliseconds after their work by default, on the cores that the program's
          // own threads (engine/thread_pool.h) then want: of the order of 0.3 ms instead.
          {"GOMP_SPINCOUNT", "10000"},
          // For a worker whose malloc is glibc's: activations are freed and taken again every step, and memory that
          // stays in the process need not be faulted in again.
          {"MALLOC_MMAP_THRESHOLD_", "4294967296"},
          {"MALLOC_TRIM_THRESHOLD_", "17179869184"}};
}

std::vector<std::string> slot_command(const std::string& device, int64_t threads) {
  std::vector<std::string> command{"/usr/bin/env"};
  for (const auto& [name, value] : slot_environment(visible_gpu_of(device), threads))
    command.push_back(name + "=" + value);
  return command;
}

}  // namespace bitsweep::execute
