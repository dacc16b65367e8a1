// Training ±1 weights without a latent: the state of a weight is its bit and a small saturating counter.
//
// ĝ is the gradient of the signs over its running RMS (β 0.99, bias-corrected). The RMS of a matrix is one number
// (`tensor`), or factored into rows × columns as Adafactor's second moment is (Shazeer, Stern 2018), d_in + d_out
// numbers a matrix: in the trials behind this project only the second reached the twin with latents. A counter holds s
// in 2^bits − 1 levels over [−range, range], rounded stochastically, saturating; 32 bits are an f32.
//
//   bop      s ← (1 − γ)s + γĝ; flip where w·s > z·sqrt(γ/2), then s = 0. Helwegen et al. 2019 (arXiv 1906.02107); the
//            threshold in units of the noise's own deviation, z rising over the run, and the reset are ours.
//   counter  s ← (1 − γ)s + vote, vote = ĝ rounded stochastically to an integer; flip where w·s >= θ, then s = 0;
//            θ = z/sqrt(2γ), the same threshold in votes, at most the largest level. The seed's flip counter with a
//            leak.
//   bold     s ← ρs + ηĝ; flip where w·s >= 1, then s = 0; ρ = 1 − the fraction that flipped the step before. Nguyen et
//            al. 2024 (BOLD, arXiv 2405.16339), with ĝ where it has counts of Boolean votes.
//   diode    s ← βs + (1 − β)sign(g); w = −sign(s). Guo et al., ECCV 2024 (Diode), its first moment of gradient signs.
//   dqt      s ← s − ηĝ in [−1, 1]; w = sign(s): a weight of few bits that is its own latent. Zhao et al. 2024 (arXiv
//            2412.04787), with the sign of the rounded weight as the weight.
// η falls linearly to a tenth over the run. A NaN of the gradient flips nothing, and a counter of fewer than 32 bits
// that it reaches is 0 then.
//
// Contiguous f32 gradients on the CPU are used up by kernels/flips.h, all others by LibTorch's operations. Both draw
// the same numbers in the same order; what differs is how sums and multiply-adds are rounded.
#pragma once

#include <cstdint>
#include <string>

#include "nn/module.h"

namespace bitsweep::kernels {
struct FlipUpdate;
struct Twister;
}  // namespace bitsweep::kernels

namespace bitsweep::nn {

enum class FlipKind { bop, counter, bold, diode, dqt };
enum class FlipNorm { factored, tensor, none };

struct FlipOptions {
  FlipKind kind = FlipKind::bop;
  FlipNorm norm = FlipNorm::factored;
  int64_t state_bits = 8;  // 4, 8, 16 or 32
  double gamma = 0.02;     // bop, counter
  double z_start = 1.6, z_end = 4.0;
  double eta = 0.03;   // bold, dqt
  double beta = 0.99;  // diode
};

// Of a matrix in training.
struct FlipBytes {
  int64_t bits = 0;    // its weights
  int64_t state = 0;   // counters, moments and counts
  int64_t moment = 0;  // tensors of an update by kernels, its gradient not counted
};
FlipBytes flip_bytes(const FlipOptions& options, int64_t rows, int64_t columns);

class FlipRule {
 public:
  // Registers the state of `matrix` beside it: "counter", and "row_square", "column_square", "updates" as needed.
  FlipRule(const ParameterSink& sink, BitMatrix matrix, const FlipOptions& options);

  // Uses up the gradient in the matrix's port and flips what is to be flipped. Without a gradient (frozen, or no part
  // in the step) nothing happens. `progress` of the run in [0, 1]; rounding draws from `generator`.
  void update(double progress, at::Generator generator);

  int64_t weights() const { return matrix_.rows * matrix_.columns; }
  const std::string& name() const { return matrix_.name; }
  // Mean fraction of the weights that flipped per update since the last call; 0 without updates.
  double take_flip_fraction();

 private:
  // kernels::flip_rows or its like.
  using FlipKernel = int64_t(const kernels::FlipUpdate& update, int64_t first, int64_t last, kernels::Twister* votes,
                             kernels::Twister* levels);
  // Both return how many weights flipped: by a kernel, and by LibTorch's operations.
  int64_t flip_by(FlipKernel* kernel, const at::Tensor& gradient, double progress, const at::Generator& generator);
  at::Tensor flip_composed(const at::Tensor& gradient, double progress, at::Generator& generator);
  kernels::FlipUpdate rule_at(double progress) const;
  void find_factors(const at::Tensor& gradient, float* row_factor, float* column_factor);
  at::Tensor normalised(const at::Tensor& gradient);
  at::Tensor advance(at::Tensor state, const at::Tensor& gradient, const at::Tensor& signs, double progress,
                     at::Generator& generator, at::Tensor& flips);
  double range() const;
  double levels() const;
  at::Tensor load() const;
  void store(const at::Tensor& state, at::Generator& generator);

  BitMatrix matrix_;
  FlipOptions options_;
  at::Tensor counter_;  // [rows, columns] int8, int16 or f32; 4 bits: [rows, ceil(columns/2)] uint8, even columns low
  at::Tensor row_square_, column_square_;  // running means of g² [rows], [columns]; tensor norm: [1], none
  at::Tensor updates_;                     // [3] f64: updates in all, updates and flips since the last report
  at::Tensor last_flips_;                  // [1] f64: bold's count of the update before
};

}  // namespace bitsweep::nn
