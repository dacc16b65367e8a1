// Decoding with cached keys and values against the forward pass over all that was read.
#include <gtest/gtest.h>

#include "base/error.h"
#include "built_plugin.h"

namespace bitsweep {
namespace {

struct Decoded {
  const char* plugin;
  std::string options;  // beside the shape
};

void PrintTo(const Decoded& decoded, std::ostream* out) { *out << decoded.plugin << " {" << decoded.options << "}"; }

class Decoding : public testing::TestWithParam<Decoded> {
 protected:
  Decoding()
      : model_(build(built_plugin(GetParam().plugin),
                     request_of(kTiny.substr(0, kTiny.size() - 1) + GetParam().options + "}"))) {
    at::Generator seeded = at::globalContext().defaultGenerator(at::kCPU).clone();
    seeded.set_current_seed(5);
    tokens_ = at::empty({3, kContext}, at::kLong).random_(0, kVocab, seeded);
    // Fresh weights are alike: sums of them are 0 but for rounding, which is another for one row than for many on some
    // processors, and what a sign makes of that is chance.
    const at::NoGradGuard no_grad;
    for (const nn::Parameter& parameter : model_->parameters())
      parameter.tensor.add_(at::empty_like(parameter.tensor).uniform_(-0.02, 0.02, seeded));
  }

  // Prompt of `prompt` tokens, then one at a time.
  at::Tensor decoded(int64_t prompt, const nn::StepContext& context = {}) {
    nn::DecodeCache cache;
    std::vector<at::Tensor> logits{model_->decode(tokens_.narrow(1, 0, prompt), context, cache)};
    for (int64_t t = prompt; t < kContext; ++t)
      logits.push_back(model_->decode(tokens_.narrow(1, t, 1), context, cache));
    EXPECT_EQ(cache.length, kContext);
    EXPECT_FALSE(logits.back().requires_grad());
    return at::cat(logits, 1);
  }

  plugin::OwnedModel model_;
  at::Tensor tokens_;
};

TEST_P(Decoding, GivesTheLogitsOfTheWhole) {
  const at::NoGradGuard no_grad;
  // Middle of a run, where rho and the binarized part are on their way.
  for (const nn::StepContext& context :
       {nn::StepContext{}, nn::StepContext{.training = false, .step = 3, .total_steps = 10, .noise = {}}}) {
    const at::Tensor whole = model_->forward(tokens_, context);
    for (const int64_t prompt : {1, 9}) {
      const at::Tensor found = decoded(prompt, context);
      ASSERT_EQ(found.sizes(), whole.sizes());
      const std::string plugin = GetParam().plugin;
      const bool whole_numbers = plugin == "v57" || plugin == "truebit";  // all sums are
      EXPECT_TRUE(!whole_numbers || found.equal(whole));
      // Where activations are of 8 bits, one that lies between two levels may come to lie on either.
      const bool levels = plugin == "bitnet" || plugin == "b158";
      EXPECT_LT((found - whole).abs().max().item<double>(), levels ? 5e-3 : 2e-5);
      EXPECT_TRUE(levels || found.argmax(2).equal(whole.argmax(2)));
    }
  }
}

TEST_P(Decoding, GivesTheLastLogitsOfAPromptAlone) {
  nn::DecodeCache all, last;
  const at::Tensor prompt = tokens_.narrow(1, 0, 9), every = model_->decode(prompt, {}, all),
                   one = model_->decode(prompt, {}, last, 1);
  ASSERT_EQ(one.sizes(), (at::IntArrayRef{3, 1, kVocab}));
  EXPECT_TRUE(at::allclose(one, every.narrow(1, 8, 1), 1e-5, 1e-5));
  EXPECT_EQ(last.length, 9);
}

TEST_P(Decoding, KeepsKeysAndDoesNotReadAgain) {
  nn::DecodeCache cache;
  model_->decode(tokens_.narrow(1, 0, 9), {}, cache);
  EXPECT_FALSE(cache.tokens.defined());
  ASSERT_EQ(cache.layers.size(), 2u);
  EXPECT_EQ(cache.layers[1].positions(), 9);
  EXPECT_THROW(model_->decode(tokens_.narrow(0, 0, 2).narrow(1, 9, 1), {}, cache), Error);
}

std::vector<Decoded> decoded_cases() {
  std::vector<Decoded> all;
  for (const char* name : kPluginNames) {
    all.push_back({name, ""});
    all.push_back({name, R"(, "alibi": false)"});
  }
  for (const char* name : {"llama", "b158", "bitnet", "v47b", "v52", "v75", "v76"})
    all.push_back({name, R"(, "positions": "rope")"});
  for (const char* name : {"llama", "b158", "bitnet"})
    all.push_back({name, R"(, "positions": "rope", "n_kv_heads": 1, "tied": true)"});
  for (const char* name : {"v57", "truebit"})
    for (const char* more : {R"(, "attention": "topk")", R"(, "attention": "rwsp", "rwsp_k": 8)"})
      all.push_back({name, more});
  for (const char* more : {R"(, "kshift_layers": [0, 1], "kshift_offset": 3)", R"(, "attention": "gumbel")",
                           R"(, "bonsai": true)", R"(, "rwsp_k": 20, "rho_end": 0.5)"})
    all.push_back({"v76", more});
  all.push_back({"b158", R"(, "norms": "outer_and_sub", "activation": "relu2", "positions": "rope")"});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Plugins, Decoding, testing::ValuesIn(decoded_cases()));

// A plugin that has a forward pass and nothing else.
TEST(Decode, OfAModelWithoutACacheReadsAgain) {
  struct Sums : nn::Model {
    at::Tensor forward(const at::Tensor& tokens, const nn::StepContext& context) override {
      EXPECT_FALSE(context.training);
      return at::one_hot(tokens.cumsum(1).remainder(5), 5).to(at::kFloat);
    }
  } model;
  const at::Tensor tokens = at::tensor({1, 3, 2, 4, 4, 0}, at::kLong).view({1, 6}).expand({2, 6}).contiguous();
  nn::DecodeCache cache;
  const at::Tensor first = model.decode(tokens.narrow(1, 0, 4), {}, cache),
                   rest = model.decode(tokens.narrow(1, 4, 2), {}, cache);
  EXPECT_TRUE(at::cat({first, rest}, 1).equal(model.forward(tokens, {})));
  nn::DecodeCache other;
  EXPECT_TRUE(static_cast<nn::Model&>(model).decode(tokens, {}, other, 2).equal(rest));
  EXPECT_EQ(cache.length, 6);
  EXPECT_THROW(model.decode(tokens.narrow(0, 0, 1), {}, cache), Error);
}

}  // namespace
}  // namespace bitsweep
