// The worker as a describer, with shell scripts in its place; and plans as the queue takes them.
#include "prepare/planning.h"
#include "coordinate/sweep_rules.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace bitsweep::prepare {
namespace {

using testing::HasSubstr;

constexpr const char* kGood =
    R"({"description":{"options":{"d_model":64},"params":1000,"params_embedding":10,"params_extra":1,)"
    R"("latent_bits_per_weight":32,"stored_bits_per_weight":1,"flops_forward_per_token":2000}})";

class WorkerDescriberTest : public testing::Test {
 protected:
  WorkerDescriberTest() {
    folder_ = fs::path(testing::TempDir()) /
              (std::string("describer_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~WorkerDescriberTest() override { fs::remove_all(folder_); }

  // A worker that runs `body` for each request, which it finds in $line.
  std::vector<plan::DescribeAnswer> ask(size_t count, const std::string& body) {
    const fs::path worker = folder_ / "worker";
    std::ofstream(worker) << "#!/bin/sh\ncd '" << folder_.string() << "'\nwhile read -r line; do\n"
                          << body << "\ndone\n";
    fs::permissions(worker, fs::perms::owner_all);
    std::vector<plan::DescribeQuestion> questions;
    for (size_t i = 0; i < count; ++i) questions.push_back({"p" + std::to_string(i), {{{"d_model", 64}}, 256, 128}});
    return WorkerDescriber(worker, "/plugins").describe(questions);
  }

  fs::path folder_;
};

TEST_F(WorkerDescriberTest, AnswersInOrder) {
  const auto answers =
      ask(3, "case \"$line\" in *p1*) echo '{\"error\":\"no such shape\",\"kind\":\"input\"}';; *) echo '" +
                 std::string(kGood) + "';; esac; echo \"$line\" >> asked");
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0].description->params, 1000);
  EXPECT_FALSE(answers[1].description);
  EXPECT_EQ(answers[1].error, "no such shape");
  EXPECT_TRUE(answers[2].description);
  std::ifstream asked(folder_ / "asked");
  std::string line;
  std::getline(asked, line);
  EXPECT_EQ(line, R"({"plugin":"p0","request":{"options":{"d_model":64},"vocab":256,"context":128,)"
                  R"("sequences":1,"accumulates":false,"precision":"f32","gradients":"f32"}})");
}

TEST_F(WorkerDescriberTest, ACrashCostsItsQuestionAlone) {
  const auto answers =
      ask(4, "case \"$line\" in *p1*|*p2*) kill -SEGV $$;; *) echo '" + std::string(kGood) + "';; esac");
  ASSERT_EQ(answers.size(), 4u);
  EXPECT_TRUE(answers[0].description);
  EXPECT_THAT(answers[1].error, HasSubstr("signal 11"));
  EXPECT_THAT(answers[2].error, HasSubstr("signal 11"));
  EXPECT_TRUE(answers[3].description);
}

TEST_F(WorkerDescriberTest, APluginThatAlwaysCrashesIsNotAskedForEver) {
  const fs::path worker = folder_ / "worker";
  std::ofstream(worker) << "#!/bin/sh\necho x >> '" << (folder_ / "starts").string() << "'\nkill -SEGV $$\n";
  fs::permissions(worker, fs::perms::owner_all);
  const auto answers = WorkerDescriber(worker, "/plugins").describe(std::vector<plan::DescribeQuestion>(50, {"p", {}}));
  ASSERT_EQ(answers.size(), 50u);
  EXPECT_THAT(answers.back().error, HasSubstr("signal 11"));
  EXPECT_EQ(fs::file_size(folder_ / "starts"), 6u);
}

TEST_F(WorkerDescriberTest, AnswersThatAreNone) {
  const auto answers = ask(
      3, "case \"$line\" in *p0*) echo 'hello';; *p1*) echo '{\"description\":{\"params\":-5}}';; *) echo '{}';; esac");
  EXPECT_THAT(answers[0].error, HasSubstr("gave no answer: hello"));
  EXPECT_THAT(answers[1].error, HasSubstr("description"));
  EXPECT_THAT(answers[2].error, HasSubstr("gave no answer: {}"));
}

TEST_F(WorkerDescriberTest, AWorkerThatCannotRunIsTheMachinesFault) {
  const auto environment = [&](auto&& action, const char* message) {
    try {
      action();
      ADD_FAILURE() << message;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::environment);
      EXPECT_THAT(error.what(), HasSubstr(message));
    }
  };
  environment([&] { ask(2, "echo 'libtorch_cpu.so: not found' >&2; exit 127"); }, "libtorch_cpu.so: not found");
  environment([&] { ask(1, "echo '{\"error\":\"no libgomp\",\"kind\":\"environment\"}'"); }, "no libgomp");
  environment([] { WorkerDescriber("/nonexistent/worker", "/plugins").describe({{"p", {}}}); }, "cannot start");
}

TEST_F(WorkerDescriberTest, NoQuestionStartsNoProcess) {
  EXPECT_TRUE(WorkerDescriber("/nonexistent/worker", "/plugins").describe({}).empty());
}

TEST(NewSweep, CarriesEverythingTheQueueNeeds) {
  plan::Plan plan;
  plan.sweep.name = "s";
  plan.sweep.file = "sweeps/s.yaml";
  plan.sweep.text = "{}";
  plan.sweep.resources.device = "cuda:1";
  plan.sweep.resources.timeout_s = 60;
  plan.sweep.retries = 7;
  plan.sweep.priority = 3;
  plan.sweep.stop_after = 2;
  plan.sweep.report.laws = {"power"};
  plan.sweep.report.targets = {{3e8, 1e9}};
  plan::PlannedRun run;
  run.spec.model.plugin = "v57";
  run.spec.train.steps = 10;
  run.spec.data.sha256 = std::string(64, 'a');
  run.spec.train.init_from = "0123456789ab";
  run.id = run_id(run.spec);
  run.model.params = 100;
  run.model.params_embedding = 40;
  plan.runs = {run};

  plan.sweep.after = {"base"};
  plan.sweep.on_oom = "alone";
  const store::NewSweep sweep = new_sweep(plan);
  EXPECT_TRUE(fs::path(sweep.file).is_absolute());
  EXPECT_EQ(canonical_json(sweep.settings),
            R"({"after":["base"],"on_oom":"alone",)"
            R"("report":{"laws":["power"],"targets":[{"params":300000000,"tokens":1000000000}]},)"
            R"("stop":{"fewest":4,"grace":0,"metric":"val_bpc","probability":0.95,"reduction":3,"within":[]},)"
            R"("stop_after":2,"stop_rule":"none"})");
  const coordinate::SweepRules rules = coordinate::sweep_rules(sweep.settings);
  EXPECT_EQ(rules.stop_after, 2);
  EXPECT_EQ(rules.after, std::vector<std::string>{"base"});
  EXPECT_EQ(rules.on_oom, schedule::OnOom::alone);
  EXPECT_EQ(rules.stop.rule, schedule::StopRule::none);
  EXPECT_FALSE(rules.shortest_first);
  plan.sweep.order = "shortest";
  EXPECT_TRUE(coordinate::sweep_rules(new_sweep(plan).settings).shortest_first);
  const store::NewRun& row = sweep.runs.at(0);
  EXPECT_EQ(row.id, run.id);
  EXPECT_EQ(row.tokens, 10 * 64 * 256);
  EXPECT_EQ(row.params_nonembedding, 60);
  EXPECT_EQ(row.dataset, dataset_id(run.spec.data));
  EXPECT_EQ(row.init_from, "0123456789ab");
  EXPECT_EQ(row.resources.device, "cuda:1");
  EXPECT_EQ(row.resources.timeout_s, 60);
  EXPECT_EQ(row.retries, 7);
  EXPECT_EQ(row.priority, 3);
  EXPECT_EQ(run_id(spec::run_spec_from_json(row.spec)), run.id);
}

TEST(NewSweep, RunsWhoseGradientsAreRoundedGoToTheCpu) {
  plan::Plan plan;
  plan.sweep.file = "s.yaml";
  plan.runs.resize(2);
  plan.runs[1].spec.train.gradients = "s6";
  const store::NewSweep sweep = new_sweep(plan);
  EXPECT_EQ(sweep.runs.at(0).resources.device, "any");
  EXPECT_EQ(sweep.runs.at(1).resources.device, "cpu");
}

}  // namespace
}  // namespace bitsweep::prepare
