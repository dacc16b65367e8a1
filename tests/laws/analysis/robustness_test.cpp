// What other choices of the analysis would have changed.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/analysis.h"
#include "analysis/input.h"
#include "base/rng.h"

namespace bitsweep::analysis {
namespace {

using testing::HasSubstr;

std::vector<fit::Point> grid() {
  std::vector<fit::Point> points;
  for (const double n : {1e6, 2e6, 4e6, 8e6, 16e6})
    for (const double d : {1e8, 2e8, 4e8, 8e8}) {
      fit::Point p;
      p.params = n, p.tokens = d, p.variant = "llama";
      p.loss = (1.5 + 60 / std::pow(n, 0.35) + 300 / std::pow(d, 0.35)) *
               std::exp(0.004 * (random_unit(7, 0, points.size()) - 0.5));
      points.push_back(p);
    }
  return points;
}

const Robustness& table(const std::vector<fit::Point>& points, Analysis& analysis) {
  const ReportInput input = report_from_points(points, "t", "", "0");
  analysis = analyse(input);
  return *analysis.groups.at(0).fits.at(0).robustness;
}

const Variation* row_of(const Robustness& r, const std::string& beginning) {
  for (const Variation& row : r.rows)
    if (row.choice.starts_with(beginning)) return &row;
  return nullptr;
}

TEST(Robustness, EveryChoiceHasARowAndTheFirstIsTheFit) {
  Analysis analysis;
  const Robustness& r = table(grid(), analysis);
  const fit::FitResult& fit = analysis.groups.at(0).fits.at(0).result;
  EXPECT_EQ(r.rows.at(0).choice, "as fitted");
  EXPECT_EQ(r.rows.at(0).a_opt, fit.a_opt);
  EXPECT_EQ(r.rows.at(0).configurations, 20);
  ASSERT_NE(row_of(r, "δ 0.01"), nullptr);
  ASSERT_NE(row_of(r, "least squares"), nullptr);
  ASSERT_NE(row_of(r, "without the smallest size (1M)"), nullptr);
  EXPECT_EQ(row_of(r, "without the smallest size")->configurations, 16);
  EXPECT_EQ(row_of(r, "tokens from C"), nullptr) << "no FLOPs are known";
  EXPECT_EQ(row_of(r, "parameters without"), nullptr);
  EXPECT_EQ(row_of(r, "the best loss"), nullptr);
  ASSERT_TRUE(r.prediction);
  for (const Variation& row : r.rows) {
    EXPECT_GE(*row.prediction, r.prediction->first) << row.choice;
    EXPECT_LE(*row.prediction, r.prediction->second) << row.choice;
  }
}

TEST(Robustness, CountsOtherwiseWhatATableTells) {
  std::vector<fit::Point> points = grid();
  for (fit::Point& p : points) {
    p.flops = 7 * p.params * p.tokens;
    p.params_nonembedding = p.params - 4e5;
    p.best_loss = p.loss * 0.99;
  }
  Analysis analysis;
  const Robustness& r = table(points, analysis);
  const Variation *flops = row_of(r, "tokens from C"), *body = row_of(r, "parameters without embeddings"),
                  *best = row_of(r, "the best loss");
  ASSERT_TRUE(flops && body && best);
  // Fewer parameters at the small end: the law falls slower in them, and the best sizes grow faster.
  EXPECT_GT(*body->a_opt, *r.rows[0].a_opt);
  EXPECT_NEAR(*best->prediction / *r.rows[0].prediction, 0.99, 1e-3);
  EXPECT_NEAR(*best->a_opt, *r.rows[0].a_opt, 1e-3);
}

TEST(Robustness, ARowThatCannotBeFittedSaysWhy) {
  std::vector<fit::Point> points = grid();
  // Two sizes without the smallest.
  std::erase_if(points, [](const fit::Point& p) { return p.params > 5e6; });
  Analysis analysis;
  const Robustness& r = table(points, analysis);
  const Variation* row = row_of(r, "without the smallest size");
  ASSERT_NE(row, nullptr);
  EXPECT_FALSE(row->prediction);
  EXPECT_THAT(row->refused, HasSubstr("two model sizes"));
}

}  // namespace
}  // namespace bitsweep::analysis
