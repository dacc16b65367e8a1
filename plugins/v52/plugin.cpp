// v52's options and entry point. The model: nn/alpha_stack.h.
#include "plugin/plugin.h"
#include "nn/alpha_stack.h"

namespace bitsweep {
namespace {

struct V52 {
  using Built = AlphaStack;
  static constexpr auto count = count_alpha_stack;
  static constexpr auto stages = alpha_stages;

  static AlphaStackOptions read(OptionReader& reader, int64_t vocab, int64_t) {
    AlphaStackOptions options;
    options.inner = OutputSign::none;
    options.attention.kind = AttentionKind::softmax;
    options.alpha = read_alpha(reader);
    read_family_shape<V52>(reader, options, vocab);
    options.attention = read_softmax_attention(reader);
    return options;
  }
};

}  // namespace
}  // namespace bitsweep

BITSWEEP_PLUGIN("v52", bitsweep::describe_family<bitsweep::V52>, bitsweep::create_family<bitsweep::V52>)
