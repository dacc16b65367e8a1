// llama's options, cost and entry point. The model: model.h.
#include "plugin/plugin.h"

#include "model.h"

namespace bitsweep {
namespace {

ModelCount count(const Shape& shape, int64_t vocab, int64_t context) {
  ModelCount count;
  count.embedding = 2 * vocab * shape.d_model;
  count.layers = shape.n_layers * (layer_weights(shape) + 2 * shape.d_model) +
                 shape.d_model;  // two norms a layer, one before the head
  count.flops_forward_per_token = forward_flops(shape, vocab, context, /*weighs_values=*/true);
  return count;
}

LlamaOptions read_options(const json::object& given, int64_t vocab) {
  OptionReader reader("llama", given);
  LlamaOptions options;
  options.shape = read_shape(reader, [&](const Shape& shape) { return count(shape, vocab, 1).params(); });
  options.alibi = reader.boolean("alibi", options.alibi);
  reader.finish();
  return options;
}

Description describe(const DescribeRequest& request) {
  const LlamaOptions options = read_options(request.options, request.vocab);
  Description description;
  description.options = to_json(options.shape);
  description.options["alibi"] = options.alibi;
  const ModelCount cost = count(options.shape, request.vocab, request.context);
  description.params = cost.params();
  description.params_embedding = cost.embedding;
  description.params_extra = cost.extra;
  description.flops_forward_per_token = cost.flops_forward_per_token;
  return description;
}

std::unique_ptr<Model> create(const json::object& options, int64_t vocab, int64_t) {
  return std::make_unique<Llama>(read_options(options, vocab), vocab);
}

}  // namespace
}  // namespace bitsweep

BITSWEEP_PLUGIN("llama", bitsweep::describe, bitsweep::create)
