#include "train/tensor_memory.h"

#include <algorithm>
#include <atomic>

#include <c10/core/Allocator.h>

namespace bitsweep::train {

class TensorMemory::Reporter : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, int64_t size_bytes, size_t, size_t, c10::Device device) override {
    if (!device.is_cpu()) return;
    if (size_bytes > 0) allocations.fetch_add(1, std::memory_order_relaxed);
    const int64_t now = live.fetch_add(size_bytes, std::memory_order_relaxed) + size_bytes;
    int64_t most = peak.load(std::memory_order_relaxed);
    while (now > most && !peak.compare_exchange_weak(most, now, std::memory_order_relaxed)) {
    }
  }
  bool memoryProfilingEnabled() const override { return true; }

  // LibTorch hands the reporter on to threads that work for this one.
  std::atomic<int64_t> live{0}, peak{0}, allocations{0};
};

TensorMemory::TensorMemory()
    : reporter_(std::make_shared<Reporter>()),
      guard_(std::make_unique<c10::DebugInfoGuard>(c10::DebugInfoKind::PROFILER_STATE, reporter_)) {}

TensorMemory::~TensorMemory() = default;

int64_t TensorMemory::live_bytes() const { return reporter_->live.load(std::memory_order_relaxed); }
int64_t TensorMemory::peak_bytes() const { return reporter_->peak.load(std::memory_order_relaxed); }
int64_t TensorMemory::allocations() const { return reporter_->allocations.load(std::memory_order_relaxed); }
void TensorMemory::restart_peak() { reporter_->peak.store(live_bytes(), std::memory_order_relaxed); }

}  // namespace bitsweep::train
