// The real `bitsweep-worker describe`: the planner's only way to a plugin.
#include <gtest/gtest.h>

#include "base/json.h"
#include "plugin/describe.h"
#include "worker_run.h"

namespace bitsweep::worker {
namespace {

std::string request(const std::string& plugin, json::object options = {}, int64_t vocab = 128, int64_t context = 256) {
  json::object line;
  if (!plugin.empty()) line["plugin"] = plugin;
  line["request"] = to_json(plugin::DescribeRequest{.options = std::move(options), .vocab = vocab, .context = context});
  return json::serialize(line) + "\n";
}

class DescribeTest : public testing::Test {
 protected:
  const fs::path folder_ = train::fresh_folder();
  Ended describe(const std::string& input, std::vector<std::string> args = {}) const {
    args.insert(args.begin(), {BITSWEEP_WORKER, "describe"});
    args.insert(args.end(), {"--plugin-dir", BITSWEEP_PLUGIN_DIR});
    return Process(std::move(args), folder_, input).wait();
  }
  static std::vector<json::object> lines(const std::string& text) {
    std::vector<json::object> out;
    size_t begin = 0;
    for (size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
      out.push_back(parse_json(std::string_view(text).substr(begin, end - begin), "line").as_object());
    return out;
  }
  static std::string test_plugin(const std::string& name) { return (kTestPlugins / name / (name + ".so")).string(); }
};

TEST_F(DescribeTest, TheGeometryOfTheRealPlugins) {
  const Ended ended = describe(request("v57", {{"d_model", 1024}, {"n_layers", 8}, {"n_heads", 32}, {"d_ff", 512}}) +
                               request("v57", {{"d_model", 640}, {"n_layers", 6}, {"n_heads", 20}, {"d_ff", 320}}) +
                               request("v57", {{"d_model", 2048}, {"n_layers", 16}, {"n_heads", 32}, {"d_ff", 1024}}) +
                               request("llama", {{"params", "1M"}}));
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  const auto answers = lines(ended.out);
  ASSERT_EQ(answers.size(), 4u);
  const auto params = [&](size_t i) { return integer_or(answers[i].at("description").as_object(), "params", 0); };
  EXPECT_EQ(params(0), 46448640);
  EXPECT_EQ(params(1), 13703680);
  EXPECT_EQ(params(2), 369819648);
  EXPECT_NEAR(static_cast<double>(params(3)), 1e6, 2e5);
}

TEST_F(DescribeTest, ADescriptionsOptionsDescribeThemselves) {
  const std::vector<const char*> plugins{"v47b", "v52", "v57", "v75", "v76", "bitnet", "b158", "llama"};
  std::string requests, again;
  for (const char* plugin : plugins) requests += request(plugin, {{"params", "300k"}});
  const auto first = lines(describe(requests).out);
  ASSERT_EQ(first.size(), plugins.size());
  for (size_t i = 0; i < plugins.size(); ++i) {
    ASSERT_TRUE(first[i].contains("description")) << json::serialize(first[i]);
    const json::object options = first[i].at("description").as_object().at("options").as_object();
    EXPECT_FALSE(options.contains("params"));
    again += request(plugins[i], options);
  }
  const auto second = lines(describe(again).out);
  ASSERT_EQ(second.size(), plugins.size());
  for (size_t i = 0; i < plugins.size(); ++i) {
    EXPECT_EQ(canonical_json(first[i].at("description")), canonical_json(second[i].at("description"))) << plugins[i];
  }
}

TEST_F(DescribeTest, OneBadRequestCostsItsLineAlone) {
  const Ended ended = describe(request("v57", {{"params", "1M"}}) + "not json\n" + "{}\n" + "\n" + "[1]\n" +
                               request("v577", {}) + request("v57", {{"d_modl", 32}}) +
                               request(test_plugin("other_build")) + request("v57", {{"params", "1M"}}));
  EXPECT_EQ(ended.exit_code, 0);
  const auto answers = lines(ended.out);
  ASSERT_EQ(answers.size(), 8u);
  for (size_t i = 1; i < 7; ++i) {
    EXPECT_TRUE(answers[i].contains("error")) << i;
    EXPECT_EQ(string_or(answers[i], "kind", ""), "input") << json::serialize(answers[i]);
  }
  EXPECT_NE(string_or(answers[4], "error", "").find("'v57'"), std::string::npos);
  EXPECT_NE(string_or(answers[5], "error", "").find("d_model"), std::string::npos);
  EXPECT_EQ(answers[0].at("description"), answers[7].at("description"));
  EXPECT_GT(integer_or(answers[0], "process_bytes", 0), 10 << 20);
}

TEST_F(DescribeTest, PatternsToFreezeAreHeldAgainstTheModel) {
  const auto asked = [](const std::string& plugin, const char* pattern) {
    json::object line = parse_json(request(plugin, {{"params", "60k"}}), "request").as_object();
    line["freeze"] = json::array{pattern};
    return json::serialize(line) + "\n";
  };
  const auto answers = lines(describe(asked("llama", "layers.*") + asked("llama", "layer.0.*") + asked("llama", "*") +
                                      request("llama", {{"params", "60k"}}) + asked("truebit", "layrs.*"))
                                 .out);
  ASSERT_EQ(answers.size(), 5u);
  for (const json::object& answer : answers) EXPECT_TRUE(answer.contains("description")) << json::serialize(answer);
  EXPECT_FALSE(answers[0].contains("freeze"));
  EXPECT_EQ(string_or(answers[1], "freeze", "").find("train.freeze: 'layer.0.*' matches no parameter; did you mean"),
            0u);
  EXPECT_EQ(string_or(answers[2], "freeze", ""), "train.freeze: every parameter is frozen: nothing is left to train");
  EXPECT_FALSE(answers[3].contains("freeze"));
  EXPECT_NE(string_or(answers[4], "freeze", ""), "");
  EXPECT_EQ(integer_or(answers[0], "process_bytes", 0), integer_or(answers[3], "process_bytes", 1));
}

TEST_F(DescribeTest, TheNamedPluginsBoundTheRequests) {
  const Ended ended =
      describe(request("", {{"params", "1M"}}) + request("v75", {{"params", "1M"}}), {"--plugin", "v57"});
  const auto answers = lines(ended.out);
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_TRUE(answers[0].contains("description"));
  EXPECT_NE(string_or(answers[1], "error", "").find("none of --plugin"), std::string::npos);
}

TEST_F(DescribeTest, APluginThatThrowsIsAnAnswer) {
  const auto answers =
      lines(describe(request(test_plugin("throws_in_describe")) + request("v57", {{"params", "1M"}})).out);
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(string_or(answers[0], "kind", ""), "failed");
  EXPECT_TRUE(answers[1].contains("description"));
}

TEST_F(DescribeTest, APluginThatCrashesTakesOnlyTheProcessAndWhatFollows) {
  const Ended ended = describe(request("v57", {{"params", "1M"}}) + request(test_plugin("crashes_in_describe")) +
                               request("v57", {{"params", "1M"}}));
  EXPECT_EQ(ended.signal, SIGABRT);
  EXPECT_EQ(lines(ended.out).size(), 1u);
}

TEST_F(DescribeTest, NothingAskedNothingAnswered) {
  const Ended ended = describe("");
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.out, "");
}

}  // namespace
}  // namespace bitsweep::worker
