// b158's parts and entry point. The model: nn/llama_stack.h.
#include "plugin/plugin.h"
#include "nn/bitnet_linear.h"
#include "nn/llama_stack.h"

namespace bitsweep {
namespace {

struct B158Parts {
  using Linear = TernaryLinear;
  using Norm = NoNorm;
  static constexpr double kBits = 1.584962500721156;  // log2 3, the information in a ternary weight
  static constexpr LinearCost::Code kCode = LinearCost::Code::ternary;
};
using B158 = LlamaFamily<B158Parts>;

}  // namespace
}  // namespace bitsweep

BITSWEEP_PLUGIN("b158", bitsweep::describe_family<bitsweep::B158>, bitsweep::create_family<bitsweep::B158>)
