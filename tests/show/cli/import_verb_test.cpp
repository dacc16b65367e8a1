// import and export, as a person calls them.
#include "cli/verbs_fixture.h"

namespace bitsweep {
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
  EXPECT_THAT(thrown([&] {
                call(kImportVerb, {log, "--sweep", "first"});
              }),
              StartsWith("2: the sweep 'first' was submitted"));
}

TEST_F(HistoryVerbs, ImportSaysAllMistakesOfAllFilesAndDoesNothing) {
  const std::string good = file("good.jsonl", R"({"step":1,"val_bpc":2})"),
                    bad = file("bad.jsonl", "{\"step\":-1,\"val_bpc\":1}\n"),
                    worse = file("worse.csv", "step,val_bpc\nx,y\n");
  const std::string message = thrown([&] { call(kImportVerb, {good, bad, worse, (root / "none.csv").string()}); });
  for (const char* part : {"bad.jsonl:1:2: step must not be negative", "worse.csv:2:1: step must be a number, not 'x'",
                           "worse.csv:2:3: val_bpc must be a number", "none.csv"})
    EXPECT_THAT(message, HasSubstr(part));
  EXPECT_EQ(store.sweep_names().size(), 1u);
  EXPECT_THAT(thrown([&] { call(kImportVerb, {good, "--params", "many"}); }), HasSubstr("--params: expected a number"));
  EXPECT_THAT(thrown([&] { call(kImportVerb, {good, "--unit", "nat"}); }), HasSubstr("did you mean 'nats'?"));
  EXPECT_THAT(thrown([&] { call(kImportVerb, {good, "--sweep", "../up"}); }), HasSubstr("must be a folder's name"));
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
  const Query query(root);
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

}  // namespace
}  // namespace bitsweep
