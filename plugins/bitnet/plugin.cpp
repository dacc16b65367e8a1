// bitnet's parts and entry point. The model: nn/llama_stack.h.
#include "plugin/plugin.h"
#include "nn/bitnet_linear.h"
#include "nn/llama_family.h"

namespace bitsweep {
namespace {

struct BitnetParts {
  using Linear = nn::BinaryLinear;
  static constexpr nn::LlamaKind kKind{.code = nn::LinearCost::Code::binary, .bits = 1};
};
using Bitnet = nn::LlamaFamily<BitnetParts>;

}  // namespace
}  // namespace bitsweep

BITSWEEP_PLUGIN("bitnet", bitsweep::nn::describe_family<bitsweep::Bitnet>,
                bitsweep::nn::create_family<bitsweep::Bitnet>)
