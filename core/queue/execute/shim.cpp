#include "execute/shim.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd_message.h"
#include "event/order.h"
#include "execute/cpu_claim.h"
#include "execute/oom.h"
#include "execute/process_identity.h"
#include "execute/records.h"

extern char** environ;

namespace bitsweep::execute {
namespace {

// Exit records are tried for this long when the disk is full; the lock stays held meanwhile.
constexpr int kRecordTries = 300;

// To the log, as far as the disk has room for it: fmt::print() throws where it has none.
void say(const char* words) {
  std::fputs("shim: ", stderr);
  std::fputs(words, stderr);
  std::fputs("\n", stderr);
}

struct Worker {
  pid_t pid = -1;
  int error = 0;  // errno of a start that failed
};

// Open files of the shim that its worker gets; -1: none.
struct Inherited {
  int lock = -1;
  int input = -1;  // becomes its stdin
};

// One that waits for its run.
struct WarmWorker {
  Worker process;
  Fd orders;
};

// REQUIRES: all signals blocked, as spawn_shim() does: what was sent to the coordinator is not for us.
void stand_alone() {
  ::setsid();
  ::prctl(PR_SET_NAME, "bitsweep-shim");
  for (const int ignored : {SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGPIPE}) ::signal(ignored, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // What the worker orphans comes to us, and ends with it.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void log_to(const fs::path& attempt_folder) {
  const Fd null = open_file("/dev/null", O_RDWR);
  // A full disk may have no place for it: the run can do without.
  const Fd file(::open((attempt_folder / "worker.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  const Fd& log = file ? file : null;
  ::dup2(null.get(), STDIN_FILENO);
  ::dup2(log.get(), STDOUT_FILENO);
  ::dup2(log.get(), STDERR_FILENO);
}

// What exec takes, made ready beforehand: between vfork and exec the child has its parent's memory.
struct Program {
  explicit Program(const Intent& intent) : words_(intent.command) {
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string_view line = *entry;
      if (!intent.environment.contains(std::string(line.substr(0, line.find('='))))) settings_.emplace_back(line);
    }
    for (const auto& [name, value] : intent.environment) settings_.push_back(name + "=" + value);
    arguments = pointers(words_);
    environment = pointers(settings_);
  }
  std::vector<char*> arguments, environment;  // each ends with a null pointer

 private:
  static std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> list;
    for (std::string& text : texts) list.push_back(text.data());
    list.push_back(nullptr);
    return list;
  }
  std::vector<std::string> words_, settings_;
};

// In the child, until exec: only system calls, which concern this process alone.
[[noreturn]] void become_worker(const Program& program, std::span<const int> cpus, Inherited files, pid_t shim,
                                volatile int& error) {
  ::setpgid(0, 0);
  run_on(0, cpus);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != shim) ::_exit(127);  // the shim died before the line above
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // When memory runs out the worker goes first, never the coordinator.
  if (const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
      fd >= 0 && ::write(fd, "500", 3) < 0) { /* as is */
  }
  ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
  if (files.lock >= 0) ::fcntl(files.lock, F_SETFD, 0);
  if (files.input >= 0) ::dup2(files.input, STDIN_FILENO);
  ::execve(program.arguments[0], program.arguments.data(), program.environment.data());
  error = errno;
  ::_exit(127);
}

// By vfork: a copy of the coordinator's page tables is made once for the shim, not once more for a process that throws
// it away. It returns when the worker's program is loaded, or could not be.
Worker start_worker(const Intent& intent, Inherited files) {
  const Program program(intent);
  const pid_t shim = ::getpid();
  volatile int error = 0;
  const pid_t pid = ::vfork();
  if (pid == 0) become_worker(program, intent.cpus, files, shim, error);
  if (pid < 0) return {-1, errno};
  return {pid, error};
}

WarmWorker start_warm_worker(const Intent& intent) {
  auto [ours, theirs] = message_sockets();
  WarmWorker warm{.process = start_worker(intent, {.input = theirs.get()}), .orders = std::move(ours)};
  return warm;
}

// It says so when it has loaded everything; until then it is waited for, because another one would take as long.
bool is_ready(const WarmWorker& warm) {
  constexpr int kPatience_ms = 20'000;
  pollfd said{warm.orders.get(), POLLIN, 0};
  return ::poll(&said, 1, kPatience_ms) == 1 && receive_message(warm.orders.get()).has_value();
}

// The run is the waiting worker's; or that one is ended, and a pid of -1 says that there is none.
Worker hand_over(WarmWorker& warm, const Intent& intent, int lock_fd) {
  const pid_t pid = warm.process.pid;
  if (pid > 0 && warm.process.error == 0 && is_ready(warm)) {
    run_on(pid, intent.cpus);
    if (event::send_order(warm.orders.get(), intent.command, lock_fd, STDOUT_FILENO)) return {pid, 0};
  }
  if (pid > 0) {
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  return {};
}

// Children that the worker left behind: its group first, then whatever was handed to us.
void end_leftovers(pid_t worker) {
  ::kill(-worker, SIGKILL);
  const std::string children = fmt::format("/proc/self/task/{}/children", ::getpid());
  for (;;) {
    std::ifstream list(children);
    for (pid_t child = 0; list >> child;) ::kill(child, SIGKILL);
    const pid_t reaped = ::waitpid(-1, nullptr, 0);
    if (reaped < 0 && errno != EINTR) return;
  }
}

ExitRecord wait_for(pid_t pid, double started, const OomCounters& before) {
  int status = 0;
  rusage usage{};
  while (::wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  ExitRecord exit{.exit_code = {},
                  .signal = {},
                  .out_of_memory = false,
                  .cannot_start = "",
                  .peak_rss_bytes = static_cast<int64_t>(usage.ru_maxrss) * 1024,
                  .started = started,
                  .ended = system_clock().unix_s()};
  if (WIFEXITED(status))
    exit.exit_code = WEXITSTATUS(status);
  else
    exit.signal = WTERMSIG(status);
  exit.out_of_memory = killed_for_memory(static_cast<int>(exit.signal.value_or(0)), before, read_oom_counters());
  return exit;
}

bool record(const fs::path& attempt_folder, const ExitRecord& exit) {
  for (int tries = 0; tries < kRecordTries; ++tries) {
    try {
      write_exit(attempt_folder, exit);
      return true;
    } catch (const Error& error) {
      if (!fs::exists(attempt_folder)) return false;  // there is nothing left to record it in
      if (tries == 0) say(error.what());
      system_clock().sleep_s(1);
    }
  }
  return false;
}

// Of all descriptors of the coordinator only these stay open: not its own lock, not its database.
void keep_only(std::vector<int> kept) {
  const auto close_between = [](int first, int last) {
    if (first <= last) ::syscall(SYS_close_range, static_cast<unsigned>(first), static_cast<unsigned>(last), 0U);
  };
  std::sort(kept.begin(), kept.end());
  int next = STDERR_FILENO + 1;
  for (const int fd : kept) {
    close_between(next, fd - 1);
    next = fd + 1;
  }
  ::syscall(SYS_close_range, static_cast<unsigned>(next), ~0U, 0U);
}

ExitRecord run_worker(const fs::path& attempt_folder, int lock_fd, WarmWorker* warm) {
  const double started = system_clock().unix_s();
  const OomCounters before = read_oom_counters();
  ExitRecord exit{.exit_code = {},
                  .signal = {},
                  .out_of_memory = false,
                  .cannot_start = "",
                  .peak_rss_bytes = 0,
                  .started = started,
                  .ended = started};
  const auto intent = read_intent(attempt_folder);
  if (!intent) {
    exit.cannot_start = fmt::format("'{}' is missing or damaged", (attempt_folder / "intent.json").string());
    return exit;
  }
  Worker worker = warm == nullptr ? Worker{} : hand_over(*warm, *intent, lock_fd);
  if (worker.pid < 0) worker = start_worker(*intent, {.lock = lock_fd});
  if (worker.error != 0)
    exit.cannot_start = fmt::format("cannot execute '{}': {}", intent->command[0], std::strerror(worker.error));
  if (worker.pid < 0) return exit;
  const auto self = identity_of(::getpid());
  const auto child = identity_of(worker.pid);
  if (self) {
    try {
      write_process(attempt_folder, {*self, child.value_or(ProcessIdentity{})});
    } catch (const Error& error) {
      say(error.what());  // it can still be waited for; only stopping needs the pids
    }
  }
  const std::string cannot_start = exit.cannot_start;
  exit = wait_for(worker.pid, started, before);
  exit.cannot_start = cannot_start;
  end_leftovers(worker.pid);
  return exit;
}

[[noreturn]] void see_to_its_end(const fs::path& attempt_folder, int lock_fd, int ended_fd, WarmWorker* warm) {
  log_to(attempt_folder);
  const ExitRecord exit = run_worker(attempt_folder, lock_fd, warm);
  const int code = record(attempt_folder, exit) ? 0 : 1;
  // The coordinator goes on from here, with lock and processors free; its own commit and this record reach the disk
  // side by side.
  keep_only({ended_fd});
  ::close(ended_fd);
  sync_evidence(attempt_folder);
  ::_exit(code);
}

// Waits for a run with a worker that has loaded everything. Its coordinator's end, or nothing to do, is its own end.
[[noreturn]] void wait_for_run(const Intent& program, int orders_fd, int ended_fd) {
  const Fd null = open_file("/dev/null", O_RDWR);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null.get(), stream);
  WarmWorker warm = start_warm_worker(program);
  const auto run = receive_message(orders_fd);
  if (!run || run->files.empty()) {
    if (warm.process.pid > 0) ::kill(-warm.process.pid, SIGKILL);
    ::_exit(0);
  }
  ::close(orders_fd);
  see_to_its_end(run->text, run->files[0].get(), ended_fd, &warm);
}

// A fork of the coordinator that goes on with `task`, which does not return, and keeps only these files open beside the
// one that tells its end.
template <class Task>
Shim fork_shim(std::vector<int> kept, Task task) {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0)
    throw Error(ErrorKind::environment, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  Shim shim{.pid = -1, .ended = Fd(fds[0])};
  const Fd theirs(fds[1]);
  kept.push_back(theirs.get());
  sigset_t all, before;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  shim.pid = ::fork();
  if (shim.pid == 0) {
    try {
      stand_alone();
      keep_only(std::move(kept));
      task(theirs.get());
    } catch (const std::exception& error) {
      say(error.what());
    }
    ::_exit(1);
  }
  const int error = errno;
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (shim.pid < 0) throw Error(ErrorKind::environment, fmt::format("cannot make a process: {}", std::strerror(error)));
  return shim;
}

std::vector<int> numbers_of(int first, std::span<const Fd> others) {
  std::vector<int> numbers{first};
  for (const Fd& fd : others) numbers.push_back(fd.get());
  return numbers;
}

}  // namespace

Shim spawn_shim(const fs::path& attempt_folder, int lock_fd, std::span<const Fd> held) {
  return fork_shim(numbers_of(lock_fd, held),
                   [&](int ended_fd) { see_to_its_end(attempt_folder, lock_fd, ended_fd, nullptr); });
}

WarmShim spawn_warm_shim(const std::string& program, const std::map<std::string, std::string>& environment) {
  const Intent intent{.run = "", .attempt = 0, .command = {program, "warm"}, .environment = environment};
  auto [ours, theirs] = message_sockets();
  const int orders_fd = theirs.get();
  Shim shim = fork_shim({orders_fd}, [&](int ended_fd) { wait_for_run(intent, orders_fd, ended_fd); });
  return {.shim = std::move(shim), .orders = std::move(ours)};
}

bool give_run(const WarmShim& warm, const fs::path& attempt_folder, int lock_fd, std::span<const Fd> held) {
  return send_message(warm.orders.get(), attempt_folder.string(), numbers_of(lock_fd, held));
}

}  // namespace bitsweep::execute
