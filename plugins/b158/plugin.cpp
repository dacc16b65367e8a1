// b158's parts and entry point. The model: nn/llama_stack.h.
#include "plugin/plugin.h"
#include "nn/bitnet_linear.h"
#include "nn/llama_family.h"

namespace bitsweep {
namespace {

struct B158Parts {
  using Linear = nn::TernaryLinear;
  static constexpr nn::LlamaKind kKind{.code = nn::LinearCost::Code::ternary,
                                       .bits = 1.584962500721156,  // log2 3, the information in a ternary weight
                                       .released = true};
};
using B158 = nn::LlamaFamily<B158Parts>;

}  // namespace
}  // namespace bitsweep

BITSWEEP_PLUGIN("b158", bitsweep::nn::describe_family<bitsweep::B158>, bitsweep::nn::create_family<bitsweep::B158>)
