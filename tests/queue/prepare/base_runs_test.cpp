// Runs that start from others: what cannot start is told when it is planned.
#include "prepare/base_runs.h"

#include <gmock/gmock.h>

#include "store/store_fixture.h"

namespace bitsweep::prepare {
namespace {

using testing::HasSubstr;

// Knows of one trained tokenizer what decides its ids.
class TrainedTexts : public Texts {
 public:
  plan::DatasetFacts probe(const spec::DataSpec&) override { return {}; }
  Measured measure(const spec::DataSpec&, const Scored&, Notes&) override { return {}; }
  void check_tasks(const std::vector<spec::TaskSpec>&) override {}
  plan::DatasetFacts probe_beside(const spec::DataSpec&, const spec::AlsoSpec&) override { return {}; }
  std::optional<Trained> trained_tokenizer(const spec::DataSpec& data) override {
    if (data.tokenizer_sha256 != std::string(64, 'c')) return std::nullopt;
    return Trained{"/tokenizers/cccccccccccc.model", std::string(64, 'b')};
  }
};

class BaseRuns : public store::StoreTest {
 protected:
  BaseRuns() {
    base_.model.plugin = "v57";
    base_.model.options = {{"d_model", 64}, {"tau", 1}};
    base_.train.steps = 10;
    base_.data.tokenizer = "/t.model";
    base_.data.tokenizer_sha256 = std::string(64, 'a');
    base_.data.vocab = 300;
    store::NewRun run = store::new_run("aaaaaaaaaaaa");
    run.spec = to_json(base_);
    store.submit(store::new_sweep("s", {run}));
  }

  std::string problem(const spec::RunSpec& spec, int64_t params = 1000) {
    std::vector<plan::Plan> plans(1);
    plan::PlannedRun& run = plans[0].runs.emplace_back();
    run.spec = spec;
    run.id = "bbbbbbbbbbbb";
    run.model.params = params;
    run.init_place = {std::make_shared<const std::string>("a.yaml"), 4, 9};
    std::vector<Diagnostic> problems;
    check_bases(plans, root, texts_, problems);
    notes_ = plans[0].notes;
    return problems.empty() ? "" : Error(ErrorKind::input, problems).what();
  }
  spec::RunSpec tuned() const {
    spec::RunSpec spec = base_;
    spec.train.init_from = "aaaaaaaaaaaa";
    return spec;
  }

  spec::RunSpec base_;
  TrainedTexts texts_;
  std::vector<std::string> notes_;
};

TEST_F(BaseRuns, WhatFitsIsLeftAlone) {
  EXPECT_EQ(problem(base_), "");
  EXPECT_EQ(problem(tuned()), "");
  EXPECT_THAT(notes_, testing::IsEmpty());
}

// As many parameters, and another function of them.
TEST_F(BaseRuns, OtherOptionsOfTheSameSizeAreANote) {
  spec::RunSpec warmer = tuned();
  warmer.model.options["tau"] = 2;
  EXPECT_EQ(problem(warmer), "");
  EXPECT_THAT(notes_, testing::ElementsAre(
                          "a run starts from the parameters of aaaaaaaaaaaa under other options: here tau 2, there 1"));
}

TEST_F(BaseRuns, TokensAreNeverTakenForOthersOfAsManyRows) {
  spec::RunSpec bytes = tuned();
  bytes.data.tokenizer = "bytes256";
  bytes.data.tokenizer_sha256.clear();
  bytes.data.vocab_rows = 300;
  EXPECT_THAT(problem(bytes), HasSubstr("has another tokenizer, t.model (SHA-256 aaaaaaaaaaaa), than this one, "
                                        "bytes256 (300 tokens)"));
}

// A tokenizer that was trained for a run is named by its recipe there, and by its file where others take it.
TEST_F(BaseRuns, ATrainedTokenizerIsThatOfItsFile) {
  spec::RunSpec trained = base_;
  trained.data.tokenizer.clear();
  trained.data.recipe = {.kind = "bpe", .vocab = 300};
  trained.data.tokenizer_sha256 = std::string(64, 'c');
  store::NewRun run = store::new_run("dddddddddddd");
  run.spec = to_json(trained);
  store.submit(store::new_sweep("t", {run}));
  spec::RunSpec spec = tuned();
  spec.train.init_from = "dddddddddddd";
  EXPECT_THAT(problem(spec), HasSubstr("bpe 300 trained in '/tokenizers/cccccccccccc.model' (SHA-256 bbbb"));
  spec.data.tokenizer_sha256 = std::string(64, 'b');
  EXPECT_EQ(problem(spec), "");
}

TEST_F(BaseRuns, WhatCannotStartIsTold) {
  spec::RunSpec spec = tuned();
  spec.train.init_from = "cccccccccccc";
  EXPECT_THAT(problem(spec), HasSubstr("a.yaml:4:9: 'train.init_from': there is no run cccccccccccc in"));
  spec = tuned();
  spec.data.tokenizer_sha256 = std::string(64, 'b');
  EXPECT_THAT(problem(spec), HasSubstr("run aaaaaaaaaaaa has another tokenizer, t.model (SHA-256 aaaaaaaaaaaa), than "
                                       "this one, t.model (SHA-256 bbbbbbbbbbbb)"));
  spec.data.tokenizer = "bytes256";
  spec.data.tokenizer_sha256.clear();
  EXPECT_THAT(problem(spec), HasSubstr("bytes256 (256 tokens)"));
  spec = tuned();
  spec.model.options["d_model"] = 128;
  EXPECT_THAT(problem(spec, 4000), HasSubstr("run aaaaaaaaaaaa has another shape: here d_model 128, there 64"));
}

TEST_F(BaseRuns, WithoutADatabaseABaseIsAmongThePlansOrNowhere) {
  root = store::fresh_folder("none");
  spec::RunSpec spec = tuned();
  EXPECT_THAT(problem(spec), HasSubstr("a.yaml:4:9: 'train.init_from': there is no run aaaaaaaaaaaa in"));
  EXPECT_THAT(problem(spec), HasSubstr("which has no database of runs"));
  spec.train.init_from = "bbbbbbbbbbbb";  // its own id here: a run of the plan
  EXPECT_EQ(problem(spec), "");
  EXPECT_FALSE(store::Store::exists(root));
}

}  // namespace
}  // namespace bitsweep::prepare
