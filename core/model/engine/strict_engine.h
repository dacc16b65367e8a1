// The whole step of a strict ±1 model (nn/strict_stack.h) on bits: forward, loss, and the gradients of every latent,
// threshold, bias and scale. Between its blocks there are sign bits alone, forward; backward, floats are looked up and
// added (kernels/table_products.h), or where asked rounded integers (kernels/quantized_products.h). Values and
// gradients mean what the blocks' do, and every sum has one order: results depend on no library, no instruction set and
// no number of threads.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/bit_weight.h"
#include "engine/meter.h"
#include "engine/strict_rows.h"
#include "kernels/bit_attention.h"

namespace bitsweep::engine {

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
};

struct StrictTensors {
  TrainedSigns embedding, codebook;  // [vocab, d]
  std::vector<std::array<LinearTensors, kLinears>> layers;
  TrainedFloats bias, logit_scale;  // [vocab], [1]
  bool add = false;                 // to what the gradients have; else they are written
};

// A micro-batch of sequences, [sequences, context], which must be what was planned or less.
struct StrictPass {
  const int64_t* tokens = nullptr;
  const int64_t* targets = nullptr;  // below 0: not scored
  int64_t sequences = 0, context = 0;
  // Of the attentions' noise, in training: its temperature, and a key for each layer. Without keys there is none.
  float tau = 1;
  std::vector<uint64_t> noise_keys{};
  // Of gradients that are rounded by chance: another one for each pass of a training.
  uint64_t rounding_key = 0;

  int64_t rows() const { return sequences * context; }
};

class StrictEngine {
 public:
  // Why there is none for such a model, in a clause ("d_ff is 40000, and counts go up to 32766"); empty: there is one.
  static std::string refusal(const StrictPlan& plan);

  // `workers` and `meter` (or null) outlive it.
  StrictEngine(const StrictPlan& plan, const Workers& workers, Meter* meter);

  // From the next pass on; the plan's as long as nothing else is said. train() then takes passes of up to
  // kernels::kMostQuantizedDepth rows, and so many symbols.
  void round_gradients(std::optional<kernels::QuantizedKind> kind);

  // Before the first pass, and whenever weights have changed: packs their signs.
  void pack(const StrictTensors& tensors);

  // The sum of the targets' nats, of a forward and backward pass with the loss `weight` · that sum.
  double train(const StrictTensors& tensors, const StrictPass& pass, float weight);
  // nats [rows], 0 where not scored, and the first of each row's largest logits, likeliest [rows].
  void score(const StrictTensors& tensors, const StrictPass& pass, float* nats, int64_t* likeliest);

  // What it has allocated; strict_bytes.h says it beforehand.
  int64_t bytes() const;

 private:
  void pack_linear(const StrictTensors& tensors, size_t layer, int64_t place);
  StrictLayerRows& rows_of(size_t layer) { return rows_.layers[layer % rows_.layers.size()]; }
  void reserve(const StrictPass& pass, bool trains);
  void forward(const StrictTensors& tensors, const StrictPass& pass);
  void linear(const StrictPass& pass, size_t layer, LinearPlace place, const kernels::SignBits& x,
              kernels::SignBits& sign);
  kernels::ScoreRule rule_of(const StrictPass& pass, size_t layer, int64_t sequence, int64_t head) const;
  // f(sequence, head, its bits) for every head, cut for the threads.
  using OfHead = FunctionRef<int64_t, int64_t, const kernels::BitHead&>;
  void for_each_head(const StrictPass& pass, size_t layer, OfHead f);
  void attend(const StrictPass& pass, size_t layer);
  int64_t voted_products(const StrictPass& pass) const;  // multiply-adds of values that are mixed
  // f(first row, rows) for part after part; their products with the codebook are in rows_.logits.
  using OfPart = FunctionRef<int64_t, int64_t>;
  void for_each_logit_part(const StrictPass& pass, OfPart f);
  double head_forward_backward(const StrictTensors& tensors, const StrictPass& pass, float weight);

  // The gradient of what a linear or the head puts out, dY.
  struct OutputGradient {
    const char* block;
    const float* values;  // [rows, outputs]
    int64_t rows, outputs;
    int64_t first_row;               // of the pass, which the input's are numbered by
    uint64_t weight_key, input_key;  // of its roundings for dW and for dX
  };
  // place: a LinearPlace, or kLinears for the head.
  OutputGradient output_gradient(const StrictPass& pass, size_t layer, uint8_t place, const float* values,
                                 int64_t first_row, int64_t rows) const;
  void layers_backward(const StrictTensors& tensors, const StrictPass& pass);
  void layer_backward(const StrictTensors& tensors, const StrictPass& pass, size_t layer);
  void attention_backward(const StrictPass& pass, size_t layer);
  void vote_backward(const kernels::BitHead& head, const int32_t* index, const float* probabilities, float factor,
                     const kernels::HeadGradients& to) const;
  // From the gradient of a linear's output, which may be `dy` itself and is multiplied by `factor` first (null: by 1),
  // that of what comes before its sign and scale, and the threshold's.
  void end_backward(const StrictTensors& tensors, const StrictPass& pass, size_t layer, LinearPlace place,
                    const float* gradient, const kernels::SignBits* factor, float* dy);
  // From dy and the transposed input, the weight's gradient and the input's.
  void linear_backward(const StrictTensors& tensors, const StrictPass& pass, size_t layer, LinearPlace place,
                       const float* dy, const kernels::SignBits& transposed, float* dx, bool add);
  void weight_backward(const OutputGradient& dy, const TrainedSigns& weight, const kernels::SignBits& transposed,
                       bool add);
  void input_backward(const OutputGradient& dy, const BitWeight& weight, float* dx, bool add);
  // Where the plan rounds, the same with rounded gradients. Before weight_backward, once for all linears that read the
  // same: their input's rows [first_row, first_row + rows) are made an index.
  void index_inputs(const char* block, const kernels::SignBits& transposed, int64_t first_row, int64_t rows);
  void rounded_weight_backward(const OutputGradient& dy, float* gradient, bool add);
  void rounded_input_backward(const OutputGradient& dy, const BitWeight& weight, float* dx, bool add);
  void rounded_product(const char* block, const kernels::FloatRows& a, uint64_t key,
                       const kernels::QuantizedIndex& index, float* c, bool add);
  void transpose_rows(const char* block, const StrictPass& pass, const kernels::SignBits& in, kernels::SignBits& out);

  StrictPlan plan_;
  const Workers& workers_;
  Meter* meter_;
  std::vector<StrictLayerWeights> weights_;
  BitWeight codebook_;
  StrictRows rows_;
  StrictGradientRows gradients_;
  int64_t reserved_rows_ = 0;
  std::vector<float> mean_weights_;    // of a vote's keys, [keys + 1, keys]
  kernels::Buffer<float> spare_bias_;  // where the bias's gradient goes that nobody asks for
};

}  // namespace bitsweep::engine
