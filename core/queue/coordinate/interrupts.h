// Counts SIGINT, SIGTERM and SIGHUP while it lives, and wakes whoever waits on its descriptor.
#pragma once

#include <array>
#include <csignal>

#include "base/files.h"

namespace bitsweep::coordinate {

// One at a time. A signal that was ignored before (nohup) stays ignored.
class Interrupts {
 public:
  Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  ~Interrupts();

  int count() const;
  int wake_fd() const { return wake_.get(); }
  void drain() const;  // the descriptor is quiet until the next signal

 private:
  static constexpr std::array<int, 3> kSignals = {SIGINT, SIGTERM, SIGHUP};
  Fd wake_;
  std::array<struct sigaction, 3> before_{};
};

}  // namespace bitsweep::coordinate
