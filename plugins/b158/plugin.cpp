// b158's parts and entry point. The model: nn/llama_stack.h.
#include "plugin/plugin.h"
#include "nn/bitnet_linear.h"
#include "nn/llama_stack.h"

namespace bitsweep {
namespace {

struct B158Parts {
  using Linear = nn::TernaryLinear;
  using Norm = nn::NoNorm;
  static constexpr double kBits = 1.584962500721156;  // log2 3, the information in a ternary weight
  static constexpr nn::LinearCost::Code kCode = nn::LinearCost::Code::ternary;
};
using B158 = nn::LlamaFamily<B158Parts>;

}  // namespace
}  // namespace bitsweep

BITSWEEP_PLUGIN("b158", bitsweep::nn::describe_family<bitsweep::B158>, bitsweep::nn::create_family<bitsweep::B158>)
