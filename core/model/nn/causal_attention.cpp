#include "nn/causal_attention.h"

#include <ATen/ATen.h>

#include "nn/block_scope.h"

namespace bitsweep::nn {
namespace {

at::Tensor appended(const at::Tensor& earlier, const at::Tensor& x) {
  return earlier.defined() ? at::cat({earlier, x}, 1) : x;
}

}  // namespace

CausalAttention::CausalAttention(int64_t heads, int64_t head_size, const AttentionRule& rule, int64_t kv_heads)
    : heads_(heads), kv_heads_(kv_heads), bias_(heads, rule.positions == Positions::alibi) {
  if (rule.positions == Positions::rope) rotary_.emplace(head_size, rule.rope_theta, rule.rope_scaling);
}

// [B, T, H_kv·d_h] -> [B, T, H·d_h]
at::Tensor CausalAttention::shared(const at::Tensor& x) const {
  if (kv_heads_ == heads_) return x;
  const int64_t batch = x.size(0), context = x.size(1), size = x.size(2) / kv_heads_;
  return x.view({batch, context, kv_heads_, 1, size})
      .expand({batch, context, kv_heads_, heads_ / kv_heads_, size})
      .reshape({batch, context, heads_ * size});
}

at::Tensor CausalAttention::forward(at::Tensor q, at::Tensor k, at::Tensor v, const AttentionStep& step,
                                    LayerCache* cache) {
  BITSWEEP_BLOCK("attention");
  if (rotary_) {
    const int64_t first = cache != nullptr ? cache->positions() : 0;
    q = rotary_->forward(q, first);
    k = rotary_->forward(k, first);
  }
  if (cache != nullptr) {
    k = cache->keys = appended(cache->keys, k);
    v = cache->values = appended(cache->values, v);
  }
  return attend(q, shared(k), shared(v), heads_, bias_, step);
}

}  // namespace bitsweep::nn
