// What a plugin says that a training step multiplies, against the products that the step makes (train/product_count.h).
#include <ostream>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "built_plugin.h"
#include "nn/kernel_for.h"
#include "train/evaluate.h"
#include "train/gradients.h"
#include "train/product_count.h"

namespace bitsweep {
namespace {

constexpr int64_t kSequences = 3, kAlphabet = 96;

struct FlopsCase {
  std::string plugin, options;  // beside the shape
  int64_t context = kContext;
  std::string precision = "f32";
  int64_t vocab = kAlphabet;
};

void PrintTo(const FlopsCase& c, std::ostream* out) {
  *out << c.plugin << " {" << c.options << "} T " << c.context << " " << c.precision;
}

class Flops : public testing::TestWithParam<FlopsCase> {
 protected:
  static plugin::DescribeRequest request() {
    const std::string more = GetParam().options.empty() ? "" : ", " + GetParam().options;
    plugin::DescribeRequest request =
        request_of(R"({"d_model": 48, "n_layers": 3, "n_heads": 3, "d_ff": 40)" + more + "}", GetParam().vocab,
                   GetParam().context);
    request.sequences = kSequences;
    request.precision = GetParam().precision;
    return request;
  }

  // Of a pass forward alone, and of a step.
  static std::pair<int64_t, int64_t> counted() {
    const plugin::OwnedModel model = build(built_plugin(GetParam().plugin), request());
    nn::StepContext context{.training = true, .step = 3, .total_steps = 10, .noise = {}};
    context.noise = at::globalContext().defaultGenerator(at::kCPU).clone();
    const train::Precision precision = train::parse_precision(GetParam().precision);
    const train::TokenBatch batch =
        train::to_device(at::full({kSequences, GetParam().context + 1}, 65, at::kByte), at::kCPU);
    const train::ProductCount count;
    token_scores(*model, batch, context, precision, /*likeliest=*/false);
    const int64_t forward = count.flops();
    loss_and_backward(*model, batch, context, precision);
    return {forward, count.flops() - forward};
  }

  static void expect_described(const std::pair<int64_t, int64_t>& made) {
    const plugin::Description said = built_plugin(GetParam().plugin).describe(request());
    const auto tokens = static_cast<double>(kSequences * GetParam().context);
    EXPECT_DOUBLE_EQ(said.flops_forward_per_token * tokens, static_cast<double>(made.first));
    EXPECT_DOUBLE_EQ(said.flops_training_per_token() * tokens, static_cast<double>(made.second));
    double blocks = 0;
    for (const plugin::BlockCost& block : said.blocks) blocks += block.flops_training_per_token();
    EXPECT_NEAR(blocks, said.flops_training_per_token(), 1e-9 * blocks);
  }
};

TEST_P(Flops, AreThoseOfTheProductsThatAStepMakes) { expect_described(counted()); }

TEST_P(Flops, AreTheSameOnTheReferencePath) {
  const nn::WithKernels reference(kernels::no_kernels());
  expect_described(counted());
}

std::vector<FlopsCase> flops_cases() {
  std::vector<FlopsCase> all;
  for (const char* name : kPluginNames) {
    for (const int64_t context : {int64_t{5}, kContext, int64_t{130}}) all.push_back({name, "", context});
    all.push_back({name, R"("alibi": false)"});
    all.push_back({name, "", kContext, "bf16"});
  }
  for (const char* name : {"v57", "truebit"})
    for (const char* more : {R"("attention": "topk")", R"("attention": "topk", "topk_k": 9)",
                             R"("attention": "rwsp", "rwsp_k": 2)", R"("output_ste": "identity")"})
      all.push_back({name, more});
  for (const char* rule : {"counter", "bold", "diode", "dqt"})
    all.push_back({"truebit", std::string(R"("rule": ")") + rule + "\""});
  for (const char* name : {"v47b", "v52", "v76"}) all.push_back({name, R"("alpha": "learned")"});
  for (const char* more : {R"("rwsp_k": 32)", R"("attention": "gumbel")", R"("kshift_layers": [0, 2])",
                           R"("bonsai": true)", R"("rho_end": 0)"})
    all.push_back({"v76", more});
  for (const char* name : {"llama", "bitnet", "b158"}) all.push_back({name, R"("init": "fan_in")"});
  for (const char* name : {"llama", "bitnet", "b158", "v47b", "v52", "v75", "v76"})
    all.push_back({name, R"("positions": "rope")"});
  for (const char* name : {"llama", "bitnet", "b158"})
    for (const char* more : {R"("n_kv_heads": 1)", R"("tied": true)"}) all.push_back({name, more});
  all.push_back({"b158", R"("norms": "outer_and_sub", "activation": "relu2")"});
  for (const char* name : {"llama", "v57"}) all.push_back({name, "", int64_t{130}, "f32", 50'000});  // three parts
  return all;
}

INSTANTIATE_TEST_SUITE_P(Plugins, Flops, testing::ValuesIn(flops_cases()));

}  // namespace
}  // namespace bitsweep
