// Cells, states and forms of tables, as other tools and people write them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/csv.h"
#include "base/error.h"
#include "fit/cell_value.h"
#include "fit/json_table.h"
#include "fit/points_csv.h"
#include "fit/row_state.h"

namespace bitsweep::fit {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string error_of(std::string_view text, const PointsFormat& format = {}, const std::string& name = "f.csv") {
  try {
    read_point_table(text, name, format);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string notes_of(const PointTable& table) {
  std::string all;
  for (const std::string& note : table.notes) all += note + "\n";
  return all;
}

TEST(CellValue, ThousandsAreSeparatedInManyWays) {
  for (const char* text : {"1,000,000", "1000000", "1 000 000", "1'000'000", "1_000_000",
                           "1\xC2\xA0"
                           "000\xC2\xA0"
                           "000",
                           "1M", "1e6", "1,000,000.0"})
    EXPECT_EQ(cell_number(text, ',', NumberKind::count), 1e6) << text;
  EXPECT_EQ(cell_number("1.000.000", ';', NumberKind::count), 1e6);
  EXPECT_EQ(cell_number("1.000.000,5", ';'), 1000000.5);
  EXPECT_EQ(cell_number("20,000", '\t', NumberKind::count), 20000);
  EXPECT_EQ(cell_number("20,000", '\t', NumberKind::measure), 20);
  EXPECT_EQ(cell_number("20,000", ','), 20000);
  for (const char* text : {"1,00", "1,0000", "12,34,567", "a,000", "1,000,00"})
    EXPECT_FALSE(cell_number(text, ',')) << text;
  EXPECT_EQ(cell_number("-1,234.5", ','), -1234.5);
}

TEST(CellValue, WholeNumbersAreWholeHoweverWritten) {
  EXPECT_EQ(whole_number("1337.0", ','), 1337);
  EXPECT_EQ(whole_number("1337", ','), 1337);
  EXPECT_EQ(whole_number("1,337", ','), 1337);
  EXPECT_EQ(whole_number("1e3", ','), 1000);
  EXPECT_EQ(whole_number("-1", ','), -1);
  EXPECT_EQ(whole_number("9007199254740993", ','), 9007199254740993);
  EXPECT_EQ(whole_number("9007199254740993.0", ','), 9007199254740993);
  for (const char* text : {"2.5", "12873548723948723947", "", "x", "1e300"})
    EXPECT_FALSE(whole_number(text, ',')) << text;
}

TEST(CellValue, NothingMeasuredHasManyWords) {
  for (const char* text : {"", "NA", "n/a", "N/A", "null", "None", "-", "—", "NaN",
                           "TO"
                           "DO",
                           "#N/A", "<NA>"})
    EXPECT_TRUE(says_missing(text)) << text;
  for (const char* text : {"0", "x", "no", "1e9"}) EXPECT_FALSE(says_missing(text)) << text;
}

TEST(RowState, WordsOfOtherToolsInAnyCase) {
  for (const char* text :
       {"done", "Finished", "COMPLETED", "keep", "discard", "ok", "TrialState.COMPLETE", "SUCCESS"}) {
    const auto state = read_row_state(text);
    ASSERT_TRUE(state) << text;
    EXPECT_TRUE(state->finished()) << text;
  }
  for (const auto& [text, cause] : std::vector<std::pair<std::string, std::string>>{{"crash", "crashed"},
                                                                                    {"CRASHED", "crashed"},
                                                                                    {"Killed", "killed"},
                                                                                    {"OUT_OF_MEMORY", "oom"},
                                                                                    {"oom", "oom"},
                                                                                    {"timed out", "timeout"},
                                                                                    {"timeout", "timeout"}}) {
    const auto state = read_row_state(text);
    ASSERT_TRUE(state) << text;
    EXPECT_EQ(state->state, "failed");
    EXPECT_EQ(state->exit_cause, cause);
  }
  EXPECT_EQ(read_row_state("CANCELLED by 1000")->state, "cancelled");
  EXPECT_FALSE(read_row_state("finishd"));
}

TEST(Forms, TheStateGoesFirstAndCellsOfUnfinishedRowsAreNotJudged) {
  const PointTable table = read_point_table(
      "params,tokens,loss,status\n1M,1B,3,finished\n2M,1B,,crashed\nx,,0,OOM\n4M,1B,nan,killed\n8M,1B,2.5,running\n",
      "f.csv");
  ASSERT_EQ(table.rows.size(), 5u);
  EXPECT_TRUE(table.rows[0].counts());
  for (size_t i = 1; i < 5; ++i) EXPECT_FALSE(table.rows[i].counts()) << i;
  EXPECT_EQ(table.rows[2].state.exit_cause, "oom");
  EXPECT_EQ(table.rows[4].point.loss, 2.5);
}

TEST(Forms, AnUnknownStateIsToldOnceWithTheNearestWord) {
  const std::string text =
      error_of("params,tokens,loss,status\n1M,1B,3,finishd\n2M,1B,3,finishd\n3M,1B,3,finishd\n4M,1B,2,done\n");
  EXPECT_THAT(text, AllOf(HasSubstr("f.csv:2:9: status 'finishd' is none that is known; did you mean 'finished'?"),
                          HasSubstr("(and 2 more like it)")));
}

TEST(Forms, KeepAndDiscardBothFinished) {
  const PointTable table = read_point_table("params,tokens,loss,status\n1M,1B,3,keep\n2M,1B,2.9,discard\n", "f.csv");
  EXPECT_TRUE(table.rows[0].counts() && table.rows[1].counts());
  EXPECT_THAT(notes_of(table), HasSubstr("1 row was finished and not kept (discard), the first on line 3"));
}

TEST(Forms, RowsWithoutALossAreCountedAndLeftOut) {
  const PointTable table =
      read_point_table("params,tokens,loss\n1M,1B,3\n2M,1B,N/A\n3M,1B,—\n4M,1B,0\n5M,1B,-1\n6M,1B,NaN\n", "f.csv");
  EXPECT_EQ(read_points_csv("params,tokens,loss\n1M,1B,3\n2M,1B,N/A\n3M,1B,0\n", "f.csv").size(), 1u);
  EXPECT_THAT(notes_of(table),
              AllOf(HasSubstr("left out 3 rows without a loss (N/A, —, NaN), the first on line 3"),
                    HasSubstr("left out 2 rows whose loss is not above 0 (0, -1), the first on line 5")));
}

TEST(Forms, OptionalCellsMayBeNotAvailable) {
  const auto points =
      read_points_csv("params,tokens,loss,seed,unique_tokens\n1M,1B,3,1337.0,NA\n2M,1B,3,null,-\n", "f");
  EXPECT_EQ(points.at(0).seed, 1337);
  EXPECT_FALSE(points.at(1).seed);
}

TEST(Forms, SeedsBeyondSixtyFourBitsAreLeftOutAndSaid) {
  const PointTable table = read_point_table("params,tokens,loss,seed\n1M,1B,3,12873548723948723947\n", "f.csv");
  EXPECT_FALSE(table.rows.at(0).point.seed);
  EXPECT_THAT(notes_of(table), HasSubstr("left out the seed of 1 row (12873548723948723947)"));
}

TEST(Forms, WhatIsNoTextIsNamedByItsBytes) {
  using namespace std::string_literals;
  EXPECT_THAT(error_of("\xFF\xFEs\0t\0"s), HasSubstr("no text, but UTF-16"));
  EXPECT_THAT(error_of("s\0t\0e\0p\0,\0v\0"s), HasSubstr("UTF-16 without a mark"));
  EXPECT_THAT(error_of("\x1F\x8B\x08\0"s), HasSubstr("gzip-compressed data; unpack it first: gunzip FILE"));
  EXPECT_THAT(error_of("PK\x03\x04"s), HasSubstr("spreadsheet"));
  EXPECT_THAT(error_of("PAR1"s), HasSubstr("Parquet"));
}

TEST(Forms, LogsAndExportsAreNamedForWhatTheyAre) {
  const auto lines = [](const std::string& text) { return std::count(text.begin(), text.end(), '\n') + 1; };
  for (const auto& [text, told] : std::vector<std::pair<std::string, std::string>>{
           {"Wall time,Step,Value\n1,100,2.2\n", "TensorBoard"},
           {"run_id,key,value,step\na,val_bpb,2.2,100\n", "whose column 'key' says what each value is"},
           {"epoch,step,val_bpb\n0,0,2.2\n", "the log of a run, a row a step"},
           {"Step,\"lr=1,bs=2 - bpb\",\"lr=1,bs=2 - bpb__MIN\"\n1,2,2\n", "a wide export, a column a run (1 of them"},
           {"{\"row\":\"A\",\"seed\":1,\"bpb\":1.3}\n{\"row\":\"B\",\"seed\":1,\"bpb\":1.2}\n",
            "a table of results by 'row', which `bitsweep report --points FILE` compares"}}) {
    EXPECT_THAT(error_of(text), HasSubstr(told)) << text;
    EXPECT_EQ(lines(error_of(text)), 1) << error_of(text);
  }
}

TEST(Forms, UsualNamesOfColumnsAreKnown) {
  const auto points = read_points_csv("N,tokens_seen,val_bpb,random_seed\n1e6,1e9,3,7\n", "f.csv");
  EXPECT_EQ(points.at(0).params, 1e6);
  EXPECT_EQ(points.at(0).tokens, 1e9);
  EXPECT_EQ(points.at(0).loss, 3);
  EXPECT_EQ(points.at(0).seed, 7);
  EXPECT_THAT(error_of("params,tokens,val_loss,val_bpb\n1,1,2,3\n"),
              HasSubstr("it may be any of 'val_loss', 'val_bpb': --map loss=NAME says which"));
}

TEST(Forms, NamesInQuotesMayHoldCommasAndEqualsSigns) {
  const std::string text = "params,tokens,\"lr=0.001,bs=32 - val/bpb\"\n1e6,1e9,3\n";
  for (const char* map : {"loss=\"lr=0.001,bs=32 - val/bpb\"", "loss='lr=0.001,bs=32 - val/bpb', params=params"})
    EXPECT_EQ(read_points_csv(text, "f.csv", parse_column_map(map)).at(0).loss, 3) << map;
  EXPECT_EQ(parse_column_map("loss=\"a\"\"b\"").at("loss"), "a\"b");
  EXPECT_EQ(parse_column_map("loss=it's,params=N").at("loss"), "it's");
}

TEST(Forms, EqualRowsAreCopies) {
  const PointTable table = read_point_table("params,tokens,loss\n1M,1B,3\n1M,1B,3\n2M,1B,2.9\n", "f.csv");
  EXPECT_EQ(table.rows.size(), 2u);
  EXPECT_THAT(notes_of(table), HasSubstr("1 row is equal to another in every column"));
  EXPECT_EQ(read_point_table("params,tokens,loss,seed\n1M,1B,3,1\n1M,1B,3,2\n", "f.csv").rows.size(), 2u);
}

TEST(Forms, SeedsThatDifferByAFactorOfTwoAreNone) {
  const std::string text =
      "params,tokens,loss,lr,wall_s\n1M,1B,3,0.1,5\n1M,1B,7,0.9,6\n1M,1B,3.1,0.1,7\n2M,1B,2.5,0.1,8\n";
  EXPECT_THAT(read_point_table(text, "f.csv").no_seeds,
              AllOf(HasSubstr("losses from 3 (line 2) to 7 (line 3)"), HasSubstr("column 'lr' tells them apart")));
  const PointTable none = read_point_table("params,tokens,loss,seed\n1M,1B,3,1\n1M,1B,7,2\n", "f.csv");
  EXPECT_EQ(none.no_seeds, "");
  EXPECT_THAT(notes_of(none), HasSubstr("no column of the file tells them apart"));
}

TEST(JsonTable, LinesListsAndDocumentsAreTables) {
  const auto losses = [](const std::string& text) {
    std::vector<double> values;
    for (const Point& p : read_points_csv(text, "f.jsonl")) values.push_back(p.loss);
    return values;
  };
  const std::string one = R"({"params": 1000000, "tokens": 1e9, "loss": 3})",
                    two = R"({"params":2e6,"tokens":1e9,"loss":2})";
  for (const std::string& text :
       {one + "\n" + two + "\n", "\xEF\xBB\xBF" + one + "\r\n\r\n" + two, "[" + one + ",\n " + two + "]", one + two,
        "INFO " + one + "\nhello\n" + two + "\n{\"params\":", "{\"name\": \"x\", \"runs\": [" + one + "," + two + "]}",
        "{\"a\":" + one + ",\"b\":" + two + "}",
        std::string(R"({"params": [1e6, 2e6], "tokens": [1e9, 1e9], "loss": [3, 2]})"),
        std::string(R"({"params":{"0":1e6,"1":2e6},"tokens":{"0":1e9,"1":1e9},"loss":{"0":3,"1":2}})")}) {
    EXPECT_THAT(losses(text), ElementsAre(3, 2)) << text;
  }
  EXPECT_THAT(losses(one + "\n" + R"({"params":2e6,"tokens":1e9,"loss":NaN})"), ElementsAre(3));
}

TEST(JsonTable, WhatIsTornIsCounted) {
  const std::string one = R"({"params": 1e6, "tokens": 1e9, "loss": 3})";
  for (const std::string& text : {"[" + one + ", {\"params\": 2", one + "{\"params\"\n", one + "\nhello\n"}) {
    const PointTable table = read_point_table(text, "f.json");
    EXPECT_EQ(table.rows.size(), 1u) << text;
    EXPECT_THAT(notes_of(table), HasSubstr("passed over 1 line with no JSON object, or a torn one")) << text;
  }
}

TEST(JsonTable, MembersOfMembersHaveDottedNames) {
  std::vector<std::string> notes;
  Findings findings("f");
  const CsvTable table = read_json_table(
      "{\"a\": {\"b\": 1, \"c\": [1, 2]}, \"seed\": 12873548723948723947}\n{\"a\": {\"d\": null}, \"e\": true}\n",
      findings, notes);
  std::vector<std::string> names, cells;
  for (const CsvCell& cell : table.rows.at(0)) names.push_back(cell.text);
  for (const CsvCell& cell : table.rows.at(1)) cells.push_back(cell.text);
  EXPECT_THAT(names, ElementsAre("a.b", "a.c", "seed", "a.d", "e"));
  EXPECT_THAT(cells, ElementsAre("1", "[1,2]", "12873548723948723947", "", ""));
  EXPECT_EQ(table.rows.at(2).at(0).line, 2);
}

TEST(JsonTable, NothingInItIsToldWithItsPlace) {
  EXPECT_THAT(error_of("[1, 2", {}, "f.json"), HasSubstr("f.json:1:"));
  EXPECT_THAT(error_of("{}\n{}", {}, "f.json"), HasSubstr("have no members"));
  EXPECT_THAT(error_of("[]", {}, "f.json"), HasSubstr("holds no JSON object"));
  EXPECT_THAT(error_of("{\"params\": x}\n", {}, "f.jsonl"), HasSubstr("holds no whole JSON object"));
}

}  // namespace
}  // namespace bitsweep::fit
