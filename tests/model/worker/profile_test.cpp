// `bitsweep-worker profile` through the real worker.
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "worker_run.h"

namespace bitsweep::worker {
namespace {

class ProfileVerbTest : public testing::Test {
 protected:
  Ended profile(const spec::RunSpec& spec, std::vector<std::string> more = {}) const {
    const fs::path file = folder_ / "spec.json";
    write_file_atomic(file, canonical_json(spec::to_json(spec)));
    const std::string plugins = BITSWEEP_PLUGIN_DIR;
    std::vector<std::string> command{BITSWEEP_WORKER, "profile", "--spec",
                                     file.string(),   "--cache", (folder_ / "data").string(),
                                     "--plugin-dir",  plugins};
    command.insert(command.end(), more.begin(), more.end());
    return Process(command, folder_ / "profile").wait();
  }

  const fs::path folder_ = train::fresh_folder();
};

TEST_F(ProfileVerbTest, EveryBlockHasItsTime) {
  for (const char* plugin : {"v76", "truebit", "b158"}) {
    const Ended ended = profile(small_spec(folder_, plugin), {"--steps", "4", "--warmup", "1"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    const json::object answer = parse_json(ended.out, "answer").as_object();
    EXPECT_EQ(integer_or(answer, "steps", 0), 4);
    EXPECT_GT(integer_or(answer, "peak_tensor_bytes", 0), 10000);
    std::map<std::string, json::object> blocks;
    double sum_s = 0;
    for (const json::value& block : answer.at("blocks").as_array()) {
      const json::object& row = block.as_object();
      blocks[string_or(row, "name", "")] = row;
      sum_s += row.at("forward_s").to_number<double>() + row.at("backward_s").to_number<double>();
      EXPECT_GE(row.at("forward_s").to_number<double>(), 0);
      const double block_s = row.at("forward_s").to_number<double>() + row.at("backward_s").to_number<double>();
      EXPECT_LE(row.at("products_s").to_number<double>() + row.at("integers_s").to_number<double>(), 1.0001 * block_s);
    }
    // Every operation lies in the step's scope, so nothing is counted twice.
    EXPECT_LE(sum_s, answer.at("step_s").to_number<double>()) << plugin;
    for (const char* name : {"embedding", "projections", "attention", "ffn", "head", "loss", "optimizer"})
      EXPECT_TRUE(blocks.contains(name)) << plugin << " " << name;
    for (const char* name : {"projections", "attention", "ffn"}) {
      EXPECT_GT(blocks[name].at("backward_s").to_number<double>(), 0) << plugin << " " << name;
      const double products_s = blocks[name].at("products_s").to_number<double>();
      EXPECT_GT(products_s, 0) << plugin << " " << name;
    }
    EXPECT_EQ(blocks["optimizer"].at("backward_s").to_number<double>(), 0);
    EXPECT_EQ(string_or(answer, "engine", ""), "own");
    EXPECT_FALSE(answer.contains("engine_because"));
    // v76 reads floats where truebit reads signs, and its ffn has both; b158's linears multiply bytes.
    const std::string name_of(plugin);
    EXPECT_GT(blocks["ffn"].at("integers_s").to_number<double>(), 0) << plugin;
    EXPECT_EQ(blocks["projections"].at("integers_s").to_number<double>() > 0, name_of != "v76") << plugin;
    for (const char* name : {"embedding", "attention", "head"})
      EXPECT_EQ(blocks[name].at("integers_s").to_number<double>() > 0, name_of == "truebit") << plugin << " " << name;
    // Engines work within the step's own scope, and have no nodes of autograd.
    EXPECT_EQ(blocks["other"].at("backward_s").to_number<double>(), 0);
  }
}

TEST_F(ProfileVerbTest, TheReferencePathIsProfiledOnRequest) {
  const Ended ended = profile(small_spec(folder_, "v57"), {"--steps", "2", "--warmup", "0", "--reference"});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  const json::object answer = parse_json(ended.out, "answer").as_object();
  EXPECT_EQ(string_or(answer, "path", ""), "reference");
  EXPECT_EQ(string_or(answer, "engine", ""), "blocks");
  EXPECT_NE(string_or(answer, "engine_because", "").find("composed"), std::string::npos);
  // The composition keeps what the engine never makes.
  const Ended chosen = profile(small_spec(folder_, "v57"), {"--steps", "2", "--warmup", "0"});
  EXPECT_GT(integer_or(answer, "peak_tensor_bytes", 0),
            integer_or(parse_json(chosen.out, "answer").as_object(), "peak_tensor_bytes", 0));
}

TEST_F(ProfileVerbTest, BadInputIsRefused) {
  spec::RunSpec spec = small_spec(folder_, "v57");
  const Ended steps = profile(spec, {"--steps", "0"});
  EXPECT_EQ(steps.exit_code, 2);
  EXPECT_THAT(steps.err, testing::HasSubstr("--steps 0: expected 1 to 100000"));
  spec.model.plugin = "v75x";
  const Ended plugin = profile(spec);
  EXPECT_EQ(plugin.exit_code, 2);
  EXPECT_THAT(plugin.err, testing::HasSubstr("v75"));
}

}  // namespace
}  // namespace bitsweep::worker
