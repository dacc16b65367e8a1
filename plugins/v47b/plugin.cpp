// v47b's options and entry point. The model: nn/alpha_stack.h.
#include "plugin/plugin.h"
#include "nn/alpha_stack.h"

namespace bitsweep {
namespace {

struct V47b {
  using Built = nn::AlphaStack;
  static constexpr auto count = nn::count_alpha_stack;
  static constexpr auto stages = nn::alpha_stages;
  static constexpr auto engine = nn::alpha_engine_cost;

  static nn::AlphaStackOptions read(nn::OptionReader& reader, int64_t vocab, int64_t context) {
    nn::AlphaStackOptions options;
    options.alpha = read_alpha(reader);
    read_family_shape<V47b>(reader, options, vocab);
    options.attention = read_attention(reader, {nn::AttentionKind::gumbel}, context, {}, &options.shape);
    options.inner = read_output_ste(reader);
    return options;
  }
};

}  // namespace
}  // namespace bitsweep

BITSWEEP_PLUGIN("v47b", bitsweep::nn::describe_family<bitsweep::V47b>, bitsweep::nn::create_family<bitsweep::V47b>)
