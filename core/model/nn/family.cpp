#include "nn/family.h"

#include <algorithm>
#include <cmath>

namespace bitsweep::nn {
namespace {

constexpr int64_t kMoments = 2;

// Stages of one name together, in the order in which the names first appear.
std::vector<plugin::BlockCost> blocks_of(const std::vector<Stage>& stages) {
  std::vector<plugin::BlockCost> blocks;
  for (const Stage& stage : stages) {
    auto block = std::find_if(blocks.begin(), blocks.end(), [&](const auto& b) { return b.name == stage.block; });
    if (block == blocks.end()) block = blocks.insert(blocks.end(), {.name = stage.block});
    block->params += stage.weights;
    block->flops_forward_per_token += stage.flops;
    block->flops_backward_per_token += stage.backward_flops;
    block->kept_bytes += stage.kept_bytes;
  }
  return blocks;
}

// Engines compute in f32 alone, and nothing else rounds.
plugin::StepPath path_of(const EngineCost& engine, const Workload& work) {
  plugin::StepPath path{.own = engine.none.empty() && !work.reference_path(),
                        .because = engine.none.empty() && work.reference_path() ? "precision bf16" : engine.none,
                        .rounds = engine.rounds && !work.reference_path()};
  if (engine.rounds && work.reference_path()) path.only_f32 = "precision bf16";
  if (!engine.rounds && engine.none.empty()) path.only_f32 = "weights are floats";
  return path;
}

void keep_as_engine(const EngineCost& engine, std::vector<plugin::BlockCost>& blocks) {
  for (plugin::BlockCost& block : blocks) {
    const auto kept = std::find_if(engine.kept.begin(), engine.kept.end(),
                                   [&](const auto& named) { return named.first == block.name; });
    block.kept_bytes = kept == engine.kept.end() ? 0 : kept->second;
  }
}

// engine: null where the blocks compute.
plugin::MemoryNeed memory_of(const ModelCount& count, const std::vector<Stage>& stages, const Workload& work,
                             const EngineCost* engine) {
  const int64_t trained = count.params() + count.extra, floats = trained - count.bits;
  plugin::MemoryNeed bytes{.weights = kFloatBytes * floats + count.bits_bytes,
                           .gradients = kFloatBytes * trained,
                           .optimizer = kMoments * kFloatBytes * floats + kFloatBytes + count.rule_bytes,
                           .activations = peak_activation_bytes(stages)};
  int64_t step = std::max(peak_bytes(stages, work.accumulates), bytes.gradients + count.rule_moment_bytes);
  if (engine != nullptr) {
    bytes.activations = engine->bytes + token_bytes(work);
    step = bytes.gradients + engine->bytes + std::max(token_bytes(work), count.rule_moment_bytes);
  }
  bytes.peak = bytes.weights + bytes.optimizer + step;
  return bytes;
}

}  // namespace

int64_t end_weights(const Shape& shape, int64_t vocab, bool tied) { return (tied ? 1 : 2) * vocab * shape.d_model; }

int64_t sign_head_extra(int64_t vocab) { return vocab + 1; }

int64_t norm_gains(const Shape& shape) { return (2 * shape.n_layers + 1) * shape.d_model; }

OutputSign read_output_ste(OptionReader& reader) {
  return reader.choice("output_ste", "clipped", {"clipped", "identity"}) == "identity" ? OutputSign::identity
                                                                                       : OutputSign::clipped;
}

Workload workload_of(const plugin::DescribeRequest& request) {
  return {.vocab = request.vocab,
          .sequences = request.sequences,
          .context = request.context,
          .gradients = parse_gradients(request.gradients),
          .element_bytes = request.precision == "bf16" ? 2 : 4,
          .accumulates = request.accumulates};
}

plugin::Description describe_model(const OptionReader& options, const ModelCount& count,
                                   const std::vector<Stage>& stages, const Workload& work, const EngineCost& engine) {
  plugin::Description description;
  description.options = options.resolved();
  description.implied = options.implied();
  description.params = count.params();
  description.params_embedding = count.embedding;
  description.params_extra = count.extra;
  description.latent_bits_per_weight = count.latent_bits_per_weight;
  description.stored_bits_per_weight = count.stored_bits_per_weight;
  description.stored_bits_per_weight_body = count.stored_bits_body;
  const double matrices = static_cast<double>(count.params() - count.vectors);
  description.stored_bytes = static_cast<int64_t>(std::ceil(matrices * count.stored_bits_per_weight / 8)) +
                             kStoredFloatBits / 8 * (count.vectors + count.extra);
  description.flops_backward_per_token = 0;
  for (const Stage& stage : stages) {
    description.flops_forward_per_token += stage.flops;
    *description.flops_backward_per_token += stage.backward_flops;
  }
  description.blocks = blocks_of(stages);
  description.path = path_of(engine, work);
  if (description.path->own) keep_as_engine(engine, description.blocks);
  description.bytes = memory_of(count, stages, work, description.path->own ? &engine : nullptr);
  if (!description.path->own && !work.reference_path()) {  // what an engine has that scores alone
    description.bytes->activations += engine.bytes;
    description.bytes->peak += engine.bytes;
  }
  return description;
}

}  // namespace bitsweep::nn
