// What a plugin says of a model before it exists: the request and the answer of `describe`, as JSON and as structs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace bitsweep::plugin {

struct DescribeRequest {
  json::object options;   // as in the sweep file; may hold "params" (a target size) instead of a shape
  int64_t vocab = 256;    // V
  int64_t context = 256;  // T, tokens
  // A micro-batch of training, which bytes are said of.
  int64_t sequences = 1;
  bool accumulates = false;       // several of them make a step
  std::string precision = "f32";  // f32 | bf16
  std::string gradients = "f32";  // train.gradients
  // Of a new model: what those options that came later are where `options` has them not (manifest.h). Empty for the
  // spec of a run, which says all that it is.
  json::object defaults{};
};

// A kind of block, all of a model's together.
struct BlockCost {
  std::string name;
  int64_t params = 0;                  // trained numbers, params_extra included
  double flops_forward_per_token = 0;  // multiply and add count two
  int64_t kept_bytes = 0;              // of activations, from the forward pass to the backward pass
  double flops_backward_per_token = 0;
  double flops_training_per_token() const { return flops_forward_per_token + flops_backward_per_token; }
};

// Bytes of tensors in training, on the device that trains. Peak is the most at once: less than the sum, because
// gradients come as activations go. LibTorch itself and the text are not counted.
struct MemoryNeed {
  int64_t weights = 0;      // parameters and bits
  int64_t gradients = 0;    // all of them
  int64_t optimizer = 0;    // AdamW's moments; what a rule for bits keeps
  int64_t activations = 0;  // kept for the backward pass, and in use meanwhile
  int64_t peak = 0;
  int64_t checkpoint() const { return weights + optimizer; }  // its tensors; a header of some kB comes on top
};

// What computes a training step on a CPU: the model's own engine (nn/step_engine.h), or its blocks.
struct StepPath {
  bool own = false;
  std::string because{};   // of blocks: why, in a clause ("precision bf16")
  bool rounds = false;     // gradients, where train.gradients says so: this path, or blocks in its place
  std::string only_f32{};  // where nothing rounds: why, in a clause ("weights are floats"); empty: as `because` says
};

struct Description {
  json::object options;          // every option with its value: the shape resolved, defaults filled
  json::object implied{};        // what options that came later are where they are left out of `options`
  int64_t params = 0;            // weights and thresholds, embedding and head included (models.md's count)
  int64_t params_embedding = 0;  // of those, in the embedding and the head
  int64_t params_extra = 0;      // trained beside them: output bias, logit scale
  double latent_bits_per_weight = 32;
  double stored_bits_per_weight = 32;                   // as deployed: 1 for a ±1 weight, 16 for a float
  std::optional<double> stored_bits_per_weight_body{};  // without embedding and head; nothing: the plugin does not say
  int64_t stored_bytes = 0;                             // as deployed, floats at 16 bits; 0: the plugin does not say
  double flops_forward_per_token = 0;  // of products alone, at full context; multiply and add count two (nn/cost.h)
  std::optional<double> flops_backward_per_token{};  // nothing: the plugin does not say
  std::vector<BlockCost> blocks{};                   // in the order of the forward pass; none: the plugin does not say
  std::optional<MemoryNeed> bytes{};                 // nothing: the plugin does not say
  std::optional<StepPath> path{};  // in the precision that was asked; nothing: the plugin does not say
  // Why train.gradients can only be f32, in a clause; empty: on a CPU they may be rounded.
  std::string only_f32_because() const {
    if (!path) return "the plugin does not say that anything rounds them";
    if (path->rounds) return "";
    return path->only_f32.empty() ? path->because : path->only_f32;
  }
  int64_t params_nonembedding() const { return params - params_embedding; }
  // Forward and backward. Of a plugin that does not say, a backward pass of twice the forward one, as linears have it.
  double flops_training_per_token() const {
    return flops_forward_per_token + flops_backward_per_token.value_or(2 * flops_forward_per_token);
  }
};

json::object to_json(const DescribeRequest& request);
DescribeRequest describe_request_from_json(const json::object& object);
json::object to_json(const MemoryNeed& bytes);
// {"engine": "own"}, or {"engine": "blocks", "engine_because": "…"}; of nothing {}.
json::object to_json(const std::optional<StepPath>& path);
std::optional<StepPath> step_path_from_json(const json::object& object);
json::object to_json(const Description& description);
Description description_from_json(const json::object& object);

}  // namespace bitsweep::plugin
