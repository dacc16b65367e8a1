// What the plugins say of their size, without building a tensor.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/built_plugin.h"

namespace bitsweep {
namespace {

struct Known {
  const char* options;
  int64_t params;
};

class V57Geometry : public testing::TestWithParam<Known> {};

TEST_P(V57Geometry, CountIsTheSeeds) {
  const plugin::Description description = built_plugin("v57").describe(request_of(GetParam().options, 128, 256));
  EXPECT_EQ(description.params, GetParam().params);
  EXPECT_EQ(description.params_extra, 129);  // a bias per symbol and the logit scale
  EXPECT_EQ(description.stored_bits_per_weight, 1);
}

INSTANTIATE_TEST_SUITE_P(
    Seed, V57Geometry,
    testing::Values(Known{R"({"d_model":1024,"n_layers":8,"n_heads":32,"d_ff":512})", 46'448'640},
                    Known{R"({"d_model":640,"n_layers":6,"n_heads":20,"d_ff":320})", 13'703'680},
                    Known{R"({"d_model":2048,"n_layers":16,"n_heads":32,"d_ff":1024})", 369'819'648},
                    Known{R"({"params":"5.5M"})", 5'516'800}, Known{R"({"params":"13.7M"})", 13'703'680},
                    Known{R"({"params":46.4e6})", 46'448'640}));

TEST(Geometry, V75AddsItsNormsAndLlamaHasNoThresholds) {
  const char* shape = R"({"d_model":640,"n_layers":6,"n_heads":20,"d_ff":320})";
  const int64_t norms = (2 * 6 + 1) * 640, thresholds = 6 * (5 * 640 + 2 * 320);
  EXPECT_EQ(built_plugin("v75").describe(request_of(shape, 128)).params, 13'703'680 + norms);
  const plugin::Description llama = built_plugin("llama").describe(request_of(shape, 128));
  EXPECT_EQ(llama.params, 13'703'680 - thresholds + norms);
  EXPECT_EQ(llama.params_extra, 0);
  EXPECT_EQ(llama.stored_bits_per_weight, 16);
}

class EqualTargets : public testing::TestWithParam<std::tuple<const char*, int64_t>> {};

TEST_P(EqualTargets, GiveTwinsWithinTwoPercent) {
  const auto& [target, vocab] = GetParam();
  std::vector<double> params;
  for (const char* name : kPluginNames) {
    const std::string options = std::string(R"({"params":")") + target + "\"}";
    for (const plugin::DescribeRequest& request : {request_of(options, vocab), fresh_request(name, options, vocab)})
      params.push_back(static_cast<double>(built_plugin(name).describe(request).params));
  }
  const auto [least, most] = std::minmax_element(params.begin(), params.end());
  EXPECT_LT(*most / *least, 1.02);
}

INSTANTIATE_TEST_SUITE_P(Sizes, EqualTargets,
                         testing::Combine(testing::Values("100k", "200k", "300k", "600k", "1M", "3M", "5.5M", "14M",
                                                          "46M", "300M", "1B"),
                                          testing::Values<int64_t>(128, 256)));

TEST(Geometry, StoredBytesAreBitsOfWeightsAndHalfFloatsOfTheRest) {
  const char* shape = R"({"d_model":64,"n_layers":2,"n_heads":2,"d_ff":32})";
  const auto stored = [&](const char* name) {
    return built_plugin(name).describe(request_of(shape, 128, 100)).stored_bytes;
  };
  constexpr int64_t kEnds = 2 * 128 * 64, kLayers = 2 * (4 * 64 * 64 + 3 * 64 * 32),
                    kThresholds = 2 * (5 * 64 + 2 * 32);
  constexpr int64_t kHead = 128 + 1, kNorms = 5 * 64, kInnerNorms = 2 * (6 * 64 + 32) + 64;
  EXPECT_EQ(stored("v57"), (kEnds + kLayers) / 8 + 2 * (kThresholds + kHead));
  EXPECT_EQ(stored("truebit"), stored("v57"));
  EXPECT_EQ(stored("v75"), (kEnds + kLayers) / 8 + 2 * (kThresholds + kNorms + kHead));
  EXPECT_EQ(stored("llama"), 2 * (kEnds + kLayers + kNorms));
  EXPECT_EQ(stored("bitnet"), 2 * kEnds + kLayers / 8 + 2 * kInnerNorms);
  EXPECT_NEAR(static_cast<double>(stored("b158")), 2.0 * kEnds + std::log2(3.0) * kLayers / 8 + 2 * kInnerNorms, 1);
}

TEST(Geometry, ForwardFlopsAreTwiceTheWeightsPlusTheScores) {
  const char* shape = R"({"d_model":64,"n_layers":2,"n_heads":2,"d_ff":32})";
  const double weights = 2 * (4.0 * 64 * 64 + 3.0 * 64 * 32) + 128.0 * 64;
  const double scores = 2 * 2.0 * 64 * 100;
  EXPECT_DOUBLE_EQ(built_plugin("v57").describe(request_of(shape, 128, 100)).flops_forward_per_token,
                   2 * weights + scores);
  EXPECT_DOUBLE_EQ(built_plugin("llama").describe(request_of(shape, 128, 100)).flops_forward_per_token,
                   2 * weights + 2 * scores);
}

}  // namespace
}  // namespace bitsweep
