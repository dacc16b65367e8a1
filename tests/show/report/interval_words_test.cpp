#include "report/interval_words.h"

#include "analysis/made_windows.h"
#include "rendered.h"

namespace bitsweep::report {
namespace {

using testing::HasSubstr;
using testing::Not;

analysis::Estimate change_of(std::optional<double> half, std::optional<double> window_se, bool alone) {
  analysis::Estimate change;
  change.half_width = half;
  change.window_se = window_se;
  change.windows_alone = alone;
  return change;
}

TEST(IntervalWords, SayWhatAnIntervalIsOf) {
  EXPECT_EQ(interval_of(change_of({}, {}, false)), "");
  EXPECT_EQ(interval_of(change_of(0.1, {}, false)), "seeds");
  EXPECT_EQ(interval_of(change_of(0.1, 0.02, false)), "seeds and windows");
  EXPECT_EQ(interval_of(change_of(0.1, 0.02, true)), "windows");
  EXPECT_EQ(spread_text(change_of(0.1, 0.02, true)), " ± 0.100 (windows)");
  EXPECT_EQ(spread_text(change_of({}, {}, false)), "");
  EXPECT_EQ(interval_sentence({change_of({}, {}, false)}), "");
}

TEST(IntervalWords, AReportOfOneSeedSaysThatItsIntervalsAreOfWindowsAlone) {
  const std::string markdown = markdown_of(analysis::with_windows(analysis::quickstart_runs(), 0.1));
  EXPECT_THAT(markdown, HasSubstr("over the validation windows alone"));
  EXPECT_THAT(markdown, HasSubstr("(windows) |"));
  EXPECT_THAT(markdown, Not(HasSubstr("p (Holm)")));
  EXPECT_THAT(markdown, Not(HasSubstr("One seed on a side each: no intervals")));
  // Without windows there is nothing to say.
  EXPECT_THAT(markdown_of(analysis::made_input(analysis::quickstart_runs())), Not(HasSubstr("(windows)")));
}

TEST(IntervalWords, TheJsonSaysItToo) {
  analysis::ReportInput input = analysis::with_windows(analysis::ladder_runs(), 0.1);
  input.datasets[0].yardsticks = {{64, 64, 4096, {4.8, 3.5, 2.7, 2.2}}};
  const auto files = render_report(input);
  const json::value document = parse_json(file_of(files, "report.json"), "report.json");
  const json::object& group = document.at("groups").at(0).as_object();
  EXPECT_EQ(group.at("token_steps").at(0).at("change").at("interval_of"), "seeds and windows");
  EXPECT_GT(group.at("token_steps").at(0).at("change").at("window_se").to_number<double>(), 0);
  EXPECT_EQ(group.at("yardsticks").at("scored_bytes"), 4096);
  EXPECT_EQ(group.at("yardsticks").at("ngram_bpb").at(1), 3.5);
  EXPECT_THAT(file_of(files, "report.md"), HasSubstr("exactly the 4,096 bytes of headers that the runs are scored on"));
  EXPECT_THAT(file_of(files, "comparisons.csv"), HasSubstr("interval_of,window_se"));
}

}  // namespace
}  // namespace bitsweep::report
