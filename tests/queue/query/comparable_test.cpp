#include "query/comparable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bitsweep::query {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RunRow row(const std::string& corpus, const std::string& tokenizer, int64_t context, int64_t windows,
           const std::string& dataset = "") {
  RunRow run;
  run.state = RunState::done;
  run.last_val_bpc = 3.0;
  run.dataset = dataset;
  run.spec = {{"data", json::object{{"corpus", corpus}, {"tokenizer", tokenizer}, {"context", context}}},
              {"eval", json::object{{"windows", windows}}}};
  return run;
}

TEST(Comparable, RunsOnTheSameDataAreOneGroup) {
  const auto groups = comparable_groups({row("headers", "ascii128", 256, 64), row("headers", "ascii128", 256, 64)}, {});
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_THAT(groups[0].runs, ElementsAre(0, 1));
  EXPECT_EQ(groups[0].label, "headers, ascii128, context 256");
}

TEST(Comparable, TokenizerContextWindowsAndCorpusEachSplit) {
  const RunRow base = row("headers", "ascii128", 256, 64);
  for (const RunRow& other : {row("headers", "bytes256", 256, 64), row("headers", "ascii128", 128, 64),
                              row("headers", "ascii128", 256, 32), row("stories", "ascii128", 256, 64)})
    EXPECT_EQ(comparable_groups({base, other}, {}).size(), 2u);
}

TEST(Comparable, TheDatasetDecidesWhenItIsKnown) {
  // One path, but the text behind it changed between the runs.
  const auto groups =
      comparable_groups({row("/t/a.txt", "bytes256", 64, 8, "d1"), row("/t/a.txt", "bytes256", 64, 8, "d2")}, {});
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_NE(groups[0].label, groups[1].label);
}

TEST(Comparable, GroupsThatReadTheSameAreToldApart) {
  const auto groups = comparable_groups({row("/x/a.txt", "bytes256", 64, 8), row("/y/a.txt", "bytes256", 64, 8)}, {});
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_NE(groups[0].label, groups[1].label);
  EXPECT_THAT(groups[0].label, HasSubstr("a.txt"));
}

RunRow mixed(double first, double second, const std::string& val = "") {
  RunRow run = row("", "bytes256", 64, 8);
  json::object& data = run.spec["data"].as_object();
  data["corpus"] = json::array{json::object{{"corpus", "/t/a.txt"}, {"weight", first}},
                               json::object{{"corpus", "/t/b.txt"}, {"weight", second}}};
  data["val"] = val;
  return run;
}

TEST(Comparable, WeightsDecideWhatAMixtureIsScoredOn) {
  const auto groups = comparable_groups({mixed(3, 1), mixed(1, 3), mixed(6, 2)}, {});
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_THAT(groups[0].runs, ElementsAre(0, 2));
  EXPECT_EQ(groups[0].label, "a.txt + b.txt, bytes256, context 64, weights 3:1");
  EXPECT_EQ(groups[1].label, "a.txt + b.txt, bytes256, context 64, weights 1:3");
  std::vector<RunRow> on_bytes{mixed(3, 1), mixed(1, 3)};  // different counts of bytes do not hide the weights
  for (size_t i = 0; i < 2; ++i) on_bytes[i].spec["eval"] = json::object{{"bytes", 1000 * (i + 1)}};
  EXPECT_EQ(comparable_groups(on_bytes, {})[1].label, "a.txt + b.txt, eval.bytes 2k, weights 1:3");
  EXPECT_EQ(comparable_groups({mixed(3, 1, "/t/v.txt"), mixed(1, 3, "/t/v.txt")}, {}).size(), 1u);
}

RunRow scored_on(int64_t bytes, int64_t stride) {
  RunRow run = row("/t/a.txt", "bytes256", 64, 8, "d1");
  run.spec["eval"] = json::object{{"bytes", bytes}, {"stride", stride}};
  return run;
}

TEST(Comparable, LabelsSayWhatDiffersOnce) {
  const auto labels = [](const std::vector<RunRow>& runs, const std::vector<DatasetRow>& datasets) {
    std::vector<std::string> found;
    for (const ComparableGroup& group : comparable_groups(runs, datasets)) found.push_back(group.label);
    return found;
  };
  EXPECT_THAT(
      labels({scored_on(1000000, 0), scored_on(1000000, 32), scored_on(1000000, 64)}, {}),
      ElementsAre("a.txt, eval.bytes 1M", "a.txt, eval.bytes 1M, stride 32", "a.txt, eval.bytes 1M, stride 64"));
  DatasetRow dataset;
  dataset.id = "d1";
  dataset.name = "a.txt";
  dataset.yardsticks = {{0, 1000000, 12000, {4.0}}};
  EXPECT_THAT(labels({scored_on(1000000, 0)}, {dataset}), ElementsAre("a.txt, the same 12,000 bytes"));
  // Nothing that has a name: the field of two texts.
  RunRow first = row("/t/a.txt", "bytes256", 64, 8), second = first;
  second.spec["data"].as_object()["field"] = "text";
  EXPECT_THAT(labels({first, second}, {}),
              ElementsAre("a.txt, bytes256, context 64, no. 1", "a.txt, bytes256, context 64, no. 2"));
}

TEST(Comparable, NamesComeFromTheDataset) {
  DatasetRow dataset;
  dataset.id = "d1";
  dataset.name = "headers";
  dataset.tokenizer = "ascii128";
  const auto groups = comparable_groups({row("/some/path", "ascii128", 256, 8, "d1")}, {dataset});
  EXPECT_EQ(groups[0].label, "headers, ascii128, context 256");
}

TEST(Comparable, RunsWithoutASpecAreOneGroup) {
  RunRow a, b;
  EXPECT_EQ(comparable_groups({a, b}, {}).size(), 1u);
  EXPECT_TRUE(comparable_groups({}, {}).empty());
}

TEST(Comparable, OnlyFinishedRunsWithALossCount) {
  RunRow run = row("headers", "ascii128", 256, 64);
  EXPECT_EQ(exclusion_reason(run), "");
  run.last_val_bpc.reset();
  EXPECT_EQ(exclusion_reason(run), "ended without a loss");
  run.last_val_bpc = 3.0;
  for (const auto& [state, cause, reason] :
       std::vector<std::array<std::string, 3>>{{"failed", "diverged", "diverged"},
                                               {"failed", "oom", "failed: oom"},
                                               {"failed", "", "failed"},
                                               {"stopped", "stopped", "stopped early"},
                                               {"cancelled", "cancelled", "cancelled"},
                                               {"cancelled", "withdrawn", "withdrawn"},
                                               {"queued", "", "not begun"},
                                               {"running", "", "still running"}}) {
    run.state = run_state_from(state).value();
    run.exit_cause = cause;
    EXPECT_EQ(exclusion_reason(run), reason);
  }
}

TEST(ExclusionReason, LossesThatNoSoundRunEndsWithAreLeftOut) {
  RunRow run = row("headers", "bytes256", 256, 64);
  run.last_val_bpc.reset();
  EXPECT_EQ(exclusion_reason(run), "ended without a loss");
  const auto reason = [&](double loss) {
    run.last_val_bpc = loss;
    return exclusion_reason(run);
  };
  EXPECT_EQ(reason(2.5), "");
  EXPECT_EQ(reason(9.5), "");  // above log2 256, but no further than a start lies
  EXPECT_EQ(reason(0), "ended with a loss that is not above 0");
  EXPECT_EQ(reason(-1), "ended with a loss that is not above 0");
  EXPECT_EQ(reason(172), "diverged: ended with a loss far above the uniform model's");
  run.spec["data"].get_object()["unit"] = "nats";
  EXPECT_EQ(reason(12), "diverged: ended with a loss far above the uniform model's");
  run.spec["data"].get_object()["unit"] = "";
  EXPECT_EQ(reason(172), "");  // of an unknown unit nothing is known
  run = row("headers", "sp1024", 256, 64);
  EXPECT_EQ(reason(172), "");  // nor of an unknown vocabulary
}

}  // namespace
}  // namespace bitsweep::query
