#include "store_fixture.h"

namespace bitsweep::store {
namespace {

using Ids = std::vector<std::string>;
class SubmitTest : public StoreTest {};

TEST_F(SubmitTest, TheSameTwiceAddsNothing) {
  const NewSweep sweep = new_sweep("s", {new_run("aaaaaaaaaaaa", 1e-3), new_run("bbbbbbbbbbbb", 2e-3)});
  EXPECT_EQ(store.submit(sweep).added, (Ids{"aaaaaaaaaaaa", "bbbbbbbbbbbb"}));
  const SubmitResult again = store.submit(sweep);
  EXPECT_TRUE(again.added.empty() && again.changed.empty() && again.gone.empty());
  EXPECT_EQ(again.already.size(), 2u);
  EXPECT_EQ(count("run"), 2);
  EXPECT_EQ(store.database().integer("SELECT version FROM sweep"), 1);
}

TEST_F(SubmitTest, NewChangedAndGoneAreTold) {
  store.submit(
      new_sweep("s", {new_run("aaaaaaaaaaaa", 1e-3), new_run("bbbbbbbbbbbb", 2e-3), new_run("cccccccccccc", 3e-3)}));
  const SubmitResult r = store.submit(
      new_sweep("s", {new_run("aaaaaaaaaaaa", 1e-3), new_run("bbbb00000000", 2e-3), new_run("dddddddddddd", 4e-3)}));
  EXPECT_EQ(r.already, Ids{"aaaaaaaaaaaa"});
  EXPECT_EQ(r.added, Ids{"dddddddddddd"});
  ASSERT_EQ(r.changed.size(), 1u);
  EXPECT_EQ(r.changed[0].before, "bbbbbbbbbbbb");
  EXPECT_EQ(r.changed[0].after, "bbbb00000000");
  EXPECT_EQ(r.gone, Ids{"cccccccccccc"});
  EXPECT_EQ(store.database().integer("SELECT version FROM sweep"), 2);
}

TEST_F(SubmitTest, CompareTellsTheSameAndChangesNothing) {
  store.submit(new_sweep("s", {new_run("aaaaaaaaaaaa")}));
  const SubmitResult r = store.compare(new_sweep("s", {new_run("bbbbbbbbbbbb")}));
  EXPECT_EQ(r.changed.size(), 1u);
  EXPECT_FALSE(store.run("bbbbbbbbbbbb").has_value());
  EXPECT_EQ(store.state("aaaaaaaaaaaa"), RunState::queued);
}

TEST_F(SubmitTest, QueuedRunsThatLeftTheirLastSweepAreWithdrawnAndCanComeBack) {
  store.submit(new_sweep("s", {new_run("aaaaaaaaaaaa", 1e-3), new_run("bbbbbbbbbbbb", 2e-3)}));
  store.submit(new_sweep("s", {new_run("aaaaaaaaaaaa", 1e-3)}));
  EXPECT_EQ(store.run("bbbbbbbbbbbb")->state, RunState::cancelled);
  EXPECT_EQ(store.run("bbbbbbbbbbbb")->cause, ExitCause::withdrawn);
  EXPECT_EQ(store.runs_of("s").size(), 1u);
  store.submit(new_sweep("s", {new_run("bbbbbbbbbbbb", 2e-3)}));
  EXPECT_EQ(store.run("bbbbbbbbbbbb")->state, RunState::queued);
  EXPECT_EQ(store.run("bbbbbbbbbbbb")->cause, ExitCause::none);
}

TEST_F(SubmitTest, ARunOfTwoSweepsIsOneRun) {
  store.submit(new_sweep("s", {new_run("aaaaaaaaaaaa")}));
  const SubmitResult r = store.submit(new_sweep("t", {new_run("aaaaaaaaaaaa")}));
  EXPECT_EQ(r.added, Ids{"aaaaaaaaaaaa"});
  EXPECT_EQ(count("run"), 1);
  EXPECT_EQ(count("sweep_runs"), 2);
  store.submit(new_sweep("s", {}));  // it leaves the one that held it first
  EXPECT_EQ(store.run("aaaaaaaaaaaa")->state, RunState::queued);
  EXPECT_EQ(store.run("aaaaaaaaaaaa")->sweep, "t");
}

TEST_F(SubmitTest, ARunThatRanStaysWhenItsSweepDropsIt) {
  claimed("aaaaaaaaaaaa");
  store.finish("aaaaaaaaaaaa", 1, end(RunState::done));
  store.submit(new_sweep("s-aaaaaaaaaaaa", {}));
  EXPECT_EQ(store.state("aaaaaaaaaaaa"), RunState::done);
  EXPECT_EQ(store.submit(new_sweep("again", {new_run("aaaaaaaaaaaa")})).done, 1);
}

TEST_F(SubmitTest, WhileItWaitsARunTakesUpNewResources) {
  NewRun run = new_run("aaaaaaaaaaaa");
  store.submit(new_sweep("s", {run}));
  run.resources = {.device = "cuda", .slots = 2, .threads = 3, .memory_bytes = 5, .timeout_s = 60};
  run.priority = 9;
  run.retries = 0;
  store.submit(new_sweep("s", {run}));
  const RunRecord record = *store.run("aaaaaaaaaaaa");
  EXPECT_EQ(record.resources.device, "cuda");
  EXPECT_EQ(record.resources.threads, 3);
  EXPECT_EQ(record.resources.timeout_s, 60);
  EXPECT_EQ(record.priority, 9);
  EXPECT_EQ(record.retries, 0);
}

// A run whose texts and questions lie in a folder; none of it names the run.
NewRun run_with_questions(const std::string& folder) {
  NewRun run = new_run("aaaaaaaaaaaa");
  const auto file = [&](const char* name) { return folder + "/" + name; };
  run.spec["data"] = json::object{{"corpus", file("a.txt")}, {"context", 64}};
  run.spec["eval"] = json::object{{"also", {{"base", {{"corpus", file("b.txt")}}}}},
                                  {"tasks", json::array{json::object{{"name", "t1"}, {"file", file("t1.jsonl")}}}}};
  run.spec["checkpoint"] = json::object{{"every", 500}};
  return run;
}

TEST_F(SubmitTest, ARunThatFailedTakesOverWhatNamesNoRun) {
  store.submit(new_sweep("s", {run_with_questions("/old")}));
  store.claim("aaaaaaaaaaaa", "cpu", 1, 1);
  NewRun mended = run_with_questions("/new");
  mended.spec["seed"] = 77;  // a key that names the run cannot be another one under its id
  const SubmitResult early = store.submit(new_sweep("s", {mended}));
  ASSERT_EQ(early.renewed.size(), 1u);
  EXPECT_EQ(early.renewed[0].state, RunState::starting);
  EXPECT_EQ(store.run("aaaaaaaaaaaa")->spec, run_with_questions("/old").spec);

  store.finish("aaaaaaaaaaaa", 1, end(RunState::failed, ExitCause::bad_input));
  EXPECT_EQ(store.compare(new_sweep("s", {mended})).renewed.size(), 1u);
  EXPECT_EQ(store.run("aaaaaaaaaaaa")->spec, run_with_questions("/old").spec);
  const SubmitResult result = store.submit(new_sweep("s", {mended}));
  ASSERT_EQ(result.renewed.size(), 1u);
  EXPECT_EQ(result.renewed[0].change.taken,
            (std::vector<std::string>{"data.corpus: /old/a.txt -> /new/a.txt",
                                      "eval.also.base.corpus: /old/b.txt -> /new/b.txt",
                                      "eval.tasks.t1.file: /old/t1.jsonl -> /new/t1.jsonl"}));
  EXPECT_EQ(canonical_json(store.run("aaaaaaaaaaaa")->spec), canonical_json(run_with_questions("/new").spec));
  EXPECT_TRUE(store.submit(new_sweep("s", {mended})).renewed.empty());
}

TEST_F(SubmitTest, ARunThatIsDoneTakesOverPathsAlone) {
  store.submit(new_sweep("s", {run_with_questions("/old")}));
  store.claim("aaaaaaaaaaaa", "cpu", 1, 1);
  store.finish("aaaaaaaaaaaa", 1, end(RunState::done));
  NewRun later = run_with_questions("/new");
  later.spec["eval"].as_object()["tasks"].as_array().push_back(json::object{{"name", "t2"}, {"file", "/new/t2"}});
  const SubmitResult result = store.submit(new_sweep("s", {later}));
  ASSERT_EQ(result.renewed.size(), 1u);
  const spec::Renewal& change = result.renewed[0].change;
  EXPECT_EQ(change.taken, Ids{"data.corpus: /old/a.txt -> /new/a.txt"});
  EXPECT_EQ(change.tasks, Ids{"t2"});
  EXPECT_EQ(change.changed_tasks, Ids{"t1"});
  EXPECT_EQ(change.texts, Ids{"base"});
  json::object expected = run_with_questions("/old").spec;
  expected["data"] = later.spec.at("data");
  EXPECT_EQ(canonical_json(store.run("aaaaaaaaaaaa")->spec), canonical_json(expected));
  const std::pair<std::string, double> accuracy("t2.acc", 0.5);
  store.put_metrics("aaaaaaaaaaaa", 1, 100, {&accuracy, 1});
  EXPECT_TRUE(store.submit(new_sweep("s", {later})).renewed.at(0).change.tasks.empty());
}

TEST_F(SubmitTest, TheQueueIsByPriorityThenSubmission) {
  NewRun first = new_run("ffffffffffff", 1e-3), second = new_run("aaaaaaaaaaaa", 2e-3),
         urgent = new_run("cccccccccccc", 3e-3);
  urgent.priority = 1;
  store.submit(new_sweep("s", {first, second, urgent}));
  Ids order;
  for (const QueueEntry& entry : store.queue()) order.push_back(entry.id);
  EXPECT_EQ(order, (Ids{"cccccccccccc", "ffffffffffff", "aaaaaaaaaaaa"}));
}

TEST_F(SubmitTest, TheQueueOfSomeSweepsOnly) {
  store.submit(new_sweep("s", {new_run("aaaaaaaaaaaa")}));
  store.submit(new_sweep("t", {new_run("bbbbbbbbbbbb")}));
  const Ids only = {"t"};
  ASSERT_EQ(store.queue(only).size(), 1u);
  EXPECT_EQ(store.queue(only)[0].id, "bbbbbbbbbbbb");
  EXPECT_EQ(store.counts(only).at(RunState::queued), 1);
  EXPECT_EQ(store.counts().at(RunState::queued), 2);
}

TEST_F(SubmitTest, TheQueueKnowsTheStateOfABase) {
  NewRun tuned = new_run("bbbbbbbbbbbb");
  tuned.init_from = "aaaaaaaaaaaa";
  store.submit(new_sweep("s", {tuned}));
  EXPECT_FALSE(store.queue()[0].init_from_state.has_value());
  claimed("aaaaaaaaaaaa");
  EXPECT_EQ(store.queue()[0].init_from_state, RunState::starting);
}

TEST_F(SubmitTest, WhatTheStoreIsGivenComesBack) {
  NewRun run = new_run("aaaaaaaaaaaa", 6e-4, 3);
  run.spec["text"] = "ünïcode \"quotes\" and \n lines";
  store.submit(new_sweep("s", {run}));
  const RunRecord record = *store.run("aaaaaaaaaaaa");
  EXPECT_EQ(record.spec, run.spec);
  EXPECT_EQ(record.axes, run.axes);
  EXPECT_EQ(record.seed, 3);
  EXPECT_EQ(record.steps, 100);
  EXPECT_EQ(record.sweep, "s");
}

TEST_F(SubmitTest, ARunThatIsThereTwiceOrHasNoNameIsRefusedWhole) {
  EXPECT_THROW(store.submit(new_sweep("s", {new_run("aaaaaaaaaaaa"), new_run("aaaaaaaaaaaa")})), Error);
  EXPECT_THROW(store.submit(new_sweep("s", {new_run("")})), Error);
  EXPECT_THROW(store.submit(new_sweep("", {})), Error);
  EXPECT_EQ(count("run"), 0);
}

TEST_F(SubmitTest, RunsAreFoundByUniquePrefix) {
  store.submit(new_sweep("s", {new_run("abc000000000", 1e-3), new_run("abd000000000", 2e-3)}));
  EXPECT_EQ(store.resolve_run("abc"), "abc000000000");
  EXPECT_EQ(store.resolve_run("abd000000000"), "abd000000000");
  for (const char* bad : {"ab", "", "f", "abc0000000000"})
    EXPECT_EQ(error_of([&] { store.resolve_run(bad); }).kind(), ErrorKind::input);
}

TEST_F(SubmitTest, AnUnknownSweepNamesTheNearest) {
  store.submit(new_sweep("quickstart", {}));
  EXPECT_NE(std::string(error_of([&] { store.runs_of("quickstrat"); }).what()).find("'quickstart'"), std::string::npos);
}

TEST_F(SubmitTest, DatasetsAreKeptByTheirIdentity) {
  DatasetRecord data{.id = "d1",
                     .name = "headers",
                     .tokenizer = "ascii128",
                     .sha256 = "x",
                     .bytes = 10,
                     .train_tokens = 8,
                     .val_tokens = 2,
                     .val_sha256 = "v",
                     .unknown_bytes = 1,
                     .ngram_bpb = {5.0, 4.0, 3.0, 2.5},
                     .entropy_bpb = {}};
  store.put_dataset(data);
  data.entropy_bpb = 1.25;
  store.put_dataset(data);
  const auto back = store.dataset("d1");
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->ngram_bpb, data.ngram_bpb);
  EXPECT_EQ(back->val_sha256, "v");
  EXPECT_EQ(back->entropy_bpb, 1.25);
  EXPECT_EQ(count("datasets"), 1);
  EXPECT_FALSE(store.dataset("d2").has_value());
}

TEST_F(SubmitTest, YardsticksAreKeptByWhatIsScored) {
  store.put_yardsticks("d1", {.context = 64, .windows = 8, .bytes = 512, .ngram_bpb = {5.0, 4.0, 3.0, 2.5}});
  store.put_yardsticks("d1", {.context = 64, .windows = 8, .bytes = 512, .ngram_bpb = {5.5, 4.0, 3.0, 2.5}});
  store.put_yardsticks("d1", {.context = 64, .windows = 9, .bytes = 576, .ngram_bpb = {5.1, 4.1, 3.1, 2.6}});
  EXPECT_EQ(count("yardsticks"), 2);
  EXPECT_TRUE(store.has_yardsticks("d1", 64, 8));
  EXPECT_FALSE(store.has_yardsticks("d1", 128, 8));
  EXPECT_FALSE(store.has_yardsticks("d2", 64, 8));
}

}  // namespace
}  // namespace bitsweep::store
