// The real `bitsweep-worker train` with the real plugins, from spec to `end`.
#include <cmath>

#include <gtest/gtest.h>

#include "plugin/fingerprint.h"
#include "weights/safetensors.h"
#include "worker_run.h"

namespace bitsweep::worker {
namespace {

class TrainVerbTest : public testing::Test {
 protected:
  const fs::path folder_ = train::fresh_folder();
};

class EveryPlugin : public TrainVerbTest, public testing::WithParamInterface<const char*> {};

TEST_P(EveryPlugin, TrainsToTheEnd) {
  const WorkerRun run(folder_, small_spec(folder_, GetParam()));
  const Ended ended = run.run(1);
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(ended.err, "");
  EXPECT_EQ(run.status(1), "done");
  const std::vector<event::Event> events = train::all_events(run.attempt(1));
  EXPECT_EQ(events.front().kind, "start");
  for (size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].seq, static_cast<int64_t>(i) + 1);
    EXPECT_EQ(events[i].attempt, 1);
    if (i > 0) {
      EXPECT_GE(events[i].step, events[i - 1].step);
    }
  }
  const std::vector<event::Event> evals = train::events_of(run.attempt(1), "eval");
  ASSERT_EQ(evals.size(), 6u);
  EXPECT_EQ(evals.back().step, 30);
  EXPECT_LT(number_or(evals.back().fields, "val_bpc", 99), number_or(evals.front().fields, "val_bpc", 0));
}

TEST_P(EveryPlugin, TrainsInBf16) {
  spec::RunSpec spec = small_spec(folder_, GetParam());
  spec.train.precision = "bf16";
  spec.train.steps = 10;
  const WorkerRun run(folder_, spec);
  const Ended ended = run.run(1);
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(string_or(train::events_of(run.attempt(1), "start").at(0).fields, "precision", ""), "bf16");
  EXPECT_TRUE(std::isfinite(number_or(train::events_of(run.attempt(1), "eval").at(0).fields, "val_bpc", NAN)));
}

TEST_F(TrainVerbTest, RoundsGradientsOfIntegers) {
  spec::RunSpec spec;
  for (const char* plugin : {"v57", "b158"}) {
    spec = small_spec(folder_, plugin);
    spec.train.gradients = "s6";
    const WorkerRun run(folder_ / plugin, spec);
    const Ended ended = run.run(1);
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    const std::vector<event::Event> evals = train::events_of(run.attempt(1), "eval");
    EXPECT_LT(number_or(evals.back().fields, "val_bpc", 99), number_or(evals.front().fields, "val_bpc", 0)) << plugin;
  }

  const auto expect_refused = [&](int attempt) {
    const WorkerRun refused(folder_, spec);
    const Ended end = refused.run(attempt);
    EXPECT_EQ(end.exit_code, static_cast<int>(ErrorKind::input));
    EXPECT_NE(end.err.find("train.gradients is s6, and they are rounded on a CPU"), std::string::npos) << end.err;
    EXPECT_EQ(refused.status(attempt), "bad_input");
  };
  spec.train.precision = "bf16";
  expect_refused(2);
  spec = small_spec(folder_, "llama");
  spec.train.gradients = "s6";
  expect_refused(3);
}

INSTANTIATE_TEST_SUITE_P(Plugins, EveryPlugin, testing::Values("v57", "v75", "truebit", "llama"),
                         [](const auto& info) { return std::string(info.param); });

INSTANTIATE_TEST_SUITE_P(Families, EveryPlugin, testing::Values("v47b", "v52", "v76", "bitnet", "b158"),
                         [](const auto& info) { return std::string(info.param); });

TEST_F(TrainVerbTest, StartSaysWhatRuns) {
  const WorkerRun run(folder_, small_spec(folder_, "v57"));
  ASSERT_EQ(run.run(1, {"--threads", "2"}).exit_code, 0);
  const json::object start = train::events_of(run.attempt(1), "start").at(0).fields;
  EXPECT_EQ(integer_or(start, "params", 0), 2 * (4 * 32 * 32 + 3 * 32 * 32 + 4 * 32 + 2 * 32 + 32) + 2 * 128 * 32);
  EXPECT_GE(integer_or(start, "params_extra", -1), 128);
  EXPECT_EQ(string_or(start, "device", ""), "cpu");
  EXPECT_EQ(integer_or(start, "threads", 0), 2);
  EXPECT_EQ(string_or(start, "plugin", ""), "v57");
  EXPECT_GE(integer_or(start, "plugin_version", 0), 1);
  EXPECT_EQ(string_or(start, "plugin_build", ""),
            plugin::code_fingerprint(fs::path(BITSWEEP_PLUGIN_DIR) / "v57" / "v57.so"));
  EXPECT_EQ(string_or(start, "nn_build", ""),
            plugin::code_fingerprint(plugin::nn_library(fs::path(BITSWEEP_WORKER).parent_path())));
  EXPECT_EQ(string_or(start, "nn_build", "").size(), 16u);
  EXPECT_EQ(integer_or(start, "val_windows", 0), 8);
  EXPECT_EQ(string_or(start, "val_sha256", "").size(), 64u);
  EXPECT_GT(integer_or(start, "train_tokens_available", 0), 30000);
  EXPECT_NE(string_or(start, "build_id", "").find("torch"), std::string::npos);
  EXPECT_EQ(string_or(start, "engine", ""), "own");
  EXPECT_FALSE(start.contains("engine_because"));
  EXPECT_NE(string_or(start, "instructions", ""), "");
}

TEST_F(TrainVerbTest, StartSaysWhatComputesTheSteps) {
  spec::RunSpec half = small_spec(folder_, "v57");
  half.train.precision = "bf16";
  spec::RunSpec rounded = small_spec(folder_, "b158");
  rounded.train.gradients = "s6";
  for (auto [spec, because] :
       {std::pair{half, "precision bf16"}, {rounded, "train.gradients of 8-bit activations are rounded by blocks"}}) {
    spec.train.steps = 1;
    const WorkerRun run(folder_ / because, spec);
    ASSERT_EQ(run.run(1).exit_code, 0) << because;
    const json::object start = train::events_of(run.attempt(1), "start").at(0).fields;
    EXPECT_EQ(string_or(start, "engine", ""), "blocks");
    EXPECT_EQ(string_or(start, "engine_because", ""), because);
  }
}

TEST_F(TrainVerbTest, AnotherVersionThanPlannedIsBadInput) {
  spec::RunSpec spec = small_spec(folder_, "v57");
  spec.model.version = 2;
  const WorkerRun run(folder_, spec);
  EXPECT_EQ(run.run(1).exit_code, 2);
  EXPECT_EQ(run.status(1), "bad_input");
  EXPECT_NE(run.message(1).find("at version 1 now, and this run was planned for version 2"), std::string::npos)
      << run.message(1);
}

TEST_F(TrainVerbTest, TheSameSpecGivesTheSameLosses) {
  const WorkerRun run(folder_, small_spec(folder_, "v57"));
  ASSERT_EQ(run.run(1).exit_code, 0);
  ASSERT_EQ(run.run(2).exit_code, 0);
  EXPECT_EQ(train::measured({run.attempt(1)}), train::measured({run.attempt(2)}));
}

TEST_F(TrainVerbTest, NeitherThreadsNorWhatIsSaidOfThemOutsideChangeALoss) {
  spec::RunSpec spec = small_spec(folder_, "truebit");
  spec.model.options["d_model"] = 96;
  const WorkerRun plain(folder_ / "plain", spec), other(folder_ / "other", spec);
  ASSERT_EQ(plain.run(1).exit_code, 0);
  std::vector<std::string> command = other.command(1);
  const std::vector<std::string> outside = {"/usr/bin/env", "OMP_NUM_THREADS=3", "OMP_DYNAMIC=true",
                                            "OMP_PROC_BIND=true", "OMP_WAIT_POLICY=active"};
  command.insert(command.begin(), outside.begin(), outside.end());
  ASSERT_EQ(Process(command, other.attempt(1)).wait().exit_code, 0);
  EXPECT_EQ(train::measured({plain.attempt(1)}), train::measured({other.attempt(1)}));
}

TEST_F(TrainVerbTest, FinetuneFromAnotherRunKeepsFrozenTensorsBitForBit) {
  const WorkerRun base(folder_ / "base", small_spec(folder_, "llama"));
  ASSERT_EQ(base.run(1).exit_code, 0);
  spec::RunSpec spec = small_spec(folder_, "llama");
  spec.train.init_from = "0123456789ab";
  spec.train.freeze = {"layers.0.*"};
  const WorkerRun tuned(folder_ / "tuned", spec);
  ASSERT_EQ(tuned.run(1, {"--init", base.best(1).string()}).exit_code, 0) << tuned.message(1);
  const std::string before = read_file(base.best(1)), after = read_file(tuned.last(1));
  const auto bytes = [](const std::string& file) {
    return std::span(reinterpret_cast<const uint8_t*>(file.data()), file.size());
  };
  const weights::Safetensors a = weights::parse_safetensors(bytes(before), "a"),
                             b = weights::parse_safetensors(bytes(after), "b");
  int frozen = 0, moved = 0;
  for (const weights::TensorEntry& entry : a.tensors) {
    if (entry.name.rfind("model.", 0) != 0) continue;
    const weights::TensorEntry* other = b.find(entry.name);
    ASSERT_NE(other, nullptr) << entry.name;
    const bool same = before.substr(a.payload_offset + entry.begin, entry.end - entry.begin) ==
                      after.substr(b.payload_offset + other->begin, other->end - other->begin);
    const bool should_stay = entry.name.rfind("model.layers.0.", 0) == 0;
    EXPECT_EQ(same, should_stay) << entry.name;
    (should_stay ? frozen : moved) += 1;
  }
  EXPECT_GT(frozen, 5);
  EXPECT_GT(moved, 5);
}

TEST_F(TrainVerbTest, AFreezePatternWithoutAMatchIsBadInput) {
  spec::RunSpec spec = small_spec(folder_, "v57");
  spec.train.freeze = {"layer.0.*"};
  const WorkerRun run(folder_, spec);
  EXPECT_EQ(run.run(1).exit_code, 2);
  EXPECT_EQ(run.status(1), "bad_input");
  EXPECT_NE(run.message(1).find("'layers.0.*'"), std::string::npos) << run.message(1);
}

TEST_F(TrainVerbTest, InitFromAnotherPluginIsBadInputNamingTheTensor) {
  const WorkerRun base(folder_ / "base", small_spec(folder_, "llama"));
  ASSERT_EQ(base.run(1).exit_code, 0);
  const WorkerRun tuned(folder_ / "tuned", small_spec(folder_, "v57"));
  EXPECT_EQ(tuned.run(1, {"--init", base.last(1).string()}).exit_code, 2);
  EXPECT_NE(tuned.message(1).find("has no tensor 'model."), std::string::npos) << tuned.message(1);
  EXPECT_NE(tuned.message(1).find("plugin 'llama'"), std::string::npos);
}

TEST_F(TrainVerbTest, DivergenceSaysWhen) {
  const WorkerRun run(folder_, odd_spec(folder_, {{"nan_at", 13}}));
  EXPECT_EQ(run.run(1).exit_code, 5);
  EXPECT_EQ(run.status(1), "diverged");
  EXPECT_EQ(integer_or(run.end(1).fields, "last_finite_step", 0), 13);
  EXPECT_EQ(run.end(1).step, 13);
}

// The corpus by its name alone: the worker makes the text, and tells how many answers of the windows are right.
TEST_F(TrainVerbTest, AnInductionTaskTellsItsAnswers) {
  spec::RunSpec spec = small_spec(folder_, "llama");
  spec.data.corpus = "repeat";
  spec.data.context = 64;
  const WorkerRun run(folder_, spec);
  const Ended ended = run.run(1);
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_NE(ended.out.find("bits/byte  answers "), std::string::npos) << ended.out;
  const json::object start = train::events_of(run.attempt(1), "start").at(0).fields;
  EXPECT_GT(integer_or(start, "val_answers", 0), 8 * 10);
  EXPECT_NEAR(number_or(start, "answer_chance", 0), 1.0 / 26, 1e-12);
  const std::vector<event::Event> evals = train::events_of(run.attempt(1), "eval");
  ASSERT_EQ(evals.size(), 6u);
  for (const event::Event& eval : evals) {
    const double accuracy = number_or(eval.fields, "answer_accuracy", -1);
    EXPECT_TRUE(accuracy >= 0 && accuracy < 0.5) << accuracy;
  }
  EXPECT_LT(number_or(evals.back().fields, "answer_loss_bits", 99), number_or(evals[0].fields, "answer_loss_bits", 0));
}

TEST_F(TrainVerbTest, OtherTextsTellOfNoAnswers) {
  const WorkerRun run(folder_, odd_spec(folder_));
  ASSERT_EQ(run.run(1).exit_code, 0);
  EXPECT_FALSE(train::events_of(run.attempt(1), "start").at(0).fields.contains("val_answers"));
  for (const event::Event& eval : train::events_of(run.attempt(1), "eval"))
    EXPECT_FALSE(eval.fields.contains("answer_accuracy"));
}

TEST_F(TrainVerbTest, PathsWithSpacesAndQuotes) {
  const fs::path odd = folder_ / "a 'b' \"c\" ü";
  fs::create_directories(odd);
  const WorkerRun run(odd, odd_spec(odd));
  EXPECT_EQ(run.run(1).exit_code, 0);
}

}  // namespace
}  // namespace bitsweep::worker
