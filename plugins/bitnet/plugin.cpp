// bitnet's parts and entry point. The model: nn/llama_stack.h.
#include "plugin/plugin.h"
#include "nn/bitnet_linear.h"
#include "nn/llama_stack.h"

namespace bitsweep {
namespace {

struct BitnetParts {
  using Linear = BinaryLinear;
  using Norm = NoNorm;
  static constexpr double kBits = 1;
  static constexpr LinearCost::Code kCode = LinearCost::Code::binary;
};
using Bitnet = LlamaFamily<BitnetParts>;

}  // namespace
}  // namespace bitsweep

BITSWEEP_PLUGIN("bitnet", bitsweep::describe_family<bitsweep::Bitnet>, bitsweep::create_family<bitsweep::Bitnet>)
