// import and export, as a person calls them.
#include "cli/verbs_fixture.h"

namespace bitsweep::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr const char* kSeedLog = R"(Using device cuda
{"event": "config", "args": {"model": "v76", "n_params": 300000000, "batch_size": 64, "seq_len": 512, "seed": 3}}
{"event": "train", "step": 100, "loss": 5.2, "lr": 1e-4, "time": 12.5}
{"event": "eval", "step": 1000, "val_bpc": 7.25, "lr": 0.0006, "time": 120.5}
{"event": "eval", "step": 2000, "val_bpc": NaN, "lr": 0.0006, "time": 240.5}
{"event": "eval", "step": 39000, "val_bpc": 5.674, "ipmr_max": 0.1021, "lr": 1e-6, "time": 9000}
{"event": "eval", "step": 40000, "val_b)";

TEST_F(HistoryVerbs, ImportMakesFinishedRunsOnce) {
  const std::string log = file("v76_300M.out", kSeedLog);
  EXPECT_THAT(call(kImportVerb, {log, "--dry-run"}), HasSubstr("would be new"));
  EXPECT_EQ(store.sweep_names(), (std::vector<std::string>{"first"}));
  EXPECT_THAT(call(kImportVerb, {log}), HasSubstr("1.28B"));
  EXPECT_THAT(errors, HasSubstr("their data are not known"));
  const auto runs = store.runs_of("imported");
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].state, RunState::done);
  EXPECT_EQ(runs[0].best_val_bpc, 5.674);
  EXPECT_EQ(runs[0].tokens, 39'000 * 64 * 512);
  EXPECT_EQ(runs[0].wall_s, 9000);
  EXPECT_FALSE(store.retry(runs[0].id));
  EXPECT_EQ(store.queue().size(), 1u);  // the one of the fixture: nothing of this is ever queued
  EXPECT_THAT(call(kImportVerb, {log}), HasSubstr("already there"));
  EXPECT_EQ(store.database().integer("SELECT count(*) FROM eval WHERE run = '" + runs[0].id + "'"), 3);

  // The log went on: the same place, another run; what else the sweep held stays.
  call(kImportVerb, {file("other.jsonl", R"({"step":1,"val_bpc":2})"), "--params", "1M"});
  const std::string more = file("v76_300M.out", std::string(kSeedLog) + "pc\": 5.5}\n");
  EXPECT_THAT(call(kImportVerb, {more}), HasSubstr("replaces " + runs[0].id));
  EXPECT_EQ(store.runs_of("imported").size(), 2u);
  EXPECT_THAT(query::thrown([&] {
                call(kImportVerb, {log, "--sweep", "first"});
              }),
              StartsWith("2: the sweep 'first' was submitted"));
}

TEST_F(HistoryVerbs, ImportSaysAllMistakesOfAllFilesAndDoesNothing) {
  const std::string good = file("good.jsonl", R"({"step":1,"val_bpc":2})"),
                    bad = file("bad.jsonl", "{\"step\":-1,\"val_bpc\":1}\n"),
                    worse = file("worse.csv", "step,val_bpc\nx,y\n");
  const std::string message = query::thrown([&] {
    call(kImportVerb, {good, bad, worse, (root / "none.csv").string()});
  });
  for (const char* part : {"bad.jsonl:1:2: step must not be negative", "worse.csv:2:1: step must be a number, not 'x'",
                           "worse.csv:2:3: val_bpc must be a number", "none.csv"})
    EXPECT_THAT(message, HasSubstr(part));
  EXPECT_EQ(store.sweep_names().size(), 1u);
  EXPECT_THAT(query::thrown([&] {
                call(kImportVerb, {good, "--params", "many"});
              }),
              HasSubstr("--params: expected a number"));
  EXPECT_THAT(query::thrown([&] { call(kImportVerb, {good, "--unit", "nat"}); }), HasSubstr("did you mean 'nats'?"));
  EXPECT_THAT(query::thrown([&] {
                call(kImportVerb, {good, "--sweep", "../up"});
              }),
              HasSubstr("must be a folder's name"));
}

TEST_F(HistoryVerbs, ADataSetOfThisRootMayBeNamed) {
  store.put_dataset({.id = "abcdef0123456789",
                     .name = "code",
                     .tokenizer = "bytes256",
                     .sha256 = "a",
                     .bytes = 1,
                     .train_tokens = 1,
                     .val_tokens = 1,
                     .val_sha256 = "b",
                     .unknown_bytes = 0,
                     .ngram_bpb = {},
                     .entropy_bpb = {}});
  const std::string log = file("a.jsonl", R"({"step":1,"val_bpc":2})");
  call(kImportVerb, {log, "--dataset", "abcdef01"});
  const query::Query query(root);
  EXPECT_EQ(query.runs("imported").at(0).dataset, "abcdef0123456789");
  call(kImportVerb, {log, "--dataset", "GLM", "--tokenizer", "ascii128", "--sweep", "named"});
  EXPECT_EQ(query.runs_of({"named"}).at(0).spec.at("data").at("corpus"), "GLM");
  EXPECT_FALSE(query.runs_of({"named"}).at(0).spec.at("data").as_object().contains("of"));
}

TEST_F(HistoryVerbs, WhatIsExportedCanBeImported) {
  EXPECT_THAT(call(kExportVerb, {"first"}), StartsWith("id,sweep,state,"));
  EXPECT_THAT(call(kExportVerb, {"first", "--table", "evals"}),
              HasSubstr("first,aaaa00000001,v57,1000,0,20,12800,4,,,,800\n"));
  const std::string lines = call(kExportVerb, {"first", "--jsonl"});
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 4);
  EXPECT_EQ(parse_json(lines.substr(0, lines.find('\n')), "line").at("train.lr").as_double(), 1e-3);
  call(kExportVerb, {"first", "-o", (root / "out").string()});
  for (const char* name : {"runs.csv", "runs.jsonl", "evals.csv", "evals.jsonl", "metrics.csv", "metrics.jsonl"})
    EXPECT_TRUE(fs::exists(root / "out" / name)) << name;
  for (const char* name : {"evals.csv", "evals.jsonl"}) {
    call(kImportVerb, {(root / "out" / name).string(), "--sweep", name});
    const auto runs = store.runs_of(name);
    ASSERT_EQ(runs.size(), 3u);  // those with an evaluation
    EXPECT_EQ(runs[0].best_val_bpc, 4.0);
    EXPECT_EQ(runs[0].last_val_bpc, 4.2);
    EXPECT_EQ(runs[0].params, 1000);
    EXPECT_EQ(runs[0].plugin, "v57");
  }
}

TEST_F(HistoryVerbs, AnExportedFolderGivesTheSameRuns) {
  call(kExportVerb, {"first", "-o", (root / "out").string()});
  call(kImportVerb, {(root / "out").string(), "--sweep", "back"});
  const query::Query query(root);
  const auto before = query.runs("first"), after = query.runs("back");
  ASSERT_EQ(after.size(), 3u);  // those with an evaluation
  for (size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(string_or(after[i].axes, "run", ""), before[i].id);
    EXPECT_EQ(after[i].plugin, before[i].plugin);
    EXPECT_EQ(after[i].params, before[i].params);
    EXPECT_EQ(after[i].seed, before[i].seed);
    EXPECT_EQ(after[i].last_val_bpc, before[i].last_val_bpc);
    EXPECT_EQ(after[i].best_val_bpc, before[i].best_val_bpc);
  }
  EXPECT_EQ(after[0].state, RunState::done);
  EXPECT_EQ(after[1].state, RunState::stopped);  // it had failed: no law takes it for finished
  EXPECT_THAT(query::thrown([&] { call(kImportVerb, {(root / "out" / "runs.csv").string()}); }),
              HasSubstr("a table of runs that bitsweep exported"));
}

TEST_F(HistoryVerbs, SeedsOfSixtyFourBitsAreTheSameEverywhere) {
  std::string lines;
  const std::vector<std::string> seeds = {"12873548723948723947", "9007199254740993", "-1"};
  for (const std::string& seed : seeds)
    lines += "{\"run\":\"s" + seed + "\",\"step\":1,\"val_bpb\":2.2,\"seed\":" + seed + "}\n";
  call(kImportVerb, {file("seeds.jsonl", lines + R"({"run":"odd","step":1,"val_bpb":2,"seed":1.5})")});
  EXPECT_THAT(errors, HasSubstr("seed 1.5 is no whole number of 64 bits"));
  const std::string table = call(kRunsVerb, {"imported"}), json = call(kRunsVerb, {"imported", "--json"}),
                    csv = call(kExportVerb, {"imported", "--table", "evals"});
  for (const std::string& seed : seeds) {
    EXPECT_THAT(table, HasSubstr(" " + seed + " "));
    EXPECT_THAT(json, HasSubstr("\"seed\": " + seed + ","));
    EXPECT_THAT(csv, HasSubstr("," + seed + ",1,"));
  }
  EXPECT_THAT(json, HasSubstr("\"seed\": null,"));
  const query::Query query(root);
  EXPECT_THAT(call(kShowVerb, {query.runs("imported").at(0).id}), HasSubstr("seed 12873548723948723947\n"));
  EXPECT_THAT(call(kShowVerb, {query.runs("imported").at(3).id}), HasSubstr("seed left out\n"));
  EXPECT_THAT(
      call(kQueryVerb, {"SELECT seed FROM runs WHERE sweep = 'imported' ORDER BY id"}),
      AllOf(HasSubstr("12873548723948723947"), HasSubstr("9007199254740993"), HasSubstr("-1"), Not(HasSubstr(" 0\n"))));
  EXPECT_THAT(call(kRunsVerb, {"--where", "seed = '12873548723948723947'"}),
              HasSubstr(query.runs("imported").at(0).id));
  call(kExportVerb, {"imported", "-o", (root / "out").string()});
  call(kImportVerb, {(root / "out").string(), "--sweep", "again"});
  EXPECT_THAT(call(kRunsVerb, {"again", "--json"}), HasSubstr("\"seed\": 12873548723948723947,"));
}

TEST_F(HistoryVerbs, WhereStepsFallBackEverybodySaysTheSameLastLoss) {
  std::string lines;
  for (int step = 10; step <= 150; step += 10)
    lines += fmt::format("{{\"step\":{},\"val_bpb\":{}}}\n", step, 3 - step / 300.0);
  for (int step = 100; step <= 120; step += 10) lines += fmt::format("{{\"step\":{},\"val_bpb\":2.3}}\n", step);
  const std::string log = file("resume.jsonl", lines);
  EXPECT_THAT(call(kImportVerb, {log}), HasSubstr("2.3000  2.3000"));
  EXPECT_THAT(errors,
              HasSubstr("fall back from 150 to 100: what lies beyond was given up, 5 evaluations are left out"));
  const query::Query query(root);
  const query::RunRow run = query.runs("imported").at(0);
  EXPECT_EQ(run.last_val_bpc, 2.3);
  EXPECT_EQ(run.best_val_bpc, 2.3);
  EXPECT_EQ(run.steps, 120);
  EXPECT_EQ(query.evals(run.id).back().step, 120);
  EXPECT_EQ(query.evals(run.id).size(), 12u);
}

TEST_F(HistoryVerbs, FilesOfOneNameInTwoFoldersAreTwoRuns) {
  for (const char* folder : {"a", "b"}) {
    fs::create_directories(root / "same" / folder);
    file(fmt::format("same/{}/metrics.jsonl", folder), R"({"step":1,"val_bpb":2.2})");
    call(kImportVerb, {(root / "same" / folder / "metrics.jsonl").string()});
  }
  const auto names = [&] {
    std::vector<std::string> found;
    for (const query::RunRow& run : query::Query(root).runs("imported"))
      found.push_back(string_or(run.axes, "run", ""));
    return found;
  };
  EXPECT_THAT(names(), ElementsAre("metrics", "b/metrics"));
  // The same file again, grown: it takes the place of what it was.
  EXPECT_THAT(
      call(kImportVerb, {file("same/b/metrics.jsonl", "{\"step\":1,\"val_bpb\":2.2}\n{\"step\":2,\"val_bpb\":2}\n")}),
      HasSubstr("replaces"));
  EXPECT_THAT(names(), ElementsAre("metrics", "b/metrics"));
}

TEST_F(HistoryVerbs, BytesATokenAreShown) {
  const std::string log = file("units.jsonl", R"({"step":1,"val_loss":2.3,"val_bpb":1.35858,"tokenizer":"sp998"})");
  EXPECT_THAT(call(kImportVerb, {log}), AllOf(HasSubstr("bytes/token"), HasSubstr("2.4424")));
  EXPECT_THAT(call(kShowVerb, {query::Query(root).runs("imported").at(0).id}), HasSubstr("bytes a token 2.4424"));
  call(kImportVerb, {file("mislabelled.jsonl", R"({"step":1,"val_loss":2.3,"val_bpb":3.3182,"tokenizer":"sp1024"})")});
  EXPECT_THAT(errors, HasSubstr("these are bits per token"));
}

// Three seeds of two sizes, of one file each: the report pools the seeds, and which log a run is of is no setting.
TEST_F(HistoryVerbs, WhichLogARunIsOfIsNoSetting) {
  std::string lines;
  for (int seed = 0; seed < 3; ++seed)
    for (int size = 1; size < 3; ++size)
      lines +=
          fmt::format(R"({{"run":"s{0}n{1}","step":10,"val_bpb":{2},"seed":{0},"params":{1}000000,"tokens":1000000}})",
                      seed, size, 3.0 - 0.1 * size + 0.01 * seed) +
          "\n";
  call(kImportVerb, {file("seeds.jsonl", lines), "--dataset", "web", "--tokenizer", "bytes256"});
  call(kReportVerb, {"imported", "--out", (root / "reports").string()});
  const std::string report = read_file(root / "reports" / "imported" / "report.md");
  EXPECT_THAT(report, Not(HasSubstr("import.")));
  EXPECT_THAT(report, Not(HasSubstr("sha256")));
  EXPECT_THAT(report, HasSubstr("2.810"));  // the mean of three, not the best of them
}

TEST_F(HistoryVerbs, HelpShowsEachFormInALine) {
  testing::internal::CaptureStdout();
  kImportVerb.run(kImportVerb, {"--help"});
  const std::string help = testing::internal::GetCapturedStdout();
  for (const char* form : {"JSON lines", "step:500/50000", "log_history", "a row an evaluation", "run,key,value,step",
                           "RUN - val/bpb", "bitsweep export"})
    EXPECT_THAT(help, HasSubstr(form));
}

}  // namespace
}  // namespace bitsweep::cli
