#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "query/run_columns.h"

namespace bitsweep::query {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RunRow row(const std::string& id, std::optional<double> loss, double lr, const std::string& state = "done") {
  RunRow run;
  run.id = id;
  run.state = run_state_from(state).value();
  run.plugin = "v57";
  run.params = 1000;
  run.last_val_bpc = loss;
  run.axes = {{"train.lr", lr}, {"model.plugin", "v57"}};
  return run;
}

std::vector<std::string> ids(const std::vector<RunRow>& rows) {
  std::vector<std::string> out;
  for (const RunRow& run : rows) out.push_back(run.id);
  return out;
}

TEST(RunColumns, MetricsAreColumnsAndComeBestFirst) {
  std::vector<RunRow> rows(3);
  rows[0].id = "a", rows[1].id = "b", rows[2].id = "c";
  rows[0].metrics["arc.acc"] = 0.3;
  rows[1].metrics["arc.acc"] = 0.5;
  EXPECT_THAT(run_column_names(rows), testing::Contains("arc.acc"));
  EXPECT_EQ(run_column(rows[1], "arc.acc"), 0.5);
  EXPECT_TRUE(run_column(rows[2], "arc.acc").is_null());
  MetricKinds kinds;
  kinds.put({"arc.acc", Better::higher, "fraction", {}, ""});
  EXPECT_THAT(best_first({"arc.acc", "-arc.acc", "val_bpc", "id"}, kinds),
              ElementsAre("-arc.acc", "-arc.acc", "val_bpc", "id"));
  sort_runs(rows, best_first({"arc.acc"}, kinds));
  EXPECT_EQ(rows[0].id + rows[1].id + rows[2].id, "bac");
}

TEST(RunColumns, JsonHasExactlyTheAgreedKeys) {
  EXPECT_THAT(run_json_columns(),
              ElementsAre("id", "sweep", "state", "exit_cause", "plugin", "axes", "seed", "params", "tokens", "steps",
                          "best_val_bpc", "last_val_bpc", "wall_s", "tokens_per_s", "attempts"));
  const json::object object = run_json(row("a", 3.5, 1e-3));
  EXPECT_EQ(object.size(), 15u);
  EXPECT_TRUE(object.at("exit_cause").is_null());
  EXPECT_TRUE(object.at("best_val_bpc").is_null());
  EXPECT_EQ(object.at("last_val_bpc").as_double(), 3.5);
}

TEST(RunColumns, AnAxisIsAColumn) {
  const std::vector<RunRow> rows = {row("a", 3.5, 1e-3), row("b", 3.1, 2e-3)};
  EXPECT_THAT(run_column_names(rows), testing::Contains("train.lr"));
  EXPECT_EQ(run_column(rows[1], "train.lr").as_double(), 2e-3);
  EXPECT_TRUE(run_column(rows[1], "train.batch").is_null());
  EXPECT_THAT(varying_axes(rows), ElementsAre("train.lr"));
  EXPECT_TRUE(varying_axes({}).empty());
}

TEST(RunColumns, AnAxisThatSomeRunsLackVaries) {
  std::vector<RunRow> rows = {row("a", 3.5, 1e-3), row("b", 3.1, 1e-3)};
  rows[1].axes["model.params"] = "1M";
  EXPECT_THAT(varying_axes(rows), ElementsAre("model.params"));
}

TEST(RunColumns, UnknownColumnsAreAllNamedWithTheNearest) {
  const auto known = run_column_names({row("a", 3.5, 1e-3)});
  EXPECT_THAT(parse_columns("id,train.lr", known, "columns"), ElementsAre("id", "train.lr"));
  EXPECT_THAT(parse_columns("-params,id", known, "sort", true), ElementsAre("-params", "id"));
  try {
    parse_columns("iid,prams,", known, "columns");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.diagnostics().size(), 3u);
    EXPECT_THAT(error.what(), HasSubstr("--columns: unknown column 'prams'; did you mean 'params'?"));
  }
  EXPECT_THROW(parse_columns("-id", known, "columns"), Error);
}

TEST(RunColumns, SortsNumbersAsNumbersAndEmptyOnesLast) {
  std::vector<RunRow> rows = {row("a", 10.0, 1e-3), row("b", {}, 1e-3), row("c", 9.5, 1e-3), row("d", 9.5, 1e-3)};
  sort_runs(rows, {"last_val_bpc"});
  EXPECT_THAT(ids(rows), ElementsAre("c", "d", "a", "b"));  // equal ones keep their order
  sort_runs(rows, {"-last_val_bpc", "-id"});
  EXPECT_THAT(ids(rows), ElementsAre("a", "d", "c", "b"));
  sort_runs(rows, {"id"});
  EXPECT_THAT(ids(rows), ElementsAre("a", "b", "c", "d"));
}

TEST(RunColumns, SortsAxesOfMixedTypes) {
  std::vector<RunRow> rows = {row("a", 1, 1e-3), row("b", 1, 1e-3), row("c", 1, 1e-3)};
  rows[0].axes["x"] = "text", rows[1].axes["x"] = 5, rows[2].axes["x"] = true;
  sort_runs(rows, {"x"});
  EXPECT_EQ(rows[0].id, "b");
}

}  // namespace
}  // namespace bitsweep::query
