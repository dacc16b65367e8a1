// bitnet's parts and entry point. The model: nn/llama_stack.h.
#include "plugin/plugin.h"
#include "nn/bitnet_linear.h"
#include "nn/llama_stack.h"

namespace bitsweep {
namespace {

struct BitnetParts {
  using Linear = nn::BinaryLinear;
  using Norm = nn::NoNorm;
  static constexpr double kBits = 1;
  static constexpr nn::LinearCost::Code kCode = nn::LinearCost::Code::binary;
};
using Bitnet = nn::LlamaFamily<BitnetParts>;

}  // namespace
}  // namespace bitsweep

BITSWEEP_PLUGIN("bitnet", bitsweep::nn::describe_family<bitsweep::Bitnet>,
                bitsweep::nn::create_family<bitsweep::Bitnet>)
