// Bytes of CPU tensors as they come and go, as LibTorch's allocator tells them: exact, and free of what malloc keeps.
#pragma once

#include <cstdint>
#include <memory>

#include <c10/util/ThreadLocalDebugInfo.h>

namespace bitsweep::train {

// Watches the calling thread while it lives, LibTorch's backward passes of it included. What was allocated before is
// not counted, nor is its end.
class TensorMemory {
 public:
  TensorMemory();
  ~TensorMemory();
  TensorMemory(const TensorMemory&) = delete;
  TensorMemory& operator=(const TensorMemory&) = delete;

  int64_t live_bytes() const;
  // The most since the beginning or the last restart_peak().
  int64_t peak_bytes() const;
  int64_t allocations() const;
  void restart_peak();

 private:
  class Reporter;
  std::shared_ptr<Reporter> reporter_;
  std::unique_ptr<c10::DebugInfoGuard> guard_;
};

}  // namespace bitsweep::train
