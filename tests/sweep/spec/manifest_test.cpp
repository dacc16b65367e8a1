#include "plugin/manifest.h"

#include "plugin/describe.h"
#include "spec/support.h"

namespace bitsweep::spec {
namespace {

using testing::HasSubstr;

class ManifestTest : public SweepTest {
 protected:
  std::string manifest_error(const std::string& text) {
    write_text(folder_ / "p/plugin.yaml", text);
    return error_in([&] { plugin::read_manifest(folder_ / "p/plugin.yaml"); });
  }
};

TEST_F(ManifestTest, IsRead) {
  const plugin::Manifest manifest = plugin::read_manifest(folder_ / "plugins/strict/plugin.yaml");
  EXPECT_EQ(manifest.name, "strict");
  EXPECT_EQ(manifest.library.filename(), "strict.so");
  ASSERT_NE(manifest.find("tau"), nullptr);
  EXPECT_EQ(manifest.find("tau")->default_value->to_number<double>(), 2.0);
  EXPECT_EQ(manifest.find("nothing"), nullptr);
}

TEST_F(ManifestTest, EveryMistakeAtOnce) {
  const std::string message =
      manifest_error("name: x\nsumary: y\noptions:\n  a: { type: intt }\n  b: { type: int, min: 5, default: 3 }\n");
  EXPECT_THAT(message, HasSubstr("plugin.yaml:2:1: unknown key 'sumary'; did you mean 'summary'?"));
  EXPECT_THAT(message, HasSubstr("'summary' is missing"));
  EXPECT_THAT(message, HasSubstr("unknown type 'intt'; did you mean 'int'?"));
  EXPECT_THAT(message, HasSubstr("the default of 'b' must be an integer of at least 5"));
}

TEST_F(ManifestTest, MoreMistakes) {
  EXPECT_THAT(manifest_error("[]"), HasSubstr("is a map"));
  EXPECT_THAT(manifest_error("name: x\nsummary: y\noptions: { params: { type: int } }\n"),
              HasSubstr("every plugin's already"));
  EXPECT_THAT(manifest_error("name: x\nsummary: y\noptions: { a: { type: choice } }\n"), HasSubstr("go together"));
  EXPECT_THAT(manifest_error("name: x\nsummary: y\nversion: 0\n"), HasSubstr("at least 1"));
  EXPECT_THAT(manifest_error("name: x\nsummary: y\npresets: [big]\n"), HasSubstr("a preset is a size"));
  EXPECT_THAT(manifest_error("name: a/b\nsummary: y\n"), HasSubstr("not a path"));
  EXPECT_THAT(manifest_error("name: x\nsummary: y\noptions: { a: { type: int, absent: 3 } }\n"),
              HasSubstr("'absent' stands beside a 'default'"));
  EXPECT_THAT(manifest_error("name: x\nsummary: y\noptions: { a: { type: int, min: 5, default: 6, absent: 3 } }\n"),
              HasSubstr("the absent value of 'a' must be an integer of at least 5"));
}

TEST_F(ManifestTest, AnOptionThatCameLaterHasADefaultAndAnAbsentValue) {
  write_text(folder_ / "p/plugin.yaml",
             "name: x\nsummary: y\noptions:\n  a: { type: int, default: 6, absent: 3 }\n"
             "  b: { type: bool, default: true }\n");
  const plugin::Manifest manifest = plugin::read_manifest(folder_ / "p/plugin.yaml");
  EXPECT_EQ(*manifest.find("a")->absent, 3);
  EXPECT_FALSE(manifest.find("b")->absent);
  EXPECT_EQ(canonical_json(manifest.later_defaults()), R"({"a":6})");
}

TEST_F(ManifestTest, ABrokenOneDoesNotHideTheOthers) {
  write_text(folder_ / "plugins/broken/plugin.yaml", "name: [");
  write_text(folder_ / "plugins/twice/plugin.yaml", "name: llama\nsummary: again\n");
  std::vector<std::string> problems;
  const auto plugins = plugin::find_plugins(folder_ / "plugins", &problems);
  ASSERT_EQ(plugins.size(), 2u);
  EXPECT_EQ(plugins[0].name, "llama");
  EXPECT_EQ(problems.size(), 2u);
  EXPECT_TRUE(plugin::find_plugins(folder_ / "nothing", &problems).empty());
  EXPECT_EQ(problems.size(), 3u);
}

TEST_F(ManifestTest, OptionProblems) {
  const plugin::Manifest m = plugins_[1];
  const auto problem = [&](const char* option, json::value value) { return option_problem(*m.find(option), value); };
  EXPECT_EQ(problem("d_model", 64), "");
  EXPECT_EQ(problem("d_model", 64.0), "");
  EXPECT_EQ(problem("d_model", 4), "an integer from 8 to 4,096");
  EXPECT_EQ(problem("d_model", 64.5), "an integer from 8 to 4,096");
  EXPECT_EQ(problem("d_model", "64"), "an integer from 8 to 4,096");
  EXPECT_EQ(problem("tau", std::nan("")), "a number from 0.1 to 10");
  EXPECT_EQ(problem("alibi", 1), "true or false");
  EXPECT_EQ(problem("attention", "softmax"), "one of gumbel, topk");
  EXPECT_EQ(problem("kshift", json::array{0, 3}), "");
  EXPECT_EQ(problem("kshift", json::array{-1}), "a list of integers, each of at least 0");
}

TEST_F(ManifestTest, DescriptionsGoThroughJson) {
  plugin::Description d{.options = {{"d_model", 8}},
                        .params = 100,
                        .params_embedding = 20,
                        .params_extra = 3,
                        .latent_bits_per_weight = 32,
                        .stored_bits_per_weight = 1,
                        .flops_forward_per_token = 200};
  EXPECT_EQ(canonical_json(to_json(plugin::description_from_json(to_json(d)))), canonical_json(to_json(d)));
  d.blocks = {{"ffn", 60, 150, 4000}, {"head", 10, 50, 0}};
  d.bytes = plugin::MemoryNeed{.weights = 400, .gradients = 400, .optimizer = 804, .activations = 9000, .peak = 10000};
  EXPECT_EQ(canonical_json(to_json(plugin::description_from_json(to_json(d)))), canonical_json(to_json(d)));
  EXPECT_EQ(to_json(d).at("bytes").at("checkpoint"), 1204);
  EXPECT_EQ(to_json(d).at("params_nonembedding"), 80);
  EXPECT_EQ(d.flops_training_per_token(), 600);  // of a plugin that says nothing of its backward pass
  d.flops_backward_per_token = 450;
  d.blocks[0].flops_backward_per_token = 350;
  d.implied = {{"init", "fixed"}};
  EXPECT_EQ(canonical_json(to_json(plugin::description_from_json(to_json(d)))), canonical_json(to_json(d)));
  EXPECT_EQ(d.flops_training_per_token(), 650);
  EXPECT_FALSE(plugin::description_from_json(to_json(d)).path);
  d.path = plugin::StepPath{.own = true};
  EXPECT_TRUE(plugin::description_from_json(to_json(d)).path->own);
  EXPECT_FALSE(to_json(d).contains("engine_because"));
  d.path = plugin::StepPath{.because = "precision bf16"};
  EXPECT_EQ(plugin::description_from_json(to_json(d)).path->because, "precision bf16");
  EXPECT_EQ(canonical_json(to_json(plugin::description_from_json(to_json(d)))), canonical_json(to_json(d)));
  json::object bad = to_json(d);
  bad["params"] = -1;
  EXPECT_THROW(plugin::description_from_json(bad), Error);
  bad = to_json(d);
  bad["params_embedding"] = 101;
  EXPECT_THROW(plugin::description_from_json(bad), Error);
  bad = to_json(d);
  bad["bytes"].as_object()["peak"] = "much";
  EXPECT_THROW(plugin::description_from_json(bad), Error);
  bad["bytes"] = 1;
  EXPECT_THROW(plugin::description_from_json(bad), Error);
  bad = to_json(d);
  bad["blocks"] = json::array{1};
  EXPECT_THROW(plugin::description_from_json(bad), Error);
  bad = to_json(d);
  bad["engine"] = "steam";
  EXPECT_THROW(plugin::description_from_json(bad), Error);
}

TEST_F(ManifestTest, RequestsGoThroughJson) {
  const plugin::DescribeRequest request{
      .options = {}, .vocab = 9, .context = 5, .sequences = 3, .accumulates = true, .precision = "bf16"};
  EXPECT_EQ(canonical_json(to_json(plugin::describe_request_from_json(to_json(request)))),
            canonical_json(to_json(request)));
  plugin::DescribeRequest fresh = request;
  fresh.defaults = {{"init", "fan_in"}};
  EXPECT_EQ(plugin::describe_request_from_json(to_json(fresh)).defaults, fresh.defaults);
  // A request of an older caller says nothing of the batch.
  const json::object plain{{"options", json::object()}, {"vocab", 9}, {"context", 5}};
  EXPECT_EQ(plugin::describe_request_from_json(plain).sequences, 1);
  for (const auto& [key, value] : std::initializer_list<std::pair<const char*, json::value>>{
           {"vocab", 0}, {"sequences", 0}, {"accumulates", 1}, {"precision", "f16"}}) {
    json::object wrong = plain;
    wrong[key] = value;
    EXPECT_THROW(plugin::describe_request_from_json(wrong), Error) << key;
  }
}

}  // namespace
}  // namespace bitsweep::spec
