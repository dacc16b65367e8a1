#include "query/asked.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/comparable.h"

namespace bitsweep::query {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

RunRow asked_run(int64_t limit, double count) {
  RunRow run;
  run.state = RunState::done;
  run.last_val_bpc = 1.5;
  run.spec = {{"eval", json::object{{"tasks", json::array{json::object{{"name", "arc"},
                                                                       {"file", "/t/arc.jsonl"},
                                                                       {"kind", "choice"},
                                                                       {"shots", 0},
                                                                       {"limit", limit},
                                                                       {"when", "every"}}}},
                                    {"also", json::object{{"base", json::object{{"corpus", "/t/base.txt"}}}}}}}};
  run.metrics["arc.n"] = count;
  return run;
}

TEST(Asked, IsWhatATaskSaysButItsNameAndWhen) {
  RunRow run = asked_run(60, 56);
  EXPECT_EQ(asked_text(asked_for(run, "arc.bpb")), "n=56, file=/t/arc.jsonl, kind=choice, limit=60");
  EXPECT_EQ(asked_text(asked_for(run, "base.bpc")), "corpus=/t/base.txt");
  EXPECT_THAT(asked_for(run, "val_bpc"), IsEmpty());
  run.questions["arc"] = "ab12";
  EXPECT_EQ(asked_text(asked_for(run, "arc.acc")), "n=56, questions=ab12, file=/t/arc.jsonl, kind=choice, limit=60");
}

TEST(Asked, QuestionsCountBeforeTheirFileWhereAllSayThem) {
  RunRow first = asked_run(60, 56), moved = first;
  moved.spec["eval"].as_object()["tasks"].as_array()[0].as_object()["file"] = "/u/arc.jsonl";
  const auto differences = [&] {
    std::vector<Asked> all{asked_for(first, "arc.acc"), asked_for(moved, "arc.acc")};
    make_comparable(all);
    return asked_differences(all);
  };
  EXPECT_THAT(differences(), ElementsAre("file"));
  first.questions["arc"] = "ab12";
  EXPECT_THAT(differences(), ElementsAre("file")) << "the other does not say";
  moved.questions["arc"] = "ab12";
  EXPECT_THAT(differences(), IsEmpty());
  moved.questions["arc"] = "cd34";
  EXPECT_THAT(differences(), ElementsAre("questions"));
}

TEST(Asked, ALossOfChangedQuestionsIsAnotherGroup) {
  std::vector<RunRow> runs{asked_run(60, 56), asked_run(60, 56)};
  for (RunRow& run : runs) run.loss = MetricKind{"arc.bpb", Better::lower, "bits per byte", {}, ""};
  runs[0].questions["arc"] = "ab12";
  EXPECT_EQ(comparable_groups(runs, {}).size(), 1u) << "the other is older";
  runs[1].questions["arc"] = "cd34";
  const auto groups = comparable_groups(runs, {});
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[1].label, "data not named, questions=cd34");
}

TEST(Asked, DifferencesAreNamed) {
  const Asked a = asked_for(asked_run(60, 56), "arc.acc"), b = asked_for(asked_run(10, 10), "arc.acc");
  EXPECT_THAT(asked_differences({a, a}), IsEmpty());
  EXPECT_THAT(asked_differences({a, b}), ElementsAre("n"));
  EXPECT_THAT(asked_differences({a, Asked()}), ElementsAre("n", "file", "kind"));
  EXPECT_EQ(asked_text(b, {"n", "file"}), "n=10, file=arc.jsonl");
}

TEST(Asked, ALossOfOtherQuestionsIsAnotherGroup) {
  std::vector<RunRow> runs{asked_run(60, 56), asked_run(60, 56), asked_run(60, 40)};
  EXPECT_EQ(comparable_groups(runs, {}).size(), 1u) << "of the validation loss";
  for (RunRow& run : runs) run.loss = MetricKind{"arc.bpb", Better::lower, "bits per byte", {}, ""};
  const auto groups = comparable_groups(runs, {});
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_THAT(groups[0].runs, ElementsAre(0, 1));
  EXPECT_EQ(groups[0].label, "data not named, n=56");
  EXPECT_EQ(groups[1].label, "data not named, n=40");
}

}  // namespace
}  // namespace bitsweep::query
