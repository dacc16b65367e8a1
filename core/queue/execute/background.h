// This program again, as a process beside the coordinator that may die without hurting it: with nothing to read,
// nowhere to print, and in a group of its own, so that an interrupt at the terminal is the coordinator's alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace bitsweep::execute {

class BackgroundProcess {
 public:
  BackgroundProcess() = default;
  BackgroundProcess(const BackgroundProcess&) = delete;
  BackgroundProcess& operator=(const BackgroundProcess&) = delete;
  ~BackgroundProcess() { kill(); }

  // `words`: its arguments, the name in front. One that runs is killed first. Where the system refuses, nothing runs.
  void start(const std::vector<std::string>& words);
  bool running() const { return pid_ > 0; }
  // Its exit code once it has ended (128 and more: by a signal); nothing while it runs, or when there is none.
  std::optional<int> ended();
  // Seconds of a processor that the one that ended last took.
  double used_s() const { return used_s_; }
  // At once, and waits for it.
  void kill();

 private:
  pid_t pid_ = 0;
  double used_s_ = 0;
};

}  // namespace bitsweep::execute
