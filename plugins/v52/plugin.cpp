// v52's options and entry point. The model: nn/alpha_stack.h.
#include "plugin/plugin.h"
#include "nn/alpha_stack.h"

namespace bitsweep {
namespace {

struct V52 {
  using Built = nn::AlphaStack;
  static constexpr auto count = nn::count_alpha_stack;
  static constexpr auto stages = nn::alpha_stages;
  static constexpr auto engine = nn::alpha_engine_cost;

  static nn::AlphaStackOptions read(nn::OptionReader& reader, int64_t vocab, int64_t) {
    nn::AlphaStackOptions options;
    options.inner = nn::OutputSign::none;
    options.attention.kind = nn::AttentionKind::softmax;
    options.alpha = read_alpha(reader);
    read_family_shape<V52>(reader, options, vocab);
    options.attention = read_softmax_attention(reader, &options.shape);
    return options;
  }
};

}  // namespace
}  // namespace bitsweep

BITSWEEP_PLUGIN("v52", bitsweep::nn::describe_family<bitsweep::V52>, bitsweep::nn::create_family<bitsweep::V52>)
