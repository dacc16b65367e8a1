// Tidy, wide and other tables, by what runs become of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "imports/foreign_log.h"
#include "imports/log_forms.h"

namespace bitsweep::imports {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Read {
  std::vector<std::string> curves, notes, mistakes;
};

Read read(const std::string& text, const std::string& suffix, const std::string& map = "") {
  Findings findings("log");
  ForeignFormat format;
  if (!map.empty()) format.columns = parse_foreign_map(map);
  const ForeignLog log = read_foreign_log(text, "log", suffix, format, findings);
  Read result{.curves = {}, .notes = log.notes, .mistakes = {}};
  for (const Diagnostic& diagnostic : findings.take()) result.mistakes.push_back(diagnostic.to_string());
  for (const ForeignRun& run : log.runs) {
    std::string text_of_run = run.name + ":";
    for (const event::Event& event : run.events)
      if (event.kind == "eval")
        text_of_run += fmt::format(" {}={}", event.step, compact_json(event.fields.at("val_bpc")));
    result.curves.push_back(text_of_run);
  }
  return result;
}

TEST(TidyForm, KeysAreColumns) {
  const Read found = read(
      "run_id,key,value,step,timestamp\n"
      "abc,val_bpb,2.2,100,1774224582654\n"
      "abc,train_loss,2.3,100,1774224582654\n"
      "abc,val_bpb,2.1,200,1774224642654\n"
      "def,val_bpb,3,100,1774224642654\n",
      ".csv");
  EXPECT_THAT(found.mistakes, IsEmpty());
  EXPECT_THAT(found.curves, ElementsAre("abc: 100=2.2 200=2.1", "def: 100=3"));
  EXPECT_THAT(read(R"({"name":"val/bpb","step":100,"value":2.2}
{"name":"train/loss","step":100,"value":2.4}
{"name":"val/bpb","step":200,"value":2.1})",
                   ".jsonl")
                  .curves,
              ElementsAre("log: 100=2.2 200=2.1"));
}

TEST(TidyForm, SortedByKeyAndTakenUpAgain) {
  const Read found = read(
      "metric,step,value\n"
      "train/loss,100,3\ntrain/loss,200,2.9\ntrain/loss,300,2.8\n"
      "val/bpb,100,2.2\nval/bpb,200,2.1\nval/bpb,300,2.0\nval/bpb,200,2.15\n",
      ".csv");
  EXPECT_THAT(found.curves, ElementsAre("log: 100=2.2 200=2.15"));
  EXPECT_THAT(found.notes, ElementsAre(HasSubstr("'val/bpb' fall back from 300 to 200")));
}

TEST(TidyForm, AColumnThatTellsRowsApartIsNamed) {
  EXPECT_THAT(read("step,split,val_bpb\n100,train,2.0\n100,val,2.2\n200,train,1.9\n200,val,2.1\n", ".csv").mistakes,
              ElementsAre(AllOf(HasSubstr("'split' tells them apart (train, val)"), HasSubstr("--map run=split"))));
  EXPECT_THAT(
      read("step,split,val_bpb\n100,train,2.0\n100,val,2.2\n200,train,1.9\n200,val,2.1\n", ".csv", "run=split").curves,
      ElementsAre("train: 100=2 200=1.9", "val: 100=2.2 200=2.1"));
}

constexpr const char* kWide =
    "\"Step\",\"lr=0.001,bs=32 - val/bpb\",\"lr=0.001,bs=32 - val/bpb__MIN\",\"lr=0.001,bs=32 - val/bpb__MAX\","
    "\"b - val/bpb\"\n"
    "\"100\",\"2.2\",\"2.2\",\"2.2\",\"2.3\"\n"
    "\"200\",\"2.1\",\"2.1\",\"2.1\",\"\"\n";

TEST(WideForm, AColumnIsARun) {
  const Read found = read(kWide, ".csv");
  EXPECT_THAT(found.mistakes, IsEmpty());
  EXPECT_THAT(found.curves, ElementsAre("lr=0.001,bs=32: 100=2.2 200=2.1", "b: 100=2.3"));
}

TEST(WideForm, OneColumnMayBeNamed) {
  EXPECT_THAT(read(kWide, ".csv", "val_bpc=\"b - val/bpb\"").curves, ElementsAre("log: 100=2.3"));
}

TEST(ScalarForm, TensorBoardsValueIsTheLossUnlessItIsNamed) {
  const std::string text = "Wall time,Step,Value\n1774224582.65,100,2.2\n1774224642.65,200,2.1\n";
  EXPECT_THAT(read(text, ".csv").curves, ElementsAre("log: 100=2.2 200=2.1"));
  EXPECT_THAT(read(text, ".csv").notes, ElementsAre(HasSubstr("TensorBoard")));
  EXPECT_THAT(read(text, ".csv", "val_bpc=Value").notes, IsEmpty());
}

TEST(Tables, AreKnownByTheirHeaderWhateverTheirSuffix) {
  const LogNames names({});
  EXPECT_TRUE(is_table("# a comment\nstep,val_bpb\n1,2\n", ".log", names));
  EXPECT_TRUE(is_table("anything", ".csv", names));
  EXPECT_FALSE(is_table("{\"step\": 1}\n", ".csv", names));
  EXPECT_FALSE(is_table("step:5 val_bpb:2, lr:3\n", ".txt", names));
  EXPECT_THAT(read("step;val_bpb\n1;2,5\n", ".txt").curves, ElementsAre("log: 1=2.5"));
}

TEST(Tables, RowsOfAnotherLengthAndRepeatedHeadersLoseNothingElse) {
  const Read found = read("step,val_bpb\n1,2\n,3\n4\nstep,val_bpb\n5,1.5\n6", ".csv");
  EXPECT_THAT(found.curves, ElementsAre("log: 1=2 5=1.5"));
  EXPECT_THAT(found.notes, ElementsAre(HasSubstr("line 3: step is missing"), HasSubstr("line 4: 1 cells"),
                                       HasSubstr("line 7: 1 cells")));
}

}  // namespace
}  // namespace bitsweep::imports
