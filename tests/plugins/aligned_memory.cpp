#include "aligned_memory.h"

#include <atomic>
#include <cstdlib>
#include <new>

#include <malloc.h>

namespace bitsweep {
namespace {

std::atomic<int64_t> live{0};

}  // namespace

int64_t live_aligned_bytes() { return live.load(); }

}  // namespace bitsweep

void* operator new(size_t bytes, std::align_val_t alignment) {
  const auto step = static_cast<size_t>(alignment);
  void* memory = std::aligned_alloc(step, (bytes + step - 1) / step * step);
  if (memory == nullptr) throw std::bad_alloc();
  bitsweep::live += static_cast<int64_t>(malloc_usable_size(memory));
  return memory;
}

void operator delete(void* memory, std::align_val_t) noexcept {
  if (memory == nullptr) return;
  bitsweep::live -= static_cast<int64_t>(malloc_usable_size(memory));
  std::free(memory);
}
