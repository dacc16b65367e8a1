// The options, the counts and the costs of the models of llama_stack.h, and a plugin's family made of them.
#pragma once

#include <functional>
#include <vector>

#include "nn/llama_stack.h"

namespace bitsweep::nn {

// What sets the members of the family apart, as far as options, counts and costs go.
struct LlamaKind {
  LinearCost::Code code = LinearCost::Code::plain;  // ternary and binary have norms inside unless options say otherwise
  double bits = kStoredFloatBits;                   // of a linear's weight, as deployed
  bool released = false;  // takes `norms` and `activation`, for the weights that others have published
};

LlamaOptions read_llama_options(OptionReader& reader, const LlamaKind& kind,
                                const std::function<ModelCount(const LlamaOptions&)>& count_of);
ModelCount count_llama(const LlamaKind& kind, const LlamaOptions& options, int64_t vocab);
std::vector<Stage> llama_stages(const LlamaKind& kind, const LlamaOptions& options, const Workload& work);

// Parts: those of the stack, and `kKind`.
template <class Parts>
struct LlamaFamily {
  using Built = LlamaStack<Parts>;

  static LlamaOptions read(OptionReader& reader, int64_t vocab, int64_t) {
    return read_llama_options(reader, Parts::kKind, [&](const LlamaOptions& options) { return count(options, vocab); });
  }
  static ModelCount count(const LlamaOptions& options, int64_t vocab) {
    return count_llama(Parts::kKind, options, vocab);
  }
  static std::vector<Stage> stages(const LlamaOptions& options, const Workload& work) {
    return llama_stages(Parts::kKind, options, work);
  }
  static EngineCost engine(const LlamaOptions& options, const Workload& work) {
    if constexpr (kLinearHasEngine<typename Parts::Linear>) return llama_engine_cost(options, Parts::kKind.code, work);
    return {.none = "no engine for its linears", .rounds = LinearCost{Parts::kKind.code}.quantizes()};
  }
};

}  // namespace bitsweep::nn
