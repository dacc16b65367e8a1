// Killed, stopped and damaged runs of the real worker go on as if nothing had happened: the same losses, bit for bit.
#include <fstream>

#include <gtest/gtest.h>

#include "worker_run.h"

namespace bitsweep::worker {
namespace {

class ResumeTest : public testing::Test {
 protected:
  const fs::path folder_ = train::fresh_folder();
  // A spec whose steps take long enough to be interrupted.
  spec::RunSpec slow_spec() const {
    spec::RunSpec spec = odd_spec(folder_, {{"sleep_ms", 10}});
    spec.train.steps = 60;
    return spec;
  }
  static bool has_step(const fs::path& attempt, const std::string& kind, int64_t step) {
    for (const event::Event& event : train::events_of(attempt, kind))
      if (event.step >= step) return true;
    return false;
  }
};

class ResumeEveryPlugin : public ResumeTest, public testing::WithParamInterface<const char*> {};

TEST_P(ResumeEveryPlugin, KilledInTheMiddle) {
  const std::string name = GetParam();
  spec::RunSpec spec = small_spec(folder_, name.substr(0, name.find('_')));
  if (name.ends_with("_s6")) spec.train.gradients = "s6";
  spec.train.steps = 120;
  spec.eval.every = 6;
  const WorkerRun whole(folder_ / "whole", spec);
  ASSERT_EQ(whole.run(1).exit_code, 0);
  const WorkerRun run(folder_ / "killed", spec);
  bool killed = false;
  // On a busy machine the worker can end before the signal comes; then again.
  for (int attempt = 0; attempt < 20 && !killed; ++attempt) {
    fs::remove_all(run.attempt(1));
    Process worker = run.start(1);
    ASSERT_TRUE(eventually([&] { return has_step(run.attempt(1), "checkpoint", 21); }));
    worker.signal(SIGKILL);
    killed = worker.wait().signal == SIGKILL;
  }
  ASSERT_TRUE(killed);
  ASSERT_EQ(run.resume(2, 1).exit_code, 0) << run.message(2);
  EXPECT_GE(train::events_of(run.attempt(2), "resume").at(0).step, 21);
  EXPECT_EQ(train::measured({run.attempt(1), run.attempt(2)}), train::measured({whole.attempt(1)}));
}

INSTANTIATE_TEST_SUITE_P(Plugins, ResumeEveryPlugin, testing::Values("v57", "v57_s6", "v75", "truebit", "llama"),
                         [](const auto& info) { return std::string(info.param); });

INSTANTIATE_TEST_SUITE_P(Families, ResumeEveryPlugin, testing::Values("v52", "v76", "bitnet", "b158"),
                         [](const auto& info) { return std::string(info.param); });

TEST_F(ResumeTest, TermFinishesTheStepAndCanGoOn) {
  const WorkerRun run(folder_ / "run", slow_spec()), whole(folder_ / "whole", slow_spec());
  Process worker = run.start(1);
  ASSERT_TRUE(eventually([&] { return has_step(run.attempt(1), "eval", 5); }));
  worker.signal(SIGTERM);
  worker.signal(SIGTERM);  // once more changes nothing
  worker.signal(SIGINT);
  EXPECT_EQ(worker.wait().exit_code, 75);
  EXPECT_EQ(run.status(1), "stopped");
  const int64_t stopped_at = run.end(1).step;
  EXPECT_GE(stopped_at, 5);
  EXPECT_LT(stopped_at, 60);
  EXPECT_EQ(train::events_of(run.attempt(1), "checkpoint").back().step, stopped_at);
  ASSERT_EQ(run.resume(2, 1).exit_code, 0);
  EXPECT_EQ(train::events_of(run.attempt(2), "resume").at(0).step, stopped_at);
  ASSERT_EQ(whole.run(1).exit_code, 0);
  EXPECT_EQ(train::measured({run.attempt(1), run.attempt(2)}), train::measured({whole.attempt(1)}));
}

TEST_F(ResumeTest, TruncatedAndForeignCheckpointsFallBackToThePrevious) {
  spec::RunSpec other = odd_spec(folder_);
  other.seed = 7;
  const WorkerRun run(folder_ / "run", odd_spec(folder_)), foreign(folder_ / "foreign", other);
  ASSERT_EQ(run.run(1).exit_code, 0);
  ASSERT_EQ(foreign.run(1).exit_code, 0);
  const fs::path cut = folder_ / "cut.safetensors";
  std::ofstream(cut, std::ios::binary) << read_file(run.last(1)).substr(0, 3000);
  ASSERT_EQ(run.run(2, {"--resume", cut.string(), "--resume", foreign.last(1).string(), "--resume",
                        (folder_ / "none").string(), "--resume", run.best(1).string()})
                .exit_code,
            0);
  const std::vector<event::Event> refused = train::events_of(run.attempt(2), "checkpoint_refused");
  ASSERT_EQ(refused.size(), 3u);
  EXPECT_NE(string_or(refused[0].fields, "message", "").find("cut.safetensors"), std::string::npos);
  EXPECT_NE(string_or(refused[2].fields, "message", "").find("belongs to run"), std::string::npos);
  EXPECT_EQ(string_or(train::events_of(run.attempt(2), "resume").at(0).fields, "from", ""), run.best(1).string());
}

TEST_F(ResumeTest, OnlyBadCheckpointsMeanAFreshStart) {
  const WorkerRun run(folder_, odd_spec(folder_));
  const fs::path bad = folder_ / "bad.safetensors";
  std::ofstream(bad) << "no checkpoint";
  ASSERT_EQ(run.run(1, {"--resume", bad.string()}).exit_code, 0);
  ASSERT_EQ(run.run(2).exit_code, 0);
  EXPECT_EQ(train::measured({run.attempt(1)}), train::measured({run.attempt(2)}));
}

TEST_F(ResumeTest, TheSameAttemptAgainGoesOnNumberingItsEvents) {
  const WorkerRun run(folder_, odd_spec(folder_));
  ASSERT_EQ(run.run(1).exit_code, 0);
  std::ofstream(run.attempt(1) / "events.jsonl", std::ios::app) << "{\"event\":\"ev";  // torn by a crash
  const size_t before = train::all_events(run.attempt(1)).size();
  ASSERT_EQ(run.resume(1, 1).exit_code, 0);
  const std::vector<event::Event> events = train::all_events(run.attempt(1));
  EXPECT_GT(events.size(), before);
  for (size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].seq, static_cast<int64_t>(i) + 1);
}

}  // namespace
}  // namespace bitsweep::worker
