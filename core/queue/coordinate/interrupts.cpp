#include "coordinate/interrupts.h"

#include <atomic>
#include <cassert>
#include <cerrno>

#include <sys/eventfd.h>
#include <unistd.h>

namespace bitsweep::coordinate {
namespace {

// A handler can reach only globals.
std::atomic<int> interrupts_seen{0};
std::atomic<int> interrupts_fd{-1};

void on_signal(int) {
  const int saved = errno;
  interrupts_seen.fetch_add(1);
  const uint64_t one = 1;
  if (::write(interrupts_fd.load(), &one, sizeof one) < 0) { /* the count says it too */
  }
  errno = saved;
}

}  // namespace

Interrupts::Interrupts() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  assert(interrupts_fd.load() == -1);
  interrupts_seen = 0;
  interrupts_fd = wake_.get();
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], nullptr, &before_[i]);
    if (before_[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &action, nullptr);
  }
}

Interrupts::~Interrupts() {
  for (size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
  interrupts_fd = -1;
}

int Interrupts::count() const { return interrupts_seen.load(); }

void Interrupts::drain() const {
  uint64_t count = 0;
  if (::read(wake_.get(), &count, sizeof count) < 0) { /* nothing there */
  }
}

}  // namespace bitsweep::coordinate
