// What a worker is told that was started before there was a run for it: by its shim, over a socket on its standard
// input.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bitsweep::event {

// The words of the command line that it would have been started with; `lock` is the run's, `log` takes its stdout and
// stderr. False: it is gone, or the words are too many for a message.
bool send_order(int socket, std::span<const std::string> command, int lock, int log);

// In the worker: says that it is ready, waits, and makes lock, stdout and stderr those of its run. Nothing when there
// is no run for it any more.
std::optional<std::vector<std::string>> await_order();

}  // namespace bitsweep::event
