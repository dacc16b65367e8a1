// `bitsweep-worker probe` on checkpoints that the real worker left, and the probes of its evaluations.
#include <map>

#include <gtest/gtest.h>

#include "worker_run.h"

namespace bitsweep::worker {
namespace {

class ProbeVerbTest : public testing::Test {
 protected:
  Ended probe(const WorkerRun& run, const spec::RunSpec& spec, const fs::path& checkpoint,
              const std::string& windows = "16") const {
    const std::string plugins = BITSWEEP_PLUGIN_DIR;
    return Process({BITSWEEP_WORKER, "probe", "--spec", run.spec_file().string(), "--checkpoint", checkpoint.string(),
                    "--run", spec::run_id(spec), "--out", run.attempt(1).string(), "--windows", windows, "--cache",
                    (folder_ / "data").string(), "--plugin-dir", plugins},
                   folder_ / "probe")
        .wait();
  }
  static bool probed(const event::Event& eval) { return eval.fields.contains("ipmr.L1H1"); }

  const fs::path folder_ = train::fresh_folder();
};

TEST_F(ProbeVerbTest, SaysOfACheckpointWhatTheEvaluationSaid) {
  const spec::RunSpec spec = small_spec(folder_, "llama");
  const WorkerRun run(folder_, spec);
  ASSERT_EQ(run.run(1).exit_code, 0);
  const fs::path sidecar = run.attempt(1) / "step-30_pointer_health.json";
  const std::string written = read_file(sidecar);
  const Ended ended = probe(run, spec, run.last(1));
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(read_file(sidecar), written);
  const json::object answer = parse_json(ended.out, "answer").as_object();
  EXPECT_EQ(integer_or(answer, "step", 0), 30);
  EXPECT_EQ(string_or(answer, "file", ""), sidecar.string());
  const json::object last = train::events_of(run.attempt(1), "eval").back().fields;
  const json::object& metrics = answer.at("metrics").as_object();
  EXPECT_GT(metrics.size(), 4 * 6u);
  for (const auto& metric : metrics) {
    ASSERT_TRUE(last.contains(metric.key())) << metric.key();
    EXPECT_EQ(canonical_json(last.at(metric.key())), canonical_json(metric.value())) << metric.key();
  }
}

TEST_F(ProbeVerbTest, EvaluationsProbeWhenTheSpecSays) {
  std::map<std::string, std::vector<std::string>> learned;
  for (const auto& [when, times] : {std::pair{"off", 0}, std::pair{"last", 1}, std::pair{"every", 6}}) {
    spec::RunSpec spec = small_spec(folder_, "v57");
    spec.eval.probes = when;
    const WorkerRun run(folder_ / when, spec);
    ASSERT_EQ(run.run(1).exit_code, 0);
    int seen = 0, files = 0;
    for (const event::Event& eval : train::events_of(run.attempt(1), "eval")) {
      seen += probed(eval) ? 1 : 0;
      for (const char* name : {"val_bpc", "train_bpc", "grad_norm"})
        learned[when].push_back(canonical_json(eval.fields.at(name)));
    }
    for (const auto& entry : fs::directory_iterator(run.attempt(1)))
      files += entry.path().string().ends_with("_pointer_health.json") ? 1 : 0;
    EXPECT_EQ(seen, times) << when;
    EXPECT_EQ(files, times) << when;
  }
  EXPECT_EQ(learned["every"], learned["off"]);  // looking changes nothing
  EXPECT_EQ(learned["last"], learned["off"]);
}

TEST_F(ProbeVerbTest, AModelWithoutAttentionIsRefusedAndTrainsAllTheSame) {
  const spec::RunSpec spec = odd_spec(folder_);
  const WorkerRun run(folder_, spec);
  ASSERT_EQ(run.run(1).exit_code, 0);
  EXPECT_TRUE(train::events_of(run.attempt(1), "eval").back().fields.contains("in_context_bits"));
  EXPECT_FALSE(train::events_of(run.attempt(1), "eval").back().fields.contains("ipmr_chance"));
  const Ended ended = probe(run, spec, run.last(1));
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_NE(ended.err.find("'odd' has no attention"), std::string::npos) << ended.err;
}

TEST_F(ProbeVerbTest, ForeignDamagedAndMissingCheckpointsAreRefused) {
  const spec::RunSpec spec = small_spec(folder_, "llama");
  spec::RunSpec other_spec = spec;
  other_spec.seed = 1;
  const WorkerRun run(folder_ / "a", spec), other(folder_ / "b", other_spec);
  ASSERT_EQ(run.run(1).exit_code, 0);
  ASSERT_EQ(other.run(1).exit_code, 0);
  EXPECT_EQ(probe(run, spec, other.last(1)).exit_code, 2);
  EXPECT_EQ(probe(run, spec, folder_ / "none.safetensors").exit_code, 2);
  std::string bytes = read_file(run.last(1));
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  const fs::path damaged = folder_ / "damaged.safetensors";
  write_file_atomic(damaged, bytes);
  const Ended ended = probe(run, spec, damaged);
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_NE(ended.err.find("damaged.safetensors"), std::string::npos) << ended.err;
  EXPECT_EQ(probe(run, spec, run.last(1), "1").exit_code, 2);
}

}  // namespace
}  // namespace bitsweep::worker
