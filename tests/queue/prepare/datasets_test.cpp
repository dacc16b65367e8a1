#include "prepare/datasets.h"

#include <gmock/gmock.h>

#include "store/store_fixture.h"

namespace bitsweep::prepare {
namespace {

using testing::ElementsAre;

// Says a record for every text, and notes what it was asked.
class ToldTexts : public Texts {
 public:
  plan::DatasetFacts probe(const spec::DataSpec&) override { return {}; }
  Measured measure(const spec::DataSpec& data, const std::vector<int64_t>& windows, Notes&) override {
    asked.emplace_back(data.context, windows);
    Measured measured;
    measured.dataset.id = dataset_id(data);
    measured.dataset.name = "text";
    for (const int64_t count : windows)
      measured.yardsticks.push_back({data.context, count, data.context * count, {5.1, 4.1, 3.1, 2.6}});
    return measured;
  }
  void check_tasks(const std::vector<spec::TaskSpec>&) override {}
  std::vector<std::pair<int64_t, std::vector<int64_t>>> asked;
};

plan::Plan plan_of(const std::vector<std::pair<int64_t, int64_t>>& contexts_and_windows) {
  plan::Plan plan;
  for (const auto& [context, windows] : contexts_and_windows) {
    plan::PlannedRun& run = plan.runs.emplace_back();
    run.spec.data.sha256 = "s";
    run.spec.data.context = context;
    run.spec.eval.windows = windows;
  }
  return plan;
}

class DatasetsTest : public store::StoreTest {
 protected:
  void prepare(const plan::Plan& plan) {
    CollectedNotes notes;
    prepare_datasets(plan, store, texts, notes);
  }
  ToldTexts texts;
};

TEST_F(DatasetsTest, WhatRunsAreScoredOnIsMeasuredOnce) {
  prepare(plan_of({{64, 128}, {64, 32}, {64, 128}, {256, 128}}));
  EXPECT_THAT(texts.asked, ElementsAre(std::pair(int64_t{64}, std::vector<int64_t>{128, 32}),
                                       std::pair(int64_t{256}, std::vector<int64_t>{128})));
  EXPECT_EQ(count("datasets"), 1);
  EXPECT_EQ(count("yardsticks"), 3);
  texts.asked.clear();
  prepare(plan_of({{64, 128}, {64, 16}, {256, 128}}));
  EXPECT_THAT(texts.asked, ElementsAre(std::pair(int64_t{64}, std::vector<int64_t>{16})));
}

// A database of before: its texts are known, what its runs were scored on is not.
TEST_F(DatasetsTest, AKnownTextGetsWhatItLacks) {
  const plan::Plan plan = plan_of({{64, 128}});
  const std::string id = dataset_id(plan.runs[0].spec.data);
  store::DatasetRecord known;
  known.id = id;
  known.name = "known";
  store.put_dataset(known);
  prepare(plan);
  EXPECT_EQ(store.dataset(id)->name, "known");
  EXPECT_TRUE(store.has_yardsticks(id, 64, 128));
}

}  // namespace
}  // namespace bitsweep::prepare
