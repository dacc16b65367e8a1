// Each rule of claims: a claim that holds and one that does not.
#include "analysis/claims.h"

#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/report_input.h"

namespace bitsweep::analysis {
namespace {

using testing::DoubleNear;

// Three sizes at one budget on an exact law, N in millions.
ReportInput three_sizes(double floor, double amplitude, double exponent) {
  std::vector<fit::Point> points;
  for (const double millions : {5.52, 13.7, 46.45}) {
    fit::Point p;
    p.params = millions * 1e6;
    p.tokens = 983.04e6;
    p.loss = floor + amplitude / std::pow(millions, exponent);
    p.run = fmt::format("n{}", points.size());
    points.push_back(p);
  }
  return report_from_points(points, "three", "three", "0");
}

Claim law_claim() {
  Claim claim;
  claim.name = "stated";
  claim.law = "power";
  claim.params_unit = 1e6;
  claim.parameters = {{"E", 1.0}, {"A", 1.76}, {"alpha", 0.218}};
  claim.runs = {"n0", "n1", "n2"};
  claim.target = fit::Target{};
  claim.target->params = 3e8;
  return claim;
}

double figure(const std::vector<ClaimVerdict>& verdicts, const std::string& rule, const std::string& name) {
  for (const ClaimVerdict& v : verdicts)
    if (v.rule == rule)
      for (const auto& [figure, value] : v.figures)
        if (figure == name) return value;
  return std::nan("");
}

std::optional<bool> holds(const ReportInput& input, const Claim& claim, const std::string& rule) {
  ReportInput with = input;
  with.claims.insert(with.claims.begin(), claim);
  for (const ClaimVerdict& v : analyse(with).verdicts)
    if (v.rule == rule) return v.holds;
  ADD_FAILURE() << rule << " says nothing";
  return std::nullopt;
}

// The published figures: a law whose own prediction was printed otherwise, and a range narrower than three runs allow.
TEST(Claims, AStatedLawIsHeldAgainstItsOwnFiguresAndTheRuns) {
  ReportInput input = three_sizes(0.698, 2.005, 0.1642);
  Claim claim = law_claim();
  claim.value = StatedFigure{1.47, 0.005};
  claim.range = {1.42, 1.52};
  claim.residuals = StatedFigure{0.02, 0};
  input.claims = {claim};
  const std::vector<ClaimVerdict> verdicts = analyse(input).verdicts;
  EXPECT_THAT(figure(verdicts, "stated-law-residuals", "residual n0"), DoubleNear(0.0003, 0.0006));
  EXPECT_THAT(figure(verdicts, "stated-law-residuals", "residual n1"), DoubleNear(0.0083, 0.0006));
  EXPECT_THAT(figure(verdicts, "stated-law-residuals", "residual n2"), DoubleNear(0.0037, 0.0006));
  EXPECT_THAT(figure(verdicts, "stated-law-value", "law_value"), DoubleNear(1.508, 0.0005));
  EXPECT_THAT(figure(verdicts, "range-against-runs", "E"), DoubleNear(0.698, 0.002));
  EXPECT_THAT(figure(verdicts, "range-against-runs", "alpha"), DoubleNear(0.1642, 0.0005));
  EXPECT_THAT(figure(verdicts, "range-against-runs", "A"), DoubleNear(2.005, 0.002));
  EXPECT_THAT(figure(verdicts, "range-against-runs", "fitted_value"), DoubleNear(1.484, 0.001));
  EXPECT_THAT(figure(verdicts, "range-against-runs", "low"), DoubleNear(1.408, 0.002));
  EXPECT_THAT(figure(verdicts, "range-against-runs", "high"), DoubleNear(1.645, 0.002));
  EXPECT_THAT(figure(verdicts, "range-against-runs", "half_width"), DoubleNear(0.119, 0.001));
  EXPECT_EQ(holds(input, claim, "stated-law-residuals"), true);
  EXPECT_EQ(holds(input, claim, "stated-law-value"), false);
  EXPECT_EQ(holds(input, claim, "range-against-runs"), false);
}

TEST(Claims, EachRuleHoldsWhereTheClaimIsTrueAndFailsWhereItIsNot) {
  const ReportInput law = three_sizes(1.0, 1.76, 0.218);
  Claim good = law_claim(), bad = law_claim();
  good.value = StatedFigure{1.508, 0.0005};
  good.range = {1.0, 2.0};
  good.residuals = StatedFigure{0.001, 0};
  bad.value = StatedFigure{1.6, 0.05}, bad.range = {1.5, 1.52}, bad.parameters["E"] = 1.2,
  bad.residuals = good.residuals;
  for (const char* rule : {"stated-law-residuals", "stated-law-value", "range-against-runs"}) {
    EXPECT_EQ(holds(law, good, rule), true) << rule;
    EXPECT_EQ(holds(law, bad, rule), false) << rule;
  }
  Claim range;
  range.of = "loss";
  range.range = {1.45, 1.55};
  for (const bool meet : {true, false}) {
    ReportInput input = law;
    Claim other = range;
    other.range = meet ? std::pair{1.5, 1.6} : std::pair{1.34, 1.44};
    input.claims = {other};
    EXPECT_EQ(holds(input, range, "disjoint-ranges"), meet);
  }
  ReportInput runs = made_input({{"v57", 1e6, 4e6}, {"v57", 1e6, 6e6, 2e-3, 0, 64}});
  runs.runs[0].row.id = "a";
  runs.runs[1].row.id = "b";
  runs.runs[0].row.wall_s = 108 * 60;
  runs.runs[1].row.wall_s = 69 * 60;
  const double change = *runs.runs[1].row.last_val_bpc - *runs.runs[0].row.last_val_bpc;
  Claim compare;
  compare.compare = {"a", "b"};
  compare.differ_only = {"batch", "lr", "tokens"};
  compare.equal = {"params"};
  compare.change = StatedFigure{change, 1e-6};
  for (const char* rule : {"factors-compared", "equal-claimed", "change-claimed"})
    EXPECT_EQ(holds(runs, compare, rule), true) << rule;
  compare.differ_only = {"batch"};
  compare.equal = {"compute"};
  compare.change->value += 0.1;
  for (const char* rule : {"factors-compared", "equal-claimed", "change-claimed"})
    EXPECT_EQ(holds(runs, compare, rule), false) << rule;
  compare.change.reset(), compare.wall_change = StatedFigure{-0.361, 0.0005};
  EXPECT_EQ(holds(runs, compare, "change-claimed"), true);
  Claim size;
  size.params = StatedFigure{290e6, 5e6};
  size.params_counted = 369'819'648;
  EXPECT_EQ(holds(runs, size, "size-claimed"), false);
  size.params->value = 370e6;
  EXPECT_EQ(holds(runs, size, "size-claimed"), true);
  size.params_counted.reset();
  EXPECT_EQ(holds(runs, size, "size-claimed"), std::nullopt);
}

}  // namespace
}  // namespace bitsweep::analysis
