// A helper program: started by its path, without a shell, in a process group of its own, so that what it started itself
// ends with it.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "base/files.h"

namespace bitsweep {

class ChildProcess {
 public:
  // `command`: a path and its arguments. Throws Error{environment} "cannot start 'PATH': reason".
  explicit ChildProcess(const std::vector<std::string>& command);
  ~ChildProcess();  // one that was not waited for is killed
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // With its process group. Not after wait().
  void kill() const;
  // Its exit code, 128 + the signal where one ended it.
  int wait();

  // Our ends of its standard streams. They are sockets: writing to a program that is gone by send(…, MSG_NOSIGNAL)
  // raises no SIGPIPE.
  Fd in, out, err;

 private:
  pid_t pid_ = -1;
};

// Of what wait() gives: "ended with exit code 3", "was ended by signal 11 (Segmentation fault)".
std::string ending_of(int exit_code);

// Appends what can be read of `fd` at once to `text`, at most 64 KiB; closes the descriptor at its end.
void read_some(Fd& fd, std::string& text);

}  // namespace bitsweep
