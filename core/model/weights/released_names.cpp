#include "weights/released_names.h"

#include <fmt/format.h>

namespace bitsweep::weights {
namespace {

class Names {
 public:
  explicit Names(const ReleasedConfig& config) : config_(config) {}

  std::vector<ReleasedTensor> all() {
    add("embedding.weight", "model.embed_tokens.weight", {config_.vocab, config_.d_model});
    for (int64_t i = 0; i < config_.n_layers; ++i) layer(fmt::format("layers.{}.", i));
    add("norm.gamma", "model.norm.weight", {config_.d_model});
    if (!config_.tied) add("head.weight", "lm_head.weight", {config_.vocab, config_.d_model});
    return std::move(out_);
  }

 private:
  void layer(const std::string& ours) {
    const int64_t d = config_.d_model, d_kv = d / config_.n_heads * config_.n_kv_heads, d_ff = config_.d_ff;
    const bool here = config_.form == ReleaseForm::bitnet;
    const std::string theirs = "model." + ours;
    add(ours + "attention_norm.gamma", theirs + "input_layernorm.weight", {d});
    const auto attention = [&](const char* name, int64_t d_out) {
      add(fmt::format("{}attention.{}.weight", ours, name), fmt::format("{}self_attn.{}_proj.weight", theirs, name),
          {d_out, d});
    };
    attention("q", d), attention("k", d_kv), attention("v", d_kv);
    if (config_.form != ReleaseForm::llama)
      add(ours + "attention.o.norm.gamma",
          theirs + (here ? "self_attn.attn_sub_norm.weight" : "self_attn.inner_attn_ln.weight"), {d});
    attention("o", d);
    add(ours + "ffn_norm.gamma", theirs + "post_attention_layernorm.weight", {d});
    for (const char* name : {"gate", "up"})
      add(fmt::format("{}ffn.{}.weight", ours, name), fmt::format("{}mlp.{}_proj.weight", theirs, name), {d_ff, d});
    if (config_.form != ReleaseForm::llama)
      add(ours + "ffn.down.norm.gamma", theirs + (here ? "mlp.ffn_sub_norm.weight" : "mlp.ffn_layernorm.weight"),
          {d_ff});
    add(ours + "ffn.down.weight", theirs + "mlp.down_proj.weight", {d, d_ff});
  }

  void add(std::string ours, std::string theirs, std::vector<int64_t> shape) {
    out_.push_back({std::move(ours), std::move(theirs), std::move(shape)});
  }

  const ReleasedConfig& config_;
  std::vector<ReleasedTensor> out_;
};

}  // namespace

std::vector<ReleasedTensor> released_tensors(const ReleasedConfig& config) { return Names(config).all(); }

bool is_no_weight(std::string_view theirs) { return theirs.ends_with("rotary_emb.inv_freq"); }

}  // namespace bitsweep::weights
