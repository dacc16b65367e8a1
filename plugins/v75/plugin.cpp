// v75's options and entry point. The model: nn/alpha_stack.h.
#include "plugin/plugin.h"
#include "nn/alpha_stack.h"

namespace bitsweep {
namespace {

struct V75 {
  using Built = nn::AlphaStack;
  static constexpr auto count = nn::count_alpha_stack;
  static constexpr auto stages = nn::alpha_stages;
  static constexpr auto engine = nn::alpha_engine_cost;

  static nn::AlphaStackOptions read(nn::OptionReader& reader, int64_t vocab, int64_t context) {
    nn::AlphaStackOptions options;
    read_family_shape<V75>(reader, options, vocab);
    options.attention = read_attention(reader, {nn::AttentionKind::gumbel}, context, {}, &options.shape);
    options.inner = read_output_ste(reader);
    return options;
  }
};

}  // namespace
}  // namespace bitsweep

BITSWEEP_PLUGIN("v75", bitsweep::nn::describe_family<bitsweep::V75>, bitsweep::nn::create_family<bitsweep::V75>)
