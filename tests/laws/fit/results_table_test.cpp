// Tables of results: what was compared, seeds, a baseline.
#include "fit/results_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace bitsweep::fit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const char* const kLines =
    "{\"row\": \"A6\", \"seed\": 1337, \"bpb\": 1.3275, \"config\": {\"depth\": 6}}\n"
    "{\"row\": \"A0\", \"seed\": 1337, \"bpb\": 1.34, \"config\": {\"depth\": 6}}\n"
    "{\"row\": \"A6\", \"seed\": 42, \"bpb\": 1.3265, \"config\": {\"depth\": 6}}\n"
    "{\"row\": \"A0\", \"seed\": 42, \"bpb\": 1.339, \"config\": {\"depth\": 6}}\n";

ResultsTable read(const std::string& text, const PointsFormat& format = {}) {
  auto table = read_results_table(text, "f", format);
  EXPECT_TRUE(table) << text;
  return table ? *table : ResultsTable();
}

std::string names(const ResultsTable& table) {
  std::string all;
  for (const ResultGroup& group : table.groups) all += group.name + ":" + std::to_string(group.losses.size()) + " ";
  return all;
}

TEST(ResultsTable, RowsOfOneNameAreItsSeeds) {
  const ResultsTable table = read(kLines);
  EXPECT_EQ(table.label, "row");
  EXPECT_EQ(table.metric, "bpb");
  EXPECT_EQ(names(table), "A6:2 A0:2 ");
  EXPECT_THAT(table.groups[0].seeds, ElementsAre("1337", "42"));
  EXPECT_TRUE(table.notes.empty());
}

TEST(ResultsTable, OtherSpellingsOfTheNameAndTheMeasure) {
  EXPECT_EQ(names(read("variant,seed,val_bpb\nx,1,2\ny,1,3\n")), "x:1 y:1 ");
  EXPECT_EQ(names(read("Ablation;seed;bpc\nx;1.0;2,5\nx;2;2,6\n")), "x:2 ");
  EXPECT_EQ(names(read("[{\"config\": \"a\", \"loss\": 2}, {\"config\": \"b\", \"loss\": 3}]")), "a:1 b:1 ");
  EXPECT_EQ(names(read("{\"a\": {\"bpb\": 2}, \"b\": {\"bpb\": 3}}")), "a:1 b:1 ");
  EXPECT_EQ(names(read("w,a,score\n1,16,2\n4,4,3\n", parse_column_map("variant=W{w}A{a},loss=score"))),
            "W1A16:1 W4A4:1 ");
}

TEST(ResultsTable, PointsAndLogsAreNone) {
  EXPECT_FALSE(read_results_table("variant,params,tokens,loss\nx,1,2,3\n", "f", {}));
  EXPECT_FALSE(read_results_table("run,step,val_bpb\nx,1,2\n", "f", {}));
  EXPECT_FALSE(read_results_table("a,b\n1,2\n", "f", {}));
}

TEST(ResultsTable, WhatDoesNotCountIsCountedAndSaid) {
  const ResultsTable table = read(
      "row,seed,bpb,status,config.lr\na,1,2,done,1\na,1,2,done,1\na,2,0,done,1\na,3,,crash,1\na,4,N/"
      "A,,1\na,1,2.5,ok,2\n");
  EXPECT_EQ(names(table), "a:2 ");
  std::string notes;
  for (const std::string& note : table.notes) notes += note + "\n";
  for (const char* part :
       {"left out 1 row that did not finish (crashed), the first on line 5", "left out 1 row without a value",
        "left out 1 row whose loss is not above 0", "1 row is equal to another in all", "has seed 1 more than once",
        "'a' has config.lr '1' and '2' (line 7)"})
    EXPECT_THAT(notes, HasSubstr(part));
}

TEST(ResultsTable, TheBaselineIsAskedForNamedOrTheFirst) {
  const ResultsTable table = read(kLines);
  EXPECT_EQ(choose_baseline(table, "").group, 1u);  // A0
  EXPECT_EQ(choose_baseline(table, "a6").group, 0u);
  EXPECT_EQ(choose_baseline(read("row,bpb\nx,1\nControl,2\n"), "").group, 1u);
  const Baseline first = choose_baseline(read("row,bpb\nx,1\ny,2\n"), "");
  EXPECT_EQ(first.group, 0u);
  EXPECT_THAT(first.why, HasSubstr("as the first"));
  try {
    choose_baseline(table, "A7");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no 'A7' in column 'row'; did you mean 'A"));
  }
}

}  // namespace
}  // namespace bitsweep::fit
