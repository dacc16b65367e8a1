// A report is held against the last one of the same sweeps that was made from other points.
#include <cmath>

#include <fmt/format.h>

#include "advise/report_advice.h"
#include "query/query_fixture.h"
#include "report/advice_sections.h"

namespace bitsweep::cli {
namespace {

using testing::HasSubstr;

double law(double params, double tokens) { return 1.2 + std::pow(params / 1e4, -0.3) + std::pow(tokens / 1e6, -0.35); }

class EarlierReportTest : public query::QueryTest {
 protected:
  // A sweep of llama over sizes and lengths; those below `until` tokens are done, the rest waits.
  void sweep(const std::string& name, int sizes, int lengths, int64_t until, double lr = 1e-3) {
    store::NewSweep sweep;
    sweep.name = name;
    sweep.file = name + ".yaml";
    sweep.source = name;
    for (int i = 0; i < sizes; ++i) {
      for (int j = 0; j < lengths; ++j) {
        store::NewRun run =
            query::planned(fmt::format("{:04x}{:08x}", std::hash<std::string>{}(name)&0xffff, 16 * i + j + 1), "llama",
                           int64_t{10000} << i, lr);
        run.tokens = int64_t{500000} << j;
        run.spec["train"].as_object()["steps"] = run.tokens / 640;
        sweep.runs.push_back(run);
      }
    }
    store.submit(sweep);
    for (const store::NewRun& run : sweep.runs) {
      if (run.tokens < until)
        finish(run.id,
               {law(static_cast<double>(run.params), static_cast<double>(run.tokens)) *
                std::exp(0.002 * std::sin(static_cast<double>(run.params + 7 * run.tokens)))},
               RunState::done, ExitCause::none);
    }
  }
};

TEST_F(EarlierReportTest, AReportIsHeldAgainstTheLastOneOfOtherPoints) {
  sweep("grid", 4, 5, 4000000);
  CollectedNotes notes;
  const auto report = [&] { return analysis::gather_report(query::Query(root), {"grid"}, "", "0"); };
  const analysis::ReportInput first = report();
  const analysis::Analysis before = analyse(first);
  EXPECT_TRUE(advise::earlier_fits(root, first, before).empty());
  advise::keep_fits(root, first, before, notes);
  EXPECT_TRUE(advise::earlier_fits(root, first, before).empty()) << "of the same points";
  std::string waiting;
  for (const analysis::MeasuredRun& run : first.runs)
    if (run.row.state == RunState::queued && waiting.empty()) waiting = run.row.id;
  finish(waiting, {2.5}, RunState::done, ExitCause::none);
  analysis::ReportInput second = report();
  const analysis::Analysis after = analyse(second);
  second.earlier = advise::earlier_fits(root, second, after);
  ASSERT_EQ(second.earlier.size(), 1u);
  const analysis::EarlierFit& earlier = second.earlier[0];
  EXPECT_EQ(earlier.law, "chinchilla");
  EXPECT_EQ(earlier.runs.size() + 1, after.groups.at(0).fits.at(0).points.size());
  EXPECT_EQ(earlier.params.size(), 5u);
  EXPECT_TRUE(earlier.intervals.contains("alpha"));
  const std::string text = canonical_json(report::changes_json(second, after));
  EXPECT_THAT(text, HasSubstr(waiting));
  // Kept, and rendered again: the same.
  advise::keep_fits(root, second, after, notes);
  analysis::ReportInput again = report();
  again.earlier = advise::earlier_fits(root, again, after);
  EXPECT_EQ(canonical_json(report::changes_json(again, after)), text);
}

// Sets of one data set have fits of one name, and what a set is called may change.
TEST_F(EarlierReportTest, AnotherSetsFitAndTheSameFitAreNoEarlierOnes) {
  sweep("grid", 4, 5, 8000000000);
  CollectedNotes notes;
  const analysis::ReportInput all = analysis::gather_report(query::Query(root), {"grid"}, "", "0");
  analysis::ReportInput first = all, second = all;
  const auto half = static_cast<std::ptrdiff_t>(all.runs.size() / 2);
  first.runs.erase(first.runs.begin() + half, first.runs.end());
  second.runs.erase(second.runs.begin(), second.runs.begin() + half);
  advise::keep_fits(root, first, analyse(first), notes);
  EXPECT_TRUE(advise::earlier_fits(root, second, analyse(second)).empty()) << "no run is in both";
  analysis::Analysis renamed = analyse(first);
  for (analysis::GroupAnalysis& g : renamed.groups)
    for (analysis::LawFit& fit : g.fits)
      for (fit::Point& point : fit.points) point.dataset += ", stride 32";
  EXPECT_TRUE(advise::earlier_fits(root, first, renamed).empty()) << "the same runs and values";
}

}  // namespace
}  // namespace bitsweep::cli
