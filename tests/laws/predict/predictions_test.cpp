// Laws of finished runs speak of those that wait, or say why they do not.
#include "predict/predictions.h"

#include <cmath>

#include <fmt/format.h>

#include "query/query_fixture.h"

namespace bitsweep::predict {
namespace {

using testing::HasSubstr;

double law(double params, double tokens) { return 1.2 + std::pow(params / 1e4, -0.3) + std::pow(tokens / 1e6, -0.35); }

class PredictionsTest : public query::QueryTest {
 protected:
  // A sweep of llama over sizes and lengths; those below `until` tokens are done, the rest waits.
  void sweep(const std::string& name, int sizes, int lengths, int64_t until, double lr = 1e-3) {
    store::NewSweep sweep;
    sweep.name = name;
    sweep.file = name + ".yaml";
    sweep.source = name;
    for (int i = 0; i < sizes; ++i) {
      for (int j = 0; j < lengths; ++j) {
        store::NewRun run =
            query::planned(fmt::format("{:04x}{:08x}", std::hash<std::string>{}(name)&0xffff, 16 * i + j + 1), "llama",
                           int64_t{10000} << i, lr);
        run.tokens = int64_t{500000} << j;
        run.spec["train"].as_object()["steps"] = run.tokens / 640;
        sweep.runs.push_back(run);
      }
    }
    store.submit(sweep);
    for (const store::NewRun& run : sweep.runs) {
      if (run.tokens < until)
        finish(run.id,
               {law(static_cast<double>(run.params), static_cast<double>(run.tokens)) *
                std::exp(0.002 * std::sin(static_cast<double>(run.params + 7 * run.tokens)))},
               RunState::done, ExitCause::none);
    }
  }
};

TEST_F(PredictionsTest, RunsThatWaitArePredictedFromThoseThatAreDone) {
  sweep("grid", 4, 5, 8000000);
  const WaitingPredictions predictions = predict_waiting(query::Query(root), {"grid"}, "submit");
  EXPECT_TRUE(predictions.refused.empty());
  ASSERT_EQ(predictions.made.size(), 1u);
  const FitPredictions& made = predictions.made[0];
  EXPECT_EQ(made.fit.points.size(), 16u);
  ASSERT_EQ(made.predictions.size(), 4u);
  for (const store::PredictionRecord& p : made.predictions) {
    EXPECT_NEAR(p.loss, law(p.params, p.tokens), 0.05);
    EXPECT_LT(*p.lower, p.loss);
    EXPECT_GT(*p.upper, p.loss);
    EXPECT_EQ(p.data, made.fit.data);
    EXPECT_EQ(p.maker, "submit");
  }
  EXPECT_EQ(keep_predictions(store, predictions).stored, 4);
  EXPECT_EQ(keep_predictions(store, predictions).repeated, 4);
  // One begins before the next fit is stored: it alone is left out.
  start(made.predictions[0].run, {});
  EXPECT_EQ(keep_predictions(store, predictions).begun.size(), 1u);
}

TEST_F(PredictionsTest, WhatALawCannotSayIsSaid) {
  sweep("line", 4, 2, 600000);
  const WaitingPredictions predictions = predict_waiting(query::Query(root), {"line"}, "run");
  EXPECT_TRUE(predictions.made.empty());
  ASSERT_EQ(predictions.refused.size(), 1u);
  EXPECT_THAT(predictions.refused[0], HasSubstr("llama"));
  EXPECT_THAT(predictions.refused[0], HasSubstr("nothing foretold"));
}

TEST_F(PredictionsTest, ARunThatIsOneOfSeveralSettingsAtItsPlaceIsNotPredicted) {
  sweep("grid", 4, 5, 8000000);
  sweep("other", 4, 5, 0, 3e-3);
  for (const analysis::LawData& law : analysis::law_data(query::Query(root), {"grid", "other"}).laws) {
    EXPECT_TRUE(law.waiting.empty());
    EXPECT_EQ(law.settings_waiting, 24u);
  }
}

}  // namespace
}  // namespace bitsweep::predict
