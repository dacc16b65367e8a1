#include "spec/run_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace bitsweep::spec {
namespace {

RunSpec example() {
  RunSpec spec;
  spec.model = {"v57", {{"d_model", 512}, {"n_layers", 4}, {"tau_start", 2.0}}};
  spec.data.corpus = "/texts/a.txt";
  spec.data.sha256 = std::string(64, 'a');
  spec.train.steps = 2000;
  spec.train.freeze = {"layers.0.*"};
  spec.seed = 3;
  return spec;
}

TEST(RunSpec, GoesThroughJsonUnchanged) {
  const RunSpec spec = example();
  const RunSpec back = run_spec_from_json(to_json(spec));
  EXPECT_EQ(canonical_json(to_json(back)), canonical_json(to_json(spec)));
  EXPECT_EQ(run_id(back), run_id(spec));
}

// These ids are on people's disks: a change here is a change of every run's name.
TEST(RunSpec, IdsAreStable) {
  EXPECT_EQ(run_id(example()), "78516fb86379");
  RunSpec llama;
  llama.model = {"llama", {{"d_model", 64}}};
  llama.data.corpus = "headers";
  llama.data.sha256 = std::string(64, '0');
  llama.train.steps = 100;
  EXPECT_EQ(run_id(llama), "26d317721da9");
}

TEST(RunSpec, TheCanonicalFormHasEveryKeyOnce) {
  EXPECT_EQ(
      canonical_json(identity(example())),
      R"({"data":{"context":256,"field":"","glob":"","sha256":")" + std::string(64, 'a') +
          R"(","tokenizer":"bytes256","val":"","val_fraction":0.05},"eval":{"every":200,"windows":256},)"
          R"("model":{"d_model":512,"n_layers":4,"plugin":"v57","tau_start":2},"seed":3,)"
          R"("train":{"accumulate":1,"batch":64,"betas":[0.9,0.95],"clip":1,"decay_fraction":0.2,"eps":1e-08,)"
          R"("freeze":["layers.0.*"],"init_from":"","lr":0.0006,"lr_final":0,"optimizer":"adamw","precision":"f32",)"
          R"("schedule":"cosine","steps":2000,"warmup":500,"weight_decay":0.01}})");
}

TEST(RunSpec, AKeyThatCameLaterIsWrittenOnlyWhenItSaysSomething) {
  RunSpec spec = example();
  EXPECT_FALSE(to_json(spec).at("train").as_object().contains("weight_decay_until"));
  spec.train.weight_decay_until = 0.5;
  EXPECT_NE(run_id(spec), run_id(example()));
  EXPECT_EQ(run_spec_from_json(to_json(spec)).train.weight_decay_until, 0.5);

  spec = example();
  EXPECT_FALSE(to_json(spec).at("train").as_object().contains("gradients"));
  EXPECT_EQ(run_spec_from_json(to_json(spec)).train.gradients, "f32");
  spec.train.gradients = "s6";
  EXPECT_NE(run_id(spec), run_id(example()));
  EXPECT_EQ(run_spec_from_json(to_json(spec)).train.gradients, "s6");
}

TEST(RunSpec, WeightsFromElsewhereNameARunByTheirContent) {
  RunSpec spec = example(), moved = example();
  spec.imported = {.folder = "/models/a", .sha256 = std::string(64, 'b')};
  moved.imported = {.folder = "/models/b", .sha256 = std::string(64, 'b')};
  EXPECT_NE(run_id(spec), run_id(example()));
  EXPECT_EQ(run_id(spec), run_id(moved));
  const RunSpec back = run_spec_from_json(to_json(spec));
  EXPECT_EQ(back.imported.folder, "/models/a");
  EXPECT_EQ(run_id(back), run_id(spec));
  moved.imported.sha256 = std::string(64, 'c');
  EXPECT_NE(run_id(spec), run_id(moved));
  spec = moved;
  moved.data.vocab_rows = 512;
  EXPECT_NE(run_id(spec), run_id(moved));
  EXPECT_EQ(run_spec_from_json(to_json(moved)).data.vocab_rows, 512);
  EXPECT_FALSE(to_json(spec).at("data").as_object().contains("vocab_rows"));
}

TEST(RunSpec, TokenizersAreNamedByWhatDecidesTheirIds) {
  RunSpec spec = example();
  const std::string before = run_id(spec);
  spec.data.documents = "none";
  EXPECT_EQ(run_id(spec), before);
  spec.data.tokenizer = "/here/t.model";
  spec.data.tokenizer_sha256 = "a";
  const std::string here = run_id(spec);
  spec.data.tokenizer = "/there/t.model";
  EXPECT_EQ(run_id(spec), here);
  EXPECT_EQ(dataset_id(spec.data), dataset_id(run_spec_from_json(to_json(spec)).data));
  spec.data.vocab = 1024;
  spec.data.bytes_per_token = 2.5;
  EXPECT_EQ(run_id(spec), here);
  EXPECT_EQ(run_spec_from_json(to_json(spec)).data.vocab, 1024);
  spec.data.tokenizer_sha256 = "b";
  EXPECT_NE(run_id(spec), here);
  const std::string whole = run_id(spec);
  spec.data.documents = "bos";
  EXPECT_NE(run_id(spec), whole);
  spec.data.documents_sha256 = "c";
  spec.data.split = "documents";
  spec.eval.bytes = 1000;
  spec.eval.stride = 10;
  EXPECT_EQ(to_json(run_spec_from_json(to_json(spec))), to_json(spec));
}

TEST(RunSpec, ARecipeIsKept) {
  RunSpec spec = example();
  spec.data.tokenizer.clear();
  spec.data.recipe = {.kind = "unigram", .vocab = 700, .sample_bytes = 1'000'000};
  spec.data.tokenizer_sha256 = "a";
  const RunSpec back = run_spec_from_json(to_json(spec));
  EXPECT_EQ(back.data.recipe, spec.data.recipe);
  EXPECT_EQ(back.data.tokenizer, "");
  EXPECT_FALSE(back.data.is_bytes());
  EXPECT_TRUE(example().data.is_bytes());
}

TEST(RunSpec, WhenToProbeIsKept) {
  RunSpec spec = example();
  EXPECT_FALSE(to_json(spec).at("eval").as_object().contains("probes"));
  spec.eval.probes = "every";
  EXPECT_EQ(run_spec_from_json(to_json(spec)).eval.probes, "every");
}

TEST(RunSpec, WhatDecidesTheBestCheckpointIsKeptAndWrittenOnlyOffItsDefault) {
  RunSpec spec = example();
  EXPECT_FALSE(to_json(spec).at("checkpoint").as_object().contains("best"));
  spec.checkpoint.best = "squad.f1";
  EXPECT_EQ(run_spec_from_json(to_json(spec)).checkpoint.best, "squad.f1");
}

TEST(RunSpec, TheIdNamesWhatIsLearnedAndNothingElse) {
  const std::string id = run_id(example());
  EXPECT_EQ(id.size(), 12u);
  RunSpec same = example();
  same.data.corpus = "/elsewhere/b.txt";  // the content is the same
  same.checkpoint.every = 7;
  same.checkpoint.keep_best = false;
  same.checkpoint.best = "train_bpc";
  same.eval.probes = "every";
  EXPECT_EQ(run_id(same), id);
  const auto differs = [&](auto change) {
    RunSpec other = example();
    change(other);
    EXPECT_NE(run_id(other), id);
  };
  differs([](RunSpec& s) { s.seed = 4; });
  differs([](RunSpec& s) { s.data.sha256 = std::string(64, 'b'); });
  differs([](RunSpec& s) { s.train.lr *= 2; });
  differs([](RunSpec& s) { s.train.freeze.clear(); });
  differs([](RunSpec& s) { s.train.init_from = "0123456789ab"; });
  differs([](RunSpec& s) { s.eval.windows = 1; });
  differs([](RunSpec& s) { s.model.options["d_model"] = 513; });
  differs([](RunSpec& s) { s.data.val = "/texts/val.txt"; });
}

TEST(RunSpec, WhatNamesNoRunIsKnownByItsPath) {
  for (const char* path : {"checkpoint.every", "eval.tasks", "eval.also.base.corpus", "data.vocab", "import.folder"})
    EXPECT_TRUE(names_no_run(path)) << path;
  for (const char* path : {"eval.every", "eval.windows", "data.vocab_rows", "train.lr", "eval", "seed"})
    EXPECT_FALSE(names_no_run(path)) << path;
}

TEST(RunSpec, TheOrderAndTypeOfNumbersDoNotMatter) {
  RunSpec other = example();
  other.model.options = {{"tau_start", 2}, {"n_layers", 4.0}, {"d_model", 512}};
  EXPECT_EQ(run_id(other), run_id(example()));
}

TEST(RunSpec, ForeignJsonIsRefused) {
  const auto refuse = [](auto change, const char* message) {
    json::object object = to_json(example());
    change(object);
    try {
      run_spec_from_json(object);
      ADD_FAILURE() << message;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_THAT(error.what(), testing::HasSubstr(message));
    }
  };
  refuse([](json::object& o) { o.erase("train"); }, "'train' is missing");
  refuse([](json::object& o) { o["trian"] = 1; }, "unknown key 'trian'");
  refuse([](json::object& o) { o["train"].as_object()["stpes"] = 1; }, "did you mean 'steps'?");
  refuse([](json::object& o) { o["train"].as_object()["lr"] = "fast"; }, "'train.lr' must be a number");
  refuse([](json::object& o) { o["train"].as_object()["betas"] = json::array{1}; }, "two numbers");
  refuse([](json::object& o) { o["seed"] = 1.5; }, "'seed' must be an integer");
  refuse([](json::object& o) { o["model"] = nullptr; }, "'model' must be an object");
  refuse([](json::object& o) { o["checkpoint"].as_object()["keep"] = json::array{"worst"}; }, "unknown word 'worst'");
}

TEST(RunSpec, TokensOfAStep) {
  RunSpec spec = example();
  spec.train.batch = 32;
  spec.data.context = 128;
  EXPECT_EQ(spec.tokens_per_step(), 4096);
  EXPECT_EQ(spec.tokens(), 4096 * 2000);
}

}  // namespace
}  // namespace bitsweep::spec
