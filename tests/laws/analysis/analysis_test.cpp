#include "analysis/analysis.h"
#include "analysis/run_settings.h"
#include "spec/run_spec.h"

#include "analysis/report_input.h"

namespace bitsweep::analysis {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> labels(const std::vector<ValueClass>& classes) {
  std::vector<std::string> out;
  for (const ValueClass& c : classes) out.push_back(c.label);
  return out;
}

TEST(Estimate, OneValueHasNoInterval) {
  EXPECT_FALSE(estimate({}).has_value());
  const auto e = estimate({3.5});
  EXPECT_EQ(e->mean, 3.5);
  EXPECT_FALSE(e->half_width.has_value());
}

TEST(Estimate, IntervalsAreStudents) {
  const auto e = estimate({1, 2, 3});
  EXPECT_DOUBLE_EQ(e->mean, 2);
  EXPECT_DOUBLE_EQ(e->sd.value(), 1);
  EXPECT_NEAR(e->half_width.value(), 4.302653 / std::sqrt(3.0), 1e-5);
  EXPECT_NEAR(estimate({1, 2})->half_width.value(), 12.706205 * std::sqrt(0.5) / std::sqrt(2.0), 1e-5);
}

TEST(Estimate, DifferencesFollowWelch) {
  const Estimate a = *estimate({1, 2, 3}), b = *estimate({2, 4, 6});
  const Estimate d = difference(b, a);
  EXPECT_DOUBLE_EQ(d.mean, 2);
  // va = 1/3, vb = 4/3, degrees = (5/3)² / ((1/9 + 16/9) / 2) = 2.941
  EXPECT_NEAR(d.half_width.value(), 3.2187 * std::sqrt(5.0 / 3), 0.01);
  EXPECT_FALSE(difference(b, *estimate({1})).half_width.has_value());
  EXPECT_EQ(difference(*estimate({1, 1}), *estimate({2, 2})).half_width.value(), 0);
}

TEST(SettingsOfARun, SayWhatASpecLeavesOutAtItsDefault) {
  query::RunRow plain, rounded;
  spec::RunSpec spec;
  spec.data.corpus = "headers";
  plain.spec = to_json(spec);
  spec.train.gradients = "s6";
  rounded.spec = to_json(spec);
  EXPECT_EQ(*find_setting(run_settings(plain), "train.gradients"), "f32");
  EXPECT_EQ(*find_setting(run_settings(rounded), "train.gradients"), "s6");
  EXPECT_EQ(*find_setting(run_settings(plain), "train.weight_decay_until"), "1");
  query::RunRow written;  // a point of a file
  written.spec = {{"train", json::object{{"lr", 0.1}}}};
  EXPECT_EQ(find_setting(run_settings(written), "train.gradients"), nullptr);
}

TEST(Cells, SeedsAreOneCellAndNothingElseIs) {
  const ReportInput input =
      made_input({{"v57", 1e6, 4e6, 1e-3, 0}, {"v57", 1e6, 4e6, 1e-3, 1, 32, 0.01}, {"v57", 1e6, 4e6, 2e-3, 0}});
  const Analysis analysis = analyse(input);
  ASSERT_EQ(analysis.groups.size(), 1u);
  const CellTable& table = analysis.groups[0].table;
  ASSERT_EQ(table.cells.size(), 2u);
  const ReportCell& pair = table.cells[table.cells[0].runs.size() == 2 ? 0 : 1];
  EXPECT_EQ(pair.runs.size(), 2u);
  EXPECT_NEAR(pair.final_bpc.mean, law("v57", 1e6, 4e6) + 0.005, 1e-9);
  EXPECT_TRUE(pair.final_bpc.half_width.has_value());
  EXPECT_EQ(table.chosen.size(), 1u);
  EXPECT_THAT(table.alternatives, ElementsAre(2));
}

TEST(Cells, SeedsMayDifferInWhatNamesNoRun) {
  const auto cells = [](auto change) {
    ReportInput input = made_input({{"v57", 1e6, 4e6, 1e-3, 0}, {"v57", 1e6, 4e6, 1e-3, 1}});
    change(input.runs[1].row.spec);
    return analyse(input).groups.at(0).table.cells.size();
  };
  const auto eval = [](const char* key, const json::value& value) {
    return [=](json::object& spec) { spec["eval"].as_object()[key] = value; };
  };
  EXPECT_EQ(cells(eval("tasks", json::array{json::object{{"name", "arc"}, {"limit", 60}}})), 1u);
  EXPECT_EQ(cells(eval("also", json::object{{"base", json::object{{"corpus", "stories"}}}})), 1u);
  EXPECT_EQ(cells(eval("before", true)), 1u);
  EXPECT_EQ(cells(eval("probes", "off")), 1u);
  EXPECT_EQ(cells([](json::object& spec) { spec["checkpoint"] = json::object{{"every", 7}}; }), 1u);
  EXPECT_EQ(cells([](json::object& spec) { spec["data"].as_object()["bytes_per_token"] = 2.5; }), 1u);
  EXPECT_EQ(cells([](json::object& spec) { spec["data"].as_object()["documents"] = "bos"; }), 2u);
}

TEST(Cells, ATextMayLieElsewhereWhereItsContentIsKnown) {
  const auto cells = [](const char* content) {
    ReportInput input = made_input({{"v57", 1e6, 4e6, 1e-3, 0}, {"v57", 1e6, 4e6, 1e-3, 1}});
    for (size_t i = 0; i < 2; ++i) {
      json::object& data = input.runs[i].row.spec["data"].as_object();
      data["sha256"] = content;
      data["corpus"] = i == 0 ? "/a/t.txt" : "/b/t.txt";
    }
    return analyse(input).groups.at(0).table.cells.size();
  };
  EXPECT_EQ(cells("ab12"), 1u);
  EXPECT_EQ(cells(""), 2u);
}

TEST(Cells, HowATextIsLearnedIsASettingThatDiffers) {
  ReportInput input = made_input({{"v57", 1e6, 4e6}, {"llama", 1e6, 4e6}});
  input.runs[0].row.spec["data"].as_object()["examples"] = json::object{{"loss", "answer"}};
  input.runs[1].row.spec["data"].as_object()["examples"] = json::object{{"loss", "all"}};
  const Analysis analysis = analyse(input);
  ASSERT_EQ(analysis.groups.size(), 1u);
  ASSERT_EQ(analysis.groups[0].variant_comparisons.size(), 1u);
  EXPECT_THAT(analysis.groups[0].variant_comparisons[0].also, ElementsAre("data.examples.loss answer → all"));
}

TEST(Cells, NearlyEqualSizesAreOneClass) {
  const ReportInput input =
      made_input({{"v57", 1.00e6, 4e6}, {"llama", 1.08e6, 4e6}, {"v57", 3e6, 4e6}, {"v57", 1.00e6, 8e6}});
  const CellTable table = analyse(input).groups[0].table;
  EXPECT_THAT(labels(table.sizes), ElementsAre("≈1.04M", "3M"));
  EXPECT_THAT(labels(table.budgets), ElementsAre("4M", "8M"));
  EXPECT_TRUE(table.at("llama", 0, 0).has_value());
  EXPECT_FALSE(table.at("llama", 1, 0).has_value());
}

TEST(Cells, PlacesWithinAClassStayApartUnlessASettingDiffers) {
  const CellTable apart =
      analyse(made_input({{"v57", 1.00e6, 4e6}, {"v57", 1.08e6, 4e6}, {"v57", 1.00e6, 4.04e6}})).groups[0].table;
  EXPECT_EQ(apart.chosen.size(), 3u);
  EXPECT_THAT(apart.alternatives, ElementsAre(1, 1, 1));
  const CellTable searched =
      analyse(made_input({{"v57", 1.00e6, 4e6, 1e-3}, {"v57", 1.08e6, 4e6, 2e-3}})).groups[0].table;
  EXPECT_EQ(searched.chosen.size(), 1u);
  EXPECT_THAT(searched.alternatives, ElementsAre(2));
}

TEST(Cells, ALawSeesEveryScatteredRun) {
  const Analysis analysis = analyse(made_input(scattered_runs(80)));
  ASSERT_FALSE(analysis.groups[0].fits.empty());
  EXPECT_EQ(analysis.groups[0].fits[0].points.size(), 80u);
}

TEST(Analysis, AStepHoldsWhatItDoesNotGoAlong) {
  // 8 % of size beside 10 % of tokens tells nothing of tokens; beside four times the tokens it hardly matters.
  const Analysis analysis =
      analyse(made_input({{"v57", 1.00e6, 4.0e6}, {"v57", 1.08e6, 4.4e6}, {"v57", 1.00e6, 1.6e7}}));
  const GroupAnalysis& g = analysis.groups[0];
  ASSERT_EQ(g.token_steps.size(), 1u);
  EXPECT_EQ(g.table.cells[g.token_steps[0].from].tokens, 4.4e6) << "the nearest from which size hardly moves";
  EXPECT_EQ(g.table.cells[g.token_steps[0].to].tokens, 1.6e7);
  EXPECT_TRUE(g.param_steps.empty());
}

TEST(Cells, AnOptionThatDiffersNamesAVariantAndAShapeDoesNot) {
  ReportInput input = made_input({{"v76", 1e6, 4e6}, {"v76", 1e6, 4e6, 1e-3, 1}});
  input.runs[0].row.spec["model"].as_object()["alibi"] = true;
  input.runs[1].row.spec["model"].as_object()["alibi"] = false;
  input.runs[1].row.spec["model"].as_object()["d_model"] = 77;
  EXPECT_THAT(analyse(input).groups[0].table.variants, ElementsAre("v76 (alibi=true)", "v76 (alibi=false)"));
}

TEST(Cells, AFinetunedModelIsAVariantOfItsOwn) {
  ReportInput input = made_input({{"v57", 1e6, 4e6}, {"v57", 1e6, 4e6, 1e-3, 1}});
  input.runs[1].row.spec["train"].as_object()["init_from"] = "0123456789ab";
  EXPECT_THAT(analyse(input).groups[0].table.variants, ElementsAre("v57", "v57 from 0123456789ab"));
}

TEST(Analysis, ScalingStepsArePerDoublingAndPerDecade) {
  const Analysis analysis = analyse(made_input({{"v57", 1e5, 2e6}, {"v57", 1e6, 2e6}, {"v57", 1e5, 8e6}}));
  const GroupAnalysis& g = analysis.groups[0];
  ASSERT_EQ(g.param_steps.size(), 1u);
  EXPECT_NEAR(g.param_steps[0].per_unit, law("v57", 1e6, 2e6) - law("v57", 1e5, 2e6), 1e-9);
  ASSERT_EQ(g.token_steps.size(), 1u);
  EXPECT_NEAR(g.token_steps[0].per_unit, (law("v57", 1e5, 8e6) - law("v57", 1e5, 2e6)) / 2, 1e-9);
}

TEST(Analysis, WhatDiffersBesidesIsNamed) {
  const GroupAnalysis g = analyse(made_input({{"v57", 1e5, 2e6, 3e-3}, {"v57", 1e6, 2e6, 1e-3, 0, 64}})).groups[0];
  ASSERT_EQ(g.param_steps.size(), 1u);
  EXPECT_THAT(g.param_steps[0].also, ElementsAre("train.batch 32 → 64", "train.lr 0.003 → 0.001"));
  EXPECT_TRUE(analyse(made_input({{"v57", 1e5, 2e6}, {"v57", 1e6, 2e6}})).groups[0].param_steps[0].also.empty());
}

TEST(Ablations, HoldASettingAgainstTheValueThatCameFirst) {
  const GroupAnalysis g = analyse(rounded_runs(0.02)).groups[0];
  ASSERT_EQ(g.ablations.size(), 1u);
  const Ablation& ablation = g.ablations[0];
  EXPECT_EQ(ablation.variant, "v57");
  EXPECT_EQ(ablation.setting, "train.gradients");
  EXPECT_EQ(ablation.from, "f32");
  EXPECT_EQ(ablation.to, "s6");
  ASSERT_EQ(ablation.places.size(), 4u);
  for (const Ablation::Place& place : ablation.places) {
    const ReportCell &a = g.table.cells[place.a], &b = g.table.cells[place.b];
    EXPECT_EQ(a.params, b.params);
    EXPECT_EQ(a.tokens, b.tokens);
    EXPECT_TRUE(place.paired);
    EXPECT_NEAR(place.change.mean, 0.02 * a.params / 1e6, 1e-9);
  }
  EXPECT_NEAR(ablation.change.mean, 0.011, 1e-9);
  EXPECT_EQ(ablation.change.values, 4);
  // Student's over the four places: 0.002 and 0.02, twice each.
  EXPECT_NEAR(ablation.change.half_width.value(), 3.18245 * 0.0103923 / 2, 1e-6);
}

TEST(Ablations, AreOfOneSettingAlone) {
  ReportInput input = rounded_runs(0.02);
  for (size_t i = input.runs.size() / 2; i < input.runs.size(); ++i)
    input.runs[i].row.spec["train"].as_object()["warmup"] = 70;
  EXPECT_TRUE(analyse(input).groups[0].ablations.empty());
  const ReportInput rates = made_input({{"v57", 1e6, 4e6, 1e-3}, {"v57", 1e6, 4e6, 3e-3}, {"v75", 1e6, 4e6, 1e-3}});
  EXPECT_TRUE(analyse(rates).groups[0].ablations.empty());
}

TEST(Analysis, UnfinishedAndDivergedRunsEnterNothing) {
  ReportInput input = made_input({{"v57", 1e5, 2e6}, {"v57", 1e6, 2e6}, {"v57", 1e7, 2e6}});
  input.runs[1].row.state = RunState::failed;
  input.runs[1].row.exit_cause = "diverged";
  input.runs[1].row.last_val_bpc = 0.1;
  input.runs[2].row.state = RunState::stopped;
  input.runs[2].row.last_val_bpc = 0.1;
  const Analysis analysis = analyse(input);
  EXPECT_EQ(analysis.finished, 1);
  EXPECT_EQ(analysis.excluded, 2);
  EXPECT_EQ(analysis.groups[0].table.cells.size(), 1u);
  EXPECT_TRUE(analysis.groups[0].param_steps.empty());
  for (const LawFit& fit : analysis.groups[0].fits) EXPECT_EQ(fit.points.size(), 1u);
}

TEST(Analysis, GroupsAreNeverMixed) {
  ReportInput input = made_input({{"v57", 1e5, 2e6}, {"v57", 1e6, 2e6}});
  input.runs[1].row.spec["data"].as_object()["context"] = 128;
  const Analysis analysis = analyse(input);
  ASSERT_EQ(analysis.groups.size(), 2u);
  for (const GroupAnalysis& g : analysis.groups) {
    EXPECT_TRUE(g.param_steps.empty());
    for (const LawFit& fit : g.fits) EXPECT_EQ(fit.points.size(), 1u);
  }
}

TEST(Analysis, TheOrderBeatenIsTheHighest) {
  const std::vector<double> d{4.9, 3.6, 2.8, 2.3};
  EXPECT_EQ(highest_order_beaten(5.0, d), -1);
  EXPECT_EQ(highest_order_beaten(4.9, d), -1);
  EXPECT_EQ(highest_order_beaten(3.0, d), 1);
  EXPECT_EQ(highest_order_beaten(2.0, d), 3);
}

TEST(Analysis, YardsticksAreThoseOfTheBytesThatRunsAreScoredOn) {
  ReportInput input = made_input({{"v57", 1e5, 2e6}});
  EXPECT_THAT(analyse(input).groups[0].yardsticks, ElementsAre(4.9, 3.6, 2.8, 2.3));
  EXPECT_EQ(analyse(input).groups[0].scored_bytes, 0);
  input.datasets[0].yardsticks = {{128, 64, 8192, {1, 1, 1, 1}}, {64, 64, 4096, {4.8, 3.5, 2.7, 2.2}}};
  EXPECT_THAT(analyse(input).groups[0].yardsticks, ElementsAre(4.8, 3.5, 2.7, 2.2));
  EXPECT_EQ(analyse(input).groups[0].scored_bytes, 4096);
}

TEST(Analysis, ALadderCarriesTheJointLaw) {
  ReportInput input = made_input(ladder_runs());
  input.targets = {{1e8, 1e9, "", ""}};
  const GroupAnalysis g = analyse(input).groups[0];
  ASSERT_EQ(g.fits.size(), 1u);
  const LawFit& fit = g.fits[0];
  ASSERT_TRUE(fit.drawable());
  EXPECT_EQ(fit.points.size(), 40u);
  EXPECT_EQ(fit.result.groups, 20);
  EXPECT_NEAR(fit.losses({{1e6, 8e6, "", ""}})[0], law("llama", 1e6, 8e6), 0.01);
  ASSERT_EQ(fit.result.predictions.size(), 1u);
  EXPECT_NEAR(fit.result.predictions[0].loss.value(), law("llama", 1e8, 1e9), 0.05);
}

}  // namespace
}  // namespace bitsweep::analysis
