// What can be wrong with a run's inputs, plugin and machine: each ends with its exit code, its `end` event and one
// message.
#include <fstream>

#include <gtest/gtest.h>

#include "worker_run.h"

namespace bitsweep::worker {
namespace {

class FaultTest : public testing::Test {
 protected:
  const fs::path folder_ = train::fresh_folder();

  void expect_end(const spec::RunSpec& spec, int exit_code, const std::string& status, const std::string& message,
                  std::vector<std::string> more = {}) {
    const WorkerRun run(folder_, spec);
    const Ended ended = run.run(1, std::move(more));
    EXPECT_EQ(ended.exit_code, exit_code) << ended.err;
    EXPECT_EQ(run.status(1), status);
    EXPECT_NE(run.message(1).find(message), std::string::npos) << run.message(1);
    EXPECT_NE(ended.err.find(message), std::string::npos) << ended.err;
    EXPECT_EQ(ended.err.find("frame #"), std::string::npos) << "a backtrace: " << ended.err;
  }
  spec::RunSpec with_plugin(const std::string& name) const {
    spec::RunSpec spec = odd_spec(folder_);
    spec.model.plugin = (kTestPlugins / name / (name + ".so")).string();
    return spec;
  }
};

TEST_F(FaultTest, PluginsThatAreNone) {
  expect_end(with_plugin("no_plugin"), 2, "bad_input", "exports no symbol");
  expect_end(with_plugin("other_abi"), 2, "bad_input", "ABI");
  expect_end(with_plugin("other_build"), 2, "bad_input", "rebuild the plugin");
  expect_end(with_plugin("missing_library"), 3, "failed", "cannot be loaded");
}

TEST_F(FaultTest, PluginsThatThrow) {
  expect_end(with_plugin("throws_in_describe"), 1, "failed", "does not feel well");
  expect_end(with_plugin("throws_in_create"), 1, "failed", "create threw");
  expect_end(with_plugin("lies_in_describe"), 1, "failed", "no JSON object");
}

TEST_F(FaultTest, APluginThatCrashesTakesItsProcessAlone) {
  const WorkerRun run(folder_, with_plugin("crashes_in_describe"));
  EXPECT_EQ(run.run(1).signal, SIGABRT);
}

TEST_F(FaultTest, AnUnknownPluginNamesTheNearest) {
  spec::RunSpec spec = small_spec(folder_, "v57");
  spec.model.plugin = "lama";
  expect_end(spec, 2, "bad_input", "did you mean 'llama'?");
}

TEST_F(FaultTest, RefusedOptions) {
  expect_end(odd_spec(folder_, {{"refuse", true}}), 2, "bad_input", "must not be true");
}

TEST_F(FaultTest, CreateWithoutAModel) { expect_end(odd_spec(folder_, {{"no_model", true}}), 1, "failed", "no model"); }

TEST_F(FaultTest, APluginThatMiscountsIsRefused) {
  expect_end(odd_spec(folder_, {{"lie", true}}), 1, "failed", "describes 4097 parameters and builds 4096");
}

TEST_F(FaultTest, LogitsOfAnotherShape) {
  expect_end(odd_spec(folder_, {{"bad_logits", true}}), 1, "failed", "[B, T, V]");
}

TEST_F(FaultTest, AnErrorOfLibTorchsComesWithoutItsBacktrace) {
  expect_end(odd_spec(folder_, {{"throw_at", 3}}), 1, "failed", "mat");
}

// The engine's rows of activations, some 1.5 GB of them, where the process may have 1 GB in all.
TEST_F(FaultTest, AnEngineThatGetsNoMemoryEndsAsOutOfMemory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer's shadow takes more addresses than the limit leaves";
#endif
  spec::RunSpec spec = small_spec(folder_, "v57");
  spec.model.options["d_model"] = 256;
  spec.train.batch = 4096;
  spec.data.context = 64;
  const WorkerRun run(folder_, spec);
  std::string line = "ulimit -v 1048576; exec";
  for (const std::string& word : run.command(1)) line += " '" + word + "'";
  const Ended ended = Process({"/bin/sh", "-c", line}, run.attempt(1)).wait();
  EXPECT_EQ(ended.exit_code, 6) << ended.err;
  EXPECT_EQ(run.status(1), "failed");
  EXPECT_NE(run.message(1).find("no more on this machine"), std::string::npos) << run.message(1);
}

TEST_F(FaultTest, ACrashInAStepLeavesWholeEventsAndACheckpointToGoOnFrom) {
  const WorkerRun run(folder_, odd_spec(folder_, {{"crash_at", 12}}));
  EXPECT_NE(run.run(1).signal, 0);
  EXPECT_EQ(train::events_of(run.attempt(1), "eval").size(), 2u);
  EXPECT_TRUE(fs::exists(run.last(1)));
  EXPECT_NE(run.resume(2, 1).signal, 0);
  // The best is newer than the last here.
  EXPECT_EQ(train::events_of(run.attempt(2), "resume").at(0).step, 10);
}

TEST_F(FaultTest, DataThatIsMissingEmptyOrTooShort) {
  spec::RunSpec spec = odd_spec(folder_);
  spec.data.corpus = (folder_ / "none.txt").string();
  expect_end(spec, 2, "bad_input", "none.txt");
  std::ofstream(folder_ / "empty.txt") << "";
  spec.data.corpus = (folder_ / "empty.txt").string();
  expect_end(spec, 2, "bad_input", "empty.txt");
  std::ofstream(folder_ / "short.txt") << "short";
  spec.data.corpus = (folder_ / "short.txt").string();
  const WorkerRun run(folder_, spec);
  EXPECT_EQ(run.run(1).exit_code, 2);
}

TEST_F(FaultTest, DataThatChangedSinceThePlanIsRefused) {
  spec::RunSpec spec = odd_spec(folder_);
  spec.data.sha256 = std::string(64, '0');
  const WorkerRun run(folder_, spec);
  EXPECT_EQ(run.run(1).exit_code, 2);
}

TEST_F(FaultTest, SpecsThatAreNone) {
  const WorkerRun run(folder_, odd_spec(folder_));
  for (const char* text : {"", "[]", "{\"model\":", "{\"modle\":{}}", "\0\0"}) {
    std::ofstream(run.spec_file()) << text;
    EXPECT_EQ(run.run(1).exit_code, 2) << text;
    EXPECT_EQ(run.status(1), "bad_input");
  }
  fs::remove(run.spec_file());
  EXPECT_EQ(run.run(2).exit_code, 2);
  EXPECT_EQ(run.status(2), "bad_input");
}

TEST_F(FaultTest, UnknownWordsOfARecipe) {
  spec::RunSpec spec = odd_spec(folder_);
  spec.train.schedule = "cosin";
  expect_end(spec, 2, "bad_input", "'cosine'");
  spec = odd_spec(folder_);
  spec.train.optimizer = "adam";
  expect_end(spec, 2, "bad_input", "'adamw'");
  spec = odd_spec(folder_);
  spec.train.accumulate = 3;
  expect_end(spec, 2, "bad_input", "does not split");
}

TEST_F(FaultTest, ADeviceThatIsNoneOrNotThere) {
  expect_end(odd_spec(folder_), 2, "bad_input", "expected cpu or cuda:N", {"--device", "tpu"});
  if (fs::exists("/dev/nvidia0")) return;
  expect_end(odd_spec(folder_), 3, "failed", "take the device cpu", {"--device", "cuda:0"});
}

TEST_F(FaultTest, AFolderThatCannotBeWrittenIsEnvironment) {
  const WorkerRun run(folder_, odd_spec(folder_));
  std::ofstream(folder_ / "file") << "in the way";
  std::vector<std::string> command = run.command(1);
  for (size_t i = 0; i < command.size(); ++i)
    if (command[i] == "--out") command[i + 1] = (folder_ / "file" / "attempt").string();
  const Ended ended = Process(command, folder_ / "log").wait();
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_NE(ended.err.find("attempt"), std::string::npos) << ended.err;
}

// A limit on file sizes stands in for the full disk: the checkpoint of 50 kB does not fit, the events do.
TEST_F(FaultTest, ADiskThatFillsUpAtACheckpoint) {
  const WorkerRun run(folder_, odd_spec(folder_));
  std::vector<std::string> command{"/bin/sh", "-c", "trap '' XFSZ; ulimit -f 40; exec \"$@\"", "sh"};
  for (const std::string& word : run.command(1)) command.push_back(word);
  const Ended ended = Process(command, run.attempt(1)).wait();
  EXPECT_EQ(ended.exit_code, 3) << ended.err;
  EXPECT_EQ(run.status(1), "failed");
  EXPECT_NE(run.message(1).find("safetensors"), std::string::npos) << run.message(1);
  EXPECT_EQ(train::events_of(run.attempt(1), "eval").size(), 1u);
  EXPECT_TRUE(fs::is_empty(run.attempt(1) / "checkpoints"));  // no half of one
}

TEST_F(FaultTest, CheckpointsThatCannotBeWrittenEndTheRunAsEnvironment) {
  const WorkerRun run(folder_, odd_spec(folder_));
  fs::create_directories(run.attempt(1) / "checkpoints" / "last.safetensors");  // a folder where the file should be
  EXPECT_EQ(run.run(1).exit_code, 3);
  EXPECT_EQ(run.status(1), "failed");
  EXPECT_NE(run.message(1).find("last.safetensors"), std::string::npos) << run.message(1);
}

}  // namespace
}  // namespace bitsweep::worker
