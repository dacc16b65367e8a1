// llama's parts and entry point. The model: nn/llama_stack.h.
#include "plugin/plugin.h"
#include "nn/llama_family.h"

namespace bitsweep {
namespace {

struct LlamaParts {
  using Linear = bitsweep::nn::Linear;
  static constexpr nn::LlamaKind kKind{.code = nn::LinearCost::Code::plain, .bits = nn::kStoredFloatBits};
};
using Llama = nn::LlamaFamily<LlamaParts>;

}  // namespace
}  // namespace bitsweep

BITSWEEP_PLUGIN("llama", bitsweep::nn::describe_family<bitsweep::Llama>, bitsweep::nn::create_family<bitsweep::Llama>)
