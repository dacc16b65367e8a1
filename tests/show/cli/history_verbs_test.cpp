// import, export, gc and rebuild, as a person calls them.
#include <fstream>

#include "coordinate/checkpoint_policy.h"
#include "imports/foreign_log.h"
#include "cli/verb.h"
#include "coordinate/orphan_runs.h"
#include "execute/records.h"
#include "query/query_fixture.h"
#include "store/rebuild.h"

namespace bitsweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// --- logs from elsewhere ------------------------------------------------------------------------------------------

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
  EXPECT_EQ(run.facts.seed, 3);
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

TEST(ForeignLog, EveryMistakeIsNamedWithItsPlace) {
  Findings findings("bad.jsonl");
  read_foreign_jsonl(R"({"step": 1, "val_bpc": 7.25}
{"step": 1.5, "val_bpc": -3}
{"step": 10, "val_bpc": 7.25 "lr"}
{"step": 3000, "val_bpc": "abc"}
{"step": 1e30, "val_bpc": 1}
{"step": 4000, "val_bpc": 3, "tokens": -1}
)",
                     "bad", {}, findings);
  std::vector<std::string> found;
  for (const Diagnostic& diagnostic : findings.take()) found.push_back(diagnostic.to_string());
  EXPECT_THAT(found,
              ElementsAre("bad.jsonl:2:2: step must be a whole number, not '1.5'",
                          "bad.jsonl:2:15: val_bpc must not be negative, but is -3",
                          StartsWith("bad.jsonl:3:30: not JSON"), "bad.jsonl:4:16: val_bpc must be a number, not 'abc'",
                          StartsWith("bad.jsonl:5:2: step must be a whole number"),
                          "bad.jsonl:6:30: tokens must not be negative, but is -1"));
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
  EXPECT_THAT(thrown([] { parse_foreign_map("stpe=it,loss=x,step="); }),
              testing::AllOf(HasSubstr("did you mean 'step'?"), HasSubstr("unknown column 'loss'"),
                             HasSubstr("'step=' is not of the form")));
}

TEST(ForeignLog, NothingToEvaluateSaysWhatThereIs) {
  Findings jsonl("a.jsonl"), csv("a.csv"), empty("e.csv");
  read_foreign_jsonl("{\"iter_num\": 5, \"valid\": 3}\n[1]\n", "a", {}, jsonl);
  EXPECT_THAT(jsonl.take().at(0).to_string(), HasSubstr("here there is iter_num, valid (other names: --map"));
  read_foreign_csv("step,loss\n1,2\n,3\n4\n", "a", {}, csv);
  std::vector<std::string> found;
  for (const Diagnostic& diagnostic : csv.take()) found.push_back(diagnostic.to_string());
  EXPECT_THAT(found, ElementsAre("a.csv:3:1: step is missing", StartsWith("a.csv:4:1: 1 cells, where the header has 2"),
                                 HasSubstr("no evaluation in it")));
  read_foreign_csv("", "e", {}, empty);
  EXPECT_TRUE(empty.any());
}

// --- the verbs ----------------------------------------------------------------------------------------------------

class HistoryVerbs : public QueryTest {
 protected:
  std::string call(const Verb& verb, std::vector<std::string> args, int code = 0) {
    args.insert(args.end(), {"--root", root.string()});
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    int got = 0;
    try {
      got = verb.run(verb, args);
    } catch (...) {
      testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr();
      throw;
    }
    errors = testing::internal::GetCapturedStderr();
    const std::string out = testing::internal::GetCapturedStdout();
    EXPECT_EQ(got, code) << out << errors;
    return out;
  }
  std::string file(const std::string& name, const std::string& text) {
    const fs::path path = root / name;
    std::ofstream(path) << text;
    return path.string();
  }
  std::string errors;
};

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

TEST_F(HistoryVerbs, ExportRefusesWhatItCannotDo) {
  EXPECT_THAT(thrown([&] { call(kExportVerb, {"aaaa00000001", "-o", "x.bit2"}); }), HasSubstr("packs no checkpoints"));
  EXPECT_THAT(thrown([&] { call(kExportVerb, {"frist"}); }), HasSubstr("did you mean 'first'?"));
  EXPECT_THAT(thrown([&] { call(kExportVerb, {"first", "--table", "eval"}); }), HasSubstr("did you mean 'evals'?"));
  EXPECT_THAT(thrown([&] { call(kExportVerb, {"first", "-o", "x.parquet"}); }), HasSubstr("expected a folder"));
}

class Gc : public HistoryVerbs {
 protected:
  Gc() {
    for (const char* id : {"aaaa00000001", "aaaa00000002", "bbbb00000003"})
      for (const char* name : {"best.safetensors", "last.safetensors", "last.safetensors.tmp.7"}) {
        const fs::path path = checkpoint(id, name);
        fs::create_directories(path.parent_path());
        std::ofstream(path) << std::string(1000, 'x');
      }
  }
  fs::path checkpoint(const std::string& id, const std::string& name) {
    return store.paths().attempt(id, 1) / "checkpoints" / name;
  }
  std::vector<std::string> left() {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(root / "runs"))
      if (entry.path().parent_path().filename() == "checkpoints")
        files.push_back(entry.path().parent_path().parent_path().parent_path().filename().string().substr(0, 4) +
                        entry.path().parent_path().parent_path().parent_path().filename().string().substr(11) + " " +
                        entry.path().filename().string());
    std::sort(files.begin(), files.end());
    return files;
  }
};

TEST_F(Gc, SaysWhatItWouldDoAndThenDoesIt) {
  EXPECT_THAT(call(kGcVerb, {}),
              HasSubstr("would free 2 kB of 9 kB in 2 of 9 checkpoints; 3 needed by queued or running runs; "
                        "--yes deletes them"));
  EXPECT_EQ(left().size(), 9u);
  EXPECT_THAT(call(kGcVerb, {"--yes"}), HasSubstr("freed 2 kB"));
  EXPECT_THAT(left(), ElementsAre("aaaa1 best.safetensors", "aaaa2 best.safetensors", "aaaa2 last.safetensors",
                                  "aaaa2 last.safetensors.tmp.7", "bbbb3 best.safetensors", "bbbb3 last.safetensors",
                                  "bbbb3 last.safetensors.tmp.7"));
  EXPECT_THAT(call(kGcVerb, {}), StartsWith("would free 0 B"));
}

TEST_F(Gc, PoliciesNarrowAndWiden) {
  EXPECT_THAT(call(kGcVerb, {"--keep", "none", "--state", "done,failed", "--older-than", "1000000d"}),
              StartsWith("would free 0 B"));
  EXPECT_THAT(call(kGcVerb, {"--keep", "none", "--state", "done,failed", "bbbb"}), StartsWith("would free 0 B"));
  EXPECT_THAT(call(kGcVerb, {"--keep", "none", "--state", "done,failed", "--max-size", "8k", "--json"}),
              HasSubstr("\"bytes\": 1000"));
  call(kGcVerb, {"--keep", "none", "--state", "done,failed", "--yes"});
  EXPECT_EQ(left().size(), 3u);  // of the one that runs
  EXPECT_THAT(thrown([&] {
                call(kGcVerb, {"--keep", "bst", "--state", "running", "--older-than", "x", "--max-size", "-1"});
              }),
              testing::AllOf(HasSubstr("did you mean 'best'?"), HasSubstr("--state 'running'"),
                             HasSubstr("--older-than 'x'"), HasSubstr("--max-size '-1'")));
}

TEST_F(Gc, WhatAQueuedRunBeginsWithStays) {
  NewRun finetune = planned("dddd00000005", "v57", 1000, 1e-4);
  finetune.init_from = "aaaa00000001";
  NewSweep sweep;
  sweep.name = "tune", sweep.runs = {finetune};
  store.submit(sweep);
  call(kGcVerb, {"--keep", "none", "--yes"});
  EXPECT_TRUE(fs::exists(checkpoint("aaaa00000001", "best.safetensors")));
  store.cancel("dddd00000005");
  store.retry("aaaa00000002");  // queued again: it goes on from its own
  call(kGcVerb, {"--keep", "none", "--state", "done,failed", "--yes"});
  EXPECT_FALSE(fs::exists(checkpoint("aaaa00000001", "best.safetensors")));
  EXPECT_TRUE(fs::exists(checkpoint("aaaa00000002", "last.safetensors")));
}

TEST(CheckpointPolicy, ARunWithoutBestKeepsItsLast) {
  const std::vector<StoredCheckpoint> all = {
      {.run = "a", .kind = "last", .file = {}, .bytes = 5, .since = 1, .needed_by = ""},
      {.run = "b", .kind = "last", .file = {}, .bytes = 5, .since = 2, .needed_by = ""},
      {.run = "b", .kind = "best", .file = {}, .bytes = 5, .since = 2, .needed_by = ""}};
  EXPECT_THAT(to_delete(all, {}, 10), ElementsAre(1));
  EXPECT_THAT(to_delete(all, {.keep = {"last"}}, 10), ElementsAre(2));
  EXPECT_THAT(to_delete(all, {.keep = {}, .most_bytes = 10.0}, 10), ElementsAre(0));
  EXPECT_THAT(to_delete(all, {.keep = {}, .most_bytes = 15.0}, 10), IsEmpty());
}

// --- rebuild ------------------------------------------------------------------------------------------------------

TEST_F(HistoryVerbs, RebuildFindsImportedRunsAndRefusesToReplaceUnasked) {
  call(kImportVerb, {file("a.jsonl", kSeedLog)});
  EXPECT_THAT(thrown([&] { call(kRebuildVerb, {}); }), StartsWith("4: "));
  // The fixture's own events are in no file.
  EXPECT_THAT(call(kRebuildVerb, {"--check"}, 1), testing::AllOf(HasSubstr("only before"), HasSubstr("rows differ")));
  const std::string id = store.runs_of("imported").at(0).id;
  Rebuild rebuild(root, root / "scratch");
  rebuild.replay();
  rebuild.read_events();
  EXPECT_EQ(rebuild.store().run(id)->best_val_bpc, 5.674);
  EXPECT_FALSE(rebuild.store().retry(id));
}

// A root whose database is lost and which has no history: what its folders tell.
TEST(OrphanRuns, TellSpecsAttemptsEndsAndEvents) {
  const fs::path root = new_root();
  const RootPaths paths{root};
  const auto event = [](const char* run, int64_t attempt, int64_t seq, const char* kind, int64_t step,
                        json::object fields) {
    return to_line({kind, run, attempt, seq, step, 1000.0 + static_cast<double>(step), std::move(fields)});
  };
  const auto attempt = [&](const char* run, int64_t k, const std::string& events, std::optional<ExitRecord> exit) {
    const fs::path folder = paths.attempt(run, k);
    make_folder(folder);
    const json::object spec = {{"model", json::object{{"plugin", "v57"}}}, {"seed", 3}, {"steps", 40}};
    write_file_atomic(folder / "spec.json", pretty_json(spec));
    write_file_atomic(folder / "events.jsonl", events);
    write_intent(folder, {.run = run, .attempt = k, .command = {"worker", "--device", "cpu"}, .environment = {}});
    if (exit) write_exit(folder, *exit);
  };
  const auto exit = [](std::optional<int64_t> code, std::optional<int64_t> signal) {
    return ExitRecord{
        .exit_code = code, .signal = signal, .cannot_start = "", .peak_rss_bytes = 5000, .started = 100, .ended = 200};
  };
  attempt("aaaaaaaaaaaa", 1,
          event("aaaaaaaaaaaa", 1, 1, "start", 0, {{"params", 1234}, {"device", "cuda:0"}, {"threads", 2}}) +
              event("aaaaaaaaaaaa", 1, 2, "eval", 10, {{"val_bpc", 4.0}}),
          exit({}, 9));
  attempt("aaaaaaaaaaaa", 2,
          event("aaaaaaaaaaaa", 2, 1, "start", 0, {{"params", 1234}, {"device", "cuda:0"}, {"threads", 2}}) +
              event("aaaaaaaaaaaa", 2, 2, "eval", 20, {{"val_bpc", 3.0}}) +
              event("aaaaaaaaaaaa", 2, 3, "end", 40, {{"status", "done"}}),
          exit(0, {}));
  attempt("bbbbbbbbbbbb", 1, event("bbbbbbbbbbbb", 1, 1, "eval", 10, {{"val_bpc", nullptr}}), exit({}, 9));
  attempt("cccccccccccc", 1,
          event("cccccccccccc", 1, 1, "end", 10, {{"status", "bad_input"}, {"message", "no such text"}}), exit(2, {}));
  make_folder(paths.attempt("dddddddddddd", 1));  // no spec

  Rebuild rebuild(root, root / ".rebuild");
  rebuild.replay();
  rebuild.read_events();
  const OrphanRuns found = adopt_orphan_runs(paths, rebuild);
  EXPECT_EQ(found.runs, 3);
  EXPECT_EQ(found.attempts, 4);
  ASSERT_EQ(rebuild.result().problems.size(), 1u);
  EXPECT_THAT(rebuild.result().problems[0], HasSubstr("dddddddddddd: has no readable spec.json"));
  EXPECT_EQ(rebuild.take_over().size(), 0u);

  Store store(root, StoreMode::create);
  const RunRecord done = store.run("aaaaaaaaaaaa").value();
  EXPECT_EQ(done.state, RunState::done);
  EXPECT_EQ(done.best_val_bpc, 3.0);
  EXPECT_EQ(done.plugin, "v57");
  EXPECT_EQ(done.params, 1234);
  EXPECT_EQ(done.sweep, kRecoveredSweep);
  const auto attempts = store.attempts("aaaaaaaaaaaa");
  ASSERT_EQ(attempts.size(), 2u);
  EXPECT_EQ(attempts[0].signal, 9);
  EXPECT_EQ(attempts[1].device, "cuda:0");
  EXPECT_EQ(attempts[1].ended, 200);
  EXPECT_EQ(store.run("bbbbbbbbbbbb")->state, RunState::queued);  // a fault: it is tried again
  EXPECT_EQ(store.run("cccccccccccc")->cause, ExitCause::bad_input);
  EXPECT_EQ(store.run("cccccccccccc")->message, "no such text");
}

}  // namespace
}  // namespace bitsweep
