// v76's options and entry point. The model: nn/alpha_stack.h.
#include "plugin/plugin.h"
#include "nn/alpha_stack.h"

namespace bitsweep {
namespace {

// Soft to the end: down to 0 the pointer ends hard, and hides what the soft one learned (README.md).
constexpr nn::AttentionRule kUsual{.rho_end = 0.4};

struct V76 {
  using Built = nn::AlphaStack;
  static constexpr auto count = nn::count_alpha_stack;
  static constexpr auto stages = nn::alpha_stages;
  static constexpr auto engine = nn::alpha_engine_cost;

  static nn::AlphaStackOptions read(nn::OptionReader& reader, int64_t vocab, int64_t context) {
    nn::AlphaStackOptions options;
    options.alpha = read_alpha(reader);
    read_family_shape<V76>(reader, options, vocab);
    options.attention =
        read_attention(reader, {nn::AttentionKind::rwsp, nn::AttentionKind::gumbel}, context, kUsual, &options.shape);
    options.inner = read_output_ste(reader);
    read_kshift(reader, options, {0}, context);
    read_bonsai(reader, options);
    return options;
  }
};

}  // namespace
}  // namespace bitsweep

BITSWEEP_PLUGIN("v76", bitsweep::nn::describe_family<bitsweep::V76>, bitsweep::nn::create_family<bitsweep::V76>)
