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
  Measured measure(const spec::DataSpec& data, const Scored& scored, Notes&) override {
    asked.emplace_back(data.context, scored.windows);
    asked_bytes.emplace_back(data.context, scored.bytes);
    Measured measured;
    measured.dataset.id = dataset_id(data);
    measured.dataset.name = "text";
    for (const int64_t count : scored.windows)
      measured.yardsticks.push_back({data.context, count, data.context * count, {5.1, 4.1, 3.1, 2.6}});
    for (const int64_t bytes : scored.bytes)
      measured.yardsticks.push_back({store::kAnyContext, bytes, bytes, {5.1, 4.1, 3.1, 2.6}});
    return measured;
  }
  void check_tasks(const std::vector<spec::TaskSpec>&) override {}
  std::optional<Trained> trained_tokenizer(const spec::DataSpec&) override { return std::nullopt; }
  plan::DatasetFacts probe_beside(const spec::DataSpec&, const spec::AlsoSpec&) override { return {}; }
  std::vector<std::pair<int64_t, std::vector<int64_t>>> asked, asked_bytes;
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

// Stretches of text are the same whatever the context.
TEST_F(DatasetsTest, BytesAreMeasuredOnceForAllContexts) {
  plan::Plan plan = plan_of({{64, 128}, {256, 128}});
  for (plan::PlannedRun& run : plan.runs) run.spec.eval.bytes = 1000;
  prepare(plan);
  EXPECT_THAT(texts.asked_bytes, ElementsAre(std::pair(int64_t{64}, std::vector<int64_t>{1000}),
                                             std::pair(int64_t{256}, std::vector<int64_t>{1000})));
  EXPECT_EQ(count("yardsticks"), 1);
  texts.asked.clear();
  prepare(plan);
  EXPECT_TRUE(texts.asked.empty());
}

// Windows of tokens that are no bytes are no windows of the text.
TEST_F(DatasetsTest, WindowsOfOtherTokensHaveNoYardsticks) {
  plan::Plan plan = plan_of({{64, 128}});
  plan.runs[0].spec.data.tokenizer = "/x/y.model";
  plan.runs[0].spec.data.tokenizer_sha256 = "t";
  prepare(plan);
  EXPECT_THAT(texts.asked, ElementsAre(std::pair(int64_t{64}, std::vector<int64_t>{})));
  EXPECT_EQ(count("datasets"), 1);
  EXPECT_EQ(count("yardsticks"), 0);
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
