#include "execute/capture.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"

extern char** environ;

namespace bitsweep::execute {
namespace {

constexpr size_t kKeptOfStderr = 16 << 10;

using Command = std::vector<std::string>;

[[noreturn]] void fail(const Command& command, int code) {
  throw Error(ErrorKind::environment, fmt::format("cannot start '{}': {}", command.at(0), std::strerror(code)));
}

struct Ends {
  Fd ours, theirs;
};

// A socket pair rather than a pipe: writing to a program that is gone must not raise SIGPIPE.
Ends make_ends(const Command& command) {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) fail(command, errno);
  return {Fd(fds[0]), Fd(fds[1])};
}

class Child {
 public:
  Child(const Command& command, std::string_view input) : input_(input) {
    Ends in = make_ends(command), out = make_ends(command), err = make_ends(command);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_adddup2(&actions, in.theirs.get(), 0);
    ::posix_spawn_file_actions_adddup2(&actions, out.theirs.get(), 1);
    ::posix_spawn_file_actions_adddup2(&actions, err.theirs.get(), 2);
    // A group of its own, so that a timeout ends what it started as well.
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const int code = ::posix_spawn(&pid_, arguments[0], &actions, &attributes, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (code != 0) {
      pid_ = -1;
      fail(command, code);
    }
    in_ = std::move(in.ours);
    out_ = std::move(out.ours);
    err_ = std::move(err.ours);
    ::fcntl(in_.get(), F_SETFL, O_NONBLOCK);
  }

  ~Child() {
    if (pid_ > 0) {
      ::kill(-pid_, SIGKILL);
      wait();
    }
  }

  Captured run(double timeout_s, size_t limit_bytes) {
    const double end = system_clock().monotonic_s() + timeout_s;
    if (input_.empty()) in_.reset();
    while (out_ || err_) {
      const double left = end - system_clock().monotonic_s();
      result_.timed_out = left <= 0;
      result_.too_long = result_.out.size() > limit_bytes;
      if (result_.timed_out || result_.too_long) {
        ::kill(-pid_, SIGKILL);
        break;
      }
      step(static_cast<int>(std::ceil(std::min(left, 60.0) * 1000)));
    }
    wait();
    return std::move(result_);
  }

 private:
  void step(int timeout_ms) {
    pollfd fds[3] = {{in_.get(), POLLOUT, 0}, {out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}};
    if (::poll(fds, 3, timeout_ms) <= 0) return;
    if (fds[0].revents != 0) write_some();
    if (fds[1].revents != 0) read_some(out_, result_.out);
    if (fds[2].revents != 0) read_some(err_, result_.err);
    if (result_.err.size() > 2 * kKeptOfStderr) result_.err.erase(0, result_.err.size() - kKeptOfStderr);
  }

  void write_some() {
    const ssize_t put = ::send(in_.get(), input_.data(), input_.size(), MSG_NOSIGNAL);
    if (put > 0) input_.remove_prefix(static_cast<size_t>(put));
    const bool again = put < 0 && (errno == EAGAIN || errno == EINTR);
    if (input_.empty() || (put < 0 && !again)) in_.reset();
  }

  static void read_some(Fd& fd, std::string& text) {
    char buffer[1 << 16];
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got > 0) text.append(buffer, static_cast<size_t>(got));
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) fd.reset();
  }

  void wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    if (WIFEXITED(status)) result_.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) result_.exit_code = 128 + WTERMSIG(status);
  }

  std::string_view input_;  // what is still to be written
  pid_t pid_ = -1;
  Fd in_, out_, err_;
  Captured result_;
};

}  // namespace

std::string Captured::ending() const {
  if (timed_out) return "took too long and was ended";
  if (too_long) return "wrote too much and was ended";
  if (exit_code > 128) return fmt::format("was ended by signal {} ({})", exit_code - 128, ::strsignal(exit_code - 128));
  return fmt::format("ended with exit code {}", exit_code);
}

Captured capture(const std::vector<std::string>& command, std::string_view input, double timeout_s,
                 size_t limit_bytes) {
  return Child(command, input).run(timeout_s, limit_bytes);
}

}  // namespace bitsweep::execute
