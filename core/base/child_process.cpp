#include "base/child_process.h"

#include <cerrno>
#include <cstring>

#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.h"

extern char** environ;

namespace bitsweep {
namespace {

[[noreturn]] void fail(const std::string& program, int code) {
  throw Error(ErrorKind::environment, fmt::format("cannot start '{}': {}", program, std::strerror(code)));
}

struct Ends {
  Fd ours, theirs;
};

Ends make_ends(const std::string& program) {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) fail(program, errno);
  return {Fd(fds[0]), Fd(fds[1])};
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command) {
  const std::string& program = command.at(0);
  Ends to = make_ends(program), from = make_ends(program), messages = make_ends(program);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, to.theirs.get(), 0);
  ::posix_spawn_file_actions_adddup2(&actions, from.theirs.get(), 1);
  ::posix_spawn_file_actions_adddup2(&actions, messages.theirs.get(), 2);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const int code = ::posix_spawn(&pid_, arguments[0], &actions, &attributes, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (code != 0) fail(program, code);
  in = std::move(to.ours);
  out = std::move(from.ours);
  err = std::move(messages.ours);
}

ChildProcess::~ChildProcess() {
  if (pid_ <= 0) return;
  kill();
  wait();
}

void ChildProcess::kill() const { ::kill(-pid_, SIGKILL); }

int ChildProcess::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::string ending_of(int exit_code) {
  if (exit_code > 128) return fmt::format("was ended by signal {} ({})", exit_code - 128, ::strsignal(exit_code - 128));
  return fmt::format("ended with exit code {}", exit_code);
}

void read_some(Fd& fd, std::string& text) {
  char buffer[1 << 16];
  const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
  if (got > 0) text.append(buffer, static_cast<size_t>(got));
  if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) fd.reset();
}

}  // namespace bitsweep
