// v57's options and entry point. The model: nn/strict_stack.h.
#include "plugin/plugin.h"
#include "nn/strict_stack.h"

namespace bitsweep {
namespace {

struct V57 {
  using Built = nn::StrictStack<nn::StrictLinear, nn::SignEmbedding, nn::SignHead>;
  static constexpr auto count = nn::count_strict_stack;
  static constexpr auto stages = nn::strict_stages<>;
  static constexpr auto no_engine = nn::no_strict_engine;

  static nn::StrictOptions read(nn::OptionReader& reader, int64_t vocab, int64_t context) {
    nn::StrictOptions options;
    read_family_shape<V57>(reader, options, vocab);
    options.attention =
        read_attention(reader, {nn::AttentionKind::gumbel, nn::AttentionKind::topk, nn::AttentionKind::rwsp}, context);
    options.output = read_output_ste(reader);
    return options;
  }
};

}  // namespace
}  // namespace bitsweep

BITSWEEP_PLUGIN("v57", bitsweep::nn::describe_family<bitsweep::V57>, bitsweep::nn::create_family<bitsweep::V57>)
