#include "report/findings.h"

#include "analysis/tokenized_input.h"
#include "report/rendered.h"

namespace bitsweep::report {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string joined(const std::vector<render::Text>& texts) {
  std::string all;
  for (const render::Text& text : texts) all += text.plain() + "\n";
  return all;
}

struct Spoken {
  std::string runs, findings, caveats, missing;
};
Spoken speak(const analysis::ReportInput& input) {
  const analysis::Analysis analysis = analyse(input);
  Spoken s{joined(run_findings(input, analysis)), "", "", ""};
  for (const analysis::GroupAnalysis& g : analysis.groups)
    s.findings += joined(group_findings(g)), s.caveats += joined(group_caveats(input, g)),
        s.missing += joined(group_missing(input, g));
  return s;
}

std::vector<analysis::Made> plain_pair() { return {{"v57", 1e5, 2e6}, {"v57", 1e6, 2e6}}; }

TEST(Findings, TheBestRunIsNamedWithItsLoss) {
  const std::string text = speak(analysis::made_input(analysis::quickstart_runs())).findings;
  EXPECT_THAT(text, HasSubstr("Lowest final loss: 2.4")) << text;
  EXPECT_THAT(text, HasSubstr("by llama with 1.02M parameters and 4M tokens"));
}

TEST(Findings, SizesAreSaidToHelpOnlyWhereTheyDo) {
  EXPECT_THAT(speak(analysis::made_input(analysis::quickstart_runs())).findings,
              HasSubstr("More parameters at the same tokens lowered the loss in all 12 comparisons"));
  analysis::ReportInput input = analysis::made_input(plain_pair());
  input.runs[1].row.last_val_bpc = *input.runs[0].row.last_val_bpc + 0.5;
  EXPECT_THAT(speak(input).findings, HasSubstr("did not lower the loss in any of 1 comparison"));
  std::vector<analysis::Made> three = plain_pair();
  three.push_back({"v57", 1e7, 2e6, 1e-3, 0, 32, 2.0});
  EXPECT_THAT(speak(analysis::made_input(three)).findings, HasSubstr("lowered the loss in 1 of 2 comparisons"));
  EXPECT_THAT(speak(analysis::made_input({{"v57", 1e6, 2e6}})).findings, Not(HasSubstr("More parameters")));
}

TEST(Findings, ASettingIsSaidToMatterOnlyWhereThatShows) {
  EXPECT_THAT(speak(analysis::rounded_runs(0.02)).findings,
              HasSubstr("train.gradients s6 in place of f32 made no difference that shows to v57: +0.011 ± 0.017"));
  const analysis::ReportInput input = analysis::rounded_runs(-0.4);
  EXPECT_THAT(markdown_of(input), HasSubstr("Setting against setting"));
  analysis::ReportInput alike = analysis::rounded_runs(0);
  for (size_t i = alike.runs.size() / 2; i < alike.runs.size(); ++i) *alike.runs[i].row.last_val_bpc -= 0.1;
  EXPECT_THAT(speak(alike).findings, HasSubstr("train.gradients s6 in place of f32 lowered the loss of v57: −0.100"));
}

// One body and one amount of text under three vocabularies.
TEST(Findings, TokenizersAreComparedAtEqualBodyAndBytes) {
  const analysis::ReportInput input = analysis::tokenized_input({{"bytes256", 2e6, 1e5, 7.6e6, 0},
                                                                 {"a/sp.model", 2e6, 1e6, 3.3e6, 2.3},
                                                                 {"b/gpt2.json", 2e6, 4e6, 2.75e6, 2.76}});
  EXPECT_THAT(speak(input).findings,
              HasSubstr("At the one size and budget that all variants share, the order from low to high loss is "));
  EXPECT_THAT(speak(input).findings, HasSubstr("at equal body parameters and bytes of text, by "));
  EXPECT_THAT(speak(input).caveats, Not(HasSubstr("different amounts of text")));
  const std::string page = markdown_of(input);
  EXPECT_THAT(page, HasSubstr("At equal body parameters (beside embedding and head) and bytes of text."));
  EXPECT_THAT(page, HasSubstr("| body params | bytes of text | losses |"));
  EXPECT_THAT(page, HasSubstr("at equal body parameters and bytes of text; left of the dashed line is better"));
}

TEST(Findings, AnOrderOfVariantsIsClaimedOnlyWhenItAlwaysHolds) {
  EXPECT_THAT(speak(analysis::made_input(analysis::quickstart_runs())).findings,
              HasSubstr("At all 6 sizes and budgets that the variants share, the order from low to high loss is the "
                        "same: llama, then v75, then v57."));
  std::vector<analysis::Made> runs = analysis::quickstart_runs();
  runs[0].noise = -3;  // v57 first at one size and budget
  const std::string text = speak(analysis::made_input(runs)).findings;
  EXPECT_THAT(text, Not(HasSubstr("the order from low to high")));
  EXPECT_THAT(
      text, HasSubstr("v75 ends lower than v57 in 5 of 6 comparisons at equal size and budget; v75 minus v57 is −0.3"))
      << text;
}

TEST(Findings, EqualLossesAreNoOrder) {
  analysis::ReportInput input = analysis::made_input({{"v57", 1e6, 2e6}, {"v75", 1e6, 2e6}, {"llama", 1e6, 2e6}});
  for (analysis::MeasuredRun& run : input.runs) run.row.last_val_bpc = 3;
  EXPECT_THAT(speak(input).findings, Not(HasSubstr("the order from low to high")));
}

TEST(Findings, VariantsThatShareNothingAreNotCompared) {
  EXPECT_THAT(speak(analysis::made_input({{"v57", 1e5, 2e6}, {"llama", 1e6, 2e6}})).findings,
              HasSubstr("cannot be compared"));
}

TEST(Findings, YardsticksBeatenAreTheOnesBeaten) {
  analysis::ReportInput input = analysis::made_input({{"v57", 1e6, 2e6}});
  const auto with_loss = [&](double loss) {
    input.runs[0].row.last_val_bpc = loss;
    return speak(input).findings;
  };
  EXPECT_THAT(with_loss(3.0),
              HasSubstr("The best run beats the order-1 count model (3.600), and not the order-2 count model (2.800)"));
  EXPECT_THAT(with_loss(2.0), HasSubstr("beats the order-3 count model (2.300), the strongest that was computed"));
  EXPECT_THAT(with_loss(6.0), HasSubstr("No configuration beats a count model"));
  input.datasets.clear();
  EXPECT_THAT(with_loss(3.0), Not(HasSubstr("count model")));
}

TEST(Findings, FewPointsAreRefusedInWords) {
  const std::string text = speak(analysis::made_input(plain_pair())).findings;
  EXPECT_THAT(text, HasSubstr("The runs do not determine a scaling law for v57"));
}

TEST(Findings, ALadderIsNotRefused) {
  analysis::ReportInput input = analysis::made_input(analysis::ladder_runs());
  input.targets = {{1e8, 1e9, "", ""}};
  const std::string text = speak(input).findings;
  EXPECT_THAT(text, HasSubstr("llama follows L = E")) << text;
  EXPECT_THAT(text, HasSubstr("llama is predicted to reach 1.")) << text;
  EXPECT_THAT(text, Not(HasSubstr("do not determine")));
}

TEST(Findings, RunsLeftOutAreCounted) {
  analysis::ReportInput input = analysis::made_input(analysis::quickstart_runs());
  EXPECT_EQ(speak(input).runs, "");
  input.runs[0].row.state = RunState::failed;
  input.runs[0].row.exit_cause = "diverged";
  input.runs[1].row.state = RunState::queued;
  EXPECT_EQ(speak(input).runs, "16 of 18 runs count; left out: 1 diverged and 1 not begun.\n");
}

TEST(Findings, NothingFinishedIsSaidSo) {
  analysis::ReportInput input = analysis::made_input(plain_pair());
  for (analysis::MeasuredRun& run : input.runs) run.row.state = RunState::failed, run.row.exit_cause = "oom";
  const Spoken s = speak(input);
  EXPECT_EQ(s.runs, "No run has finished, so nothing can be said yet: 2 failed: oom.\n");
  EXPECT_EQ(s.findings, "");
  EXPECT_THAT(s.missing, HasSubstr("2 runs have failed or stopped"));
  EXPECT_EQ(speak(analysis::made_input({})).runs, "There are no runs yet.\n");
}

// Each rule: where it must fire, and where it must not.
TEST(Caveats, OneSeed) {
  EXPECT_THAT(speak(analysis::made_input(analysis::quickstart_runs())).caveats, HasSubstr("One seed each"));
  EXPECT_THAT(speak(analysis::made_input(analysis::ladder_runs())).caveats, Not(HasSubstr("seed")));
  std::vector<analysis::Made> some = plain_pair();
  some.push_back({"v57", 1e6, 2e6, 1e-3, 1});
  EXPECT_THAT(speak(analysis::made_input(some)).caveats, HasSubstr("1 of 2 configurations have one seed only"));
}

TEST(Caveats, FewSizesAndBudgets) {
  EXPECT_THAT(speak(analysis::made_input(analysis::quickstart_runs())).caveats,
              HasSubstr("Few sizes: 3 for v57, v75 and llama"));
  EXPECT_THAT(speak(analysis::made_input(analysis::quickstart_runs())).caveats, HasSubstr("Two token budgets"));
  EXPECT_THAT(speak(analysis::made_input(analysis::ladder_runs())).caveats, Not(HasSubstr("Few sizes")));
  EXPECT_THAT(speak(analysis::made_input(analysis::ladder_runs())).caveats, Not(HasSubstr("budget")));
}

TEST(Caveats, CollinearSizesAndTokens) {
  EXPECT_THAT(speak(analysis::made_input({{"v57", 1e5, 2e6}, {"v57", 1e6, 2e7}, {"v57", 1e7, 2e8}})).caveats,
              HasSubstr("move together for v57"));
  EXPECT_THAT(speak(analysis::made_input(analysis::quickstart_runs())).caveats, Not(HasSubstr("move together")));
}

TEST(Caveats, LearningRateNotTuned) {
  EXPECT_THAT(speak(analysis::made_input(plain_pair())).caveats,
              HasSubstr("Learning rate not tuned per size: every run used 0.0010"));
  std::vector<analysis::Made> tuned = plain_pair();
  tuned.push_back({"v57", 1e5, 2e6, 3e-3, 0, 32, 0.1}), tuned.push_back({"v57", 1e6, 2e6, 3e-3, 0, 32, 0.1});
  const std::string text = speak(analysis::made_input(tuned)).caveats;
  EXPECT_THAT(text, Not(HasSubstr("not tuned")));
  EXPECT_THAT(text, HasSubstr("At 2 sizes and budgets several settings were measured"));
}

TEST(Caveats, RepeatedData) {
  EXPECT_THAT(
      speak(analysis::made_input({{"v57", 1e5, 7.2e7}})).caveats,
      HasSubstr("Repeated data: one configuration goes more than once over the training text (up to 2.0 times)"));
  EXPECT_THAT(speak(analysis::made_input(plain_pair())).caveats, Not(HasSubstr("Repeated data")));
}

TEST(Caveats, ShortRuns) {
  EXPECT_THAT(speak(analysis::made_input({{"v57", 1e6, 2e6}})).caveats,
              HasSubstr("Short runs: the largest models saw at most 2.0 tokens a parameter"));
  EXPECT_THAT(speak(analysis::made_input({{"v57", 1e5, 4e6}})).caveats, Not(HasSubstr("Short runs")));
}

TEST(Caveats, UnknownBytes) {
  analysis::ReportInput input = analysis::made_input(plain_pair());
  EXPECT_THAT(speak(input).caveats,
              HasSubstr("Unknown bytes: 626 of 38,700,000 are outside the vocabulary of ascii128"));
  input.datasets[0].unknown_bytes = 0;
  EXPECT_THAT(speak(input).caveats, Not(HasSubstr("Unknown bytes")));
}

TEST(Caveats, EndedAboveTheBest) {
  analysis::ReportInput input = analysis::made_input(plain_pair());
  EXPECT_THAT(speak(input).caveats, Not(HasSubstr("best loss")));
  input.runs[0].row.best_val_bpc = *input.runs[0].row.last_val_bpc - 0.2;
  EXPECT_THAT(speak(input).caveats, HasSubstr("One configuration ended above its best loss, by up to 0.200"));
}

TEST(Caveats, ConfoundedComparisons) {
  EXPECT_THAT(speak(analysis::made_input({{"v57", 1e5, 2e6, 3e-3}, {"v57", 1e6, 2e6, 1e-3}})).caveats,
              HasSubstr("In 1 comparison another setting differs as well (train.lr)"));
  EXPECT_THAT(speak(analysis::made_input(plain_pair())).caveats, Not(HasSubstr("another setting")));
}

TEST(Caveats, RunsLeftOut) {
  analysis::ReportInput input = analysis::made_input(analysis::quickstart_runs());
  EXPECT_THAT(speak(input).caveats, Not(HasSubstr("Left out")));
  input.runs[0].row.state = RunState::failed;
  input.runs[0].row.exit_cause = "diverged";
  EXPECT_THAT(speak(input).caveats, HasSubstr("Left out of every comparison and fit: 1 diverged"));
}

TEST(Caveats, MixedMachines) {
  analysis::ReportInput input = analysis::made_input(plain_pair());
  EXPECT_THAT(speak(input).caveats, Not(HasSubstr("not comparable")));
  input.runs[0].start["device"] = "cuda:0";
  EXPECT_THAT(speak(input).caveats, HasSubstr("Runs were made on cpu and cuda"));
}

TEST(Missing, EmptyCellsAreNamed) {
  std::vector<analysis::Made> runs = analysis::quickstart_runs();
  EXPECT_THAT(speak(analysis::made_input(runs)).missing, Not(HasSubstr("Cells of the design")));
  runs.erase(runs.begin());
  EXPECT_THAT(speak(analysis::made_input(runs)).missing,
              HasSubstr("Cells of the design without a finished run: v57 at 100k parameters and 2M tokens."));
}

TEST(Missing, WaitingRunsAreNamed) {
  analysis::ReportInput input = analysis::made_input(plain_pair());
  EXPECT_THAT(speak(input).missing, Not(HasSubstr("not finished")));
  input.runs[1].row.state = RunState::queued;
  EXPECT_THAT(speak(input).missing, HasSubstr("1 run is not finished: bitsweep work."));
}

}  // namespace
}  // namespace bitsweep::report
