#include "execute/shim.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "execute/oom.h"
#include "execute/process_identity.h"
#include "execute/records.h"

namespace bitsweep {
namespace {

// Exit records are tried for this long when the disk is full; the lock stays held meanwhile.
constexpr int kRecordTries = 300;

struct Worker {
  pid_t pid = -1;
  int error = 0;  // errno of a start that failed
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
  const Fd null = open_file("/dev/null", O_RDONLY);
  const Fd log = open_file(attempt_folder / "worker.log", O_WRONLY | O_CREAT | O_APPEND);
  ::dup2(null.get(), STDIN_FILENO);
  ::dup2(log.get(), STDOUT_FILENO);
  ::dup2(log.get(), STDERR_FILENO);
}

// In the child, until exec: only calls that are safe there and concern this process alone.
[[noreturn]] void become_worker(const Intent& intent, int lock_fd, int error_fd, pid_t shim) {
  ::setpgid(0, 0);
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
  ::fcntl(lock_fd, F_SETFD, 0);
  for (const auto& [name, value] : intent.environment) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> words;
  for (const std::string& word : intent.command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execv(words[0], words.data());
  const int error = errno;
  if (::write(error_fd, &error, sizeof error) < 0) { /* the exit code says it as well */
  }
  ::_exit(127);
}

Worker start_worker(const Intent& intent, int lock_fd) {
  int pipe_fds[2];
  if (::pipe2(pipe_fds, O_CLOEXEC) != 0) return {-1, errno};
  const Fd from_worker(pipe_fds[0]);
  Fd to_shim(pipe_fds[1]);
  const pid_t shim = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return {-1, errno};
  if (pid == 0) become_worker(intent, lock_fd, to_shim.get(), shim);
  ::setpgid(pid, pid);  // whichever of the two comes first
  to_shim.reset();
  Worker worker{pid, 0};
  // Closed by exec, or brings the reason why there was none.
  int error = 0;
  ssize_t got = 0;
  do got = ::read(from_worker.get(), &error, sizeof error);
  while (got < 0 && errno == EINTR);
  if (got == sizeof error) worker.error = error;
  return worker;
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
      if (tries == 0) fmt::print(stderr, "shim: {}\n", error.what());
      system_clock().sleep_s(1);
    }
  }
  return false;
}

// Of all descriptors of the coordinator only these two stay open: not its own lock, not its database.
void keep_only(int a, int b) {
  const auto close_between = [](int first, int last) {
    if (first <= last) ::syscall(SYS_close_range, static_cast<unsigned>(first), static_cast<unsigned>(last), 0U);
  };
  const auto [low, high] = std::minmax(a, b);
  close_between(STDERR_FILENO + 1, low - 1);
  close_between(low + 1, high - 1);
  ::syscall(SYS_close_range, static_cast<unsigned>(high) + 1, ~0U, 0U);
}

ExitRecord run_worker(const fs::path& attempt_folder, int lock_fd) {
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
  const Worker worker = start_worker(*intent, lock_fd);
  if (worker.error != 0)
    exit.cannot_start = fmt::format("cannot execute '{}': {}", intent->command[0], std::strerror(worker.error));
  if (worker.pid < 0) return exit;
  const auto self = identity_of(::getpid());
  const auto child = identity_of(worker.pid);
  if (self) {
    try {
      write_process(attempt_folder, {*self, child.value_or(ProcessIdentity{})});
    } catch (const Error& error) {
      fmt::print(stderr, "shim: {}\n", error.what());  // it can still be waited for; only stopping needs the pids
    }
  }
  const std::string cannot_start = exit.cannot_start;
  exit = wait_for(worker.pid, started, before);
  exit.cannot_start = cannot_start;
  end_leftovers(worker.pid);
  return exit;
}

[[noreturn]] void become_shim(const fs::path& attempt_folder, int lock_fd, int ended_fd) {
  int code = 1;
  try {
    stand_alone();
    keep_only(lock_fd, ended_fd);
    log_to(attempt_folder);
    const ExitRecord exit = run_worker(attempt_folder, lock_fd);
    code = record(attempt_folder, exit) ? 0 : 1;
    // The coordinator goes on from here; its own commit and this record reach the disk side by side.
    ::close(lock_fd);
    ::close(ended_fd);
    sync_exit(attempt_folder);
  } catch (const std::exception& error) {
    fmt::print(stderr, "shim: {}\n", error.what());
  }
  ::_exit(code);
}

}  // namespace

Shim spawn_shim(const fs::path& attempt_folder, int lock_fd) {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0)
    throw Error(ErrorKind::environment, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  Shim shim{.pid = -1, .ended = Fd(fds[0])};
  const Fd theirs(fds[1]);
  sigset_t all, before;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  shim.pid = ::fork();
  if (shim.pid == 0) become_shim(attempt_folder, lock_fd, theirs.get());
  const int error = errno;
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (shim.pid < 0) throw Error(ErrorKind::environment, fmt::format("cannot make a process: {}", std::strerror(error)));
  return shim;
}

}  // namespace bitsweep
