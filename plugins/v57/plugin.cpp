// v57's options, cost and entry point. The model: model.h.
#include "plugin/plugin.h"

#include "model.h"

namespace bitsweep {
namespace {

struct V57Family {
  using Built = V57;
  static constexpr const char* kName = "v57";

  static V57Options read(OptionReader& reader, int64_t vocab, int64_t context) {
    V57Options options;
    read_family_shape<V57Family>(reader, options, vocab);
    options.attention =
        read_attention(reader, {AttentionKind::gumbel, AttentionKind::topk, AttentionKind::rwsp}, context);
    options.output = read_output_ste(reader);
    return options;
  }

  static ModelCount count(const V57Options& options, int64_t vocab, int64_t context) {
    const Shape& shape = options.shape;
    ModelCount count;
    count.embedding = end_weights(shape, vocab);
    count.layers = shape.n_layers * (layer_weights(shape) + layer_thresholds(shape));
    count.extra = sign_head_extra(vocab);
    count.stored_bits_per_weight = 1;
    count.flops_forward_per_token = decoder_flops(shape, vocab, context, options.attention);
    return count;
  }
};

}  // namespace
}  // namespace bitsweep

BITSWEEP_PLUGIN("v57", bitsweep::describe_family<bitsweep::V57Family>, bitsweep::create_family<bitsweep::V57Family>)
