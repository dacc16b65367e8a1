// llama's parts and entry point. The model: nn/llama_stack.h.
#include "plugin/plugin.h"
#include "nn/llama_stack.h"

namespace bitsweep {
namespace {

struct LlamaParts {
  using Linear = bitsweep::Linear;
  using Norm = RmsNorm;
  static constexpr double kBits = 32;
  static constexpr LinearCost::Code kCode = LinearCost::Code::plain;
};
using Llama = LlamaFamily<LlamaParts>;

}  // namespace
}  // namespace bitsweep

BITSWEEP_PLUGIN("llama", bitsweep::describe_family<bitsweep::Llama>, bitsweep::create_family<bitsweep::Llama>)
