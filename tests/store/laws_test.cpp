#include "store_fixture.h"

namespace bitsweep {
namespace {

class LawsTest : public StoreTest {};
constexpr const char* kRun = "aaaaaaaaaaaa";

PredictionRecord prediction_of(const std::string& run) {
  return {.fit = {},
          .run = run,
          .law = "chinchilla",
          .params = 1e6,
          .tokens = 1e8,
          .loss = 1.9,
          .lower = 1.8,
          .upper = 2.0,
          .level = 0.9};
}

TEST_F(LawsTest, FitsAreKept) {
  const int64_t id =
      store.put_fit({.sweep = "s", .law = "chinchilla", .settings = {{"delta", 1e-3}}, .result = {{"points", 12}}});
  EXPECT_EQ(id, 1);
  EXPECT_EQ(count("fits WHERE law = 'chinchilla' AND result = '{\"points\":12}'"), 1);
}

TEST_F(LawsTest, APredictionIsMadeBeforeItsRunOrNotAtAll) {
  store.submit(new_sweep("s", {new_run(kRun)}));
  EXPECT_GT(store.put_prediction(prediction_of(kRun)), 0);
  store.claim(kRun, "cpu", 1, 1);
  EXPECT_EQ(error_of([&] { store.put_prediction(prediction_of(kRun)); }).exit_code(), 4);
  // Back in the queue it has begun all the same.
  store.requeue(kRun, 1, end(RunState::failed), true, 0);
  EXPECT_THROW(store.put_prediction(prediction_of(kRun)), Error);
  EXPECT_EQ(count("predictions"), 1);
}

TEST_F(LawsTest, APredictionOfNoRunYetNeedsNone) {
  EXPECT_GT(store.put_prediction(prediction_of("")), 0);
  EXPECT_GT(store.put_prediction(prediction_of("not-submitted")), 0);
}

TEST_F(LawsTest, AFinishedRunStandsBesideItsPrediction) {
  store.submit(new_sweep("s", {new_run(kRun)}));
  store.put_prediction(prediction_of(kRun));
  store.claim(kRun, "cpu", 1, 1);
  ingest(kRun, 1, {eval_of(kRun, 1, 1, 100, 1.95)}, 1);
  EXPECT_EQ(count("predictions WHERE measured IS NOT NULL"), 0);  // not finished
  store.finish(kRun, 1, end(RunState::done));
  EXPECT_EQ(count("predictions WHERE measured = 1.95"), 1);
}

TEST_F(LawsTest, APredictionOfAnUnknownFitIsRefused) {
  PredictionRecord p = prediction_of("");
  p.fit = 77;
  EXPECT_THROW(store.put_prediction(p), Error);
}

}  // namespace
}  // namespace bitsweep
