// Rotary positions (RoPE; Su et al. 2021, arXiv 2104.09864), laid out as in Hugging Face's Llama: of a head's d_h
// numbers the pair (i, i + d_h/2) turns at position t by the angle t · θ^(−2i/d_h):
//
//   y[i] = x[i] cos − x[i + d_h/2] sin        y[i + d_h/2] = x[i + d_h/2] cos + x[i] sin
//
// Where `scaling` has a factor, low frequencies turn that much slower (Llama 3.1; "llama3" of transformers), so that a
// context longer than the first training's turns them no further than they were seen: with r = original · f / 2π the
// turns of a frequency f in the original context,
//
//   f' = f · (s + (1 − s) / factor),    s = (r − low) / (high − low), within 0 and 1
//
// Angles, cosines and sines are f32, and so is the turning; the result has x's type.
#pragma once

#include <cstdint>
#include <utility>

#include <ATen/core/Tensor.h>

namespace bitsweep::nn {

inline constexpr double kRopeTheta = 10'000;

struct RopeScaling {
  double factor = 1;         // 1: none
  double low = 1;            // turns at and below which a frequency is divided by the factor
  double high = 4;           // turns at and above which it stays
  int64_t positions = 8192;  // of the original context
};

class Rotary {
 public:
  // head_size: d_h, even.
  Rotary(int64_t head_size, double theta, const RopeScaling& scaling = {})
      : head_size_(head_size), theta_(theta), scaling_(scaling) {}

  // x [B, T, H·d_h] of the positions from `first` on -> the same turned. Gradient: turned back.
  at::Tensor forward(const at::Tensor& x, int64_t first = 0);

  // Cosines and sines of the first positions, of these or more: [.., d_h/2] f32.
  std::pair<at::Tensor, at::Tensor> tables(int64_t positions, at::Device device);

 private:
  void make_table(int64_t positions, at::Device device);

  int64_t head_size_;
  double theta_;
  RopeScaling scaling_;
  at::Tensor cos_, sin_;  // [positions, d_h/2] f32, made when they are first needed
};

}  // namespace bitsweep::nn
