// The control and its kin start and are shaped by options that came after runs were made: what those runs were, they
// stay; what a new sweep gets is the better of what was measured (plugins/llama/README.md).
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "plugins/built_plugin.h"
#include "spec/run_spec.h"

namespace bitsweep {
namespace {

const std::string kOld =
    R"(, "shape": "deep", "ffn_ratio": 0.5, "init": "fixed", "init_sd": 0.02, "embedding_sd": 0.02})";

const at::Tensor& weight(nn::Model& model, const std::string& name) {
  for (const nn::Parameter& parameter : model.parameters())
    if (parameter.name == name) return parameter.tensor;
  throw std::out_of_range(name);
}

double deviation(nn::Model& model, const std::string& name) {
  return weight(model, name).square().mean().sqrt().item<double>();
}

class Control : public testing::TestWithParam<const char*> {
 protected:
  const plugin::Plugin plugin_ = built_plugin(GetParam());
};

TEST_P(Control, WithoutTheLaterOptionsIsWhatItWas) {
  const std::string tiny = kTiny.substr(0, kTiny.size() - 1);
  for (const std::string& options : {tiny, std::string(R"({"params": "300k")")}) {
    const plugin::Description bare = plugin_.describe(request_of(options + "}"));
    for (const char* later : {"shape", "ffn_ratio", "init", "init_sd", "embedding_sd"})
      EXPECT_FALSE(bare.options.contains(later)) << later;
    EXPECT_EQ(canonical_json(plugin_.describe(request_of(options + kOld)).options), canonical_json(bare.options));
    EXPECT_EQ(canonical_json(plugin_.describe(fresh_request(GetParam(), options + kOld)).options),
              canonical_json(bare.options));
    for (const char* later : {"shape", "ffn_ratio", "init", "init_sd", "embedding_sd", "tied", "norm_eps"})
      EXPECT_TRUE(bare.implied.contains(later)) << later;
  }
  const plugin::OwnedModel bare = build(plugin_, request_of(kTiny)), said = build(plugin_, request_of(tiny + kOld));
  for (const nn::Parameter& parameter : bare->parameters())
    EXPECT_TRUE(weight(*said, parameter.name).equal(parameter.tensor)) << parameter.name;
  for (const char* name : {"embedding.weight", "layers.0.attention.q.weight", "head.weight"})
    EXPECT_NEAR(deviation(*bare, name), 0.02, 0.002) << name;
}

TEST_P(Control, OfANewSweepStartsByItsFanIn) {
  const plugin::OwnedModel model = build(plugin_, fresh_request(GetParam(), kTiny));
  const double d = 1 / std::sqrt(32.0), residual = std::sqrt(2.0 * 2);
  EXPECT_NEAR(deviation(*model, "embedding.weight"), 0.25, 0.02);
  EXPECT_NEAR(deviation(*model, "layers.1.attention.k.weight"), d, 0.1 * d);
  EXPECT_NEAR(deviation(*model, "layers.1.attention.o.weight"), d / residual, 0.1 * d / residual);
  EXPECT_NEAR(deviation(*model, "layers.0.ffn.up.weight"), d, 0.1 * d);
  const double down = 1 / std::sqrt(24.0) / residual;
  EXPECT_NEAR(deviation(*model, "layers.0.ffn.down.weight"), down, 0.1 * down);
  EXPECT_NEAR(deviation(*model, "head.weight"), d, 0.1 * d);
}

TEST_P(Control, IsCountedExactlyInEitherShape) {
  for (const char* target : {"100k", "480k", "1M"}) {
    const std::string options = std::string(R"({"params": ")") + target + "\"";
    for (const plugin::DescribeRequest& request :
         {request_of(options + "}"), fresh_request(GetParam(), options + "}"),
          request_of(options + R"(, "shape": "wide"})"), request_of(options + R"(, "ffn_ratio": 2.65})")}) {
      const plugin::Description said = plugin_.describe(request);
      const plugin::OwnedModel model = build(plugin_, request);
      int64_t built = 0;
      for (const nn::Parameter& parameter : model->parameters()) built += parameter.tensor.numel();
      EXPECT_EQ(said.params + said.params_extra, built);
    }
  }
}

TEST_P(Control, OfANewSweepIsWiderThanItWas) {
  for (const char* options : {R"({"params": "200k"})", R"({"params": "1M"})", R"({"params": "46.4M"})"}) {
    const json::object now = plugin_.describe(fresh_request(GetParam(), options)).options;
    const json::object before = plugin_.describe(request_of(options)).options;
    EXPECT_LT(now.at("n_layers").to_number<int64_t>(), before.at("n_layers").to_number<int64_t>());
    EXPECT_GE(now.at("d_ff").to_number<double>() / now.at("d_model").to_number<double>(), 0.75 * 2.65);
  }
}

INSTANTIATE_TEST_SUITE_P(Llamas, Control, testing::Values("llama", "b158", "bitnet"),
                         [](const auto& info) { return std::string(info.param); });

// A run of an earlier version, under the id that it was given then.
TEST(Control, ASpecOfBeforeKeepsItsId) {
  for (const char* id : {"ddb3bb641b6d", "fdc0a00c16d0"}) {
    const fs::path runs = fs::path(BITSWEEP_SOURCE_DIR) / "tests/queue/store/root_9c0c5ae/runs";
    const fs::path file = runs / id / "attempt-1/spec.json";
    spec::RunSpec spec = spec::run_spec_from_json(parse_json(read_file(file, 1 << 20), "spec").as_object());
    const plugin::DescribeRequest request{.options = spec.model.options, .vocab = 128, .context = spec.data.context};
    spec.model.options = built_plugin(spec.model.plugin).describe(request).options;
    EXPECT_EQ(run_id(spec), id);
  }
}

}  // namespace
}  // namespace bitsweep
