#include "report/run_table.h"

#include "query/run_columns.h"
#include "render/format.h"
#include "render/text_chart.h"
#include "report/rendered.h"

namespace bitsweep::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<query::RunRow> rows() {
  query::RunRow a = analysis::made_run({"v57", 1.05e6, 4e6}).row, b = analysis::made_run({"llama", 1e5, 2e6}).row;
  a.id = "aaaaaaaaaaaa";
  b.id = "bbbbbbbbbbbb";
  a.last_val_bpc = 3.25;
  a.best_val_bpc = 3.125;
  a.wall_s = 75;
  a.tokens_per_s = 53333;
  b.state = RunState::queued, b.last_val_bpc.reset(), b.best_val_bpc.reset(), b.wall_s.reset(), b.tokens_per_s.reset();
  a.axes["train.lr"] = 1e-3, b.axes["train.lr"] = 2e-3;
  return {a, b};
}

TEST(RunTable, ShowsPeopleTheirUnits) {
  EXPECT_EQ(terminal_table(run_table(rows(), default_run_columns(rows()))),
            "id            state   plugin  params  tokens     lr    best    last    wall  tok/s\n"
            "aaaaaaaaaaaa  done    v57      1.05M      4M  0.001  3.1250  3.2500  1m 15s  53.3k\n"
            "bbbbbbbbbbbb  queued  llama     100k      2M  0.002       -       -       -      -\n");
}

TEST(RunTable, ColumnsThatSayNothingAreLeftOut) {
  std::vector<query::RunRow> some = rows();
  EXPECT_THAT(default_run_columns(some), testing::Not(testing::Contains("exit_cause")));
  some[1].exit_cause = "oom";
  some[1].seed = 4;
  some[1].attempts = 3;
  EXPECT_THAT(default_run_columns(some), testing::IsSupersetOf({"exit_cause", "seed", "attempts"}));
  EXPECT_FALSE(default_run_columns({}).empty());
}

TEST(RunTable, AnswersAreShownWhereARunHasThem) {
  std::vector<query::RunRow> some = rows();
  EXPECT_THAT(default_run_columns(some), testing::Not(testing::Contains("answer_accuracy")));
  some[0].metrics["answer_accuracy"] = 0.4816;
  EXPECT_THAT(default_run_columns(some), testing::Contains("answer_accuracy"));
  EXPECT_EQ(terminal_table(run_table(some, {"id", "answer_accuracy"})),
            "id            answers\naaaaaaaaaaaa   48.2 %\nbbbbbbbbbbbb        -\n");
  EXPECT_EQ(csv_table(raw_run_table(some, {"answer_accuracy"})), "answer_accuracy\n0.4816\n\n");
}

TEST(RunTable, CsvKeepsFullPrecisionAndPlainNames) {
  EXPECT_EQ(csv_table(raw_run_table(rows(), {"id", "last_val_bpc", "train.lr", "axes", "exit_cause"})),
            "id,last_val_bpc,train.lr,axes,exit_cause\n"
            "aaaaaaaaaaaa,3.25,0.001,\"{\"\"model.plugin\"\":\"\"v57\"\",\"\"train.lr\"\":0.001}\",\n"
            "bbbbbbbbbbbb,,0.002,\"{\"\"model.plugin\"\":\"\"llama\"\",\"\"train.lr\"\":0.002}\",\n");
}

TEST(RunTable, AxesOfOneLastNameKeepTheirPaths) {
  std::vector<query::RunRow> some = rows();
  for (query::RunRow& row : some) row.axes["model.lr"] = 1;
  const render::Table table = run_table(some, {"train.lr", "model.lr"});
  EXPECT_EQ(table.columns[0].title, "train.lr");
  EXPECT_EQ(table.columns[1].title, "model.lr");
}

TEST(RunTable, MetricsKeepTheirNamesWhole) {
  std::vector<query::RunRow> some = rows();
  some[0].metrics = {{"stories.bpc", 1.25}, {"sq.em", 0.5}};
  const render::Table table = run_table(some, {"train.lr", "stories.bpc", "sq.em", "sq.contains"});
  std::vector<std::string> titles;
  for (const render::Column& column : table.columns) titles.push_back(column.title);
  EXPECT_THAT(titles, ElementsAre("lr", "stories.bpc", "sq.em", "sq.contains"));  // no run has told the last one yet
}

TEST(Format, NumbersOfReports) {
  EXPECT_EQ(render::format_bpc(2.3456), "2.346");
  EXPECT_EQ(render::format_bpc(-0.0001), "0.000");
  EXPECT_EQ(render::format_bpc({}), "–");
  EXPECT_EQ(render::format_bpc(std::nan("")), "–");
  EXPECT_EQ(render::format_delta(-0.097), "−0.097");
  EXPECT_EQ(render::format_delta(0.0041), "+0.004");
  EXPECT_EQ(render::format_delta(0.0001), "0.000");
  EXPECT_EQ(render::format_significant(0.2182, 3), "0.218");
  EXPECT_EQ(render::format_significant(20, 2), "20");
  EXPECT_EQ(render::format_significant(3.21e15, 3), "3.21×10¹⁵");
  EXPECT_EQ(render::format_significant(-1.5e-7, 2), "−1.5×10⁻⁷");
  EXPECT_EQ(render::format_significant(0, 3), "0");
  EXPECT_EQ(render::format_significant(HUGE_VAL, 3), "–");
  EXPECT_EQ(render::format_percent(0.95), "95 %");
}

TEST(TextChart, FallsFromTheTopLeftToTheBottomRight) {
  render::TextChartOptions options;
  options.width = 8;
  options.height = 4;
  options.unicode = false;
  options.x_label = "steps";
  EXPECT_EQ(render::text_chart({{0, 4}, {100, 1}}, options),
            "   4.000 |**\n"
            "         |  **\n"
            "   2.000 |    **\n"
            "   1.000 |      **\n"
            "          0 100 steps\n");
}

TEST(TextChart, UsesDotsOfBrailleWhereItCan) {
  const std::string chart = render::text_chart({{0, 4}, {10, 2}, {100, 1}});
  EXPECT_THAT(chart, HasSubstr("│"));
  EXPECT_THAT(chart, HasSubstr("\xE2\xA0"));
}

TEST(TextChart, NeedsTwoFinitePoints) {
  EXPECT_EQ(render::text_chart({}), "");
  EXPECT_EQ(render::text_chart({{1, 2}}), "");
  EXPECT_EQ(render::text_chart({{1, 2}, {2, std::nan("")}}), "");
  EXPECT_EQ(render::text_chart({{1, 2}, {1, 3}}), "");
  EXPECT_NE(render::text_chart({{1, 2}, {2, 2}}), "");  // level is fine
}

}  // namespace
}  // namespace bitsweep::report
