// Attention between its projections and o: positions, heads that share keys and values, and what decoding keeps. One
// for all layers of a model.
#pragma once

#include <optional>

#include "nn/attention_rule.h"
#include "nn/decode_cache.h"
#include "nn/rotary.h"

namespace bitsweep::nn {

class CausalAttention {
 public:
  // kv_heads: a divisor of `heads`; query heads [h·r, h·r + r) share head h of the keys and values, r = heads/kv_heads.
  CausalAttention(int64_t heads, int64_t head_size, const AttentionRule& rule, int64_t kv_heads);
  CausalAttention(int64_t heads, int64_t head_size, const AttentionRule& rule)
      : CausalAttention(heads, head_size, rule, heads) {}

  // q [B, T, H·d_h], k and v [B, T, H_kv·d_h] -> [B, T, H·d_h]. With a cache: of the positions after those it has, and
  // these are added to it; in evaluation alone.
  at::Tensor forward(at::Tensor q, at::Tensor k, at::Tensor v, const AttentionStep& step, LayerCache* cache = nullptr);

 private:
  at::Tensor shared(const at::Tensor& x) const;

  int64_t heads_, kv_heads_;
  CausalBias bias_;
  std::optional<Rotary> rotary_;
};

}  // namespace bitsweep::nn
