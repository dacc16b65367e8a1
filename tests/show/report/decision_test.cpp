// What a report opens with, and what caveats take back of it.
#include "report/decision_block.h"

#include <algorithm>
#include <functional>

#include "render/document.h"
#include "report/layout.h"
#include "report/rendered.h"
#include "report/rules.h"

namespace bitsweep::report {
namespace {

using analysis::Purpose;
using testing::HasSubstr;
using testing::Not;

// The lines of a report before its summary.
std::string opening(const std::string& markdown) { return markdown.substr(0, markdown.find("## Summary")); }

// llama and v57 at the same places, three seeds each, tuned at each by two rates.
analysis::ReportInput fair_input() {
  std::vector<analysis::Made> runs;
  for (const char* variant : {"v57", "llama"})
    for (const double params : {1e5, 1e6})
      for (const int64_t seed : {0, 1, 2})
        for (const double lr : {1e-3, 2e-3})
          runs.push_back({variant, params, 4e6, lr, seed, 32,
                          (variant[0] == 'l' ? 0.003 : 0.005) * static_cast<double>(seed) + (lr > 1e-3 ? 0.1 : 0)});
  return analysis::made_input(runs);
}

TEST(Decision, StandsFirstInFifteenLines) {
  for (const auto& runs : {analysis::quickstart_runs(), analysis::ladder_runs()}) {
    const std::string text = opening(markdown_of(analysis::made_input(runs)));
    EXPECT_THAT(text, HasSubstr("## Decision\n\n- **Run next:** llama with "));
    for (const char* told : {"**Cost:**", "**Why:**", "**The law:**", "**What would change this:**"})
      EXPECT_THAT(text, HasSubstr(told));
    EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 15);
  }
}

// What starts from a run's weights has its shape: another size cannot be run.
TEST(Decision, FineTunesAreNotAskedForAnotherSize) {
  analysis::ReportInput input = analysis::made_input({{"llama", 1e5, 2e6}});
  EXPECT_EQ(decisions_of(input, analyse(input)).at(0).purpose, Purpose::sizes);
  input.runs[0].row.spec["train"].as_object()["init_from"] = "6737fb5e0e6f";
  const analysis::Decision d = decisions_of(input, analyse(input)).at(0);
  EXPECT_EQ(d.purpose, Purpose::budgets);
  EXPECT_EQ(d.params, 1e5);
  EXPECT_EQ(d.tokens, 4e6);
  const std::string text = markdown_of(input);
  EXPECT_THAT(text, HasSubstr("keeps its shape, so that no other size can be run"));
  EXPECT_THAT(text, Not(HasSubstr("at least four sizes")));
}

// Nor by a law, whatever size it finds best.
TEST(Decision, ADivisionKeepsAGivenShape) {
  analysis::ReportInput input = analysis::made_input(analysis::ladder_runs());
  for (analysis::MeasuredRun& run : input.runs) run.row.spec["train"].as_object()["init_from"] = "6737fb5e0e6f";
  const analysis::Decision d = decisions_of(input, analyse(input)).at(0);
  ASSERT_TRUE(d.params);
  EXPECT_NEAR(*d.params, 1e7, 1.5e6);
}

TEST(Decision, ALawDividesTheLargestBudget) {
  const analysis::ReportInput input = analysis::made_input(analysis::ladder_runs());
  const analysis::Analysis analysis = analyse(input);
  const analysis::Decision d = decisions_of(input, analysis).at(0);
  EXPECT_EQ(d.purpose, Purpose::divide);
  EXPECT_EQ(d.variant, "llama");
  EXPECT_TRUE(d.trust.fitted);
  ASSERT_TRUE(d.loss && d.interval && d.params && d.cost_hours);
  const double there = analysis::law("llama", *d.params, *d.tokens);
  EXPECT_LT(d.interval->first, there);
  EXPECT_GT(d.interval->second, there);
  EXPECT_TRUE(d.winners.empty()) << "one variant";
  const json::object told = decision_json(input, analysis, {d});
  EXPECT_EQ(told.at("run").at("variant"), json::value("llama"));
  EXPECT_EQ(told.at("interval").as_array().size(), 2u);
}

TEST(Decision, NamesAWinnerWhereComparisonsAreFair) {
  const analysis::ReportInput input = fair_input();
  const analysis::Decision d = decisions_of(input, analyse(input)).at(0);
  ASSERT_EQ(d.winners.size(), 3u);
  EXPECT_EQ(d.winners[0].variant, "llama");
  EXPECT_GT(*d.winners[0].by, 0);
  EXPECT_EQ(d.winners[1].variant, "") << "no stored bytes are known";
  EXPECT_EQ(d.purpose, Purpose::sizes) << "two sizes make no law";
  EXPECT_THAT(opening(markdown_of(input)), HasSubstr("**At equal parameters:** llama, lower than v57 by "));
}

TEST(Decision, WhatCaveatsTakeBackDoesNotLead) {
  const std::vector<std::pair<const char*, std::function<void(analysis::ReportInput&)>>> cases = {
      {"300 tokens of validation text", [](auto& i) { i.datasets[0].val_tokens = 300; }},
      {"up to 73 epochs", [](auto& i) { i.runs[0].row.epochs = 73; }},
      {"1 run that diverged",
       [](auto& i) {
         i.runs.push_back(i.runs[0]);
         i.runs.back().row.id = "diverged";
         i.runs.back().row.state = RunState::failed;
         i.runs.back().row.exit_cause = "diverged";
       }},
      {"ended more than 0.05 above their best loss",
       [](auto& i) {
         for (analysis::MeasuredRun& run : i.runs) run.row.best_val_bpc = *run.row.last_val_bpc - 0.2;
       }},
      {"learning rates that were not tuned",
       [](analysis::ReportInput& i) {
         std::erase_if(i.runs, [](const analysis::MeasuredRun& run) {
           return number_or(run.row.spec.at("train").as_object(), "lr", 0) > 1e-3;
         });
       }},
  };
  for (const auto& [brief, change] : cases) {
    analysis::ReportInput input = fair_input();
    change(input);
    const std::string text = opening(markdown_of(input));
    EXPECT_THAT(text, HasSubstr("no winner can be named ("));
    EXPECT_THAT(text, HasSubstr(brief));
    EXPECT_THAT(text, Not(HasSubstr("lower than")));
  }
}

TEST(Decision, OneSeedNeedsOneSignInManyPlaces) {
  std::vector<analysis::Made> runs;
  for (const char* variant : {"v57", "llama"})
    for (const double params : {1e5, 3e5, 1e6, 3e6, 1e7, 3e7})
      for (const double lr : {1e-3, 2e-3}) runs.push_back({variant, params, 4e6, lr, 0, 32, lr > 1e-3 ? 0.1 : 0});
  analysis::ReportInput input = analysis::made_input(runs);
  EXPECT_EQ(decisions_of(input, analyse(input)).at(0).winners.at(0).variant, "llama");
  runs.erase(runs.begin(), runs.begin() + 2);
  input = analysis::made_input(runs);
  EXPECT_EQ(decisions_of(input, analyse(input)).at(0).winners.at(0).variant, "");
}

TEST(Decision, OfNoRunsAndOneRunSaysWhatIsMissing) {
  EXPECT_THAT(markdown_of(analysis::made_input({})), HasSubstr("## Decision\n\nThere are no runs yet"));
  const std::string one = opening(markdown_of(analysis::made_input({{"v57", 1e6, 4e6}})));
  EXPECT_THAT(one, HasSubstr("**Run next:** v57 with 2M parameters on 4M tokens"));
  EXPECT_THAT(one, HasSubstr("1 size of v57 was measured, and a law in size needs four"));
}

TEST(Layout, FoldsSectionsAndCutsTheirTablesToTheRoomThereIs) {
  render::Table t{{{"n"}}, {}};
  for (int i = 0; i < 5; ++i) t.rows.push_back({std::to_string(i)});
  render::Document document{"t", {}};
  document.blocks = {render::Heading{2, "Open"},
                     render::TableBlock{t},
                     render::Heading{2, "The other one"},
                     render::TableBlock{t},
                     render::TableBlock{.table = t, .file = "comparisons.csv"},
                     render::TableBlock{.table = t, .worth = render::TableBlock::Worth::minor},
                     render::TableBlock{.table = t, .worth = render::TableBlock::Worth::whole}};
  lay_out(document, {"Open"}, {.lines = 10, .least_rows = 2, .some_rows = 3, .most_rows = 4});
  const std::string markdown = render::render_markdown(document), html = render::render_html(document);
  EXPECT_THAT(markdown, HasSubstr("## Open\n\n| n |\n| --- |\n| 0 |\n| 1 |\n| 2 |\n| 3 |\n| 4 |\n\n"
                                  "<details><summary><b>The other one</b></summary>\n\n| n |\n"));
  EXPECT_THAT(markdown, HasSubstr("| 1 |\n| [3 more](table-the-other-one.csv) |\n\n"));
  EXPECT_THAT(markdown, HasSubstr("| 1 |\n| [3 more](comparisons.csv) |\n\n"));
  EXPECT_THAT(markdown, HasSubstr("\n[5 rows](table-the-other-one-2.csv)\n\n"));
  EXPECT_THAT(markdown, testing::EndsWith("| 4 |\n</details>\n"));
  EXPECT_THAT(html, HasSubstr("<td>4</td>"));
  ASSERT_EQ(table_files(document).size(), 2u);
  EXPECT_EQ(table_files(document)[0].second, "n\n0\n1\n2\n3\n4\n");
}

TEST(Layout, LeavesMinorTablesToTheirFilesOnlyWhereThatIsNeeded) {
  render::Table t{{{"n"}}, {}};
  for (int i = 0; i < 9; ++i) t.rows.push_back({std::to_string(i)});
  const auto rows_of_minor = [&](size_t lines) {
    render::Document document{"t",
                              {render::Heading{2, "Folded"}, render::TableBlock{t},
                               render::TableBlock{.table = t, .worth = render::TableBlock::Worth::minor}}};
    lay_out(document, {}, {.lines = lines, .least_rows = 2, .some_rows = 3, .most_rows = 5});
    return std::get<render::TableBlock>(document.blocks[2]).shown;
  };
  EXPECT_EQ(rows_of_minor(30), 5u);
  for (size_t lines = 10; lines <= 30; ++lines) {
    const auto shown = rows_of_minor(lines);
    EXPECT_TRUE(shown == 0u || (shown >= 3u && shown <= 5u)) << lines;
    if (lines > 10) {
      EXPECT_GE(*shown, *rows_of_minor(lines - 1)) << lines;
    }
  }
  size_t three = 0;
  for (size_t lines = 10; lines <= 30; ++lines) three += rows_of_minor(lines) == 3u;
  EXPECT_GT(three, 0u) << "the fewest rows that are still some, with the minor table beside";
}

TEST(Layout, CutsNoSingleRow) {
  render::Table t{{{"n"}}, {{"0"}, {"1"}, {"2"}}};
  render::Document document{"t", {render::Heading{2, "Folded"}, render::TableBlock{t}}};
  lay_out(document, {}, {.lines = 5, .least_rows = 2, .some_rows = 2, .most_rows = 2});
  EXPECT_THAT(render::render_markdown(document), testing::EndsWith("| 2 |\n</details>\n")) << "one row more";
  EXPECT_TRUE(table_files(document).empty());
}

}  // namespace
}  // namespace bitsweep::report
