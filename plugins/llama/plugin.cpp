// llama's parts and entry point. The model: nn/llama_stack.h.
#include "plugin/plugin.h"
#include "nn/llama_stack.h"

namespace bitsweep {
namespace {

struct LlamaParts {
  using Linear = bitsweep::nn::Linear;
  using Norm = nn::RmsNorm;
  static constexpr double kBits = nn::kStoredFloatBits;
  static constexpr nn::LinearCost::Code kCode = nn::LinearCost::Code::plain;
};
using Llama = nn::LlamaFamily<LlamaParts>;

}  // namespace
}  // namespace bitsweep

BITSWEEP_PLUGIN("llama", bitsweep::nn::describe_family<bitsweep::Llama>, bitsweep::nn::create_family<bitsweep::Llama>)
