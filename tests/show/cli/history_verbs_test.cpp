// export, gc and rebuild, as a person calls them; import_verb_test.cpp has import.
#include <fstream>

#include "cli/verbs_fixture.h"
#include "coordinate/orphan_runs.h"
#include "execute/records.h"
#include "store/rebuild.h"

namespace bitsweep::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// A log from elsewhere.
constexpr const char* kSeedLog = R"(Using device cuda
{"event": "config", "args": {"model": "v76", "n_params": 300000000, "batch_size": 64, "seq_len": 512, "seed": 3}}
{"event": "train", "step": 100, "loss": 5.2, "lr": 1e-4, "time": 12.5}
{"event": "eval", "step": 1000, "val_bpc": 7.25, "lr": 0.0006, "time": 120.5}
{"event": "eval", "step": 2000, "val_bpc": NaN, "lr": 0.0006, "time": 240.5}
{"event": "eval", "step": 39000, "val_bpc": 5.674, "ipmr_max": 0.1021, "lr": 1e-6, "time": 9000}
{"event": "eval", "step": 40000, "val_b)";

TEST_F(HistoryVerbs, ExportRefusesWhatItCannotDo) {
  EXPECT_THAT(query::thrown([&] {
                call(kExportVerb, {"aaaa00000001", "-o", "x.bit2"});
              }),
              HasSubstr("packs no checkpoints"));
  EXPECT_THAT(query::thrown([&] { call(kExportVerb, {"frist"}); }), HasSubstr("did you mean 'first'?"));
  EXPECT_THAT(query::thrown([&] {
                call(kExportVerb, {"first", "--table", "eval"});
              }),
              HasSubstr("did you mean 'evals'?"));
  EXPECT_THAT(query::thrown([&] { call(kExportVerb, {"first", "-o", "x.parquet"}); }), HasSubstr("expected a folder"));
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
  EXPECT_THAT(query::thrown([&] {
                call(kGcVerb, {"--keep", "bst", "--state", "running", "--older-than", "x", "--max-size", "-1"});
              }),
              testing::AllOf(HasSubstr("did you mean 'best'?"), HasSubstr("--state 'running'"),
                             HasSubstr("--older-than 'x'"), HasSubstr("--max-size '-1'")));
}

TEST_F(Gc, WhatAQueuedRunBeginsWithStays) {
  store::NewRun finetune = query::planned("dddd00000005", "v57", 1000, 1e-4);
  finetune.init_from = "aaaa00000001";
  store::NewSweep sweep;
  sweep.name = "tune";
  sweep.runs = {finetune};
  store.submit(sweep);
  call(kGcVerb, {"--keep", "none", "--yes"});
  EXPECT_TRUE(fs::exists(checkpoint("aaaa00000001", "best.safetensors")));
  store.cancel("dddd00000005");
  store.retry("aaaa00000002");  // queued again: it goes on from its own
  call(kGcVerb, {"--keep", "none", "--state", "done,failed", "--yes"});
  EXPECT_FALSE(fs::exists(checkpoint("aaaa00000001", "best.safetensors")));
  EXPECT_TRUE(fs::exists(checkpoint("aaaa00000002", "last.safetensors")));
}

// --- rebuild ------------------------------------------------------------------------------------------------------

TEST_F(HistoryVerbs, RebuildFindsImportedRunsAndRefusesToReplaceUnasked) {
  call(kImportVerb, {file("a.jsonl", kSeedLog)});
  EXPECT_THAT(query::thrown([&] { call(kRebuildVerb, {}); }), StartsWith("4: "));
  // The fixture's own events are in no file.
  EXPECT_THAT(call(kRebuildVerb, {"--check"}, 1), testing::AllOf(HasSubstr("only before"), HasSubstr("rows differ")));
  const std::string id = store.runs_of("imported").at(0).id;
  store::Rebuild rebuild(root, root / "scratch");
  rebuild.replay();
  rebuild.read_events();
  EXPECT_EQ(rebuild.store().run(id)->best_val_bpc, 5.674);
  EXPECT_FALSE(rebuild.store().retry(id));
}

// A root whose database is lost and which has no history: what its folders tell.
TEST(OrphanRuns, TellSpecsAttemptsEndsAndEvents) {
  const fs::path root = query::new_root();
  const store::RootPaths paths{root};
  const auto event = [](const char* run, int64_t attempt, int64_t seq, const char* kind, int64_t step,
                        json::object fields) {
    return event::to_line({kind, run, attempt, seq, step, 1000.0 + static_cast<double>(step), std::move(fields)});
  };
  const auto attempt = [&](const char* run, int64_t k, const std::string& events,
                           std::optional<execute::ExitRecord> exit) {
    const fs::path folder = paths.attempt(run, k);
    make_folder(folder);
    const json::object spec = {{"model", json::object{{"plugin", "v57"}}}, {"seed", 3}, {"steps", 40}};
    write_file_atomic(folder / "spec.json", pretty_json(spec));
    write_file_atomic(folder / "events.jsonl", events);
    execute::write_intent(folder,
                          {.run = run, .attempt = k, .command = {"worker", "--device", "cpu"}, .environment = {}});
    if (exit) write_exit(folder, *exit);
  };
  const auto exit = [](std::optional<int64_t> code, std::optional<int64_t> signal) {
    return execute::ExitRecord{
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

  store::Rebuild rebuild(root, root / ".rebuild");
  rebuild.replay();
  rebuild.read_events();
  const coordinate::OrphanRuns found = coordinate::adopt_orphan_runs(paths, rebuild);
  EXPECT_EQ(found.runs, 3);
  EXPECT_EQ(found.attempts, 4);
  ASSERT_EQ(rebuild.result().problems.size(), 1u);
  EXPECT_THAT(rebuild.result().problems[0], HasSubstr("dddddddddddd: has no readable spec.json"));
  EXPECT_EQ(rebuild.take_over().size(), 0u);

  store::Store store(root, store::StoreMode::create);
  const store::RunRecord done = store.run("aaaaaaaaaaaa").value();
  EXPECT_EQ(done.state, RunState::done);
  EXPECT_EQ(done.best_val_bpc, 3.0);
  EXPECT_EQ(done.plugin, "v57");
  EXPECT_EQ(done.params, 1234);
  EXPECT_EQ(done.sweep, coordinate::kRecoveredSweep);
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
}  // namespace bitsweep::cli
