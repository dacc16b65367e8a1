// A short-lived helper program: text in, text out, within a time and a size. Not for runs, which have a shim.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace bitsweep {

struct CaptureRequest {
  std::vector<std::string> command;  // program (a path) and its arguments
  std::string input;                 // its stdin
  double timeout_s = 60;
  size_t limit_bytes = 64u << 20;    // of stdout; of stderr the last 16 kB are kept
};

struct Captured {
  int exit_code = -1;     // -1: ended by a signal
  int signal = 0;
  bool timed_out = false;  // and was killed with its process group
  bool too_long = false;   // likewise, for writing more than limit_bytes
  std::string out, err;    // what was written until then

  bool ok() const { return exit_code == 0 && !timed_out && !too_long; }
  // "ended with exit code 3", "was ended by signal 11 (Segmentation fault)", "took longer than 60 s".
  std::string ending() const;
};

// Returns when the program has ended. A program that closes its stdin early is no error. Throws Error{environment} when it
// cannot be started.
Captured capture(const CaptureRequest& request);

}  // namespace bitsweep
