// Attention with its four 1-bit linears: o( attend( q(x), k(x), v(x) ) ).
#pragma once

#include "nn/alpha_linear.h"
#include "nn/attention_rule.h"
#include "nn/binarize.h"
#include "nn/block_scope.h"
#include "nn/key_shift.h"
#include "nn/strict_linear.h"

namespace bitsweep::nn {

// LinearType is StrictLinear, AlphaLinear or BitLinear. x [B, T, d] -> [B, T, d]
template <class LinearType>
class PointerBlock {
 public:
  // key_shift: the offset of K-shift, k(x[t] + x[t − offset]); 0 is off. more: what LinearType's constructor takes
  // besides.
  template <class... More>
  PointerBlock(const ParameterSink& sink, int64_t d, int64_t heads, OutputSign inner, OutputSign out,
               int64_t key_shift = 0, const More&... more)
      : heads_(heads),
        key_shift_(key_shift),
        q_(sink.scope("q"), d, d, inner, more...),
        k_(sink.scope("k"), d, d, inner, more...),
        v_(sink.scope("v"), d, d, inner, more...),
        o_(sink.scope("o"), d, d, out, more...) {}

  // binarized: the m of binarize.h.
  at::Tensor forward(const at::Tensor& x, CausalBias& bias, const AttentionStep& step, double binarized = 1.0) const {
    BITSWEEP_BLOCK("projections");
    const at::Tensor keys_of = key_shift_ > 0 ? with_earlier(x, key_shift_) : x;
    return forward_at(o_,
                      attend(forward_at(q_, x, binarized), forward_at(k_, keys_of, binarized),
                             forward_at(v_, x, binarized), heads_, bias, step),
                      binarized);
  }

 private:
  int64_t heads_, key_shift_;
  LinearType q_, k_, v_, o_;
};

}  // namespace bitsweep::nn
