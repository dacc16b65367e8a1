#include "analysis/before_after.h"

#include "analysis/report_input.h"

namespace bitsweep::analysis {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Two seeds with a text beside and a task, both asked before the first step.
ReportInput forgetful_input() {
  ReportInput input = made_input({{"llama", 1e5, 2e6, 1e-3, 0}, {"llama", 1e5, 2e6, 1e-3, 1}});
  input.kinds.put({"base.bpc", Better::lower, "bits per byte", {}, ""});
  input.kinds.put({"arc.acc", Better::higher, "fraction", 0.25, ""});
  for (size_t i = 0; i < 2; ++i) {
    MeasuredRun& run = input.runs[i];
    const double seed = 0.01 * static_cast<double>(i);
    const int64_t end = run.curve.back().step;
    run.row.spec["eval"].as_object()["also"] = json::object{{"base", json::object{{"corpus", "stories"}}}};
    query::EvalRow first;
    first.val_bpc = 5.0;
    run.curve.insert(run.curve.begin(), first);
    run.told = {{0, "arc.acc", 0.2}, {0, "base.bpc", 3.0 + seed}, {end, "arc.acc", 0.3}, {end, "base.bpc", 3.5 + seed}};
    run.row.metrics["arc.acc"] = 0.3;
    run.row.metrics["arc.n"] = 40;
  }
  return input;
}

const BeforeAfter* row_of(const std::vector<BeforeAfter>& rows, const std::string& metric) {
  for (const BeforeAfter& row : rows)
    if (row.metric == metric) return &row;
  return nullptr;
}

std::vector<BeforeAfter> rows_of(const ReportInput& input) { return analyse(input).groups.at(0).before_after; }

TEST(BeforeAfter, IsSeedBySeed) {
  const std::vector<BeforeAfter> rows = rows_of(forgetful_input());
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].metric, "val_bpc");
  EXPECT_LT(rows[0].worse().value(), 0);
  const BeforeAfter* base = row_of(rows, "base.bpc");
  ASSERT_NE(base, nullptr);
  EXPECT_NEAR(base->before->mean, 3.005, 1e-12);
  EXPECT_NEAR(base->change->mean, 0.5, 1e-12);
  EXPECT_NEAR(base->change->half_width.value(), 0, 1e-9) << "what a seed does to both cancels";
  EXPECT_NEAR(base->worse().value(), 0.5, 1e-12);
  EXPECT_NEAR(row_of(rows, "arc.acc")->worse().value(), -0.1, 1e-12) << "more is better";
}

TEST(BeforeAfter, WithoutAFirstEvaluationThereIsNoChange) {
  ReportInput input = forgetful_input();
  for (MeasuredRun& run : input.runs) {
    run.told.erase(run.told.begin(), run.told.begin() + 2);
    run.curve.erase(run.curve.begin());
  }
  const std::vector<BeforeAfter> rows = rows_of(input);
  ASSERT_EQ(rows.size(), 2u) << "its own loss is told elsewhere";
  EXPECT_FALSE(rows[0].before || rows[0].change || rows[0].worse());
  for (MeasuredRun& run : input.runs) {
    run.row.spec["eval"].as_object().erase("also");
    run.told.pop_back();
  }
  EXPECT_THAT(rows_of(input), IsEmpty()) << "tasks alone are columns of the measured runs";
}

TEST(Tasks, SeedsThatWereAskedOtherwiseAreNotPooled) {
  ReportInput input =
      made_input({{"llama", 1e5, 2e6, 1e-3, 0}, {"llama", 1e5, 2e6, 1e-3, 1}, {"llama", 1e5, 2e6, 1e-3, 2}});
  for (size_t i = 0; i < 3; ++i) {
    input.runs[i].row.metrics["arc.acc"] = i == 0 ? 0.9 : 0.2;
    input.runs[i].row.metrics["arc.n"] = i == 0 ? 10 : 56;
  }
  const CellTable table = analyse(input).groups.at(0).table;
  ASSERT_EQ(table.cells.size(), 1u);
  EXPECT_EQ(table.cells[0].final_bpc.values, 3) << "of the loss they are seeds";
  const TaskEstimate& arc = table.cells[0].metrics.at("arc.acc");
  EXPECT_EQ(arc.values, 2);
  EXPECT_NEAR(arc.mean, 0.2, 1e-12);
  EXPECT_THAT(arc.apart, ElementsAre(0));
  EXPECT_EQ(query::asked_text(arc.asked), "n=56");
}

TEST(Tasks, AValueFromBeforeTheEndSaysItsStep) {
  ReportInput input = forgetful_input();
  for (MeasuredRun& run : input.runs) run.told[2].step = 10;
  EXPECT_EQ(query::asked_text(asked_at(input.runs[0], "arc.acc")), "n=40, step=10");
  EXPECT_EQ(query::asked_text(asked_at(input.runs[0], "base.bpc")), "corpus=stories");
}

}  // namespace
}  // namespace bitsweep::analysis
