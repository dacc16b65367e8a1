#include "train/trainer.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/rng.h"
#include "tiny_model.h"
#include "tiny_run.h"
#include "train/checkpoint.h"

namespace bitsweep::train {
namespace {

class TrainerTest : public testing::Test {
 protected:
  const fs::path folder_ = fresh_folder();
  spec::RunSpec spec_ = tiny_spec(folder_);
  std::atomic<bool> stop_{false};

  fs::path attempt(const std::string& name) const { return folder_ / name; }
  fs::path last(const std::string& name) const { return attempt(name) / "checkpoints" / "last.safetensors"; }
  fs::path best(const std::string& name) const { return attempt(name) / "checkpoints" / "best.safetensors"; }

  TrainOutcome train_as(const std::string& name, TinyModel& model, std::vector<fs::path> resume = {},
                        fs::path init = {}) {
    fs::create_directories(attempt(name));
    event::EventWriter events(attempt(name) / "events.jsonl", "0123456789ab", 1);
    const data::Dataset dataset = data::Dataset::open(spec_.data, folder_ / "data");
    const TrainJob job{.spec = spec_,
                       .run = "0123456789ab",
                       .attempt_folder = attempt(name),
                       .resume = std::move(resume),
                       .also = also(),
                       .init = std::move(init),
                       .stop = &stop_};
    CollectedNotes log;
    return train(job, model, dataset, events, log);
  }
  std::vector<AlsoScored> also() const {
    std::vector<AlsoScored> scored;
    for (const spec::AlsoSpec& text : spec_.eval.also) {
      spec::DataSpec data = text.data();
      data.context = spec_.data.context;
      scored.push_back({text.metric(), data::Dataset::open(data, folder_ / "data").validation(spec_.eval)});
    }
    return scored;
  }
  // A text beside that gets worse as the run learns its own: bytes that never stand in it.
  void score_noise_beside() {
    std::string noise;
    for (uint64_t i = 0; i < 4000; ++i) noise += static_cast<char>(128 + random_below(3, 1, i, 128));
    write_file_atomic(folder_ / "noise.txt", noise);
    spec::AlsoSpec& beside = spec_.eval.also.emplace_back();
    beside.name = "noise";
    beside.corpus = (folder_ / "noise.txt").string();
    beside.val_fraction = 0.5;
  }
  // Steps whose evaluation was the best yet, by what it said.
  std::vector<int64_t> told_best(const std::string& name) const {
    std::vector<int64_t> steps;
    for (const event::Event& event : events_of(attempt(name), "eval"))
      if (bool_or(event.fields, "best", false)) steps.push_back(event.step);
    return steps;
  }
  TrainOutcome train_as(const std::string& name, std::vector<fs::path> resume = {}) {
    TinyModel model(1);
    return train_as(name, model, std::move(resume));
  }
  // Ends the run as SIGTERM would, after `steps` steps.
  void stopped_run(const std::string& name, int64_t steps, std::vector<fs::path> resume = {}) {
    TinyModel model(1);
    model.on_step = [&, steps](const nn::StepContext& context) {
      if (context.training && context.step + 1 == steps) stop_ = true;
    };
    const TrainOutcome outcome = train_as(name, model, std::move(resume));
    EXPECT_EQ(outcome.status, TrainStatus::stopped);
    EXPECT_EQ(outcome.step, steps);
    stop_ = false;
  }
};

TEST_F(TrainerTest, EventsComeAtTheirSteps) {
  const TrainOutcome outcome = train_as("a");
  EXPECT_EQ(outcome.status, TrainStatus::done);
  EXPECT_EQ(outcome.step, 20);
  std::vector<int64_t> evals, lasts;
  int64_t seq = 0;
  for (const event::Event& event : all_events(attempt("a"))) {
    EXPECT_EQ(event.seq, ++seq);
    if (event.kind == "eval") evals.push_back(event.step);
    if (event.kind == "checkpoint" && string_or(event.fields, "path", "") == "checkpoints/last.safetensors")
      lasts.push_back(event.step);
  }
  EXPECT_EQ(evals, (std::vector<int64_t>{5, 10, 15, 20}));
  EXPECT_EQ(lasts, (std::vector<int64_t>{7, 14, 20}));
}

TEST_F(TrainerTest, AnEvaluationSaysEverything) {
  train_as("a");
  const std::vector<event::Event> evals = events_of(attempt("a"), "eval");
  double best = 100;
  for (const event::Event& event : evals) {
    const double val = number_or(event.fields, "val_bpc", -1);
    EXPECT_GT(val, 0);
    EXPECT_GT(number_or(event.fields, "train_bpc", -1), 0);
    EXPECT_EQ(integer_or(event.fields, "tokens", 0), event.step * 4 * 16);
    EXPECT_GT(number_or(event.fields, "grad_norm", -1), 0);
    EXPECT_GT(number_or(event.fields, "tokens_per_s", -1), 0);
    EXPECT_GT(integer_or(event.fields, "peak_rss_bytes", 0), 1 << 20);
    EXPECT_GE(number_or(event.fields, "elapsed_s", -1), 0);
    EXPECT_EQ(bool_or(event.fields, "best", false), val < best);
    EXPECT_GT(number_or(event.fields, "val_bpc_se", -1), 0);
    EXPECT_EQ(event.fields.contains("window_bpc"), event.step == 20);
    best = std::min(best, val);
  }
  EXPECT_LT(best, 7.9);
  EXPECT_EQ(number_or(evals[0].fields, "lr", 0), spec_.train.lr);  // the warmup's last step
  const json::array& windows = evals.back().fields.at("window_bpc").as_array();
  double mean = 0;
  for (const json::value& window : windows) mean += window.to_number<double>() / static_cast<double>(windows.size());
  EXPECT_EQ(windows.size(), 8u);
  EXPECT_NEAR(mean, number_or(evals.back().fields, "val_bpc", 0), 1e-6);
}

TEST_F(TrainerTest, ResumedIsUndisturbedBitForBit) {
  train_as("whole");
  stopped_run("a1", 8);  // between two evaluations and two checkpoints
  stopped_run("a2", 16, {last("a1")});
  EXPECT_EQ(train_as("a3", {last("a2"), last("a1")}).status, TrainStatus::done);
  EXPECT_EQ(measured({attempt("a1"), attempt("a2"), attempt("a3")}), measured({attempt("whole")}));
  const std::vector<event::Event> resumes = events_of(attempt("a3"), "resume");
  ASSERT_EQ(resumes.size(), 1u);
  EXPECT_EQ(resumes[0].step, 16);
  EXPECT_EQ(string_or(resumes[0].fields, "from", ""), last("a2").string());
  // The final weights are the same bytes.
  const std::string a = read_file(last("whole")), b = read_file(last("a3"));
  EXPECT_EQ(a.substr(a.size() - 20000), b.substr(b.size() - 20000));
}

TEST_F(TrainerTest, ResumingAFinishedRunOnlyEnds) {
  train_as("a");
  EXPECT_EQ(train_as("b", {last("a")}).status, TrainStatus::done);
  EXPECT_TRUE(events_of(attempt("b"), "eval").empty());
  EXPECT_TRUE(fs::exists(best("b")));
}

TEST_F(TrainerTest, ATruncatedLastFallsBackToBest) {
  spec_.eval.every = 4;
  stopped_run("a", 9);
  fs::resize_file(last("a"), 1000);
  EXPECT_EQ(train_as("b", {last("a"), best("a")}).status, TrainStatus::done);
  const std::vector<event::Event> refused = events_of(attempt("b"), "checkpoint_refused");
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(string_or(refused[0].fields, "path", ""), last("a").string());
  EXPECT_EQ(events_of(attempt("b"), "resume").at(0).step, 8);
  train_as("whole");
  EXPECT_EQ(measured({attempt("a"), attempt("b")}), measured({attempt("whole")}));
}

TEST_F(TrainerTest, WithoutAnyGoodCheckpointItStartsAnew) {
  EXPECT_EQ(train_as("a", {folder_ / "none.safetensors"}).status, TrainStatus::done);
  EXPECT_EQ(events_of(attempt("a"), "checkpoint_refused").size(), 1u);
  EXPECT_TRUE(events_of(attempt("a"), "resume").empty());
  train_as("whole");
  EXPECT_EQ(measured({attempt("a")}), measured({attempt("whole")}));
}

TEST_F(TrainerTest, TheBestCheckpointFollowsTheAttempts) {
  train_as("whole");
  stopped_run("a1", 12);
  train_as("a2", {last("a1")});
  ASSERT_TRUE(fs::exists(best("a2")));
  const Checkpoint one(best("whole")), two(best("a2"));
  EXPECT_EQ(one.progress().best_step, two.progress().best_step);
  EXPECT_EQ(one.progress().step, one.progress().best_step);
  EXPECT_EQ(one.progress().best_value, two.progress().best_value);
}

// The second attempt was killed when it had taken the best along, and before it had saved anything itself.
TEST_F(TrainerTest, AnAttemptThatDidNothingLosesNothing) {
  train_as("whole");
  stopped_run("a1", 12);
  fs::create_directories(best("a2").parent_path());
  fs::copy_file(best("a1"), best("a2"));
  fs::remove(best("a1"));
  train_as("a3", {best("a2"), last("a1")});
  EXPECT_EQ(events_of(attempt("a3"), "resume").at(0).step, 12);
  ASSERT_TRUE(fs::exists(best("a3")));
  EXPECT_EQ(Checkpoint(best("a3")).progress().best_value, Checkpoint(best("whole")).progress().best_value);
}

TEST_F(TrainerTest, DivergenceEndsTheRunWithTheLastFiniteStep) {
  TinyModel model(1);
  model.nan_at_step = 12;
  const TrainOutcome outcome = train_as("a", model);
  EXPECT_EQ(outcome.status, TrainStatus::diverged);
  EXPECT_EQ(outcome.last_finite_step, 12);
  EXPECT_EQ(outcome.step, 12);
  EXPECT_EQ(Checkpoint(last("a")).progress().step, 7);  // nothing is written after it
}

TEST_F(TrainerTest, AValidationLossThatIsNotFiniteDiverges) {
  TinyModel model(1);
  model.on_step = [&](const nn::StepContext& context) {
    if (!context.training && context.step == 9) {
      const at::NoGradGuard no_grad;
      model.parameters()[0].tensor.fill_(std::nan(""));
    }
  };
  spec_.eval.windows = 8;  // two batches: the second sees the damage
  const TrainOutcome outcome = train_as("a", model);
  EXPECT_EQ(outcome.status, TrainStatus::diverged);
  EXPECT_EQ(outcome.last_finite_step, 10);
  const std::vector<event::Event> evals = events_of(attempt("a"), "eval");
  ASSERT_EQ(evals.size(), 2u);
  EXPECT_TRUE(evals[1].fields.at("val_bpc").is_null());
  EXPECT_FALSE(bool_or(evals[1].fields, "best", true));
}

TEST_F(TrainerTest, StopBeforeTheFirstStepIsResumable) {
  stop_ = true;
  EXPECT_EQ(train_as("a").status, TrainStatus::stopped);
  stop_ = false;
  EXPECT_EQ(train_as("b", {last("a")}).status, TrainStatus::done);
  train_as("whole");
  EXPECT_EQ(measured({attempt("b")}), measured({attempt("whole")}));
}

TEST_F(TrainerTest, KeepPolicies) {
  spec_.checkpoint.keep_best = false;
  train_as("last");
  EXPECT_TRUE(fs::exists(last("last")));
  EXPECT_FALSE(fs::exists(best("last")));
  spec_.checkpoint = {.every = 7, .keep_last = false, .keep_best = true};
  train_as("best");
  EXPECT_FALSE(fs::exists(last("best")));
  EXPECT_TRUE(fs::exists(best("best")));
  stopped_run("stopped", 6);
  EXPECT_TRUE(fs::exists(last("stopped")));  // or it could not go on
}

TEST_F(TrainerTest, TheBestCheckpointIsByTheMetricAskedFor) {
  score_noise_beside();
  train_as("loss");
  EXPECT_EQ(told_best("loss"), (std::vector<int64_t>{5, 10, 15, 20}));
  spec_.checkpoint.best = "noise.bpc";
  train_as("noise");
  EXPECT_EQ(told_best("noise"), (std::vector<int64_t>{5}));
  EXPECT_EQ(Checkpoint(best("noise")).progress().step, 5);
  EXPECT_EQ(Checkpoint(last("noise")).progress().best_metric, "noise.bpc");
}

TEST_F(TrainerTest, OfAnswersMoreAreBetter) {
  spec_.data.corpus = "copy";
  spec_.data.context = 64;
  spec_.eval.every = 2;
  spec_.eval.windows = 32;
  spec_.checkpoint.best = "answer_accuracy";
  train_as("a");
  std::vector<int64_t> expected, by_loss;
  double most = -1, least = 100;
  for (const event::Event& event : events_of(attempt("a"), "eval")) {
    const double answers = number_or(event.fields, "answer_accuracy", -1),
                 loss = number_or(event.fields, "val_bpc", -1);
    if (answers > most) expected.push_back(event.step);
    if (loss < least) by_loss.push_back(event.step);
    most = std::max(most, answers);
    least = std::min(least, loss);
  }
  EXPECT_GT(expected.size(), 1u);  // it rose
  EXPECT_NE(expected, by_loss);
  EXPECT_EQ(told_best("a"), expected);
  EXPECT_EQ(Checkpoint(best("a")).progress().step, expected.back());
}

TEST_F(TrainerTest, TheBestOfAnotherMetricOutlivesAStop) {
  score_noise_beside();
  spec_.checkpoint.best = "noise.bpc";
  train_as("whole");
  stopped_run("a1", 8);
  EXPECT_EQ(train_as("a2", {last("a1")}).status, TrainStatus::done);
  EXPECT_EQ(measured({attempt("a1"), attempt("a2")}), measured({attempt("whole")}));
  EXPECT_EQ(Checkpoint(best("a2")).progress().step, 5);  // taken along
  // Asked for another metric from there on, the run knows no best yet.
  spec_.checkpoint.best = "val_bpc";
  train_as("b2", {last("a1")});
  EXPECT_EQ(told_best("b2"), (std::vector<int64_t>{10, 15, 20}));
}

TEST_F(TrainerTest, AMetricThatNobodyTellsIsBadInput) {
  spec_.checkpoint.best = "noise.bpc";
  EXPECT_THROW(train_as("a"), Error);
}

TEST_F(TrainerTest, FinetuningWithFrozenParametersLeavesThemAsTheyWere) {
  train_as("base");
  spec_.train.freeze = {"layers.*", "embedding.weight"};
  spec_.train.lr = 0.05;
  TinyModel model(99);
  EXPECT_EQ(train_as("tuned", model, {}, best("base")).status, TrainStatus::done);
  TinyModel base(99);
  const Checkpoint checkpoint(best("base"));
  std::vector<NamedTensor> tensors;
  for (const nn::Parameter& p : base.parameters()) tensors.push_back({"model." + p.name, p.tensor});
  checkpoint.copy_into(tensors);
  for (size_t i = 0; i < base.parameters().size(); ++i) {
    const bool frozen = base.parameters()[i].name != "head.weight";
    EXPECT_EQ(at::equal(base.parameters()[i].tensor, model.parameters()[i].tensor), frozen)
        << base.parameters()[i].name;
  }
}

TEST_F(TrainerTest, AFinetuneResumesFromItselfNotFromItsInit) {
  train_as("base");
  spec_.train.freeze = {"layers.*"};
  const auto tune = [&](const std::string& name, std::vector<fs::path> resume, int64_t stop_at) {
    TinyModel model(99);
    model.on_step = [&](const nn::StepContext& context) { stop_ = context.training && context.step + 1 == stop_at; };
    train_as(name, model, std::move(resume), best("base"));
    stop_ = false;
  };
  tune("whole", {}, -1);
  tune("a", {}, 8);
  tune("b", {last("a")}, -1);
  EXPECT_EQ(measured({attempt("a"), attempt("b")}), measured({attempt("whole")}));
}

TEST_F(TrainerTest, InitFromAnotherShapeIsBadInput) {
  TinyModel wider(1, 12);
  train_as("base", wider);
  TinyModel model(1);
  try {
    train_as("tuned", model, {}, best("base"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_NE(std::string(error.what()).find("'model.embedding.weight' has shape [256, 12]"), std::string::npos);
  }
}

TEST_F(TrainerTest, AFolderThatCannotBeMadeIsEnvironment) {
  fs::create_directories(attempt("a"));
  std::ofstream(attempt("a") / "checkpoints") << "in the way";
  try {
    train_as("a");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::environment);
  }
}

TEST_F(TrainerTest, OnlyOneStep) {
  spec_.train.steps = 1;
  spec_.eval.every = 1000;
  spec_.checkpoint.every = 1000;
  EXPECT_EQ(train_as("a").status, TrainStatus::done);
  EXPECT_EQ(events_of(attempt("a"), "eval").size(), 1u);
  EXPECT_TRUE(fs::exists(last("a")));
}

}  // namespace
}  // namespace bitsweep::train
