// What an engine is told: the model it serves, its tensors, and a micro-batch.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/bit_weight.h"
#include "kernels/quantized_rows.h"

namespace bitsweep::engine {

// Linears of a layer, in the order of the forward pass.
enum LinearPlace : uint8_t {
  kQueryLinear,
  kKeyLinear,
  kValueLinear,
  kOutLinear,
  kGateLinear,
  kUpLinear,
  kDownLinear,
  kLinears
};

// What flows from layer to layer.
enum class Residual : uint8_t {
  signs,   // nn/strict_stack.h: sums of signs, their sign taken
  floats,  // nn/alpha_stack.h: with norms, and a scale for each channel of a weight
};

struct EnginePlan {
  Residual residual = Residual::signs;
  int64_t vocab = 0, d_model = 0, layers = 0, heads = 0, d_ff = 0;
  bool clipped = true;        // the gradient through the sign of a linear's output: where |y| <= 1; else everywhere
  int64_t keys = 0;           // that share an attention; 0: the hard pointer
  bool mixes = false;         // their values by rank (StepPass::rho), to floats; else they vote
  std::vector<float> slopes;  // of ALiBi, [heads]; zeros without it
  std::vector<int64_t> key_shifts{};  // of floats: of each layer, from how far back a key reads too; 0: not
  float norm_epsilon = 0;             // of floats: kept from dividing by 0
  // What the gradients of the linears' and the head's outputs are rounded to before they are multiplied with signs;
  // nothing: f32.
  std::optional<kernels::QuantizedKind> rounding{};

  int64_t head_size() const { return d_model / heads; }
  int64_t inputs(LinearPlace place) const { return place == kDownLinear ? d_ff : d_model; }
  int64_t outputs(LinearPlace place) const { return place == kGateLinear || place == kUpLinear ? d_ff : d_model; }
  // What a linear reads is ±1.
  bool reads_signs(LinearPlace place) const {
    if (place == kOutLinear) return !mixes;
    return residual == Residual::signs || place == kDownLinear;
  }
  int64_t layer_weights() const { return 4 * d_model * d_model + 3 * d_model * d_ff; }
};

// The block of a linear in nn/cost.h.
constexpr const char* block_of(LinearPlace place) {
  return place == kGateLinear || place == kUpLinear || place == kDownLinear ? "ffn" : "projections";
}
// Of what is done a word at a time (workers.h).
inline int64_t word_work(const kernels::SignBits& bits) { return bits.rows() * bits.words(); }
// That matrices of signs take.
template <class... Matrices>
int64_t bytes_of_signs(const Matrices&... matrices) {
  return (kernels::SignBits::bytes(matrices.rows(), matrices.columns()) + ...);
}
// 1/√inputs: what a strict linear's sums are multiplied by, and a head's scores.
inline float input_scale(int64_t inputs) { return static_cast<float>(1.0 / std::sqrt(static_cast<double>(inputs))); }

// A trained tensor and where its gradient goes; null: not asked for.
struct TrainedFloats {
  const float* values = nullptr;
  float* gradient = nullptr;
};
struct TrainedSigns {
  SignSource values;
  float* gradient = nullptr;
};

struct LinearTensors {
  TrainedSigns weight;      // [out, in]
  TrainedFloats threshold;  // [out]
  TrainedFloats alpha{};    // [out], where it is learned
};

struct LayerTensors {
  std::array<LinearTensors, kLinears> linears;
  TrainedFloats attention_norm{}, ffn_norm{};  // of floats: gains [d_model]
};

struct StepTensors {
  TrainedSigns embedding, codebook;  // [vocab, d_model]
  std::vector<LayerTensors> layers;
  TrainedFloats norm{};             // of floats: gains before the head, [d_model]
  TrainedFloats bias, logit_scale;  // [vocab], [1]
  bool add = false;                 // to what the gradients have; else they are written
};

// A micro-batch of sequences, [sequences, context].
struct StepPass {
  const int64_t* tokens = nullptr;
  const int64_t* targets = nullptr;  // below 0: not scored
  int64_t sequences = 0, context = 0;
  // Of the attentions' noise, in training: its temperature, and a key for each layer. Without keys there is none.
  float tau = 1;
  std::vector<uint64_t> noise_keys{};
  double rho = 0;  // where keys are mixed by rank: the ratio of a rank's weight to the one before
  // Of gradients that are rounded by chance: another one for each pass of a training.
  uint64_t rounding_key = 0;

  int64_t rows() const { return sequences * context; }
};

}  // namespace bitsweep::engine
