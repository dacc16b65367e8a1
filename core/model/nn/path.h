// The one place where a block chooses its implementation.
//
// Every block has a `reference` path: ATen operations that run on any device and in any precision. Where a faster one
// exists, it is another value of Path, and choose_path() says which tensors it serves. Tests force each path and
// compare.
#pragma once

#include <ATen/core/Tensor.h>

namespace bitsweep {

enum class Path {
  reference,  // ATen, any device, f32 and bf16
  fused_cpu,  // nn/cpu_kernels.h: one pass over memory, f32 on the CPU
};

// The path for a block whose input (in its compute type) is `x`.
Path choose_path(const at::Tensor& x);

// Overrides choose_path() on this thread while it lives. For tests and benchmarks; a path that cannot serve a tensor is
// still not taken.
class ForcePath {
 public:
  explicit ForcePath(Path path);
  ~ForcePath();
  ForcePath(const ForcePath&) = delete;
  ForcePath& operator=(const ForcePath&) = delete;

 private:
  int before_;
};

// What the matrix products of `x` are computed in: autocast's type where autocast is on for its device, else x's own.
at::ScalarType compute_type(const at::Tensor& x);

}  // namespace bitsweep
