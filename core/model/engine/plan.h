// What an engine is told: the model it serves, its tensors, and a micro-batch.
#pragma once

#include <algorithm>
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

// What the linears of the layers multiply.
enum class Weights : uint8_t {
  signs,    // ±1; in a residual of floats with a scale for each channel
  ternary,  // with rows of 8 bits: {−1, 0, 1} and a scale of the matrix (nn/quant_linear.h)
  binary,   // likewise, ±1 around the matrix's mean
  floats,
};

// What comes between gate, up and down.
enum class Gate : uint8_t {
  signs,  // gate ⊙ up of signs
  silu,   // silu(gate) ⊙ up
  relu2,  // relu(gate)² ⊙ up
};

// Where norms are of a model whose activations are floats (nn/llama_stack.h).
struct NormPlan {
  bool outer = true;                    // before q, k, v, and before gate, up
  std::array<bool, kLinears> inside{};  // in linears of rows of 8 bits, before these are made
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
  // Activations are floats: softmax attention, and what follows; else all these are as they stand here.
  bool softmax = false;
  Weights weights = Weights::signs;
  Gate gate = Gate::signs;
  NormPlan norms{};
  int64_t kv_heads = 0;     // that share keys and values; 0: as many as heads
  bool turns = false;       // queries and keys by their positions (StepPass::cosines)
  bool float_ends = false;  // embedding and head are floats, without bias and scale
  // What the gradients of the linears' and the head's outputs are rounded to before they are multiplied with signs;
  // nothing: f32.
  std::optional<kernels::QuantizedKind> rounding{};

  int64_t head_size() const { return d_model / heads; }
  int64_t inputs(LinearPlace place) const { return place == kDownLinear ? d_ff : d_model; }
  int64_t outputs(LinearPlace place) const {
    if (place == kKeyLinear || place == kValueLinear) return kv_width();
    return place == kGateLinear || place == kUpLinear ? d_ff : d_model;
  }
  int64_t shared_heads() const { return kv_heads > 0 ? kv_heads : heads; }
  int64_t kv_width() const { return shared_heads() * head_size(); }
  // What a linear reads is ±1.
  bool reads_signs(LinearPlace place) const {
    if (softmax) return false;
    if (place == kOutLinear) return !mixes;
    return residual == Residual::signs || place == kDownLinear;
  }
  int64_t layer_weights() const { return 2 * d_model * (d_model + kv_width()) + 3 * d_model * d_ff; }
  int64_t widest() const { return std::max(d_model, d_ff); }
  int64_t most_weights() const { return d_model * widest(); }  // of a linear
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
// That buffers and what is made of them take.
template <class... Held>
int64_t bytes_of_all(const Held&... held) {
  return (held.bytes() + ...);
}
// 1/√inputs: what a strict linear's sums are multiplied by, and a head's scores.
inline float input_scale(int64_t inputs) { return static_cast<float>(1.0 / std::sqrt(static_cast<double>(inputs))); }

// A trained tensor and where its gradient goes; null: not asked for. Weights that are floats are latents whose signs
// nobody takes.
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
  TrainedFloats threshold;  // [out], of weights that are signs
  TrainedFloats alpha{};    // [out], where it is learned
  TrainedFloats gain{};     // [in], of the norm inside, where there is one
};

struct LayerTensors {
  std::array<LinearTensors, kLinears> linears;
  TrainedFloats attention_norm{}, ffn_norm{};  // of floats: gains [d_model], where there are these norms
};

struct StepTensors {
  TrainedSigns embedding, codebook;  // [vocab, d_model]; one matrix for both, where they are tied
  std::vector<LayerTensors> layers;
  TrainedFloats norm{};             // of floats: gains before the head, [d_model]
  TrainedFloats bias, logit_scale;  // [vocab], [1], where the plan has no float_ends
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
  // Where positions turn: of each, [context, head_size / 2].
  const float *cosines = nullptr, *sines = nullptr;
  // Of gradients that are rounded by chance: another one for each pass of a training.
  uint64_t rounding_key = 0;

  int64_t rows() const { return sequences * context; }
};

}  // namespace bitsweep::engine
