// The real worker as a child process: start it, wait, kill it, read what it left.
#pragma once

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"

namespace bitsweep::worker {

struct Ended {
  int exit_code = -1;  // when it exited
  int signal = 0;      // when it was killed
  std::string out, err;
};

class Process {
 public:
  // Output goes to files in `folder`, input comes from `input`.
  Process(std::vector<std::string> command, const fs::path& folder, const std::string& input = "")
      : out_(folder / "stdout.txt"), err_(folder / "stderr.txt") {
    fs::create_directories(folder);
    write_file_atomic(folder / "stdin.txt", input);
    std::vector<char*> argv;
    for (std::string& word : command) argv.push_back(word.data());
    argv.push_back(nullptr);
    const std::string in = (folder / "stdin.txt").string(), out = out_.string(), err = err_.string();
    pid_ = ::fork();
    if (pid_ == 0) {
      redirect(in.c_str(), O_RDONLY, 0);
      redirect(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 1);
      redirect(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 2);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
  }
  ~Process() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const { ::kill(pid_, number); }

  Ended wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    Ended ended{.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                .out = read_file(out_),
                .err = read_file(err_)};
    return ended;
  }

 private:
  static void redirect(const char* path, int flags, int to) {
    const int fd = ::open(path, flags, 0644);
    if (fd < 0 || ::dup2(fd, to) < 0) ::_exit(126);
  }
  fs::path out_, err_;
  pid_t pid_ = 0;
};

// Asks until it holds; false after a minute.
template <class Condition>
bool eventually(Condition&& condition) {
  for (int i = 0; i < 30000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

}  // namespace bitsweep::worker
