// Whole logs, read as runs.
#include "imports/foreign_log.h"

#include "base/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bitsweep::imports {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr const char* kSeedLog = R"(Using device cuda
{"event": "config", "args": {"model": "v76", "n_params": 300000000, "batch_size": 64, "seq_len": 512, "seed": 3}}
{"event": "train", "step": 100, "loss": 5.2, "lr": 1e-4, "time": 12.5}
{"event": "eval", "step": 1000, "val_bpc": 7.25, "lr": 0.0006, "time": 120.5}
{"event": "eval", "step": 2000, "val_bpc": NaN, "lr": 0.0006, "time": 240.5}
{"event": "eval", "step": 39000, "val_bpc": 5.674, "ipmr_max": 0.1021, "lr": 1e-6, "time": 9000}
{"event": "eval", "step": 40000, "val_b)";

TEST(ForeignLog, TheSeedsFormIsReadAsItIs) {
  Findings findings("v76.out");
  const ForeignLog log = read_foreign_jsonl(kSeedLog, "v76", {}, findings);
  findings.throw_if_any();
  EXPECT_EQ(log.other_lines, 1);
  EXPECT_TRUE(log.torn);
  ASSERT_EQ(log.runs.size(), 1u);
  const ForeignRun& run = log.runs[0];
  EXPECT_EQ(run.name, "v76");
  EXPECT_EQ(run.facts.plugin, "v76");
  EXPECT_EQ(run.facts.params, 3e8);
  EXPECT_EQ(run.facts.batch, 64);
  EXPECT_EQ(run.facts.context, 512);
  EXPECT_EQ(run.facts.seed, json::value(3));
  EXPECT_EQ(run.evals(), 3);
  EXPECT_EQ(run.events[0].kind, "train");
  EXPECT_TRUE(run.events[2].fields.at("val_bpc").is_null());
  EXPECT_EQ(run.events[3].fields.at("ipmr_max").as_double(), 0.1021);
  EXPECT_EQ(run.events[3].fields.at("elapsed_s").to_number<double>(), 9000);  // seconds, and no date
}

TEST(ForeignLog, RunsOfOneFileAreToldApart) {
  Findings findings("x");
  const ForeignLog log = read_foreign_jsonl(R"({"run":"b","step":1,"val_bpc":2}
{"run":"a","step":1,"val_bpc":3,"x":NaN,"note":"NaN \"NaN\" \\"}
{"run":"b","step":2,"val_bpc":1.5}
{"event":"end","run":"b","step":2,"status":"stopped"})",
                                            "x", {}, findings);
  ASSERT_EQ(log.runs.size(), 2u);
  EXPECT_EQ(log.runs[0].name, "b");
  EXPECT_EQ(log.runs[0].evals(), 2);
  EXPECT_EQ(log.runs[0].status, "stopped");
  EXPECT_EQ(log.runs[1].events.at(0).fields.at("note"), "NaN \"NaN\" \\");
}

std::vector<std::string> mistakes_in(const std::string& text, const std::string& suffix = ".jsonl",
                                     const ForeignFormat& format = {}) {
  Findings findings("bad");
  read_foreign_log(text, "bad", suffix, format, findings);
  std::vector<std::string> found;
  for (const Diagnostic& diagnostic : findings.take()) found.push_back(diagnostic.to_string());
  return found;
}

TEST(ForeignLog, EveryKindOfMistakeIsNamedOnceWithItsFirstPlaceAndCount) {
  EXPECT_THAT(mistakes_in(R"({"step": 1, "val_bpc": 7.25}
{"step": 1.5, "val_bpc": 3}
{"step": 3000, "val_bpc": "abc"}
{"step": 1e30, "val_bpc": 1}
{"step": 4000, "val_bpc": 3, "tokens": -1}
{"step": 5000, "val_bpc": "def"}
)"),
              ElementsAre("bad:2:2: step must be a whole number, not '1.5' (and 1 more like it)",
                          "bad:3:16: val_bpc must be a number, not 'abc' (and 1 more like it)",
                          "bad:5:30: tokens must not be negative, but is -1"));
}

TEST(ForeignLog, ColumnsMayHaveOtherNames) {
  Findings findings("log.csv");
  const ForeignFormat format{.columns = parse_foreign_map("step=it, val_bpc=loss"), .bits_per_unit = 2};
  const ForeignLog log = read_foreign_csv("it;loss;LR;note\n20K;1,5;3e-4;\"a;b\"\n", "log", format, findings);
  findings.throw_if_any();
  EXPECT_EQ(log.runs[0].events[0].step, 20'000);
  EXPECT_EQ(log.runs[0].events[0].fields.at("val_bpc").as_double(), 3.0);
  EXPECT_EQ(log.runs[0].events[0].fields.at("lr").as_double(), 3e-4);
  EXPECT_EQ(log.runs[0].events[0].fields.at("note"), "a;b");
  try {
    parse_foreign_map("stpe=it,loss=x,step=");
    FAIL() << "three mistakes are none";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("did you mean 'step'?"), HasSubstr("unknown column 'loss'"),
                                    HasSubstr("'step=' is not of the form")));
  }
}

TEST(ForeignLog, NothingToEvaluateSaysWhatThereIs) {
  Findings jsonl("a.jsonl"), csv("a.csv"), empty("e.csv");
  read_foreign_jsonl("{\"iter_num\": 5, \"valid\": 3}\n[1]\n", "a", {}, jsonl);
  EXPECT_THAT(jsonl.take().at(0).to_string(), HasSubstr("here there is iter_num, valid (other names: --map"));
  read_foreign_csv("step,loss\n1,2\n,3\n4\n", "a", {}, csv);
  std::vector<std::string> found;
  for (const Diagnostic& diagnostic : csv.take()) found.push_back(diagnostic.to_string());
  EXPECT_THAT(found,
              ElementsAre(StartsWith("a.csv:3:1: step is missing"),
                          StartsWith("a.csv:4:1: 1 cells, where the header has 2"), HasSubstr("no evaluation in it")));
  read_foreign_csv("", "e", {}, empty);
  EXPECT_TRUE(empty.any());
}

// --- lines of any kind --------------------------------------------------------------------------------------------

struct Read {
  ForeignLog log;
  std::vector<std::string> mistakes;
  // "run: step=loss step=loss"; a loss that is missing is "-".
  std::vector<std::string> curves() const {
    std::vector<std::string> all;
    for (const ForeignRun& run : log.runs) {
      std::string text = run.name + ":";
      for (const event::Event& event : run.events)
        if (event.kind == "eval")
          text += fmt::format(" {}={}", event.step,
                              event.fields.at("val_bpc").is_null() ? "-" : compact_json(event.fields.at("val_bpc")));
      all.push_back(text);
    }
    return all;
  }
};

Read read(const std::string& text, const std::string& suffix = ".log", const ForeignFormat& format = {}) {
  Read result;
  Findings findings("log");
  result.log = read_foreign_log(text, "log", suffix, format, findings);
  for (const Diagnostic& diagnostic : findings.take()) result.mistakes.push_back(diagnostic.to_string());
  return result;
}

TEST(ForeignLog, WordsAreReadWhereNoObjectHoldsAnEvaluation) {
  const Read found = read(
      "seed:1337 train_seq_len:1024\n"
      "step:0/500 val_loss:6.9 val_bpb:4.1 train_time:0ms step_avg:0.02ms\n"
      "some other words\n"
      "step:250/500 val_loss:2.3 val_bpb:1.36 train_time:43654ms\r\n");
  EXPECT_THAT(found.mistakes, IsEmpty());
  EXPECT_THAT(found.curves(), ElementsAre("log: 0=4.1 250=1.36"));
  EXPECT_TRUE(found.log.of_words);
  EXPECT_EQ(found.log.other_lines, 1);
  const ForeignRun& run = found.log.runs.at(0);
  EXPECT_EQ(run.facts.seed, json::value(1337));
  EXPECT_EQ(run.facts.context, 1024);
  EXPECT_NEAR(run.events[1].fields.at("elapsed_s").as_double(), 43.654, 1e-9);
  EXPECT_NEAR(run.bytes_per_token.value(), 2.43, 0.02);
}

TEST(ForeignLog, WordsOfManySpellings) {
  EXPECT_THAT(read("step=100 val_bpb=2.2 lr=3e-4\nstep=200 val_bpb=2.1\n").curves(),
              ElementsAre("log: 100=2.2 200=2.1"));
  EXPECT_THAT(read("step: 100, val_bpb: 2.2\nstep: 1,200, val_bpb: nan\n").curves(),
              ElementsAre("log: 100=2.2 1200=-"));
  EXPECT_THAT(read("step 100 | val bpb 2.2 | 3 ms\n").curves(), ElementsAre("log: 100=2.2"));
  EXPECT_THAT(read("[2026-03-23 00:09:42] INFO train.py:17 iter 20K: val/bpb 2.2 (best 2.1)\n").curves(),
              ElementsAre("log: 20000=2.2"));
  EXPECT_THAT(read("\x1b[32mstep\x1b[0m: \x1b[1m7\x1b[0m bpb: 1.5\n").curves(), ElementsAre("log: 7=1.5"));
  EXPECT_THAT(read("run=a step=1 bpb=2\nrun=b step=1 bpb=3\n", ".txt").curves(), ElementsAre("a: 1=2", "b: 1=3"));
}

TEST(ForeignLog, ObjectsAreFoundBehindPrefixesAndSeveralInALine) {
  EXPECT_THAT(read(R"(2026-03-23 00:09:42 INFO {"step": 100, "val_bpb": 2.2}{"step": 200, "val_bpb": 2.1} ok
  5%|5    | 1/20 [00:10<03:10]   )"
                   "\r"
                   R"( 10%|5 | {'step': 300, 'val_bpb': np.float64(2.0), 'note': "it's", 'nan': nan})"
                   "\n")
                  .curves(),
              ElementsAre("log: 100=2.2 200=2.1 300=2"));
  // Each process says the same: the first one is heard.
  EXPECT_THAT(read("[rank0]: {\"step\":1,\"val_bpb\":2.2}\n[rank1]: {\"step\":1,\"val_bpb\":2.3}\n").curves(),
              ElementsAre("log: 1=2.2"));
}

TEST(ForeignLog, TornLinesAreCountedAndLoseNothingElse) {
  const Read found = read(R"({"step":100,"val_bpb":2.2}
{"step":200,"val_b
{"step":300,"val_bpb":2.0}
pb":2.1}
{"step":350,"va{"step":400,"val_bpb":1.9}
{"step":500,"val)");
  EXPECT_THAT(found.curves(), ElementsAre("log: 100=2.2 300=2 400=1.9"));
  EXPECT_EQ(found.log.torn_lines, 3);
  EXPECT_EQ(found.log.first_torn, 2);
  EXPECT_TRUE(found.log.torn);
  EXPECT_EQ(found.log.other_lines, 0);
}

TEST(ForeignLog, NestedObjectsAndNamesInOtherSpellings) {
  EXPECT_THAT(read(R"({"step":1,"val":{"loss":1.2,"bpb":1.1},"config":{"steps":500}})").curves(),
              ElementsAre("log: 1=1.1"));
  EXPECT_THAT(read(R"({"Global Step":2,"metrics/val_bpb":"1.5"})").curves(), ElementsAre("log: 2=1.5"));
  EXPECT_THAT(read(R"({"step":1,"val_bpb":"NaN"}
{"step":2,"val_bpb":"-Infinity"}
{"step":3,"val_bpb":2.2,"grad_norm":"-Infinity"})")
                  .curves(),
              ElementsAre("log: 1=- 2=- 3=2.2"));
}

TEST(ForeignLog, DocumentsAreReadAsLinesAre) {
  const std::string state = R"({
  "best_metric": null, "global_step": 200, "seed": 7,
  "log_history": [ {"epoch": 0.5, "eval_loss": 2.2, "step": 100}, {"epoch": 1.0, "eval_loss": NaN, "step": 200} ]
})";
  EXPECT_THAT(read(state, ".json", {.columns = {{"val_bpc", "eval_loss"}}}).curves(),
              ElementsAre("log: 100=2.2 200=-"));
  EXPECT_THAT(read("[{\"step\": 100, \"val_bpb\": 2.2},\n {\"step\": 200, \"val_bpb\": 2.1}]\n", ".json").curves(),
              ElementsAre("log: 100=2.2 200=2.1"));
  EXPECT_THAT(read("{\"step\": [1, 2],\n \"val_bpb\": [3.5, 3]}\n", ".json").curves(), ElementsAre("log: 1=3.5 2=3"));
  EXPECT_THAT(read("{\n \"step\": 1,\n \"val_bpb\": 3\n}\n{\n \"step\": 2,\n \"val_bpb\": 2\n}\n").curves(),
              ElementsAre("log: 1=3 2=2"));
}

TEST(ForeignLog, ALossATokenCountsWhereItsUnitIsTold) {
  const std::string text = "s:0 tel:11.0\ns:250 tel:6.4\ns:250 trl:6.5\n";
  EXPECT_THAT(read(text).mistakes,
              ElementsAre(AllOf(HasSubstr("no evaluation in it"), HasSubstr("--bytes-per-token"))));
  EXPECT_THAT(read(text, ".log", {.columns = {}, .bits_per_unit = 0.5, .unit_is_told = true}).curves(),
              ElementsAre("log: 0=5.5 250=3.2"));
}

TEST(ForeignLog, ATableOfResultsIsSentWhereItIsRead) {
  EXPECT_THAT(read(R"({"row": "A6", "seed": 1337, "bpb": 1.3275, "config": {"lr": 1}}
{"row": "A7", "seed": 1337, "bpb": 1.3280}
)",
                   ".jsonl")
                  .mistakes,
              ElementsAre(AllOf(HasSubstr("a table of results, without steps (2 rows"), HasSubstr("fit --points"),
                                HasSubstr("report --points"))));
  EXPECT_THAT(read("params,tokens,loss\n1e6,1e9,3.5\n", ".csv").mistakes, ElementsAre(HasSubstr("a table of results")));
}

TEST(ForeignLog, ALossThatIsNotAboveZeroIsMissing) {
  const Read found = read("step,val_bpb\n1,2.5\n2,0\n3,-1\n", ".csv");
  EXPECT_THAT(found.curves(), ElementsAre("log: 1=2.5 2=- 3=-"));
  EXPECT_THAT(found.log.notes,
              ElementsAre("line 3: val_bpb is 0: a loss is above 0, so this one counts as missing (and "
                          "1 more like it)"));
}

TEST(ForeignLog, AnUnreadableTimeCostsTheTimeAlone) {
  const Read found = read(R"({"timestamp":"2026-03-23T00:09:42.5","step":1,"val_bpb":2}
{"timestamp":"yesterday","step":2,"val_bpb":2}
{"_timestamp":1774224582654,"step":3,"val_bpb":2})");
  ASSERT_EQ(found.log.runs.size(), 1u);
  EXPECT_EQ(found.log.runs[0].events[0].time, 1774224582.5);
  EXPECT_EQ(found.log.runs[0].events[1].time, 0);
  EXPECT_EQ(found.log.runs[0].events[2].time, 1774224582.654);
  EXPECT_THAT(found.log.notes, ElementsAre(HasSubstr("line 2: timestamp 'yesterday' is no time")));
}

TEST(ForeignLog, SeedsAreKeptDigitForDigitOrLeftOutWithAWord) {
  const auto seed_of = [](const std::string& digits, const char* suffix = ".jsonl") {
    const Read found = std::string_view(suffix) == ".csv"
                           ? read("step,val_bpb,seed\n1,2," + digits + "\n", suffix)
                           : read("{\"step\":1,\"val_bpb\":2,\"seed\":" + digits + "}", suffix);
    const ForeignFacts& facts = found.log.runs.at(0).facts;
    EXPECT_EQ(facts.seed_is_lost, !found.log.notes.empty());
    return facts.seed_is_lost ? "left out" : compact_json(facts.seed);
  };
  for (const char* digits :
       {"12873548723948723947", "9007199254740993", "-1", "18446744073709551615", "-9223372036854775808", "0"}) {
    EXPECT_EQ(seed_of(digits), digits);
    EXPECT_EQ(seed_of(digits, ".csv"), digits);
    EXPECT_EQ(seed_of("\"" + std::string(digits) + "\""), digits);
  }
  EXPECT_EQ(seed_of("1337.0"), "1337");
  EXPECT_EQ(seed_of("1337.0", ".csv"), "1337");
  for (const char* digits : {"18446744073709551616", "1.2873548723948724e19", "1.5", "\"abc\""})
    EXPECT_EQ(seed_of(digits), "left out") << digits;
}

TEST(ForeignLog, WhatIsNoTextIsRefusedByItsFirstBytes) {
  EXPECT_THAT(mistakes_in("\x1f\x8b\x08 xyz"), ElementsAre(HasSubstr("gzip")));
  EXPECT_THAT(mistakes_in(std::string("\xff\xfe{\0\"\0", 6)), ElementsAre(HasSubstr("UTF-16")));
  EXPECT_THAT(mistakes_in(""), ElementsAre(HasSubstr("no evaluation")));
  EXPECT_THAT(mistakes_in("", ".csv"), testing::Contains(HasSubstr("the file is empty")));
}

}  // namespace
}  // namespace bitsweep::imports
