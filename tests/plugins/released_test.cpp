// That models which others have released can be said with our options, exactly: Hugging Face's Llama, BitNet b1.58 as
// 1bitLLM and as the 2B4T model place their norms. Each is composed here from LibTorch's plain operations, as their
// code has it, over the tensors of ours by name.
#include <cmath>

#include <gtest/gtest.h>

#include "base/error.h"
#include "built_plugin.h"

namespace bitsweep {
namespace {

struct Released {
  const char* plugin;
  std::string options;  // beside the shape
  bool rope = true, tied = false, ternary = false, outer = true, relu2 = false;
  int64_t kv_heads = 4;
  double theta = 1e4, epsilon = 1e-6;
};

void PrintTo(const Released& released, std::ostream* out) {
  *out << released.plugin << " {" << released.options << "}";
}

constexpr int64_t kWidth = 48, kHeadCount = 4, kDepth = 2;

class Composed {
 public:
  Composed(const nn::Model& model, const Released& how) : how_(how) {
    for (const nn::Parameter& parameter : model.parameters()) tensors_[parameter.name] = parameter.tensor.detach();
  }

  at::Tensor logits(const at::Tensor& tokens) const {
    at::Tensor x = at::embedding(of("embedding.weight"), tokens);
    for (int64_t i = 0; i < kDepth; ++i) {
      const std::string layer = "layers." + std::to_string(i) + ".";
      x = x + attention(layer, how_.outer ? norm(x, layer + "attention_norm") : x);
      x = x + ffn(layer, how_.outer ? norm(x, layer + "ffn_norm") : x);
    }
    return at::linear(norm(x, "norm"), of(how_.tied ? "embedding.weight" : "head.weight"));
  }

 private:
  const at::Tensor& of(const std::string& name) const { return tensors_.at(name); }

  at::Tensor norm(const at::Tensor& x, const std::string& name) const {
    return of(name + ".gamma") * (x * (x.square().mean(-1, true) + how_.epsilon).rsqrt());
  }

  // BitLinear: weights round to {−1, 0, 1} times their mean, activations to 8 bits a token.
  at::Tensor linear(const at::Tensor& given, const std::string& name) const {
    if (!how_.ternary) return at::linear(given, of(name + ".weight"));
    const at::Tensor x = tensors_.contains(name + ".norm.gamma") ? norm(given, name + ".norm") : given;
    const at::Tensor s = 1.0 / of(name + ".weight").abs().mean().clamp_min(1e-5);
    const at::Tensor weight = (of(name + ".weight") * s).round().clamp(-1, 1) / s;
    const at::Tensor step = 127.0 / std::get<0>(x.abs().max(-1, true)).clamp_min(1e-5);
    return at::linear((x * step).round().clamp(-128, 127) / step, weight);
  }

  // [B, H, T, d_h] turned, as apply_rotary_pos_emb does.
  at::Tensor turned(const at::Tensor& x) const {
    const int64_t size = x.size(3);
    const at::Tensor frequencies = 1.0 / at::pow(how_.theta, at::arange(0, size, 2, at::kFloat) / size);
    const at::Tensor freqs = at::arange(x.size(2), at::kFloat).unsqueeze(1) * frequencies.unsqueeze(0);
    const at::Tensor angles = at::cat({freqs, freqs}, 1);
    const at::Tensor half = at::cat({-x.narrow(3, size / 2, size / 2), x.narrow(3, 0, size / 2)}, 3);
    return x * angles.cos() + half * angles.sin();
  }

  at::Tensor attention(const std::string& layer, const at::Tensor& x) const {
    const int64_t size = kWidth / kHeadCount, context = x.size(1);
    const auto heads = [&](const char* name, int64_t count) {
      return linear(x, layer + "attention." + name).view({x.size(0), context, count, size}).transpose(1, 2);
    };
    at::Tensor q = heads("q", kHeadCount), k = heads("k", how_.kv_heads), v = heads("v", how_.kv_heads);
    if (how_.rope) q = turned(q), k = turned(k);
    k = at::repeat_interleave(k, kHeadCount / how_.kv_heads, 1);
    v = at::repeat_interleave(v, kHeadCount / how_.kv_heads, 1);
    const at::Tensor mask = at::full({context, context}, -INFINITY).triu(1);
    const at::Tensor p = (at::matmul(q, k.transpose(2, 3)) / std::sqrt(static_cast<double>(size)) + mask).softmax(-1);
    return linear(at::matmul(p, v).transpose(1, 2).reshape(x.sizes()), layer + "attention.o");
  }

  at::Tensor ffn(const std::string& layer, const at::Tensor& x) const {
    const at::Tensor gate = linear(x, layer + "ffn.gate"), up = linear(x, layer + "ffn.up");
    return linear((how_.relu2 ? at::relu(gate).square() : at::silu(gate)) * up, layer + "ffn.down");
  }

  Released how_;
  std::map<std::string, at::Tensor> tensors_;
};

class ReleasedModels : public testing::TestWithParam<Released> {};

TEST_P(ReleasedModels, AreSaidExactly) {
  const at::NoGradGuard no_grad;
  const Released& how = GetParam();
  const std::string shape = R"({"d_model": 48, "n_layers": 2, "n_heads": 4, "d_ff": 40, )";
  const plugin::OwnedModel model =
      build(built_plugin(how.plugin), fresh_request(how.plugin, shape + how.options + "}"));
  at::Generator seeded = at::globalContext().defaultGenerator(at::kCPU).clone();
  seeded.set_current_seed(3);
  for (const nn::Parameter& parameter : model->parameters())  // gains that are not all 1
    if (!parameter.decay) at::Tensor(parameter.tensor.detach()).uniform_(0.5, 1.5, seeded);
  const at::Tensor tokens = at::empty({3, kContext}, at::kLong).random_(0, kVocab, seeded);
  const at::Tensor ours = model->forward(tokens, {}), theirs = Composed(*model, how).logits(tokens);
  // Next to a half the rounding to 8 bits is decided by the order of a sum.
  const double near = at::isclose(ours, theirs, 1e-4, 1e-4).to(at::kFloat).mean().item<double>();
  EXPECT_GE(near, how.ternary ? 0.9 : 1.0);
  EXPECT_LT((ours - theirs).norm().item<double>(), 0.02 * theirs.norm().item<double>());
}

const std::string kRope = R"("positions": "rope")";

INSTANTIATE_TEST_SUITE_P(
    All, ReleasedModels,
    testing::Values(
        Released{.plugin = "llama", .options = kRope},
        Released{.plugin = "llama", .options = R"("positions": "none")", .rope = false},
        Released{.plugin = "llama",
                 .options = kRope + R"(, "rope_theta": 500000, "n_kv_heads": 2, "tied": true, "norm_eps": 1e-5)",
                 .tied = true,
                 .kv_heads = 2,
                 .theta = 5e5,
                 .epsilon = 1e-5},
        Released{.plugin = "llama",
                 .options = kRope + R"(, "n_kv_heads": 1, "norm_eps": 0.01)",
                 .kv_heads = 1,
                 .epsilon = 0.01},
        Released{.plugin = "b158", .options = kRope, .ternary = true, .outer = false},
        // 1bitLLM/bitnet_b1_58-*
        Released{.plugin = "b158",
                 .options = kRope + R"(, "norms": "outer_and_sub", "norm_eps": 1e-5)",
                 .ternary = true,
                 .epsilon = 1e-5},
        // microsoft/bitnet-b1.58-2B-4T
        Released{.plugin = "b158",
                 .options = kRope + R"(, "rope_theta": 500000, "norms": "outer_and_sub", "activation": "relu2",
                                       "n_kv_heads": 2, "tied": true, "norm_eps": 1e-5)",
                 .tied = true,
                 .ternary = true,
                 .relu2 = true,
                 .kv_heads = 2,
                 .theta = 5e5,
                 .epsilon = 1e-5}));

TEST(Tied, OneMatrixIsCountedOnceAndStartsAsAHead) {
  const std::string shape = R"({"d_model": 64, "n_layers": 2, "n_heads": 4, "d_ff": 40)";
  for (const char* name : {"llama", "bitnet", "b158"}) {
    const plugin::Plugin plugin = built_plugin(name);
    const plugin::Description free = plugin.describe(fresh_request(name, shape + "}")),
                              tied = plugin.describe(fresh_request(name, shape + R"(, "tied": true})"));
    EXPECT_EQ(free.params - tied.params, kVocab * 64);
    EXPECT_EQ(tied.params_embedding, kVocab * 64);
    EXPECT_EQ(free.params_nonembedding(), tied.params_nonembedding());
    EXPECT_DOUBLE_EQ(free.flops_training_per_token(), tied.flops_training_per_token());
    EXPECT_FALSE(tied.options.contains("embedding_sd"));
    const plugin::OwnedModel model = build(plugin, fresh_request(name, shape + R"(, "tied": true})"));
    EXPECT_NEAR(model->parameters()[0].tensor.std().item<double>(), 0.125, 0.01) << name;
  }
}

TEST(SharedHeads, KeysAndValuesAreNarrower) {
  const std::string shape = R"({"d_model": 64, "n_layers": 3, "n_heads": 4, "d_ff": 40)";
  for (const char* name : {"llama", "bitnet", "b158"}) {
    const plugin::Plugin plugin = built_plugin(name);
    const auto described = [&](const std::string& more) { return plugin.describe(request_of(shape + more + "}")); };
    const plugin::Description all = described("");
    for (const int64_t kv_heads : {1, 2}) {
      const plugin::Description few = described(R"(, "n_kv_heads": )" + std::to_string(kv_heads));
      const int64_t saved = 3 * 2 * 64 * (64 - 16 * kv_heads);
      EXPECT_EQ(all.params - few.params, saved);
      EXPECT_DOUBLE_EQ(all.flops_forward_per_token - few.flops_forward_per_token, 2.0 * static_cast<double>(saved));
    }
    EXPECT_EQ(canonical_json(described(R"(, "n_kv_heads": 4)").options), canonical_json(all.options));
    try {
      described(R"(, "n_kv_heads": 3)");
      FAIL();
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("n_kv_heads: expected a divisor of n_heads (4), from 1 to 4, got 3"),
                std::string::npos);
    }
    const plugin::Description sized = plugin.describe(request_of(R"({"params": "3M", "n_kv_heads": 3})"));
    EXPECT_EQ(sized.options.at("n_heads").to_number<int64_t>() % 3, 0);
    EXPECT_NEAR(static_cast<double>(sized.params) / 3e6, 1, 0.02);
  }
}

// Specs of before these options, and what says the same with them.
TEST(Options, ThatCameLaterChangeNoIdOfBefore) {
  for (const char* name : {"llama", "bitnet", "b158"}) {
    const std::string tiny = kTiny.substr(0, kTiny.size() - 1);
    const std::string before = canonical_json(built_plugin(name).describe(request_of(kTiny)).options);
    EXPECT_NE(before.find(R"("alibi":true)"), std::string::npos);
    for (const char* later : {"positions", "rope_theta", "n_kv_heads", "tied", "norm_eps", "norms", "activation"})
      EXPECT_EQ(before.find(later), std::string::npos) << later;
    const std::string same = tiny + R"(, "positions": "alibi", "n_kv_heads": 2, "tied": false, "norm_eps": 1e-6})";
    EXPECT_EQ(canonical_json(built_plugin(name).describe(request_of(same)).options), before);
  }
  const std::string said = kTiny.substr(0, kTiny.size() - 1) + R"(, "norms": "inside", "activation": "silu"})";
  EXPECT_EQ(canonical_json(built_plugin("b158").describe(request_of(said)).options),
            canonical_json(built_plugin("b158").describe(request_of(kTiny)).options));
}

TEST(Options, BodyAimsAtTheParametersBetweenTheEnds) {
  for (const char* name : kPluginNames) {
    const plugin::Description large = built_plugin(name).describe(request_of(R"({"body": "1M"})", 50'000));
    EXPECT_NEAR(static_cast<double>(large.params_nonembedding()) / 1e6, 1, 0.02) << name;
    EXPECT_FALSE(large.options.contains("body"));
  }
}

TEST(StoredBits, AreToldWithoutTheEndsToo) {
  const auto body = [](const char* name) {
    const plugin::Description said = built_plugin(name).describe(request_of(kTiny));
    return plugin::description_from_json(to_json(said)).stored_bits_per_weight_body.value();
  };
  for (const char* name : {"v47b", "v52", "v57", "v75", "v76", "truebit", "bitnet"}) EXPECT_EQ(body(name), 1) << name;
  EXPECT_EQ(body("llama"), 16);
  EXPECT_DOUBLE_EQ(body("b158"), std::log2(3.0));
}

}  // namespace
}  // namespace bitsweep
