// The C++ side of a plugin: the model the worker trains. Shared by room train and every plugin; bound by the build id.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include "base/metric_kind.h"
#include "nn/decode_cache.h"
#include "nn/gradients.h"

namespace bitsweep::nn {

// Sees where every attention of a forward pass looks.
class AttentionObserver {
 public:
  virtual ~AttentionObserver() = default;
  // Once for each attention of a forward pass, in the order of the layers. weights [B, H, T, T] f32, the observer's to
  // keep: how much query t takes of key j. Rows sum to 1, and nothing lies above the diagonal.
  virtual void attention(const at::Tensor& weights) = 0;
};

// Where in a run a forward pass stands. Noise and anneals depend on this alone, so a resumed run repeats them.
struct StepContext {
  bool training = false;
  int64_t step = 0;  // from 0
  int64_t total_steps = 1;
  at::Generator noise;  // seeded by the trainer from (seed, step, micro-batch); undefined in evaluation
  AttentionObserver* observer = nullptr;  // in evaluation: told by every attention (attention_step passes it on)
  Gradients gradients = Gradients::f32;   // what the backward pass multiplies
  double progress() const {
    return total_steps > 1 ? static_cast<double>(step) / static_cast<double>(total_steps - 1) : 1.0;
  }
};

// One trained tensor. Names are dotted paths ("layers.0.q.weight") and unique; freeze patterns match them.
struct Parameter {
  std::string name;
  at::Tensor tensor;  // requires_grad, contiguous f32
  bool decay = true;  // weight decay applies (matrices yes; thresholds, norms, biases, scales no)
};

// A ±1 matrix that has no latent: its bits are what is trained, by a rule of the model's own (nn/flip_rule.h).
struct BitMatrix {
  std::string name;
  int64_t rows = 0, columns = 0;
  at::Tensor bits;  // as in nn/bits.h
  at::Tensor
      port;  // [rows, columns] f32 without memory: the backward pass leaves the gradient of the signs in its grad
};

// A tensor of any type that training changes beside the parameters. A checkpoint holds it; `weight` is part of the
// model, the rest (counters) of how it is trained.
struct Buffer {
  std::string name;
  at::Tensor tensor;
  bool weight = false;
};

// A number for the eval event and the database's metrics.
struct Metric {
  std::string name;
  double value = 0;
};

class StepEngine;  // nn/step_engine.h

// A plugin's model. Not thread-safe. Throws bitsweep::Error{input} for bad options at construction.
class Model {
 public:
  virtual ~Model() = default;

  // tokens [B, T] int64 on the parameters' device -> logits [B, T, V] in f32 (or bf16 under autocast). A model has
  // this, or the two halves below, of which it is then made.
  virtual at::Tensor forward(const at::Tensor& tokens, const StepContext& context) {
    return head(trunk(tokens, context));
  }

  // The halves, so that the logits of a large vocabulary need not all stand at once (nn/head_rows.h).
  // V; 0 where there are none, and forward is all there is.
  virtual int64_t head_vocab() const { return 0; }
  // tokens [B, T] -> what the head reads, [B, T, d].
  virtual at::Tensor trunk(const at::Tensor& tokens, const StepContext& context);
  // Any rows of that, [..., d] -> their logits [..., V]. A row's logits depend on that row alone.
  virtual at::Tensor head(const at::Tensor& hidden);

  // Reads tokens [B, t] that follow those which `cache` has read, all of its rows as many; then it has read these too.
  // An empty cache: the beginning. Returns the logits of the last `wanted` of them, [B, wanted, V]: of a prompt, the
  // last one's are enough. In evaluation, at the step of `context`, unobserved and without gradients. This reads all
  // tokens again; a model that keeps something instead costs t positions (nn/decoder_model.h).
  virtual at::Tensor decode(const at::Tensor& tokens, const StepContext& context, DecodeCache& cache, int64_t wanted);
  // The logits of all of them, [B, t, V].
  at::Tensor decode(const at::Tensor& tokens, const StepContext& context, DecodeCache& cache) {
    return decode(tokens, context, cache, tokens.size(1));
  }

  // In a fixed order. The tensors are the model's own: an optimizer updates them in place.
  const std::vector<Parameter>& parameters() const { return parameters_; }

  const std::vector<BitMatrix>& bit_matrices() const { return bit_matrices_; }
  const std::vector<Buffer>& buffers() const { return buffers_; }

  // A whole step by other means than these; null: there are none. Asked through engine_for (nn/step_engine.h).
  virtual StepEngine* engine() { return nullptr; }
  // Whether the backward passes of its blocks round what they multiply, where asked (nn/gradients.h).
  virtual bool blocks_round() const { return false; }

  // The model's own part of a step, when its gradients are whole and before the optimizer's: what no optimizer of
  // floats does, like flipping bits. Drops the gradients that it used up.
  virtual void update(const StepContext&) {}

  // What there is to tell at an evaluation, of the steps since the last call.
  virtual std::vector<Metric> metrics() { return {}; }
  // How the numbers of metrics() are to be read; a kind named flip_fraction speaks for flip_fraction.layer0 too.
  virtual std::vector<MetricKind> metric_kinds() const { return {}; }

  // Moves every parameter and buffer (once, before training).
  virtual void to(at::Device device);

 protected:
  // Registers a trained tensor and returns the handle to keep. Blocks call it through ParameterSink (nn/module.h).
  at::Tensor add_parameter(std::string name, at::Tensor initial, bool decay = true);
  at::Tensor add_buffer(std::string name, at::Tensor initial, bool weight);
  // Fresh bits, each sign with probability ½, from LibTorch's default generator.
  BitMatrix add_bit_matrix(std::string name, int64_t rows, int64_t columns);

 private:
  friend class ParameterSink;
  void require_new_name(const std::string& name) const;

  std::vector<Parameter> parameters_;
  std::vector<BitMatrix> bit_matrices_;
  std::vector<Buffer> buffers_;
};

// For implementations of decode(): the context that it computes in; a refusal of other rows than those of `earlier`
// [B, …] (undefined: none), as Error{failed}.
StepContext decoding(StepContext context);
void require_rows(const at::Tensor& tokens, const at::Tensor& earlier);

}  // namespace bitsweep::nn
