#include "nn/family.h"

namespace bitsweep {

int64_t end_weights(const Shape& shape, int64_t vocab) { return 2 * vocab * shape.d_model; }

int64_t sign_head_extra(int64_t vocab) { return vocab + 1; }

int64_t norm_gains(const Shape& shape) { return (2 * shape.n_layers + 1) * shape.d_model; }

double decoder_flops(const Shape& shape, int64_t vocab, int64_t context, const AttentionRule& attention) {
  const double weighed = static_cast<double>(shape.n_layers) * 2.0 * static_cast<double>(shape.d_model) *
                         static_cast<double>(values_weighed(attention, context));
  return forward_flops(shape, vocab, context, /*weighs_values=*/false) + weighed;
}

OutputSign read_output_ste(OptionReader& reader) {
  return reader.choice("output_ste", "clipped", {"clipped", "identity"}) == "identity" ? OutputSign::identity
                                                                                       : OutputSign::clipped;
}

Description describe_count(const json::object& options, const ModelCount& count) {
  Description description;
  description.options = options;
  description.params = count.params();
  description.params_embedding = count.embedding;
  description.params_extra = count.extra;
  description.latent_bits_per_weight = count.latent_bits_per_weight;
  description.stored_bits_per_weight = count.stored_bits_per_weight;
  description.flops_forward_per_token = count.flops_forward_per_token;
  return description;
}

}  // namespace bitsweep
