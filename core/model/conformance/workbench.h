// What the checks share: a plugin under test, the small models it is tried with, and a text to train them on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include "data/dataset.h"
#include "nn/model.h"
#include "plugin/loader.h"
#include "plugin/manifest.h"
#include "train/precision.h"

namespace bitsweep::conformance {

// The alphabet and the window of every model that is tried.
inline constexpr int64_t kCheckVocab = 128, kCheckContext = 32;

// A shape, for the options that a plugin calls so. Those that the manifest gives a default keep it.
struct TrialShape {
  int64_t d_model = 32, n_layers = 2, n_heads = 2, d_ff = 24;
};
// A step takes about a millisecond.
inline constexpr TrialShape kTinyShape{};
// Deep enough that a gradient which is wrong in every layer keeps it from learning.
inline constexpr TrialShape kDeepShape{.d_model = 64, .n_layers = 4, .n_heads = 2, .d_ff = 32};

// A folder below the system's for temporary files, gone with its owner. Throws Error{environment}.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

class Workbench {
 public:
  // `given` are options that every trial model gets, in place of the suite's own choice. Reads the plugin.yaml beside
  // the library, if there is one. Throws Error{input} when that is wrong, and Error{environment}.
  Workbench(plugin::Plugin plugin, json::object given);

  const plugin::Plugin& plugin() const { return plugin_; }
  const std::optional<plugin::Manifest>& manifest() const { return manifest_; }
  const json::object& given() const { return given_; }
  const fs::path& scratch() const { return scratch_.path(); }

  // What is asked for: the given options; then, for each option without a default, a small value (`shape` for those of
  // its names, else the least that is allowed). No shape where `params` is given.
  plugin::DescribeRequest request(const TrialShape& shape = kTinyShape, int64_t vocab = kCheckVocab) const;

  // A new model as the worker makes it: described, its options resolved, LibTorch's default generator seeded.
  plugin::OwnedModel build(const plugin::DescribeRequest& request, int64_t seed = 0) const;
  plugin::OwnedModel build_tiny(int64_t seed = 0) const { return build(request(), seed); }

  // Words drawn from a short list, each said twice, so that there is something to learn at two distances. Made when it
  // is first asked for.
  const data::Dataset& dataset() const;

 private:
  plugin::Plugin plugin_;
  json::object given_;
  std::optional<plugin::Manifest> manifest_;
  ScratchFolder scratch_;
  mutable std::unique_ptr<const data::Dataset> dataset_;
};

at::Generator generator_of(uint64_t seed);

// Seeds LibTorch's default generator. Models must not draw from it once they are built; one check sees to that, and the
// others take it out of the question.
void seed_default_generator(uint64_t seed);

// Step 3 of 10, its noise from `seed`.
nn::StepContext training_context(uint64_t seed);

// Random tokens [sequences, kCheckContext] of the alphabet.
at::Tensor random_tokens(int64_t sequences, uint64_t seed = 5);

// Logits [B, T, V] in evaluation, without a graph.
at::Tensor evaluation_logits(nn::Model& model, const at::Tensor& tokens);

// Mean cross-entropy in nats of one training forward pass over four random sequences, with its graph: a function of the
// model's tensors alone.
at::Tensor training_loss(nn::Model& model, train::Precision precision = train::Precision::f32);

// "layers.0.q.weight, layers.1.q.weight and 5 more"
std::string list_of(const std::vector<std::string>& names);

}  // namespace bitsweep::conformance
