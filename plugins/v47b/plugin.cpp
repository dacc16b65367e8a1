// v47b's options and entry point. The model: nn/alpha_stack.h.
#include "plugin/plugin.h"
#include "nn/alpha_stack.h"

namespace bitsweep {
namespace {

struct V47b {
  using Built = AlphaStack;
  static constexpr auto count = count_alpha_stack;
  static constexpr auto stages = alpha_stages;

  static AlphaStackOptions read(OptionReader& reader, int64_t vocab, int64_t context) {
    AlphaStackOptions options;
    options.alpha = read_alpha(reader);
    read_family_shape<V47b>(reader, options, vocab);
    options.attention = read_attention(reader, {AttentionKind::gumbel}, context);
    options.inner = read_output_ste(reader);
    return options;
  }
};

}  // namespace
}  // namespace bitsweep

BITSWEEP_PLUGIN("v47b", bitsweep::describe_family<bitsweep::V47b>, bitsweep::create_family<bitsweep::V47b>)
