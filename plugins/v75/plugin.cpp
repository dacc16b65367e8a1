// v75's options, cost and entry point. The model: model.h.
#include "plugin/plugin.h"

#include "model.h"

namespace bitsweep {
namespace {

ModelCount count(const Shape& shape, int64_t vocab, int64_t context) {
  ModelCount count;
  count.embedding = 2 * vocab * shape.d_model;
  count.layers = shape.n_layers * (layer_weights(shape) + layer_thresholds(shape) + 2 * shape.d_model) +
                 shape.d_model;  // two norms a layer, one before the head
  count.extra = vocab + 1;  // output bias, logit scale
  count.flops_forward_per_token = forward_flops(shape, vocab, context, /*weighs_values=*/false);
  return count;
}

V75Options read_options(const json::object& given, int64_t vocab) {
  OptionReader reader("v75", given);
  V75Options options;
  options.shape = read_shape(reader, [&](const Shape& shape) { return count(shape, vocab, 1).params(); });
  options.alibi = reader.boolean("alibi", options.alibi);
  reader.choice("attention", "gumbel", {"gumbel"});
  options.tau_start = reader.number("tau_start", options.tau_start, 1e-3, 100);
  options.tau_end = reader.number("tau_end", options.tau_end, 1e-3, 100);
  const std::string ste = reader.choice("output_ste", "clipped", {"clipped", "identity"});
  options.output = ste == "identity" ? OutputSign::identity : OutputSign::clipped;
  reader.finish();
  return options;
}

Description describe(const DescribeRequest& request) {
  const V75Options options = read_options(request.options, request.vocab);
  Description description;
  description.options = to_json(options.shape);
  description.options["attention"] = "gumbel";
  description.options["alibi"] = options.alibi;
  description.options["tau_start"] = options.tau_start;
  description.options["tau_end"] = options.tau_end;
  description.options["output_ste"] = options.output == OutputSign::identity ? "identity" : "clipped";
  const ModelCount cost = count(options.shape, request.vocab, request.context);
  description.params = cost.params();
  description.params_embedding = cost.embedding;
  description.params_extra = cost.extra;
  description.stored_bits_per_weight = 1;
  description.flops_forward_per_token = cost.flops_forward_per_token;
  return description;
}

std::unique_ptr<Model> create(const json::object& options, int64_t vocab, int64_t) {
  return std::make_unique<V75>(read_options(options, vocab), vocab);
}

}  // namespace
}  // namespace bitsweep

BITSWEEP_PLUGIN("v75", bitsweep::describe, bitsweep::create)
