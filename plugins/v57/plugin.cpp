// v57's options and entry point. The model: nn/strict_stack.h.
#include "plugin/plugin.h"
#include "nn/strict_stack.h"

namespace bitsweep {
namespace {

struct V57 {
  using Built = StrictStack<StrictLinear, SignEmbedding, SignHead>;
  static constexpr auto count = count_strict_stack;
  static constexpr auto stages = strict_stages;

  static StrictOptions read(OptionReader& reader, int64_t vocab, int64_t context) {
    StrictOptions options;
    read_family_shape<V57>(reader, options, vocab);
    options.attention =
        read_attention(reader, {AttentionKind::gumbel, AttentionKind::topk, AttentionKind::rwsp}, context);
    options.output = read_output_ste(reader);
    return options;
  }
};

}  // namespace
}  // namespace bitsweep

BITSWEEP_PLUGIN("v57", bitsweep::describe_family<bitsweep::V57>, bitsweep::create_family<bitsweep::V57>)
