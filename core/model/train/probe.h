// What a model's attention does, head by head, on text and on repeated random tokens: induction, static patterns,
// in-context learning.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "base/json.h"
#include "data/dataset.h"
#include "nn/model.h"
#include "train/precision.h"
#include "train/probe_scores.h"

namespace bitsweep::train {

// Windows that evaluations during training probe.
constexpr int64_t kProbeWindows = 16;

// On one kind of text.
struct TextProbe {
  int64_t windows = 0;
  int64_t queries = 0;  // whose token occurred earlier in their window
  double ipmr_chance = 0, induction_chance = 0;
  // Mean loss of the last tenth of a window's tokens minus that of its second tenth, bits per token: below 0 where the
  // model makes use of what came before (the in-context score of Olsson et al., there of single tokens, 500 − 50). NaN
  // of windows of one token.
  double in_context_bits = 0;
  std::vector<LayerScores> layers;  // empty: a model without attention
};

struct Probe {
  TextProbe natural;   // the validation text
  TextProbe repeated;  // windows whose second half repeats a random first half
  bool has_attention() const { return !natural.layers.empty(); }
};

// windows [N, T + 1] uint8 or int32 -> as many of the same shape and type: uniform random tokens among those that occur
// in `windows`, the second half the same as the first. A function of the windows alone: the same for every run on a
// text.
at::Tensor repeated_windows(const at::Tensor& windows);

// windows [N, T + 1] uint8 or int32 on the CPU. `context` is that of an evaluation. Takes as many windows at a time as
// keep a layer's weights small. Throws Error{failed} when a plugin tells its attention wrongly.
TextProbe probe_windows(nn::Model& model, const at::Tensor& windows, const nn::StepContext& context, c10::Device device,
                        Precision precision);

// These windows, and as many repeated ones. Draws from no generator of the run, changes nothing in the model.
Probe probe_model(nn::Model& model, const data::ValidationWindows& windows, int64_t window_tokens,
                  const nn::StepContext& context, c10::Device device, Precision precision);

// Numbers for the eval event and the database, finite ones alone: ipmr.L0H1, induction.L0H1, agreement.L0H1, hdr.L0 and
// what sums them up (results/README.md lists them); of repeated tokens with "repeat_" before.
std::vector<nn::Metric> metrics_of(const Probe& probe);

// The sidecar, STEM_pointer_health.json: all matrices, [layer][head].
json::object pointer_health_json(const Probe& probe, const std::string& run, int64_t step);
std::string pointer_health_file(int64_t step);  // "step-400_pointer_health.json"

}  // namespace bitsweep::train
