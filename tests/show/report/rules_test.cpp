// Every named rule: a place where it speaks and one where it must not.
#include "report/rules.h"

#include <functional>
#include <set>

#include "analysis/tokenized_input.h"
#include "report/builds.h"
#include "report/rendered.h"

namespace bitsweep::report {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<analysis::Made> pair_of_sizes() { return {{"v57", 1e5, 2e6}, {"v57", 1e6, 2e6}}; }

analysis::ReportInput changed(analysis::ReportInput input, const std::function<void(analysis::ReportInput&)>& change) {
  change(input);
  return input;
}

// Sizes tried at two rates each.
analysis::ReportInput tuned() {
  std::vector<analysis::Made> runs = pair_of_sizes();
  runs.push_back({"v57", 1e5, 2e6, 3e-3, 0, 32, 0.1}), runs.push_back({"v57", 1e6, 2e6, 3e-3, 0, 32, 0.1});
  return analysis::made_input(runs);
}

// Two variants, each at both rates, and each best at another.
analysis::ReportInput searched() {
  return analysis::made_input({{"v57", 1e5, 2e6, 1e-3},
                               {"v57", 1e5, 2e6, 3e-3, 0, 32, 0.1},
                               {"llama", 1e5, 2e6, 1e-3, 0, 32, 0.1},
                               {"llama", 1e5, 2e6, 3e-3}});
}

analysis::ReportInput repeats(bool seeds) {
  std::vector<fit::Point> points(2);
  for (size_t i = 0; i < 2; ++i) {
    points[i].params = 1e6;
    points[i].tokens = 2e7;
    points[i].loss = 2 + 0.002 * static_cast<double>(i);
    if (seeds) points[i].seed = static_cast<int64_t>(i);
  }
  return analysis::report_from_points(points, "p", "p", "0");
}

analysis::ReportInput ended(const char* state, const char* cause) {
  return changed(analysis::made_input(pair_of_sizes()), [&](analysis::ReportInput& input) {
    input.runs[1].row.state = run_state_from(state).value();
    input.runs[1].row.exit_cause = cause;
  });
}

analysis::ReportInput built(analysis::ReportInput input, std::vector<CodeBuild> first, std::vector<CodeBuild> second) {
  input.runs[0].builds = std::move(first);
  input.runs[1].builds = std::move(second);
  return input;
}

std::set<std::string> rules_that_speak(const analysis::ReportInput& input) {
  std::set<std::string> names;
  const analysis::Analysis analysis = analyse(input);
  for (const analysis::GroupAnalysis& g : analysis.groups)
    for (const Remark& remark : group_remarks(input, g)) {
      names.insert(remark.rule);
      EXPECT_FALSE(remark.text.plain().empty()) << remark.rule;
    }
  return names;
}

TEST(Rules, EachSpeaksWhereItsWeaknessIsAndNowhereElse) {
  struct Case {
    const char* rule;
    analysis::ReportInput speaks, silent;
  };
  const analysis::ReportInput pair = analysis::made_input(pair_of_sizes()),
                              ladder = analysis::made_input(analysis::ladder_runs());
  const std::vector<analysis::Tokenized> equal_tokens{{"bytes256", 2e6, 1e5, 4e6, 0},
                                                      {"a/s.model", 2e6, 1e6, 4e6, 2.3}},
      equal_bytes{{"bytes256", 2e6, 1e5, 4.6e6, 0}, {"a/s.model", 2e6, 1e6, 2e6, 2.3}};
  const std::vector<Case> cases = {
      {"few-sizes", pair, ladder},
      {"few-budgets", pair, ladder},
      {"equal-tokens", analysis::tokenized_input(equal_tokens), analysis::tokenized_input(equal_bytes)},
      {"one-seed", pair, ladder},
      {"unlabelled-repeats", repeats(false), repeats(true)},
      {"collinear-size-and-tokens", analysis::made_input({{"v57", 1e5, 2e6}, {"v57", 1e6, 2e7}, {"v57", 1e7, 2e8}}),
       pair},
      {"untuned-rate", pair, tuned()},
      {"chosen-setting", tuned(), pair},
      {"repeated-data", analysis::made_input({{"v57", 1e5, 7.2e7}}), pair},
      {"short-runs", analysis::made_input({{"v57", 1e6, 2e6}}), analysis::made_input({{"v57", 1e5, 4e6}})},
      {"ended-above-best", changed(pair, [](auto& i) { *i.runs[0].row.best_val_bpc -= 0.2; }), pair},
      {"many-epochs", changed(pair, [](auto& i) { i.runs[0].row.epochs = 73; }),
       changed(pair, [](auto& i) { i.runs[0].row.epochs = 3; })},
      {"small-validation", changed(pair, [](auto& i) { i.datasets[0].val_tokens = 300; }), pair},
      {"overfitting", changed(pair, [](auto& i) { i.runs[0].row.best_val_bpc = *i.runs[0].row.last_val_bpc - 0.2; }),
       changed(pair, [](auto& i) { i.runs[0].row.best_val_bpc = *i.runs[0].row.last_val_bpc - 0.02; })},
      {"unknown-bytes", pair, changed(pair, [](auto& i) { i.datasets[0].unknown_bytes = 0; })},
      {"confounded", analysis::made_input({{"v57", 1e5, 2e6, 3e-3}, {"v57", 1e6, 2e6, 1e-3}}), pair},
      {"confounded", analysis::made_input({{"v57", 1e5, 2e6, 1e-3}, {"llama", 1e5, 2e6, 3e-3}}), searched()},
      {"unmatched-sizes", analysis::made_input({{"v57", 1e5, 2e6}, {"v57", 1e6, 4e6}}), pair},
      {"unmatched-sizes", analysis::made_input({{"v57", 1e5, 2e6}, {"v57", 1e6, 4e6}, {"v57", 1e7, 8e6}}),
       analysis::made_input(analysis::scattered_runs(80))},
      {"equal-steps", analysis::made_input({{"v57", 1e6, 4e6}, {"v57", 1e6, 8e6, 1e-3, 0, 64}}), pair},
      {"unequal-batches", analysis::made_input({{"v57", 1e6, 4e6}, {"v57", 1e6, 8e6, 1e-3, 0, 64}}),
       analysis::made_input({{"v57", 1e6, 4e6}, {"v57", 1e6, 4e6, 1e-3, 0, 64}})},
      {"several-builds", built(pair, {{"a", "n"}}, {{"b", "n"}}), built(pair, {{"a", "n"}}, {{"a", "n"}})},
      {"several-builds", built(pair, {{"a", "n"}, {"b", "n"}}, {}), built(pair, {{"a", "n"}}, {{"", ""}})},
      {"several-builds", built(pair, {{"a", "n"}}, {{"a", "m"}}), pair},
      {"mixed-machines", changed(pair, [](auto& i) { i.runs[0].start["device"] = "cuda:0"; }), pair},
      {"stopped-runs", ended("stopped", ""), pair},
      {"diverged-runs", ended("failed", "diverged"), ended("stopped", "")},
      {"unfinished-runs", ended("failed", "oom"), ended("failed", "diverged")},
  };
  std::set<std::string> tried, known;
  for (const Case& c : cases) {
    tried.insert(c.rule);
    EXPECT_THAT(rules_that_speak(c.speaks), Contains(c.rule));
    EXPECT_THAT(rules_that_speak(c.silent), Not(Contains(c.rule)));
  }
  for (const Rule& rule : group_rules()) known.insert(rule.name);
  EXPECT_EQ(tried, known);
}

TEST(Builds, OtherCodeThanAtHandIsToldRunByRun) {
  analysis::ReportInput input = analysis::made_input(pair_of_sizes());
  for (analysis::MeasuredRun& run : input.runs) run.builds = {{"1a2b3c4d5e6f", "n"}};
  EXPECT_THAT(outdated_runs(input), IsEmpty());  // nobody looked
  input.at_hand["v57"] = {"1a2b3c4d5e6f", "n"};
  EXPECT_THAT(outdated_json(input), IsEmpty());
  input.at_hand["v57"] = {"5e6f7a8b9c0d", "n"};
  const std::vector<render::Text> told = outdated_runs(input);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_THAT(told[0].plain(), HasSubstr("2 finished runs were made by another build of the code than the one at hand "
                                         "(plugin 1a2b3c4d, now 5e6f7a8b)"));
  for (const analysis::MeasuredRun& run : input.runs) EXPECT_THAT(told[0].plain(), HasSubstr(run.row.id));
  ASSERT_EQ(outdated_json(input).size(), 2u);
  input.runs[0].row.state = RunState::failed;
  EXPECT_EQ(outdated_json(input).size(), 1u);
}

TEST(Builds, PathsThatEndAlikeAreVariantsOfTheirOwn) {
  analysis::ReportInput input =
      analysis::made_input({{"/x/a/mine.so", 1e5, 2e6}, {"/x/b/mine.so", 1e5, 2e6}, {"v57", 1e5, 2e6}});
  EXPECT_THAT(variant_names(input.runs, {0, 1, 2}), ElementsAre("a/mine", "b/mine", "v57"));
  input.runs.erase(input.runs.begin());
  EXPECT_THAT(variant_names(input.runs, {0, 1}), ElementsAre("mine.so", "v57"));
}

TEST(Builds, VersionsOfAPluginAreVariants) {
  analysis::ReportInput input = analysis::made_input({{"v57", 1e5, 2e6}, {"v57", 1e5, 4e6}});
  input.runs[1].row.spec["model"].as_object()["plugin_version"] = 2;
  EXPECT_THAT(variant_names(input.runs, {0, 1}), ElementsAre("v57 (plugin_version=1)", "v57 (plugin_version=2)"));
}

TEST(Rules, WhatKeepsGroupsApartIsNamed) {
  const auto set = [](const char* section, const char* key, json::value value) {
    return [=](analysis::ReportInput& input) { input.runs[1].row.spec[section].as_object()[key] = value; };
  };
  analysis::ReportInput same = analysis::made_input(pair_of_sizes());
  same.datasets.clear();
  for (analysis::MeasuredRun& run : same.runs) run.row.dataset.clear();
  const auto weighted = [](analysis::ReportInput& input) {
    for (size_t i = 0; i < 2; ++i)
      input.runs[i].row.spec["data"].as_object()["corpus"] = json::array{
          json::object{{"corpus", "headers"}, {"weight", 1 + i}}, json::object{{"corpus", "stories"}, {"weight", 1}}};
  };
  const auto asked = [](analysis::ReportInput& input) {
    for (size_t i = 0; i < 2; ++i) {
      input.runs[i].row.loss = MetricKind{"arc.bpb", Better::lower, "bits per byte", {}, ""};
      input.runs[i].row.spec["eval"].as_object()["tasks"] =
          json::array{json::object{{"name", "arc"}, {"limit", 5 + i}}};
    }
  };
  const std::vector<std::pair<const char*, std::function<void(analysis::ReportInput&)>>> cases = {
      {"mixture", weighted},
      {"asked", asked},
      {"training-text", set("data", "corpus", "stories")},
      {"tokenizer", set("data", "tokenizer", "bytes256")},
      {"validation-text", set("data", "val", "other.txt")},
      {"context", set("data", "context", 128)},
      {"validation-windows", set("eval", "windows", 7)},
      {"loss-unit", set("data", "unit", "nats per token")},
  };
  EXPECT_EQ(cases.size(), query::comparability_rules().size());
  EXPECT_THAT(comparability_remarks(analyse(same)), IsEmpty());
  for (const auto& [rule, change] : cases) {
    const analysis::Analysis analysis = analyse(changed(same, change));
    ASSERT_EQ(analysis.groups.size(), 2u) << rule;
    const std::vector<Remark> remarks = comparability_remarks(analysis);
    ASSERT_EQ(remarks.size(), 1u) << rule;
    EXPECT_EQ(remarks[0].rule, rule);
    if (std::string_view(rule) == "asked") {
      EXPECT_EQ(remarks[0].text.plain(), "what the loss was asked on (limit=5 and limit=6)");
    }
    for (const analysis::GroupAnalysis& g : analysis.groups) EXPECT_TRUE(g.param_steps.empty());
  }
}

TEST(Rules, EqualTokensOfTwoTokenizersAreTwoAmountsOfText) {
  const analysis::ReportInput input =
      analysis::tokenized_input({{"bytes256", 2e6, 1e5, 4e6, 0}, {"a/s.model", 2e6, 1e6, 4e6, 2.3}});
  const analysis::Analysis analysis = analyse(input);
  std::string text;
  for (const Remark& remark : group_remarks(input, analysis.groups[0]))
    if (remark.rule == "equal-tokens") text = remark.text.plain();
  EXPECT_THAT(text, HasSubstr("4M tokens are 4 MB with bytes256 and 9.2 MB with s.model"));
}

TEST(Rules, AConfoundNamesEveryFactorAndTheMissingRun) {
  const analysis::ReportInput input = analysis::made_input({{"v57", 1e5, 2e6, 3e-3, 0, 64}, {"v57", 1e6, 2e6, 1e-3}});
  const analysis::Analysis analysis = analyse(input);
  std::string text;
  for (const Remark& remark : group_remarks(input, analysis.groups[0]))
    if (remark.rule == "confounded") text = remark.text.plain();
  EXPECT_THAT(text, HasSubstr("(train.batch and train.lr)"));
  EXPECT_THAT(text, HasSubstr("Missing: v57 with 1M parameters and 2M tokens at train.batch 64 and train.lr 0.003"));
}

TEST(Rules, RunsWithoutSeedsAreNotPooled) {
  const analysis::Analysis apart = analyse(repeats(false)), pooled = analyse(repeats(true));
  EXPECT_EQ(apart.groups[0].table.cells.size(), 2u);
  EXPECT_THAT(apart.groups[0].table.alternatives, ElementsAre(1));
  ASSERT_EQ(pooled.groups[0].table.cells.size(), 1u);
  EXPECT_TRUE(pooled.groups[0].table.cells[0].final_bpc.half_width.has_value());
}

TEST(Comparisons, StepsArePairedBySeedsAndCorrectedTogether) {
  std::vector<analysis::Made> runs;
  for (const int64_t seed : {0, 1, 2})
    for (const double params : {1e5, 1e6, 1e7})
      runs.push_back({"v57", params, 2e6, 1e-3, seed, 32,
                      0.05 * static_cast<double>(seed) + 1e-9 * params * static_cast<double>(seed)});
  const analysis::GroupAnalysis g = analyse(analysis::made_input(runs)).groups[0];
  ASSERT_EQ(g.param_steps.size(), 2u);
  double least = 1;
  for (const analysis::ScalingStep& step : g.param_steps) {
    EXPECT_TRUE(step.paired);
    EXPECT_LT(step.change.half_width.value(), 0.03);  // the seeds' own spread of 0.05 cancels
    ASSERT_TRUE(step.p_holm.has_value());
    EXPECT_GE(*step.p_holm, *step.change.p);
    least = std::min(least, *step.change.p);
  }
  EXPECT_NEAR(std::min(*g.param_steps[0].p_holm, *g.param_steps[1].p_holm), std::min(1.0, 2 * least), 1e-12);
}

}  // namespace
}  // namespace bitsweep::report
