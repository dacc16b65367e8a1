// The history file: in step with every commit, and enough to make the database again with the run folders.
#include "store/history.h"

#include <fstream>

#include "store/control.h"
#include "store/rebuild.h"
#include "store/tail.h"
#include "store_fixture.h"

namespace bitsweep::store {
namespace {

class HistoryTest : public StoreTest {
 protected:
  std::string history() { return read_file(store.paths().history()); }

  // Events into the attempt's file, as a worker writes them, and from there into the store.
  void work(const std::string& run, int64_t attempt, const std::vector<event::Event>& events) {
    const fs::path folder = store.paths().attempt(run, attempt);
    fs::create_directories(folder);
    std::ofstream file(folder / "events.jsonl", std::ios::app);
    for (const event::Event& event : events) file << to_line(event);
    file.close();
    EventTail tail(folder / "events.jsonl", 0, 0);
    const EventTail::Chunk chunk = tail.read();
    const Store::Batch batch{run, attempt, chunk.events, chunk.next_offset, chunk.file};
    store.ingest({&batch, 1});
  }

  // A bit of everything that can happen to runs: at least one row of every table.
  void live_a_little() {
    store.put_dataset({.id = "d1",
                       .name = "stories",
                       .tokenizer = "ascii128",
                       .sha256 = "s",
                       .bytes = 10,
                       .train_tokens = 9,
                       .val_tokens = 1,
                       .val_sha256 = "v",
                       .unknown_bytes = 0,
                       .ngram_bpb = {1.25, 0.1},
                       .entropy_bpb = {}});
    store.put_yardsticks("d1", {.context = 64, .windows = 8, .bytes = 512, .ngram_bpb = {1.5, 0.1}});
    NewRun finetune = new_run("dddddddddddd", 4e-3);
    finetune.init_from = "aaaaaaaaaaaa";
    finetune.dataset = "d1";
    finetune.priority = -7;
    store.submit(new_sweep(
        "one", {new_run("aaaaaaaaaaaa"), new_run("bbbbbbbbbbbb", 2e-3), new_run("cccccccccccc", 3e-3), finetune}));
    store.submit(new_sweep("two", {new_run("aaaaaaaaaaaa"), new_run("eeeeeeeeeeee", 0.1 + 0.2)}));
    clock.sleep_s(1.7);
    PredictionRecord prediction;
    prediction.run = "bbbbbbbbbbbb";
    prediction.law = "power";
    prediction.params = 1e3;
    prediction.tokens = 64e3;
    prediction.loss = 3.0 / 7;
    prediction.lower = 0.1;
    store.put_prediction(prediction);
    const std::string a = "aaaaaaaaaaaa", b = "bbbbbbbbbbbb";
    store.claim(a, "cuda:1", 1, 4);
    store.mark_running(a, 1, 4711);
    const json::array kinds{
        json::object{{"name", "t.acc"}, {"direction", "higher"}, {"unit", "fraction"}, {"help", "h"}, {"chance", 0.1}}};
    work(a, 1,
         {event_of(a, 1, 0, "start", 0, {{"metrics", kinds}}), eval_of(a, 1, 1, 10, 3.3),
          eval_of(a, 1, 2, 20, 1.0 / 3)});
    clock.sleep_s(1e-3);
    store.requeue(a, 1, end(RunState::failed, ExitCause::signal), true, clock.unix + 2.5);
    store.claim(a, "cpu", 1, 2);
    work(a, 2,
         {eval_of(a, 2, 1, 20, 0.3), event_of(a, 2, 2, "end", 100, {{"status", "done"}, {"message", "ï \"x\"\n"}})});
    store.finish(a, 2, end(RunState::done));
    const std::pair<std::string, double> metrics[] = {{"ipmr.L0H1", 0.25}, {"broken", std::nan("")}};
    store.put_metrics(a, 2, 20, metrics);
    const MetricKind later[] = {{"later.f1", Better::higher, "fraction", {}, "of a verb"},
                                {"t.acc", Better::higher, "fraction", 0.3, "of a verb"}};
    store.put_metric_kinds(later, clock.unix);
    store.claim(b, "cpu", 1, 2);
    work(b, 1, {eval_of(b, 1, 1, 10, 9.0)});
    store.set_paused("cccccccccccc", true);
    set_devices(store, "cpu:2", 1);
    store.set_priority("cccccccccccc", 12);
    store.cancel("dddddddddddd");
    store.retry("dddddddddddd");
    NewRun moved = new_run(a);
    moved.spec["data"] = json::object{{"corpus", "/moved"}};
    store.submit(new_sweep("two", {moved, new_run("ffffffffffff", 7e-3)}));  // withdraws e, and a takes over a path
    store.put_speed({.spec = {{"x", 1}}, .device = "cpu", .threads = 2, .flops_per_token = 1e9, .tokens_per_s = 10});
    store.put_speed({.spec = {{"x", 1}}, .device = "cpu", .threads = 2, .flops_per_token = 1e9, .tokens_per_s = 20});
    FitRecord fit;
    fit.sweep = "one";
    fit.law = "power";
    fit.result = {{"E", 1.0 / 3}};
    store.put_fit(fit);
  }

  void expect_same(Rebuild& rebuild) {
    for (const TableDifference& table : compare_databases(store.database(), rebuild.store().database())) {
      EXPECT_EQ(table.differences, 0) << table.table << ": " << (table.examples.empty() ? "" : table.examples[0]);
      EXPECT_GT(table.rows, 0) << table.table << " is empty: nothing was compared";
    }
  }
  void expect_rebuilt_same() {
    Rebuild rebuild(root, root / "scratch");
    rebuild.replay();
    rebuild.read_events();
    EXPECT_TRUE(rebuild.result().problems.empty());
    expect_same(rebuild);
  }
};

TEST_F(HistoryTest, TheDatabaseIsMadeAgainRowForRow) {
  live_a_little();
  expect_rebuilt_same();
}

TEST_F(HistoryTest, AndAgainFromWhatWasMade) {
  live_a_little();
  Rebuild rebuild(root, root / "scratch");
  rebuild.replay();
  rebuild.read_events();
  const fs::path copy = fresh_folder("copy");
  fs::copy(root / "runs", copy / "runs", fs::copy_options::recursive);
  fs::copy_file(root / "scratch/runs/history.jsonl", copy / "runs/history.jsonl", fs::copy_options::overwrite_existing);
  Rebuild again(copy, copy / "scratch");
  again.replay();
  again.read_events();
  for (const TableDifference& table : compare_databases(rebuild.store().database(), again.store().database()))
    EXPECT_EQ(table.differences, 0) << table.table << ": " << table.examples[0];
}

TEST_F(HistoryTest, WhatIsRolledBackIsNotTold) {
  const std::string before = history();
  {
    Transaction transaction(store.database());
    store.submit(new_sweep("s", {new_run("aaaaaaaaaaaa")}));
  }
  EXPECT_EQ(history(), before);
  store.submit(new_sweep("s", {new_run("aaaaaaaaaaaa")}));
  EXPECT_GT(history().size(), before.size());
}

TEST_F(HistoryTest, WhatChangesNothingIsNotTold) {
  store.submit(new_sweep("s", {new_run("aaaaaaaaaaaa")}));
  const std::string before = history();
  store.submit(new_sweep("s", {new_run("aaaaaaaaaaaa")}));
  store.set_paused("aaaaaaaaaaaa", false);
  EXPECT_EQ(history(), before);
}

TEST_F(HistoryTest, EventsAloneAreNotTold) {
  const int64_t attempt = claimed("aaaaaaaaaaaa");
  const std::string before = history();
  ingest("aaaaaaaaaaaa", attempt, {eval_of("aaaaaaaaaaaa", attempt, 1, 10, 3.0)}, 100);
  EXPECT_EQ(history(), before);
}

TEST_F(HistoryTest, LinesOfACommitThatFailedAreSkipped) {
  store.submit(new_sweep("one", {new_run("aaaaaaaaaaaa")}));
  std::ofstream(store.paths().history(), std::ios::app) << R"({"put":"run","row":{"id":"aaaaaaaaaaaa","state":"done"}})"
                                                        << "\n"
                                                        << R"({"put":"run","ro)";
  live_a_little();
  EXPECT_NE(history().find("\"skip\""), std::string::npos);
  expect_rebuilt_same();
}

TEST_F(HistoryTest, AFileThatLostItsEndIsWrittenAnew) {
  live_a_little();
  fs::resize_file(store.paths().history(), fs::file_size(store.paths().history()) - 10);
  { Store again(root, StoreMode::create, clock); }
  expect_rebuilt_same();
  fs::remove(store.paths().history());
  store.set_priority("cccccccccccc", 1);  // a store that was open meanwhile goes on
  { Store again(root, StoreMode::create, clock); }
  store.set_priority("cccccccccccc", 2);
  expect_rebuilt_same();
}

TEST_F(HistoryTest, AStrangersFileIsKept) {
  live_a_little();
  const std::string foreign = "{\"history\":\"other\",\"schema\":3}\n" + std::string(100'000, ' ');
  std::ofstream(store.paths().history()) << foreign;
  { Store again(root, StoreMode::create, clock); }
  EXPECT_EQ(read_file(root / "runs/history.kept-1.jsonl"), foreign);
  expect_rebuilt_same();
}

TEST_F(HistoryTest, TwoProcessesWriteOneFile) {
  Store other(root, StoreMode::create, clock);
  for (int i = 0; i < 20; ++i) {
    Store& writer = i % 2 == 0 ? store : other;
    writer.submit(new_sweep(fmt::format("sweep{}", i), {new_run(fmt::format("{:012x}", i + 1))}));
  }
  live_a_little();
  expect_rebuilt_same();
}

TEST_F(HistoryTest, AFullDiskGivesTheCommitUp) {
  store.submit(new_sweep("s", {new_run("aaaaaaaaaaaa")}));
  fs::rename(store.paths().history(), store.paths().history().string() + ".there");
  fs::create_symlink("/dev/full", store.paths().history());
  const Error error = error_of([&] { store.set_priority("aaaaaaaaaaaa", 5); });
  EXPECT_EQ(error.exit_code(), 3);
  EXPECT_EQ(store.run("aaaaaaaaaaaa")->priority, 0);
  fs::remove(store.paths().history());
  fs::rename(store.paths().history().string() + ".there", store.paths().history());
  EXPECT_TRUE(store.set_priority("aaaaaaaaaaaa", 5));
  EXPECT_EQ(store.run("aaaaaaaaaaaa")->priority, 5);
}

TEST_F(HistoryTest, ADatabaseThatIsGoneIsNotBegunAnew) {
  live_a_little();
  const fs::path moved = fresh_folder("moved");
  fs::copy(root / "runs", moved / "runs", fs::copy_options::recursive);
  const Error error = error_of([&] { Store again(moved, StoreMode::create); });
  EXPECT_EQ(error.exit_code(), 4);
  EXPECT_NE(std::string(error.what()).find("bitsweep rebuild"), std::string::npos);
  EXPECT_FALSE(fs::exists(moved / "bitsweep.db"));
}

TEST_F(HistoryTest, LinesThatSayNothingAreNamed) {
  live_a_little();
  const fs::path moved = fresh_folder("moved");
  fs::create_directories(moved / "runs");
  std::ofstream(moved / "runs/history.jsonl") << history() << "not json\n"
                                              << R"({"put":"nowhere","row":{}})"
                                              << "\n"
                                              << R"({"put":"run","row":{"state":"done"}})"
                                              << "\n"
                                              << R"({"put":"run","row":{"id":"x","position":"first"}})"
                                              << "\n";
  Rebuild rebuild(moved, moved / "scratch");
  rebuild.replay();
  const auto& problems = rebuild.result().problems;
  ASSERT_EQ(problems.size(), 4u);
  EXPECT_NE(problems[0].find("is not JSON"), std::string::npos);
  EXPECT_NE(problems[1].find("a table 'nowhere'"), std::string::npos);
  EXPECT_NE(problems[2].find("lacks 'id'"), std::string::npos);
  EXPECT_NE(problems[3].find("cannot be stored"), std::string::npos);
  EXPECT_EQ(rebuild.store().sweep_names(), store.sweep_names());
}

TEST_F(HistoryTest, TakingOverKeepsWhatWasThere) {
  live_a_little();
  const fs::path moved = fresh_folder("moved");
  {
    Store donor(moved, StoreMode::create);
    donor.submit(new_sweep("theirs", {new_run("999999999999")}));
  }
  Rebuild rebuild(moved, moved / "scratch");
  rebuild.replay();
  rebuild.read_events();
  {
    const Store open_elsewhere(moved, StoreMode::create);
    EXPECT_EQ(error_of([&] { rebuild.take_over(); }).exit_code(), 4);
    EXPECT_TRUE(fs::exists(moved / "bitsweep.db"));
  }
  EXPECT_EQ(rebuild.take_over().size(), 2u);
  EXPECT_EQ(Database(moved / "bitsweep.db.kept-1", Database::Mode::read_only).integer("SELECT count(*) FROM run"), 1);
  Store after(moved, StoreMode::create);
  EXPECT_TRUE(after.run("999999999999").has_value());
  EXPECT_FALSE(fs::exists(moved / "runs/history.kept-2.jsonl"));  // database and history belong together
}

}  // namespace
}  // namespace bitsweep::store
