// `bitsweep-worker import`: a checkpoint of another program becomes one that the other verbs take.
#include <fstream>

#include <gtest/gtest.h>

#include "released_folder.h"
#include "weights/released_model.h"
#include "worker_run.h"

namespace bitsweep::worker {
namespace {

class ImportVerbTest : public testing::Test {
 protected:
  // What `bitsweep import` makes of a golden.
  spec::RunSpec spec_of(const std::string& golden, const std::string& tokenizer = "") const {
    const weights::ReleasedModel released = weights::read_released(kGoldens / golden);
    spec::RunSpec spec;
    spec.model = {.plugin = released.config.plugin(), .options = released.config.options()};
    spec.data.tokenizer = tokenizer;
    spec.data.vocab_rows = released.config.vocab;
    spec.data.context = 16;
    spec.imported = {.folder = (kGoldens / golden).string(), .sha256 = released.weights.sha256()};
    return spec;
  }
  Ended verb(std::vector<std::string> words) const {
    words.insert(words.begin(), BITSWEEP_WORKER);
    words.insert(words.end(), {"--cache", (folder_ / "data").string(), "--plugin-dir", BITSWEEP_PLUGIN_DIR});
    return Process(words, folder_ / "said").wait();
  }
  Ended import_into(const WorkerRun& run, const spec::RunSpec& spec, const fs::path& from) const {
    return verb({"import", "--spec", run.spec_file().string(), "--from", from.string(), "--run", spec::run_id(spec),
                 "--out", run.best(1).string()});
  }
  spec::RunSpec spec_of_bytes() const {
    spec::RunSpec spec = spec_of("llama", "bytes256");
    spec.data.vocab_rows = 288;
    return spec;
  }

  const fs::path folder_ = train::fresh_folder();
};

TEST_F(ImportVerbTest, WritesACheckpointOfTheRunWithEveryTensorAsItWas) {
  const spec::RunSpec spec = spec_of("llama");
  const WorkerRun run(folder_, spec);
  const Ended ended = import_into(run, spec, kGoldens / "llama");
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(string_or(parse_json(ended.out, "answer").as_object(), "file", ""), run.best(1).string());
  const std::string ours = read_file(run.best(1)), theirs = read_file(kGoldens / "llama" / "model.safetensors");
  const weights::Safetensors a = tensors_of(ours), b = tensors_of(theirs);
  EXPECT_EQ(a.metadata.at("run"), spec::run_id(spec));
  EXPECT_EQ(a.metadata.at("step"), "0");
  EXPECT_FALSE(a.metadata.contains("tokenizer_sha256"));
  const weights::ReleasedModel released = weights::read_released(kGoldens / "llama");
  EXPECT_EQ(a.tensors.size(), released.tensors.size());
  for (const weights::ReleasedTensor& tensor : released.tensors) {
    const weights::TensorEntry *mine = a.find("model." + tensor.ours), *other = b.find(tensor.theirs);
    ASSERT_NE(mine, nullptr) << tensor.ours;
    EXPECT_EQ(ours.substr(a.payload_offset + mine->begin, mine->end - mine->begin),
              theirs.substr(b.payload_offset + other->begin, other->end - other->begin))
        << tensor.ours;
  }
}

TEST_F(ImportVerbTest, ARunWithATokenizerAnswersTasksAndIsProbedOnATextThatIsNamed) {
  const spec::RunSpec spec = spec_of_bytes();
  const WorkerRun run(folder_, spec);
  ASSERT_EQ(import_into(run, spec, folder_of_bytes(folder_)).exit_code, 0);
  std::ofstream(folder_ / "reply.jsonl") << R"({"prompt": "the run of", "response": "bits"})"
                                         << "\n";
  spec::TaskSpec task;
  task.name = "reply";
  task.file = (folder_ / "reply.jsonl").string();
  task.kind = "generate";
  task.max_tokens = 6;
  write_file_atomic(folder_ / "tasks.json", compact_json(to_json(std::vector{task})));
  const std::vector<std::string> about = {"--spec", run.spec_file().string(), "--checkpoint", run.best(1).string(),
                                          "--run",  spec::run_id(spec),       "--out",        run.attempt(1).string()};
  std::vector<std::string> ask = about, probe = about;
  ask.insert(ask.begin(), "ask");
  ask.insert(ask.end(), {"--tasks", (folder_ / "tasks.json").string()});
  probe.insert(probe.begin(), "probe");
  const Ended asked = verb(ask);
  ASSERT_EQ(asked.exit_code, 0) << asked.err;
  EXPECT_TRUE(parse_json(asked.out, "answer").at("metrics").as_object().contains("reply.f1")) << asked.out;
  const Ended probed = verb(probe);
  EXPECT_EQ(probed.exit_code, 2);
  EXPECT_NE(probed.err.find("the run has no text to train or to be scored on"), std::string::npos) << probed.err;
  EXPECT_NE(probed.err.find("probe it on a --text"), std::string::npos) << probed.err;
  std::ofstream(folder_ / "beside.txt") << train::sample_text(40000);
  probe.insert(probe.end(), {"--windows", "4", "--text", (folder_ / "beside.txt").string()});
  const Ended beside = verb(probe);
  ASSERT_EQ(beside.exit_code, 0) << beside.err;
  const json::object told = parse_json(beside.out, "answer").as_object();
  EXPECT_EQ(number_or(told.at("metrics").as_object(), "probe_windows", 0), 4) << beside.out;
  EXPECT_TRUE(told.at("metrics").as_object().contains("ipmr_mean")) << beside.out;
  EXPECT_TRUE(fs::exists(string_or(told, "file", "")));
}

TEST_F(ImportVerbTest, ARunStartsFromItWithTheSameTokensAlone) {
  const spec::RunSpec spec = spec_of_bytes();
  const WorkerRun base(folder_ / "base", spec);
  ASSERT_EQ(import_into(base, spec, folder_of_bytes(folder_)).exit_code, 0);
  spec::RunSpec tuned = train::tiny_spec(folder_);
  tuned.model = spec.model;
  tuned.data.vocab_rows = 288;
  tuned.train.init_from = spec::run_id(spec);
  const WorkerRun run(folder_ / "tuned", tuned);
  EXPECT_EQ(run.run(1, {"--init", base.best(1).string()}).exit_code, 0) << run.message(1);
  tuned.data.tokenizer = "ascii128";
  const WorkerRun other(folder_ / "other", tuned);
  EXPECT_EQ(other.run(1, {"--init", base.best(1).string()}).exit_code, 2);
  EXPECT_NE(other.message(1).find("has another tokenizer (SHA-256 "), std::string::npos) << other.message(1);
}

TEST_F(ImportVerbTest, WhatDoesNotFitTheSpecIsRefusedAndLeavesNothing) {
  const spec::RunSpec spec = spec_of("llama");
  const WorkerRun run(folder_, spec);
  const Ended ended = import_into(run, spec, kGoldens / "llama_tied");
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_NE(ended.err.find("the model has a tensor 'head.weight' that the checkpoint lacks"), std::string::npos)
      << ended.err;
  EXPECT_FALSE(fs::exists(run.attempt(1)));
  EXPECT_EQ(import_into(run, spec, folder_).exit_code, 2);
}

TEST_F(ImportVerbTest, ARunWithoutATokenizerSaysSoWhenItIsAsked) {
  const spec::RunSpec spec = spec_of("bitnet");
  const WorkerRun run(folder_, spec);
  ASSERT_EQ(import_into(run, spec, kGoldens / "bitnet").exit_code, 0);
  spec::TaskSpec task;
  task.name = task.file = "stories-questions";
  task.kind = "generate";
  write_file_atomic(folder_ / "tasks.json", compact_json(to_json(std::vector{task})));
  const Ended asked =
      verb({"ask", "--spec", run.spec_file().string(), "--checkpoint", run.best(1).string(), "--run",
            spec::run_id(spec), "--out", run.attempt(1).string(), "--tasks", (folder_ / "tasks.json").string()});
  EXPECT_EQ(asked.exit_code, 2);
  EXPECT_NE(asked.err.find("the run names no tokenizer"), std::string::npos) << asked.err;
}

}  // namespace
}  // namespace bitsweep::worker
