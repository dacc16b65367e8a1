// Tensors to test with, and comparisons that say where two differ.
#pragma once

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>

#include "nn/kernel_for.h"
#include "nn/model.h"

namespace bitsweep::nn {

inline at::Generator generator(uint64_t seed) {
  at::Generator made = at::globalContext().defaultGenerator(at::kCPU).clone();
  made.set_current_seed(seed);
  return made;
}

inline at::Tensor normal(at::IntArrayRef shape, uint64_t seed, double sd = 1) {
  return at::empty(shape, at::kFloat).normal_(0, sd, generator(seed));
}

inline at::Tensor signs(at::IntArrayRef shape, uint64_t seed) {
  return normal(shape, seed).ge(0).to(at::kFloat) * 2 - 1;
}

inline at::Tensor leaf(const at::Tensor& x) { return x.detach().clone().set_requires_grad(true); }

// Gradients of Σ (f · weights) at `inputs`; the weights are fixed random numbers, so no symmetry hides an error.
inline std::vector<at::Tensor> gradients_of(const at::Tensor& f, std::vector<at::Tensor> inputs) {
  for (at::Tensor& input : inputs) input.mutable_grad() = at::Tensor();
  (f.to(at::kFloat) * normal(f.sizes(), 99)).sum().backward();
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& input : inputs) gradients.push_back(input.grad().clone());
  return gradients;
}

inline testing::AssertionResult same(const at::Tensor& a, const at::Tensor& b) {
  if (!a.sizes().equals(b.sizes())) return testing::AssertionFailure() << a.sizes() << " against " << b.sizes();
  if (a.equal(b)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << a.ne(b).sum().item<int64_t>() << " of " << a.numel() << " differ";
}

inline testing::AssertionResult near(const at::Tensor& a, const at::Tensor& b, double tolerance) {
  if (!a.sizes().equals(b.sizes())) return testing::AssertionFailure() << a.sizes() << " against " << b.sizes();
  if (a.numel() == 0) return testing::AssertionSuccess();
  const double scale = std::max(1.0, b.abs().max().item<double>());
  const double error = (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
  if (error <= tolerance * scale) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "largest difference " << error << " at scale " << scale;
}

// Autocast to bf16 on the CPU while it lives.
class Autocast {
 public:
  Autocast() { at::autocast::set_autocast_enabled(at::kCPU, true); }
  ~Autocast() {
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
  }
};

// The straightforward composition of a straight-through sign: LibTorch operations and detach only.
inline at::Tensor composed_sign(const at::Tensor& x, bool clipped) {
  const at::Tensor value = at::where(x.detach().ge(0), 1.0, -1.0).to(x.scalar_type());
  const at::Tensor through = clipped ? x.clamp(-1, 1) : x;
  return value + through - through.detach();
}

inline at::Tensor by_head(const at::Tensor& x, int64_t heads) {
  return x.reshape({x.size(0), x.size(1), heads, -1}).transpose(1, 2);  // [B, H, T, d_h]
}

// A model that is only its list of parameters.
class Registry : public Model {
 public:
  at::Tensor forward(const at::Tensor& tokens, const StepContext&) override { return tokens; }
};

// Each block by LibTorch's operations and by the kernels of this program.
enum class Path { reference, fused_cpu };
inline const auto kPaths = testing::Values(Path::reference, Path::fused_cpu);

struct ForcePath : WithKernels {
  explicit ForcePath(Path path)
      : WithKernels(path == Path::reference ? kernels::no_kernels() : kernels::built_in_kernels()) {}
};

}  // namespace bitsweep::nn
