#include "query/query_fixture.h"

namespace bitsweep::query {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(QueryTest, ListsRunsInTheOrderOfTheirSubmission) {
  const auto rows = Query(root).runs();
  EXPECT_THAT(ids(rows), ElementsAre("aaaa00000001", "aaaa00000002", "bbbb00000003", "cccc00000004"));
  EXPECT_EQ(rows[0].state, RunState::done);
  EXPECT_EQ(rows[0].sweep, "first");
  EXPECT_EQ(rows[0].plugin, "v57");
  EXPECT_EQ(rows[0].params, 1000);
  EXPECT_EQ(rows[0].params_nonembedding, 500);
  EXPECT_DOUBLE_EQ(rows[0].best_val_bpc.value(), 4.0);
  EXPECT_DOUBLE_EQ(rows[0].last_val_bpc.value(), 4.2);
  EXPECT_EQ(rows[0].best_step, 20);
  EXPECT_EQ(rows[0].attempts, 1);
  EXPECT_DOUBLE_EQ(rows[0].epochs.value(), 0.5);
  EXPECT_EQ(rows[0].axes.at("train.lr").to_number<double>(), 1e-3);
  EXPECT_EQ(rows[1].exit_cause, "diverged");
  EXPECT_EQ(rows[1].message, "loss is not finite");
  EXPECT_EQ(rows[3].state, RunState::queued);
  EXPECT_FALSE(rows[3].last_val_bpc.has_value());
}

TEST_F(QueryTest, RunsOfASweepSayWhatTheirTasksAsked) {
  store::NewSweep sweep;
  sweep.name = "asking";
  sweep.runs = {planned("dddd00000005", "v57", 1000, 1e-3)};
  sweep.runs[0].spec["eval"].as_object()["tasks"] = json::array{json::object{{"name", "arc"}}};
  store.submit(sweep);
  const int64_t attempt = start("dddd00000005", {4.0});
  const std::vector<event::Event> events{
      {"start", "dddd00000005", attempt, 90, 0, 1000, {{"questions", json::object{{"arc", "ab12"}}}}}};
  const store::Store::Batch batch{"dddd00000005", attempt, events, 200, 1};
  store.ingest({&batch, 1});
  const MetricKind kind{"arc.acc", Better::higher, "fraction", 0.25, ""};
  store.put_metric_kinds({&kind, 1}, 1);
  const std::vector<std::pair<std::string, double>> told = {{"arc.acc", 0.3}, {"arc.n", 56}};
  store.put_metrics("dddd00000005", attempt, 10, told);
  const RunRow run = Query(root).runs_of({"asking"}).at(0);
  EXPECT_EQ(run.questions.at("arc"), "ab12");
  EXPECT_EQ(run.metrics.at("arc.n"), 56);
  EXPECT_FALSE(Query(root).runs("asking").at(0).metrics.contains("arc.n")) << "no column unasked";
}

TEST_F(QueryTest, AnswersAreTheNewestOfTheRun) {
  std::vector<event::Event> events;
  for (int64_t i = 1; i <= 3; ++i)
    events.push_back({"eval",
                      "bbbb00000003",
                      1,
                      100 + i,
                      100 * i,
                      1000,
                      {{"val_bpc", 4.0}, {"answer_accuracy", 0.25 * static_cast<double>(i)}}});
  const store::Store::Batch batch{"bbbb00000003", 1, events, 200, 1};
  store.ingest({&batch, 1});
  const Query query(root);
  EXPECT_EQ(query.run("bbbb").metrics.at("answer_accuracy"), 0.75);
  EXPECT_FALSE(query.run("cccc").metrics.contains("answer_accuracy"));
  EXPECT_EQ(query.runs({}, "id = 'bbbb00000003'").at(0).metrics.at("answer_accuracy"), 0.75);
  EXPECT_EQ(query.runs_of({"first"}).at(2).metrics.at("answer_accuracy"), 0.75);
}

TEST_F(QueryTest, ARunIsListedOnceThoughTwoSweepsHoldIt) {
  store::NewSweep other;
  other.name = "other";
  other.file = "other.yaml";
  other.source = "y";
  other.runs = {planned("cccc00000004", "llama", 2000, 2e-3), planned("aaaa00000001", "v57", 1000, 1e-3)};
  other.runs[0].axes = {{"seed", 0}};
  store.submit(other);
  const Query query(root);
  EXPECT_EQ(query.runs().size(), 4u);
  const auto rows = query.runs("other");
  EXPECT_THAT(ids(rows), ElementsAre("cccc00000004", "aaaa00000001"));  // its file's order
  EXPECT_EQ(rows[0].sweep, "other");
  EXPECT_TRUE(rows[0].axes.contains("seed"));  // its own axes
  EXPECT_EQ(query.runs_of({"first", "other"}).size(), 4u);
}

TEST_F(QueryTest, WhereIsAnExpressionOverTheView) {
  const Query query(root);
  EXPECT_THAT(ids(query.runs({}, "plugin = 'llama' AND params > 1500")), ElementsAre("cccc00000004"));
  EXPECT_THAT(ids(query.runs("first", "axes ->> '$.\"train.lr\"' > 1.5e-3")),
              ElementsAre("aaaa00000002", "cccc00000004"));
  EXPECT_TRUE(query.runs({}, "false").empty());
  EXPECT_EQ(query.runs({}, "1 -- a comment").size(), 4u);
}

TEST_F(QueryTest, TheNewestAreFoundAlone) {
  const Query query(root);
  EXPECT_EQ(ids(query.runs({}, {}, 2)), (std::vector<std::string>{"bbbb00000003", "cccc00000004"}));
  EXPECT_EQ(ids(query.runs("first", {}, 1)), (std::vector<std::string>{"cccc00000004"}));
  EXPECT_EQ(ids(query.runs("first", "plugin = 'v57'", 1)), (std::vector<std::string>{"aaaa00000002"}));
  EXPECT_TRUE(query.runs({}, {}, 0).empty());
  EXPECT_EQ(query.count_runs(), 4);
  EXPECT_EQ(query.count_runs("first", "plugin = 'v57'"), 2);
  EXPECT_EQ(query.count_runs("none"), 0);
}

TEST_F(QueryTest, AWrongWhereIsAnInputError) {
  const Query query(root);
  EXPECT_THAT(thrown([&] { query.runs({}, "colour = 1"); }), StartsWith("2: SQL: no such column: colour"));
  EXPECT_THAT(thrown([&] { query.runs({}, "prams = 1"); }), HasSubstr("did you mean 'params'?"));
  EXPECT_THAT(thrown([&] { query.runs({}, "params >"); }), StartsWith("2: "));
  EXPECT_THAT(thrown([&] { query.runs({}, "1) OR (1"); }), StartsWith("2: "));
  EXPECT_THAT(thrown([&] { query.runs({}, "1; DELETE FROM run"); }), StartsWith("2: "));
  EXPECT_EQ(query.runs().size(), 4u);
}

TEST_F(QueryTest, FindsARunByAUniquePrefix) {
  const Query query(root);
  EXPECT_EQ(query.run("b").id, "bbbb00000003");
  EXPECT_EQ(query.run("aaaa00000002").id, "aaaa00000002");
  EXPECT_EQ(query.run("b").spec.at("data").at("corpus"), "headers");
}

TEST_F(QueryTest, AnAmbiguousPrefixNamesTheCandidates) {
  const std::string message = thrown([&] { Query(root).run("aaaa"); });
  EXPECT_THAT(message, StartsWith("2: "));
  EXPECT_THAT(message, HasSubstr("aaaa00000001"));
  EXPECT_THAT(message, HasSubstr("aaaa00000002"));
}

TEST_F(QueryTest, AnUnknownRunNamesTheNearest) {
  const Query query(root);
  EXPECT_THAT(thrown([&] { query.run("bbbb00000004"); }), HasSubstr("did you mean 'bbbb00000003'?"));
  for (const char* bad : {"", "%", "zz", "AAAA", "' OR 1 --", "a\nb"})
    EXPECT_THAT(thrown([&] { query.run(bad); }), StartsWith("2: no run")) << bad;
}

TEST_F(QueryTest, FindsASweepByNameOrFile) {
  const Query query(root);
  EXPECT_EQ(query.sweep_name("first"), "first");
  EXPECT_EQ(query.sweep_name("sweeps/first.yaml"), "first");
  EXPECT_EQ(query.sweep_name("./sweeps/../sweeps/first.yaml"), "first");
  EXPECT_THAT(thrown([&] { query.sweep_name("fisrt"); }), HasSubstr("did you mean 'first'?"));
}

TEST_F(QueryTest, TellsEvalsAttemptsAndWhatARunSaidAtItsStart) {
  const Query query(root);
  const auto evals = query.evals("aaaa00000001");
  ASSERT_EQ(evals.size(), 3u);
  EXPECT_EQ(evals[2].step, 30);
  EXPECT_EQ(evals[2].tokens, 19200);
  EXPECT_DOUBLE_EQ(evals[1].val_bpc.value(), 4.0);
  EXPECT_FALSE(evals[0].grad_norm.has_value());
  const auto attempts = query.attempts("aaaa00000002");
  ASSERT_EQ(attempts.size(), 1u);
  EXPECT_EQ(attempts[0].exit_cause, "diverged");
  EXPECT_EQ(attempts[0].device, "cpu");
  EXPECT_EQ(string_or(query.start_facts("aaaa00000001"), "build_id", ""), "g++12");
  EXPECT_TRUE(query.start_facts("cccc00000004").empty());
  EXPECT_TRUE(query.evals("unknown").empty());
}

TEST_F(QueryTest, TellsDatasetsWithTheirYardsticks) {
  const auto datasets = Query(root).datasets();
  ASSERT_EQ(datasets.size(), 1u);
  EXPECT_EQ(datasets[0].id, "d1");
  EXPECT_THAT(datasets[0].ngram_bpb, ElementsAre(4.5, 3.5, 2.9, 2.6));
  EXPECT_EQ(datasets[0].unknown_bytes, 3);
  EXPECT_FALSE(datasets[0].entropy_bpb.has_value());
  EXPECT_TRUE(datasets[0].yardsticks.empty());
  store.put_yardsticks("d1", {.context = 64, .windows = 8, .bytes = 512, .ngram_bpb = {4.6, 3.6, 3.0, 2.7}});
  const auto scored = Query(root).datasets().at(0).yardsticks;
  ASSERT_EQ(scored.size(), 1u);
  EXPECT_EQ(scored[0].context, 64);
  EXPECT_EQ(scored[0].windows, 8);
  EXPECT_EQ(scored[0].bytes, 512);
  EXPECT_THAT(scored[0].ngram_bpb, ElementsAre(4.6, 3.6, 3.0, 2.7));
}

TEST_F(QueryTest, TellsTheWindowsOfTheNewestEvaluation) {
  EXPECT_FALSE(Query(root).window_losses("aaaa00000001").standard_error.has_value());
  EXPECT_TRUE(Query(root).window_losses("aaaa00000001").blocks.empty());
  const std::string run = "bbbb00000003";
  std::vector<event::Event> events;
  events.push_back({"eval", run, 1, 101, 100, 1000, {{"val_bpc", 3.8}, {"val_bpc_se", 0.06}}});
  events.push_back({"eval",
                    run,
                    1,
                    102,
                    200,
                    1000,
                    {{"val_bpc", 3.5}, {"val_bpc_se", 0.05}, {"window_bpc", json::array{3.25, 3.75}}}});
  const store::Store::Batch batch{run, 1, events, 200, 1};
  store.ingest({&batch, 1});
  const WindowLosses windows = Query(root).window_losses(run);
  EXPECT_EQ(windows.standard_error, 0.05);
  EXPECT_THAT(windows.blocks, ElementsAre(3.25, 3.75));
  // The number is a metric too; the list is none.
  std::vector<std::string> names;
  for (const MetricRow& metric : Query(root).metrics(run)) names.push_back(metric.name);
  EXPECT_THAT(names, testing::Contains("val_bpc_se"));
  EXPECT_THAT(names, testing::Not(testing::Contains("window_bpc")));
}

TEST_F(QueryTest, TellsSweepsWithTheirSettings) {
  const auto sweeps = Query(root).sweeps();
  ASSERT_EQ(sweeps.size(), 1u);
  EXPECT_EQ(sweeps[0].runs, 4);
  EXPECT_THAT(sweeps[0].settings.laws, testing::ElementsAre("chinchilla"));
}

TEST_F(QueryTest, SeesWhatIsWrittenMeanwhile) {
  const Query query(root);
  EXPECT_EQ(query.run("cccc").state, RunState::queued);
  const int64_t before = query.data_version();
  start("cccc00000004", {4.0});
  EXPECT_NE(query.data_version(), before);
  EXPECT_EQ(query.run("cccc").state, RunState::running);
}

TEST(QueryOpening, AMissingDatabaseIsNotMade) {
  const fs::path root = new_root();
  EXPECT_THAT(thrown([&] { Query query(root); }), StartsWith("3: there is no database"));
  EXPECT_FALSE(fs::exists(root));
}

TEST(QueryOpening, AFileThatIsNoDatabaseIsRefused) {
  const fs::path root = new_root();
  make_folder(root);
  write_file_atomic(root / "bitsweep.db", std::string(5000, 'x'));
  EXPECT_THAT(thrown([&] { Query query(root); }), StartsWith("4: "));
}

}  // namespace
}  // namespace bitsweep::query
