// Attention with its four 1-bit linears: o( attend( q(x), k(x), v(x) ) ).
#pragma once

#include "nn/alpha_linear.h"
#include "nn/binarize.h"
#include "nn/block_scope.h"
#include "nn/causal_attention.h"
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
  PointerBlock(const ParameterSink& sink, int64_t d, OutputSign inner, OutputSign out, int64_t key_shift = 0,
               const More&... more)
      : key_shift_(key_shift),
        q_(sink.scope("q"), d, d, inner, more...),
        k_(sink.scope("k"), d, d, inner, more...),
        v_(sink.scope("v"), d, d, inner, more...),
        o_(sink.scope("o"), d, d, out, more...) {}

  // binarized: the m of binarize.h. cache: of the tokens before x, in decoding.
  at::Tensor forward(const at::Tensor& x, CausalAttention& attention, const AttentionStep& step, double binarized = 1.0,
                     LayerCache* cache = nullptr) const {
    BITSWEEP_BLOCK("projections");
    const at::Tensor keys_of = shifted(x, cache);
    return forward_at(o_,
                      attention.forward(forward_at(q_, x, binarized), forward_at(k_, keys_of, binarized),
                                        forward_at(v_, x, binarized), step, cache),
                      binarized);
  }

 private:
  at::Tensor shifted(const at::Tensor& x, LayerCache* cache) const {
    if (key_shift_ == 0) return x;
    return cache == nullptr ? with_earlier(x, key_shift_) : with_earlier(x, key_shift_, cache->earlier);
  }

  int64_t key_shift_;
  LinearType q_, k_, v_, o_;
};

}  // namespace bitsweep::nn
