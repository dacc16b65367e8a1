// A helper program asked one question: text in, text out, with a limit on time and size. Not for runs: those have a
// shim.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitsweep::execute {

struct Captured {
  std::string out, err;    // what was written until the end; of err the last 16 to 32 kB
  int exit_code = 0;       // 128 + the signal when one ended it
  bool timed_out = false;  // killed for it, with its process group
  bool too_long = false;   // likewise

  bool ok() const { return exit_code == 0 && !timed_out && !too_long; }
  // "ended with exit code 3", "was ended by signal 11 (Segmentation fault)", "took too long".
  std::string ending() const;
};

// Runs `command` (a path and its arguments, no shell) with `input` on its standard input; one that does not read it all
// is no error. After `timeout_s`, or past `limit_bytes` of output, it is killed. Throws Error{environment} when it
// cannot be started.
Captured capture(const std::vector<std::string>& command, std::string_view input, double timeout_s,
                 size_t limit_bytes = 256 << 20);

}  // namespace bitsweep::execute
