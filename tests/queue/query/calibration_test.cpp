// Predictions held against what was measured.
#include "query/calibration.h"

#include "query_fixture.h"

namespace bitsweep::query {
namespace {

PredictionRow row(int64_t id, const std::string& run, double loss, double half_width, std::optional<double> measured) {
  PredictionRow r;
  r.id = id;
  r.run = run;
  r.law = "chinchilla";
  r.variant = "llama";
  r.made = static_cast<double>(id);
  r.params = 1e6;
  r.tokens = 1e8;
  r.loss = loss;
  r.level = 0.95;
  if (half_width > 0) {
    r.lower = loss - half_width;
    r.upper = loss + half_width;
  }
  r.measured = measured;
  r.state = measured ? "done" : "queued";
  return r;
}

TEST(Calibrate, CountsHitsMissesAndWhatIsStillToCome) {
  PredictionRow failed = row(5, "e", 2, 0.1, {});
  failed.state = "failed";
  const Calibration all = calibrate(
      {row(1, "a", 2, 0.1, 2.05), row(2, "b", 2, 0.1, 2.3), row(3, "c", 2, 0.1, {}), row(4, "d", 2, 0, 2.1), failed});
  EXPECT_EQ(all.hits, 1);
  EXPECT_EQ(all.misses, 1);
  EXPECT_EQ(all.pending, 1);
  EXPECT_EQ(all.without_interval, 1);
  EXPECT_EQ(all.void_runs, 1);
  EXPECT_DOUBLE_EQ(*all.coverage, 0.5);
  EXPECT_DOUBLE_EQ(*all.nominal, 0.95);
  EXPECT_LT(all.coverage_interval->first, 0.1);  // two runs say little
  EXPECT_GT(all.coverage_interval->second, 0.9);
  EXPECT_NEAR(*all.sharpness, 0.05, 1e-12);
  EXPECT_NEAR(*all.predictions[1].error, 0.3, 1e-12);
  EXPECT_NEAR(*all.predictions[1].standardised, 0.3 / (0.1 / 1.959964), 1e-4);
  // Gneiting and Raftery: the width, and 2/α times the distance of the miss.
  EXPECT_NEAR(*all.interval_score, (0.2 / 2.05 + (0.2 + 40 * 0.2) / 2.3) / 2, 1e-9);
}

TEST(Calibrate, TheLastPredictionOfARunCounts) {
  const Calibration all = calibrate({row(2, "a", 2, 0.1, 2.05), row(1, "a", 3, 0.1, 2.05), row(3, "", 3, 0.1, {})});
  EXPECT_EQ(all.hits, 1);
  EXPECT_EQ(all.misses, 0);
  EXPECT_FALSE(all.predictions[0].last);
  EXPECT_EQ(all.predictions[0].verdict, Verdict::miss);  // history, and shown as such
  EXPECT_TRUE(all.predictions[1].last);
}

TEST(Calibrate, OfNothingThereIsNothing) {
  const Calibration none = calibrate({});
  EXPECT_FALSE(none.coverage);
  EXPECT_EQ(calibration_words(none), "");
  EXPECT_TRUE(to_json(none).at("coverage").is_null());
  EXPECT_THAT(calibration_words(calibrate({row(1, "a", 2, 0.1, {})})), "1 is still to come");
}

class PredictionsTest : public QueryTest {};

TEST_F(PredictionsTest, ComeWithTheirRunsFromTheStore) {
  store::PredictionRecord record;
  record.run = "cccc00000004";
  record.law = "chinchilla";
  record.maker = "suggest";
  record.variant = "llama";
  record.params = 2000;
  record.tokens = 64000;
  record.loss = 3.5;
  record.lower = 3.4;
  record.upper = 3.6;
  store.put_prediction(record);
  const auto rows = Query(root).predictions({"first"});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].maker, "suggest");
  EXPECT_EQ(rows[0].state, "queued");
  EXPECT_FALSE(rows[0].measured);
  finish("cccc00000004", {4.0, 3.55}, RunState::done, ExitCause::none);
  const Calibration all = calibrate(Query(root).predictions());
  EXPECT_EQ(all.hits, 1);
  EXPECT_DOUBLE_EQ(*all.predictions[0].row.measured, 3.55);
  EXPECT_TRUE(Query(root).predictions({"another"}).empty());
}

}  // namespace
}  // namespace bitsweep::query
