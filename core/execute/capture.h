// A helper program asked one question: text in, text out, with a limit on time and size.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitsweep {

struct Captured {
  std::string out, err;
  int exit_code = 0;  // 128 + the signal when one ended it
  bool timed_out = false;
};

// Runs `command` (a path and its arguments, no shell) with `input` on its standard input. After `timeout_s`, or past
// `limit_bytes` of output, it is killed. Throws Error{environment} when it cannot be started.
Captured capture(const std::vector<std::string>& command, std::string_view input, double timeout_s,
                 size_t limit_bytes = 256 << 20);

}  // namespace bitsweep
