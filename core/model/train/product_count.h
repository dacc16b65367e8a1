// FLOPs of the matrix products that LibTorch runs and that our own loops say (nn/products.h): what nn/cost.h counts by
// arithmetic, by observation.
#pragma once

#include <cstdint>
#include <memory>

#include <ATen/record_function.h>

namespace bitsweep::train {

// Listens to every thread of the process while it lives, so one at a time. Products of LibTorch's fused attention count
// as the attention's own, two forward and four backward: not what its backward pass makes again.
class ProductCount {
 public:
  ProductCount();
  ~ProductCount();
  ProductCount(const ProductCount&) = delete;
  ProductCount& operator=(const ProductCount&) = delete;

  int64_t flops() const;  // so far: multiply and add count two

 private:
  at::CallbackHandle handle_;
};

}  // namespace bitsweep::train
