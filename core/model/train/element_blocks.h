// The elements of several tensors as one range that the program's threads share: cut into blocks that never reach over
// a tensor's end, at places that depend on the tensors alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "nn/parallel.h"

namespace bitsweep::train {

class ElementBlocks {
 public:
  void add(int64_t elements) {
    for (int64_t first = 0; first < elements; first += kElements)
      blocks_.push_back({tensors_, first, std::min(kElements, elements - first)});
    ++tensors_;
    elements_ += elements;
  }
  size_t count() const { return blocks_.size(); }

  // f(block, tensor, first, elements): block of count(), tensor in the order of add(). Each once, on any thread.
  template <class F>
  void for_each(const F& f) const {
    engine::in_ranges(nn::thread_count(), static_cast<int64_t>(blocks_.size()), 1, elements_,
                      [&](int64_t begin, int64_t end) {
                        for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i)
                          f(i, blocks_[i].tensor, blocks_[i].first, blocks_[i].elements);
                      });
  }

 private:
  static constexpr int64_t kElements = 1 << 13;
  struct Block {
    size_t tensor;
    int64_t first, elements;
  };

  std::vector<Block> blocks_;
  size_t tensors_ = 0;
  int64_t elements_ = 0;
};

// What this program's own loops take; anything else is left to LibTorch.
inline bool is_plain(const at::Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.is_contiguous();
}
inline bool all_plain(const std::vector<at::Tensor>& tensors) {
  return std::all_of(tensors.begin(), tensors.end(), is_plain);
}

}  // namespace bitsweep::train
