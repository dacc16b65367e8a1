// Runs that start from others: what cannot start is told when it is planned.
#include "prepare/base_runs.h"

#include <gmock/gmock.h>

#include "store/store_fixture.h"

namespace bitsweep::prepare {
namespace {

using testing::HasSubstr;

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
    plan::Plan plan;
    plan::PlannedRun& run = plan.runs.emplace_back();
    run.spec = spec;
    run.id = "bbbbbbbbbbbb";
    run.model.params = params;
    run.init_place = {std::make_shared<const std::string>("a.yaml"), 4, 9};
    std::vector<Diagnostic> problems;
    check_bases({plan}, root, problems);
    return problems.empty() ? "" : Error(ErrorKind::input, problems).what();
  }
  spec::RunSpec tuned() const {
    spec::RunSpec spec = base_;
    spec.train.init_from = "aaaaaaaaaaaa";
    return spec;
  }

  spec::RunSpec base_;
};

TEST_F(BaseRuns, WhatFitsIsLeftAlone) {
  EXPECT_EQ(problem(base_), "");
  EXPECT_EQ(problem(tuned()), "");
  spec::RunSpec warmer = tuned();
  warmer.model.options["tau"] = 2;  // no matter of shape
  EXPECT_EQ(problem(warmer), "");
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
