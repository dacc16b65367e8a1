#include "nn/llama_family.h"

#include <algorithm>

#include <fmt/format.h>

namespace bitsweep::nn {
namespace {

constexpr double kLeastSd = 1e-4, kMostSd = 1, kLeastEpsilon = 1e-12, kMostEpsilon = 0.1;
constexpr int64_t kMostHeads = 65536;

void read_init(OptionReader& reader, LlamaOptions& options) {
  options.fan_in = reader.choice("init", "fixed", {"fixed", "fan_in"}) == "fan_in";
  options.init_sd = reader.number("init_sd", options.init_sd, kLeastSd, kMostSd);
  options.embedding_sd = reader.number("embedding_sd", options.embedding_sd, kLeastSd, kMostSd);
  if (options.fan_in) reader.leave_out("init_sd");
  if (options.tied) reader.leave_out("embedding_sd");
  reader.leave_out_at("init", "fixed");
  reader.leave_out_at("init_sd", kLatentSd);
  reader.leave_out_at("embedding_sd", kLatentSd);
}

void read_norms(OptionReader& reader, const LlamaKind& kind, LlamaOptions& options) {
  if (LinearCost{kind.code}.quantizes()) options.norms = NormPlace::inside;
  if (!kind.released) return;
  if (reader.choice("norms", "inside", {"inside", "outer_and_sub"}) == "outer_and_sub")
    options.norms = NormPlace::outer_and_sub;
  if (reader.choice("activation", "silu", {"silu", "relu2"}) == "relu2") options.activation = GateActivation::relu2;
  reader.leave_out_at("norms", "inside");
  reader.leave_out_at("activation", "silu");
}

void read_norm_epsilon(OptionReader& reader, LlamaOptions& options) {
  options.norm_epsilon = reader.number("norm_eps", options.norm_epsilon, kLeastEpsilon, kMostEpsilon);
  reader.leave_out_at("norm_eps", kRmsNormEpsilon);
}

void check_kv_heads(OptionReader& reader, LlamaOptions& options) {
  if (!reader.good()) return;
  if (options.shape.n_heads % options.shared_heads() != 0)
    reader.add_problem(fmt::format("n_kv_heads: expected a divisor of n_heads ({}), from 1 to {}, got {}",
                                   options.shape.n_heads, options.shape.n_heads, options.kv_heads));
  if (options.shared_heads() != options.shape.n_heads) return;
  options.kv_heads = 0;
  reader.leave_out("n_kv_heads");
}

// Weights of a layer that heads which share keys and values do without.
int64_t saved_weights(const LlamaOptions& options) {
  return 2 * options.shape.d_model * (options.shape.d_model - options.kv_width());
}

// Gains of a layer.
int64_t layer_gains(const LlamaOptions& options) {
  const Shape& shape = options.shape;
  switch (options.norms) {
    case NormPlace::outer:
      return 2 * shape.d_model;
    case NormPlace::inside:
      return 6 * shape.d_model + shape.d_ff;
    case NormPlace::outer_and_sub:
      return 3 * shape.d_model + shape.d_ff;
  }
  return 0;
}

}  // namespace

LlamaOptions read_llama_options(OptionReader& reader, const LlamaKind& kind,
                                const std::function<ModelCount(const LlamaOptions&)>& count_of) {
  LlamaOptions options;
  // What counts comes first: a shape for a size is made by it.
  options.tied = reader.boolean("tied", false);
  reader.leave_out_at("tied", false);
  options.kv_heads = reader.integer("n_kv_heads", 0, 1, kMostHeads);
  read_norms(reader, kind, options);
  const auto counted = [&](const Shape& shape) {
    LlamaOptions candidate = options;
    candidate.shape = shape;
    return count_of(candidate);
  };
  options.shape = read_shape(
      reader, [&](const Shape& shape) { return counted(shape).params(); },
      [&](const Shape& shape) { return counted(shape).layers; }, std::max<int64_t>(1, options.kv_heads));
  check_kv_heads(reader, options);
  options.attention = read_softmax_attention(reader, &options.shape);
  read_norm_epsilon(reader, options);
  read_init(reader, options);
  return options;
}

ModelCount count_llama(const LlamaKind& kind, const LlamaOptions& options, int64_t vocab) {
  const Shape& shape = options.shape;
  const int64_t in_linears = shape.n_layers * (layer_weights(shape) - saved_weights(options));
  ModelCount count;
  count.embedding = end_weights(shape, vocab, options.tied);
  count.vectors = shape.n_layers * layer_gains(options) + shape.d_model;
  count.layers = in_linears + count.vectors;
  const double at_ends = static_cast<double>(count.embedding), between = static_cast<double>(in_linears);
  count.stored_bits_per_weight = (kStoredFloatBits * at_ends + kind.bits * between) / (at_ends + between);
  count.stored_bits_body = kind.bits;
  return count;
}

std::vector<Stage> llama_stages(const LlamaKind& kind, const LlamaOptions& options, const Workload& work) {
  LinearCost inner{kind.code}, out{kind.code};
  inner.norm_inside = options.norms == NormPlace::inside;
  StageList stages(options.shape, work);
  stages.embedding(/*signs=*/false, options.tied);
  for (int64_t layer = 0; layer < options.shape.n_layers; ++layer) {
    if (options.norms_outside()) stages.norm();
    stages.attention(inner, out, options.attention, /*shifted=*/false, options.kv_width());
    if (options.norms_outside()) stages.norm();
    stages.ffn(inner, out);
  }
  stages.norm();
  stages.head(/*signs=*/false);
  return stages.take();
}

}  // namespace bitsweep::nn
