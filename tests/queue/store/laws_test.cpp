#include "store_fixture.h"

namespace bitsweep::store {
namespace {

class LawsTest : public StoreTest {};
constexpr const char* kRun = "aaaaaaaaaaaa";

PredictionRecord prediction_of(const std::string& run) {
  PredictionRecord p;
  p.run = run;
  p.law = "chinchilla";
  p.maker = "work";
  p.data = "d1";
  p.variant = "llama";
  p.params = 1000;
  p.tokens = 64000;
  p.loss = 1.9;
  p.lower = 1.8;
  p.upper = 2.0;
  p.level = 0.9;
  return p;
}

FitRecord fit_of(const std::string& data) {
  return {.sweep = "s",
          .law = "chinchilla",
          .variant = "llama",
          .dataset = "",
          .data = data,
          .points = {"a", "b"},
          .version = "1",
          .settings = {{"delta", 1e-3}},
          .result = {{"points", 12}}};
}

TEST_F(LawsTest, FitsAreKept) {
  EXPECT_EQ(store.put_fit(fit_of("d1")), 1);
  EXPECT_EQ(count("fits WHERE law = 'chinchilla' AND result = '{\"points\":12}' AND points = '[\"a\",\"b\"]'"), 1);
}

TEST_F(LawsTest, TheSameFitIsOneRow) {
  EXPECT_EQ(store.put_fit(fit_of("d1")), 1);
  EXPECT_EQ(store.put_fit(fit_of("d1")), 1);
  EXPECT_EQ(store.put_fit(fit_of("d2")), 2);
  FitRecord other = fit_of("d1");
  other.settings["delta"] = 1e-2;
  EXPECT_EQ(store.put_fit(other), 3);
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

TEST_F(LawsTest, OfManyRunsThoseThatHaveBegunAreLeftOut) {
  store.submit(new_sweep("s", {new_run(kRun), new_run("bbbbbbbbbbbb", 2e-3), new_run("cccccccccccc", 3e-3)}));
  store.claim(kRun, "cpu", 1, 1);
  store.cancel("cccccccccccc");  // it never began
  std::vector<PredictionRecord> some;
  for (const char* run : {kRun, "bbbbbbbbbbbb", "cccccccccccc"}) some.push_back(prediction_of(run));
  for (PredictionRecord& p : some) p.fit = store.put_fit(fit_of("d1"));
  const StoredPredictions first = store.put_predictions(some);
  EXPECT_EQ(first.stored, 2);
  EXPECT_THAT(first.begun, testing::ElementsAre(kRun));
  const StoredPredictions again = store.put_predictions(some);
  EXPECT_EQ(again.stored, 0);
  EXPECT_EQ(again.repeated, 2);
  EXPECT_EQ(store.put_prediction(some[1]), 1);  // the row that is there
}

TEST_F(LawsTest, APredictionOfAPlaceIsAboutTheRunsBegunThereAfterIt) {
  NewRun run = new_run(kRun);
  run.dataset = "text";
  store.submit(new_sweep("s", {run}));
  PredictionRecord p = prediction_of("");
  p.dataset = "text";
  p.params = 1003;
  store.put_prediction(p);
  p.params = 1010;  // another size
  store.put_prediction(p);
  clock.unix += 1;
  store.claim(kRun, "cpu", 1, 1);
  ingest(kRun, 1, {eval_of(kRun, 1, 1, 100, 1.95)}, 1);
  store.finish(kRun, 1, end(RunState::done));
  clock.unix += 1;
  store.put_prediction(prediction_of(""));  // too late to be about it
  EXPECT_EQ(count("predictions"), 3);
  EXPECT_EQ(count("predictions WHERE measured = 1.95 AND run = 'aaaaaaaaaaaa' AND params = 1003"), 1);
  EXPECT_EQ(count("predictions WHERE measured IS NOT NULL"), 1);
}

TEST_F(LawsTest, APredictionOfAnUnknownFitIsRefused) {
  PredictionRecord p = prediction_of("");
  p.fit = 77;
  EXPECT_THROW(store.put_prediction(p), Error);
}

}  // namespace
}  // namespace bitsweep::store
