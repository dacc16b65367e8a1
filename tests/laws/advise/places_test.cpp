// Next runs of a table: places with rate, batch and cost; words where there is nothing to say.
#include "advise/places.h"

#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "advise/points_advice.h"
#include "analysis/input.h"

namespace bitsweep::advise {
namespace {

using testing::HasSubstr;

// 4 sizes × 3 lengths × 5 rates, the best of which falls as N^-0.5; batch 64 of 128 tokens; measured FLOPs are 7 N D.
analysis::ReportInput table(bool wall) {
  std::vector<fit::Point> points;
  std::vector<analysis::PointSettings> settings;
  for (const double n : {1e6, 3e6, 1e7, 3e7})
    for (const double d : {1e8, 3e8, 1e9})
      for (int k = -2; k <= 2; ++k) {
        fit::Point& p = points.emplace_back();
        const double off = k * std::log(2);
        p.params = n, p.tokens = d, p.flops = 7 * n * d;
        p.loss = (1.5 + 60 / std::pow(n, 0.35) + 300 / std::pow(d, 0.35)) * std::exp(0.02 * off * off);
        analysis::PointSettings& s = settings.emplace_back();
        s.spec["train"] = json::object{{"lr", 1e-3 * std::sqrt(1e7 / n) * std::pow(2, k)}, {"batch", 64}};
        s.steps = std::llround(d / (64 * 128));
        if (wall) s.wall_s = 7 * n * d / 1e12;
      }
  return analysis::report_from_points(points, "grid", "grid", "0", settings);
}

analysis::SweepData data_of(const analysis::ReportInput& input) {
  analysis::SweepData data = law_data(input);
  data.sweeps = {input.name};
  return data;
}

TEST(Places, TakeRateBatchStepsAndCostFromTheRuns) {
  const analysis::SweepData data = data_of(table(true));
  ASSERT_EQ(data.laws.size(), 1u);
  const analysis::LawData& law = data.laws[0];
  EXPECT_EQ(law.points.size(), 12u) << "the best rate of each place";
  EXPECT_NE(why_no_sweep(data, law), "");
  const Place place = place_at(data, law, 1e8, 1e9);
  EXPECT_NEAR(*place.lr, 1e-3 * std::sqrt(0.1), 1e-5);
  EXPECT_EQ(place.batch, 64);
  EXPECT_NEAR(static_cast<double>(place.steps), 1e9 / (64 * 128), 1);
  EXPECT_NEAR(place.flops, 7e17, 1e9);
  EXPECT_NEAR(*hours_at(data, law, place), 7e17 / 1e12 / 3600, 1e-6);
  EXPECT_FALSE(hours_at(data_of(table(false)), law, place));
}

TEST(Places, AreAListThatSaysItIsNoSweepFile) {
  const analysis::SweepData data = data_of(table(false));
  const analysis::LawData& law = data.laws.at(0);
  const std::vector<fit::Target> targets = {{1e8, 3e9, "", ""}};
  const PlaceSet set = make_places(data, law, targets, {});
  EXPECT_FALSE(set.costs.hours);
  SuggestOptions options;
  options.targets = targets;
  options.limits.runs = 3;
  options.limits.cost = set.costs.spent;
  const Suggestion s = suggest(law.points, as_candidates(set, law), options);
  ASSERT_FALSE(s.batch.empty());
  const std::string yaml = places_yaml("bitsweep suggest", "a table names no plugin", s, set, data, law);
  EXPECT_THAT(yaml, HasSubstr("places alone, no sweep file (a table names no plugin)"));
  EXPECT_THAT(yaml, HasSubstr("batch: 64, lr: "));
  EXPECT_THAT(places_csv(s, set), HasSubstr("params,tokens,steps,batch,lr,expected_loss\n"));
}

TEST(PointsAdvice, PlansTargetsAndRefusesThoseOutOfAllReason) {
  analysis::ReportInput input = table(true);
  input.targets = {{1e8, 3e9, "", ""}, {1e15, 1e17, "", ""}};
  const Advice advice = advise_points(input);
  ASSERT_EQ(advice.plans.size(), 2u);
  EXPECT_EQ(advice.plans[0].refused, "");
  EXPECT_TRUE(advice.plans[0].table);
  EXPECT_TRUE(advice.plans[0].hours);
  EXPECT_THAT(advice.plans[1].refused, HasSubstr("no law is trusted beyond"));
  ASSERT_EQ(advice.next.size(), 1u);
  EXPECT_TRUE(advice.next[0].hours);
  EXPECT_FALSE(advice.next[0].batch.empty());
  EXPECT_THAT(advice.next[0].yaml, HasSubstr("# The next runs of grid"));
  input.targets = {{1e15, 1e17, "", ""}};
  EXPECT_THAT(advise_points(input).next.at(0).refused, HasSubstr("every target lies too far"));
}

}  // namespace
}  // namespace bitsweep::advise
