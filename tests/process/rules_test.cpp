// What a sweep says of its runs, kept with real processes: stop rules, memory that runs out, the order of sweeps, and
// the share of each across a restart.
#include <algorithm>

#include <fmt/format.h>

#include "process_fixture.h"

namespace bitsweep {
namespace {

class RulesTest : public ProcessTest {
 protected:
  void submit_sweep(const std::string& name, std::vector<store::NewRun> runs, json::object settings = {}) {
    for (const store::NewRun& run : runs) ids.push_back(run.id);
    open_store().submit(
        {.name = name, .file = "", .source = name, .settings = std::move(settings), .runs = std::move(runs)});
  }
  static std::string id_of(char kind, int i) { return fmt::format("{}{:011x}", kind, i); }
  // Runs of no work at all.
  static std::vector<store::NewRun> short_runs(char kind, int count) {
    std::vector<store::NewRun> runs;
    for (int i = 0; i < count; ++i)
      runs.push_back(fake_run(id_of(kind, i), i, {{"steps", 1}, {"step_ms", 0}, {"checkpoint_every", 1}}));
    return runs;
  }
  double started(const std::string& id) { return open_store().attempt(id, 1)->started.value(); }
  double ended(const std::string& id) { return open_store().attempt(id, 1)->ended.value(); }
};

TEST_F(RulesTest, ARunThatARuleGivesUpIsStoppedForGoodAndKeepsItsCheckpoint) {
  // Of some the best of the first losses lies above the means of the others.
  std::vector<store::NewRun> runs;
  for (int i = 0; i < 8; ++i) runs.push_back(fake_run(id_of('a', i), i, {{"steps", 100}, {"step_ms", 3}}));
  submit_sweep("sweep", runs, {{"stop_rule", "median"}, {"stop", json::object{{"grace", 10}, {"fewest", 2}}}});
  EXPECT_EQ(work(4), 0) << log();
  int64_t stopped = 0;
  store::Store store = open_store();
  for (const std::string& id : ids) {
    const store::RunRecord run = store.run(id).value();
    EXPECT_EQ(run.attempts, 1);
    if (run.state == RunState::done) continue;
    ++stopped;
    EXPECT_EQ(to_text(run.state), "stopped");
    EXPECT_EQ(to_text(run.cause), "stopped");
    EXPECT_NE(run.message.find("median"), std::string::npos) << run.message;
    EXPECT_LT(run.step, 100);
    EXPECT_TRUE(fs::exists(folder(id, 1) / "checkpoints/last.safetensors"));
  }
  EXPECT_GT(stopped, 0);
  EXPECT_LT(stopped, 8);
  EXPECT_EQ(work(1), 0);  // it stays so
  EXPECT_EQ(store.counts().at(RunState::stopped), stopped);
  EXPECT_EQ(store.database().integer("SELECT max(attempts) FROM run"), 1);
}

TEST_F(RulesTest, AfterMemoryRanOutABatchIsTrainedInSmallerPartsOnce) {
  const auto run_of = [&](const char* id, int seed) {
    return fake_run(id, seed,
                    {{"act", "exit:6"}, {"act_step", 3}, {"train", json::object{{"batch", 8}, {"accumulate", 1}}}});
  };
  submit_sweep("smaller", {run_of("aaaaaaaaaaaa", 1)}, {{"on_oom", "smaller_batch"}});
  submit_sweep("final", {run_of("bbbbbbbbbbbb", 2)});
  EXPECT_EQ(work(2), 1);
  store::Store store = open_store();
  EXPECT_EQ(to_text(store.run("aaaaaaaaaaaa")->cause), "oom");
  EXPECT_EQ(store.run("aaaaaaaaaaaa")->attempts, 2);
  EXPECT_EQ(store.run("bbbbbbbbbbbb")->attempts, 1);
  const auto parts = [&](int64_t attempt) {
    const json::value spec = parse_json(read_file(folder("aaaaaaaaaaaa", attempt) / "spec.json"), "spec");
    return spec.at("train").at("accumulate").as_int64();
  };
  EXPECT_EQ(parts(1), 1);
  EXPECT_EQ(parts(2), 2);
}

TEST_F(RulesTest, AfterMemoryRanOutARunHasTheDeviceAloneOnce) {
  submit_sweep("alone",
               {fake_run("aaaaaaaaaaaa", 1, {{"act", "exit:6"}, {"act_step", 3}}), fake_run("bbbbbbbbbbbb", 2),
                fake_run("cccccccccccc", 3), fake_run("dddddddddddd", 4)},
               {{"on_oom", "alone"}});
  EXPECT_EQ(work(2), 1);
  store::Store store = open_store();
  EXPECT_EQ(to_text(store.run("aaaaaaaaaaaa")->cause), "oom");
  const auto attempts = store.attempts("aaaaaaaaaaaa");
  ASSERT_EQ(attempts.size(), 2u);
  EXPECT_EQ(attempts[0].slots, 1);
  EXPECT_EQ(attempts[1].slots, 2);
  // Nothing else ran beside its second attempt.
  for (const char* id : {"bbbbbbbbbbbb", "cccccccccccc", "dddddddddddd"})
    for (const store::AttemptRecord& other : store.attempts(id))
      EXPECT_TRUE(other.ended.value() <= attempts[1].started.value() ||
                  other.started.value() >= attempts[1].ended.value())
          << id;
}

TEST_F(RulesTest, WhatComesAfterASweepAndARunBeginsWhenTheseHaveEnded) {
  submit_sweep("first", {fake_run("aaaaaaaaaaaa", 1), fake_run("bbbbbbbbbbbb", 2, {{"act", "exit:2"}})});
  submit_sweep("lone", {fake_run("cccccccccccc", 3, {{"steps", 60}})});
  store::NewRun urgent = fake_run("dddddddddddd", 4);
  urgent.priority = 9;
  submit_sweep("second", {urgent}, {{"after", json::array{"first", "cccccccccccc"}}});
  EXPECT_EQ(work(4), 1);
  EXPECT_EQ(open_store().state("dddddddddddd"), RunState::done);
  for (const char* id : {"aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"})
    EXPECT_GE(started("dddddddddddd"), ended(id)) << id;
}

TEST_F(RulesTest, TheSharesOfSweepsOutliveTheCoordinator) {
  submit_sweep("first", short_runs('a', 5));
  submit_sweep("second", short_runs('b', 5));
  {
    // As a coordinator leaves it that ended after three starts. The second sweep is owed one, although without a past
    // the first would go first.
    store::Store store = open_store();
    double at = 1;
    for (const std::string& id : {id_of('a', 0), id_of('b', 0), id_of('a', 1)}) {
      ASSERT_EQ(store.claim(id, "cpu", 1, 1, 1), 1);
      store.finish(id, 1,
                   {.state = RunState::done,
                    .cause = ExitCause::none,
                    .message = "",
                    .exit_code = 0,
                    .signal = {},
                    .peak_rss_bytes = {},
                    .ended = at});
      store::Statement order = store.database().prepare("UPDATE attempt SET started = ?1 WHERE run = ?2");
      order.run(at++, id);
    }
  }
  EXPECT_EQ(work(1), 0) << log();
  store::Store store = open_store();
  store::Statement row = store.database().prepare("SELECT run FROM attempt ORDER BY started LIMIT 8");
  std::string order;
  while (row.step()) order += row.text(0).substr(0, 1);
  EXPECT_EQ(order, "abababab");
}

}  // namespace
}  // namespace bitsweep
