// Memory for kernels: aligned to a cache line, zeroed, and never grown behind anybody's back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

namespace bitsweep::kernels {

inline constexpr size_t kLineBytes = 64;

// `count` values of a trivial type, all zero. Throws std::bad_alloc.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(int64_t count) : data_(allocate(count)), count_(count) {}

  T* data() const { return data_.get(); }
  T* at(int64_t place) const { return data_.get() + place; }
  int64_t count() const { return count_; }
  int64_t bytes() const { return count_ * static_cast<int64_t>(sizeof(T)); }

  // At least `count` values; what was in it is lost where it grows. For scratch that a thread keeps.
  T* at_least(int64_t count) {
    if (count > count_) *this = Buffer(count);
    return data();
  }

 private:
  struct Free {
    void operator()(T* data) const { ::operator delete (data, std::align_val_t{kLineBytes}); }
  };

  static T* allocate(int64_t count) {
    const size_t bytes = static_cast<size_t>(count) * sizeof(T);
    void* data = ::operator new (bytes, std::align_val_t{kLineBytes});
    std::memset(data, 0, bytes);
    return static_cast<T*>(data);
  }

  std::unique_ptr<T, Free> data_;
  int64_t count_ = 0;
};

}  // namespace bitsweep::kernels
