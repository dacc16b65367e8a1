// Checkpoints that Hugging Face's transformers saved, in our models: the logits that it computed from them
// (tests/model/weights/goldens/make.py).
#include <gtest/gtest.h>

#include "base/error.h"
#include "built_plugin.h"
#include "worker/released_weights.h"

namespace bitsweep {
namespace {

at::Tensor tensor_of(const json::value& value) {
  if (!value.is_array()) return at::scalar_tensor(value.to_number<double>(), at::kDouble);
  std::vector<at::Tensor> rows;
  for (const json::value& row : value.get_array()) rows.push_back(tensor_of(row));
  return at::stack(rows);
}

class ImportedModel : public testing::TestWithParam<const char*> {};

TEST_P(ImportedModel, ComputesWhatTheOtherProgramDid) {
  const at::NoGradGuard no_grad;
  const fs::path folder = fs::path(BITSWEEP_SOURCE_DIR) / "tests/model/weights/goldens" / GetParam();
  const weights::ReleasedModel released = weights::read_released(folder);
  const plugin::OwnedModel model =
      build(built_plugin(released.config.plugin()),
            {.options = released.config.options(), .vocab = released.config.vocab, .context = 12});
  worker::copy_released(released, *model);
  const json::object golden = parse_json(read_file(folder / "logits.json"), "logits").as_object();
  const at::Tensor ours = model->forward(tensor_of(golden.at("tokens")).to(at::kLong), {}).to(at::kDouble);
  const at::Tensor theirs = tensor_of(golden.at("logits"));  // [2, 12, 32]
  ASSERT_EQ(ours.sizes(), theirs.sizes());
  EXPECT_LT((ours - theirs).abs().max().item<double>(), 1e-5);
  EXPECT_GT(theirs.std().item<double>(), 0.5);
}

INSTANTIATE_TEST_SUITE_P(All, ImportedModel,
                         testing::Values("llama", "llama_tied", "llama_scaled", "bitnet", "bitnet_1bitllm"));

// A model of another shape, and one of other parts.
TEST(ImportedModels, ThatDoNotFitTouchNothing) {
  const fs::path goldens = fs::path(BITSWEEP_SOURCE_DIR) / "tests/model/weights/goldens";
  const weights::ReleasedModel released = weights::read_released(goldens / "llama");
  json::object options = released.config.options();
  options["d_ff"] = 20;
  options["tied"] = true;
  const plugin::OwnedModel model = build(built_plugin("llama"), {.options = options, .vocab = 32, .context = 12});
  const at::Tensor before = model->parameters()[0].tensor.detach().clone();
  try {
    worker::copy_released(released, *model);
    FAIL();
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("'model.layers.1.mlp.up_proj.weight' has shape [24, 16], the model's 'layers.1.ffn.up.weight' "
                        "has [20, 16]"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("the model has no tensor 'head.weight' for 'lm_head.weight'"), std::string::npos) << text;
  }
  EXPECT_TRUE(at::equal(before, model->parameters()[0].tensor));
}

}  // namespace
}  // namespace bitsweep
