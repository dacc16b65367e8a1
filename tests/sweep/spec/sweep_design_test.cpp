// grid, zip, cases, random, seeds, where, exclude, derive.
#include <set>

#include "spec/support.h"

namespace bitsweep::spec {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Design : public SweepTest {
 protected:
  static double batch(const RunSpec& s) { return static_cast<double>(s.train.batch); }
  static double lr(const RunSpec& s) { return s.train.lr; }
  static double seed(const RunSpec& s) { return static_cast<double>(s.seed); }
};

TEST_F(Design, GridIsTheProductInOrder) {
  const Sweep sweep = load(with("grid:\n  train.batch: [64, 256]\n  train.lr: [1e-3, 2e-3]\nseeds: [0, 1]\n"));
  EXPECT_THAT(numbers(sweep, batch), ElementsAre(64, 64, 64, 64, 256, 256, 256, 256));
  EXPECT_THAT(numbers(sweep, lr), ElementsAre(1e-3, 1e-3, 2e-3, 2e-3, 1e-3, 1e-3, 2e-3, 2e-3));
  EXPECT_THAT(numbers(sweep, seed), ElementsAre(0, 1, 0, 1, 0, 1, 0, 1));
  EXPECT_EQ(canonical_json(sweep.runs[2].axes), R"({"train.batch":64,"train.lr":0.002})");
  EXPECT_EQ(point_text(sweep.runs[2].axes, sweep.runs[2].spec.seed), "train.batch 64, train.lr 0.002, seed 0");
  EXPECT_EQ(short_point_text(sweep.runs[2].axes, sweep.runs[2].spec.seed), "batch 64, lr 0.002, seed 0");
  EXPECT_EQ(short_point_text({{"model.plugin", "v57"}, {"eval.windows", 8}, {"data.windows", 9}}, 1),
            "eval.windows 8, data.windows 9, seed 1");
}

TEST_F(Design, NestedAxesAreTheSame) {
  EXPECT_THAT(numbers(load(with("grid: { train: { batch: [1, 2] } }\n")), batch), ElementsAre(1, 2));
}

TEST_F(Design, AxesHoldOnlyWhatVaries) {
  const Sweep sweep = load(with("grid: { train.batch: [64], model.params: [1M, 5.5M], model.plugin: [strict] }\n"));
  EXPECT_EQ(canonical_json(sweep.runs[1].axes), R"({"model.params":5500000})");
  EXPECT_EQ(point_text(sweep.runs[1].axes, 0), "model.params 5.5M, seed 0");
}

TEST_F(Design, ZipGoesSideBySide) {
  const Sweep sweep = load(with("zip: { train.batch: [1, 2, 3], train.lr: [1e-3, 2e-3, 3e-3] }\n"));
  EXPECT_THAT(numbers(sweep, batch), ElementsAre(1, 2, 3));
  EXPECT_THAT(numbers(sweep, lr), ElementsAre(1e-3, 2e-3, 3e-3));
  EXPECT_EQ(load(with("zip:\n  - { train.batch: [1, 2] }\n  - { train.lr: [1e-3, 2e-3, 3e-3] }\n")).runs.size(), 6u);
}

TEST_F(Design, CasesMayDifferInTheirKeys) {
  const Sweep sweep = load(with(
      "cases:\n  - { model.plugin: llama, train: { lr: 1e-2 } }\n  - { model.tau: 1.0 }\n  - { train.tokens: 1M }\n"));
  ASSERT_EQ(sweep.runs.size(), 3u);
  EXPECT_EQ(sweep.runs[0].spec.model.plugin, "llama");
  EXPECT_EQ(sweep.runs[1].spec.train.lr, 6e-4);
  EXPECT_EQ(sweep.runs[2].budget.tokens, 1e6);
  EXPECT_EQ(sweep.runs[1].budget.steps, 100);
  EXPECT_EQ(canonical_json(sweep.runs[0].axes.at("train.lr")), "0.01");
  EXPECT_EQ(canonical_json(sweep.runs[1].axes.at("model.plugin")), "\"strict\"");
}

TEST_F(Design, RandomIsRepeatableAndGrows) {
  const std::string axes =
      "axes: { train.lr: { log_uniform: [1e-4, 1e-2] }, train.batch: { int_uniform: [8, 16] }, train.clip: { choice: "
      "[0, 1] } }";
  const Sweep few = load(with("random: { count: 20, seed: 7, " + axes + " }\n"));
  const Sweep more = load(with("random: { count: 40, seed: 7, " + axes + " }\n"));
  const Sweep other = load(with("random: { count: 20, seed: 8, " + axes + " }\n"));
  ASSERT_EQ(few.runs.size(), 20u);
  std::set<double> clips;
  for (size_t i = 0; i < few.runs.size(); ++i) {
    const TrainSpec& train = few.runs[i].spec.train;
    EXPECT_EQ(train.lr, more.runs[i].spec.train.lr);
    EXPECT_GE(train.lr, 1e-4);
    EXPECT_LE(train.lr, 1e-2);
    EXPECT_GE(train.batch, 8);
    EXPECT_LE(train.batch, 16);
    clips.insert(train.clip);
  }
  EXPECT_EQ(clips.size(), 2u);
  EXPECT_NE(numbers(few, lr), numbers(other, lr));
  // Four significant digits: a value that a person can type again.
  EXPECT_LE(canonical_json(few.runs[0].spec.train.lr).size(), 9u);
}

TEST_F(Design, LogUniformFillsTheDecadesEvenly) {
  const Sweep sweep = load(with("random: { count: 2000, axes: { train.lr: { log_uniform: [1e-4, 1e-2] } } }\n"));
  int low = 0;
  for (const ExpandedRun& run : sweep.runs) low += run.spec.train.lr < 1e-3;
  EXPECT_NEAR(static_cast<double>(low) / static_cast<double>(sweep.runs.size()), 0.5, 0.05);
}

TEST_F(Design, WhereAndExclude) {
  EXPECT_THAT(
      numbers(load(with("grid: { train.batch: [8, 16, 32] }\nwhere: \"train.batch * train.steps <= 1_600\"\n")), batch),
      ElementsAre(8, 16));
  EXPECT_THAT(
      numbers(load(with("grid: { train.batch: [8, 16, 32] }\nexclude: [\"train.batch == 8\", \"train.batch > 20\"]\n")),
              batch),
      ElementsAre(16));
  EXPECT_EQ(load(with("grid: { model.plugin: [strict, llama], train.batch: [1, 2] }\nwhere: model.plugin == 'llama' or "
                      "train.batch == 1\n"))
                .runs.size(),
            3u);
  // Defaults of keys and of the plugin's options, and the seed, have values too.
  EXPECT_EQ(load(with("where: model.tau == 2.0 and model.alibi and train.batch == 64 and seed < 2\nseeds: [0, 1, 2]\n"))
                .runs.size(),
            2u);
  EXPECT_EQ(load(with("where: train.tokens == 100 * 64 * 256\n")).runs.size(), 1u);
}

TEST_F(Design, DeriveFollowsItsDependencies) {
  const Sweep sweep = load(with(R"y(grid: { train.batch: [64, 256] }
derive:
  train.warmup: "round(train.lr * 1e5)"
  train.lr: "3e-4 * sqrt(train.batch / 64)"
  train.accumulate: "train.batch / 64"
  model.tau: "1 + train.batch / 64"
)y"));
  EXPECT_THAT(numbers(sweep, lr), ElementsAre(3e-4, 6e-4));
  EXPECT_EQ(sweep.runs[1].spec.train.warmup, 60);
  EXPECT_EQ(sweep.runs[1].spec.train.accumulate, 4);
  EXPECT_EQ(sweep.runs[1].spec.model.options.at("tau").to_number<double>(), 5);
}

TEST_F(Design, DerivedBudgets) {
  const Sweep sweep = load(with("grid: { train.batch: [64, 256] }\nderive: { train.steps: \"6400 / train.batch\" }\n"));
  EXPECT_EQ(sweep.runs[0].budget.steps, 100);
  EXPECT_EQ(sweep.runs[1].spec.train.steps, 25);
  const Sweep tokens = load(
      "name: a\nmodel: { plugin: llama, d_model: 8 }\ndata: { corpus: stories }\nderive: { train.tokens: \"20 * "
      "model.d_model ** 2\" }\n");
  EXPECT_EQ(tokens.runs[0].budget.tokens, 1280);
}

TEST_F(Design, DuplicatePointsCollapseWithANote) {
  const Sweep sweep = load(with("grid: { train.batch: [64, 64, 8] }\nseeds: [1, 1]\n"));
  EXPECT_EQ(sweep.runs.size(), 2u);
  ASSERT_EQ(sweep.notes.size(), 1u);
  EXPECT_THAT(sweep.notes[0], HasSubstr("4 points are the same run as another"));
}

TEST_F(Design, TenThousandRuns) {
  const Sweep sweep =
      load(with("random: { count: 10000, axes: { train.lr: { uniform: [0.01, 1] }, train.weight_decay: { uniform: [0, "
                "1] } } }\n"));
  EXPECT_GT(sweep.runs.size(), 9900u);
}

}  // namespace
}  // namespace bitsweep::spec
