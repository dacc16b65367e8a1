// What people bring from other tools: read where it can be, else answered with the form used here.
#include "spec/other_tools.h"

#include "spec/settings.h"
#include "support.h"

namespace bitsweep::spec {
namespace {

using testing::HasSubstr;
using testing::Not;

class Brought : public SweepTest {};

TEST_F(Brought, AnOptionOfOneVariantIsShownAsACase) {
  const std::string error = error_of(
      "name: a\nmodel: { d_model: 64 }\ndata: { corpus: stories }\ntrain: { steps: 100 }\n"
      "grid: { model.plugin: [strict, llama], model.attention: [gumbel, topk] }\n");
  EXPECT_THAT(error, HasSubstr("a.yaml:5:40: unknown key 'model.attention' (the plugin 'llama' has no such option)"));
  EXPECT_THAT(error, HasSubstr("cases: [{ model.plugin: llama }, { model.plugin: strict, model.attention: [gumbel, "
                               "topk] }]"));
}

TEST_F(Brought, TheCaseThatIsShownIsRead) {
  const Sweep sweep = load(
      "name: a\nmodel: { d_model: 64 }\ndata: { corpus: stories }\ntrain: { steps: 100 }\n"
      "cases: [{ model.plugin: llama }, { model.plugin: strict, model.attention: [gumbel, topk], "
      "model.tau: [1, 2] }]\n");
  ASSERT_EQ(sweep.runs.size(), 5u);
  EXPECT_EQ(sweep.runs[0].spec.model.plugin, "llama");
  // The first list varies slowest.
  EXPECT_EQ(sweep.runs[1].axes.at("model.attention"), "gumbel");
  EXPECT_EQ(sweep.runs[2].axes.at("model.attention"), "gumbel");
  EXPECT_EQ(sweep.runs[2].axes.at("model.tau"), 2);
  EXPECT_EQ(sweep.runs[4].axes.at("model.attention"), "topk");
}

TEST_F(Brought, AListThatIsAValueStaysOneInACase) {
  const Sweep one = load(with("cases: [{ model.kshift: [0, 1], train.betas: [0.9, 0.99] }]\n"));
  ASSERT_EQ(one.runs.size(), 1u);
  EXPECT_EQ(one.runs[0].spec.model.options.at("kshift"), json::value({0, 1}));
  const Sweep two = load(with("cases: [{ model.kshift: [[0], [0, 1]] }]\n"));
  EXPECT_EQ(two.runs.size(), 2u);
  EXPECT_THAT(error_of(with("cases: [{ train.lr: [] }]\n")), HasSubstr("the axis 'cases.train.lr' has no values"));
}

TEST_F(Brought, SlurmsTimesAreTimeouts) {
  const auto timeout = [&](const std::string& text) {
    return load(with("resources: { timeout: " + text + " }\n")).resources.timeout_s.value_or(-1);
  };
  EXPECT_EQ(timeout("12:00:00"), 12 * 3600);
  EXPECT_EQ(timeout("'12:00:00'"), 12 * 3600);
  EXPECT_EQ(timeout("90:30"), 90 * 60 + 30);
  EXPECT_EQ(timeout("48:00:00"), 48 * 3600);
  EXPECT_EQ(timeout("0-08:00"), 8 * 3600);
  EXPECT_EQ(timeout("2-0"), 2 * 86400);
  EXPECT_EQ(timeout("1-02:03:04"), 86400 + 2 * 3600 + 3 * 60 + 4);
  EXPECT_EQ(timeout("30"), 30);  // seconds, as everywhere here
  for (const char* bad : {"1:60", "0-24", "1:2:3:4", "-1", "1-", ":30", "12:00:", "a:b", "1-2-3", "0:00", "00:00:00"})
    EXPECT_THAT(error_of(with("resources: { timeout: '" + std::string(bad) + "' }\n")),
                HasSubstr("12:00:00 and 2-12:00 as Slurm writes them"))
        << bad;
}

TEST_F(Brought, TagsSayWhatTheyAre) {
  EXPECT_EQ(load(with("grid: { train.lr: [!!float 1e-3, !!float '2e-3', !!float 1] }\n")).runs[1].spec.train.lr, 2e-3);
  EXPECT_EQ(load(with("seed: !!int 7\n")).runs[0].spec.seed, 7);
  EXPECT_THAT(error_of(with("grid: { train.lr: [!!float no] }\n")),
              HasSubstr("a.yaml:5:20: 'no' is not what its tag !!float says"));
  EXPECT_THAT(error_of(with("seed: !!int 1.5\n")), HasSubstr("'1.5' is not what its tag !!int says"));
}

TEST_F(Brought, AxesInOtherWordsAreAnsweredWithTheirNumbers) {
  const auto grid = [&](const std::string& axis) { return error_of(with("grid: { " + axis + " }\n")); };
  EXPECT_THAT(grid("train.lr: { values: [1e-3, 1e-4] }"),
              HasSubstr("a.yaml:5:21: the axis 'train.lr' must be a list of values, found a map with 'values'; write "
                        "[1e-3, 1e-4]"));
  EXPECT_THAT(grid("train.batch: { min: 4, max: 16 }"), HasSubstr("axes: { train.batch: { int_uniform: [4, 16] } }"));
  EXPECT_THAT(grid("train.lr: { distribution: log_uniform_values, min: 1e-5, max: 1e-2 }"),
              HasSubstr("axes: { train.lr: { log_uniform: [1e-5, 1e-2] } }"));
  EXPECT_THAT(grid("train.lr: { value: 1e-3 }"), HasSubstr("write [1e-3]"));
  EXPECT_THAT(grid("train.lr: 1e-3"), HasSubstr("found 1e-3; write [1e-3]"));
  EXPECT_THAT(grid("train.lr: 'choice(1e-3, 1e-4)'"), HasSubstr("; write [1e-3, 1e-4]"));
  // Between braces YAML cuts it at the comma.
  EXPECT_THAT(grid("train.lr: choice(1e-3, 1e-4, 1e-5)"), HasSubstr("; write [1e-3, 1e-4, 1e-5]"));
  EXPECT_THAT(grid("train.lr: '1e-3,1e-4'"), HasSubstr("; write [1e-3, 1e-4]"));
  EXPECT_THAT(grid("train.batch: 'range(2, 9, 2)'"), HasSubstr("; write [2, 4, 6, 8]"));
  EXPECT_THAT(grid("train.lr: 'interval(0.1, 1)'"), HasSubstr("{ uniform: [0.1, 1] }"));
  EXPECT_THAT(grid("train.lr: 'tag(log, interval(1e-5, 1e-2))'"), HasSubstr("{ log_uniform: [1e-5, 1e-2] }"));
  EXPECT_THAT(grid("train.lr: 'trial.suggest_float(\"lr\", 1e-5, 1e-2, log=True)'"),
              HasSubstr("{ log_uniform: [1e-5, 1e-2] }"));
  EXPECT_THAT(grid("train.lr: 'tune.loguniform(1e-5, 1e-2)'"), HasSubstr("{ log_uniform: [1e-5, 1e-2] }"));
  EXPECT_THAT(grid("seed: 0-3%2"), HasSubstr("; write [0, 1, 2, 3]"));
  EXPECT_THAT(error_of(with("seeds: 3\n")), HasSubstr("found 3; write [0, 1, 2]"));
  EXPECT_THAT(error_of(with("seeds: range(4)\n")), HasSubstr("; write [0, 1, 2, 3]"));
  EXPECT_THAT(grid("seed: 'range(100000)'"), HasSubstr("; write [0, 1, 2, …, 99999]"));
  EXPECT_THAT(grid("seed: 'range(-1, 999999999999)'"), Not(HasSubstr("write")));
}

TEST_F(Brought, RandomAxesInOtherWords) {
  const auto random = [&](const std::string& axis) {
    return error_of(with("random: { count: 3, axes: { train.lr: " + axis + " } }\n"));
  };
  EXPECT_THAT(random("{ log_uniform: [-7, -3] }"),
              HasSubstr("log_uniform takes numbers above 0, found [-7, -3]; for powers of ten write [1.0e-7, 1.0e-3]"));
  EXPECT_THAT(random("{ log_uniform: [0, 1] }"), Not(HasSubstr("powers of ten")));
  EXPECT_THAT(random("{ min: 1e-4, max: 0.1 }"), HasSubstr("; write { uniform: [1e-4, 0.1] }"));
  EXPECT_THAT(random("{ distribution: log_uniform, min: -7, max: -3 }"),
              HasSubstr("; write { log_uniform: [0.000912, 0.0498] }"));  // powers of e there
  EXPECT_THAT(random("{ values: [1e-3, 1e-4] }"), HasSubstr("; write { choice: [1e-3, 1e-4] }"));
  EXPECT_THAT(random("{ low: 1e-5, high: 1e-2, log: true }"), HasSubstr("; write { log_uniform: [1e-5, 1e-2] }"));
  EXPECT_THAT(random("'loguniform(1e-5, 1e-2)'"), HasSubstr("; write { log_uniform: [1e-5, 1e-2] }"));
}

TEST_F(Brought, WholeFilesOfOtherTools) {
  const auto top = [&](const std::string& text) { return error_of(with(text)); };
  EXPECT_THAT(top("parameters: { learning_rate: { values: [1e-3, 1e-4] }, wd: { min: 0.0, max: 0.1 } }\n"),
              HasSubstr("here it is grid: { train.lr: [1e-3, 1e-4] } and random: { count: 20, axes: { "
                        "train.weight_decay: { uniform: [0.0, 0.1] } } }"));
  EXPECT_THAT(top("method: bayes\n"), HasSubstr("'bitsweep suggest'"));
  EXPECT_THAT(top("learning_rate: 2e-5\n"), HasSubstr("unknown key 'learning_rate'; here it is train: { lr: 2e-5 }"));
  EXPECT_THAT(top("num_train_epochs: 3\n"), HasSubstr("here it is train: { epochs: 3 }"));
  EXPECT_THAT(error_of("name: a\ntrain: { per_device_train_batch_size: 8 }\n"),
              HasSubstr("unknown key 'train.per_device_train_batch_size'; here it is 'train.batch'"));
  EXPECT_THAT(error_of(with("grid: { train.warmup_steps: [1] }\n")), HasSubstr("here it is 'train.warmup'"));
  EXPECT_THAT(top("lr: 1\n"), HasSubstr("here it is train: { lr: 1 }"));
}

TEST_F(Brought, EveryAliasLeadsToAKeyThatIsThere) {
  for (const char* word : {"learning_rate", "max_steps", "lr_scheduler_type", "warmup_steps", "max_grad_norm",
                           "sequence_len", "hidden_size", "save_steps", "eval_steps", "random_seed"})
    EXPECT_TRUE(is_settable(our_key(word))) << word;
  EXPECT_EQ(our_key("nonsense"), "");
}

TEST_F(Brought, TheVersionOfAPluginIsPartOfItsRuns) {
  const auto spec = [&](const char* version) {
    write_text(folder_ / "mine/plugin.yaml",
               std::string("name: mine\nsummary: s\n") + version + "options:\n  d_model: { type: int, min: 1 }\n");
    write_text(folder_ / "mine/mine.so", "");
    return load("name: a\nmodel: { plugin: ./mine/mine.so, d_model: 64 }\ndata: { corpus: stories }\n"
                "train: { steps: 100 }\n")
        .runs[0]
        .spec;
  };
  const RunSpec first = spec(""), one = spec("version: 1\n"), two = spec("version: 2\n");
  EXPECT_EQ(run_id(first), run_id(one));
  EXPECT_NE(run_id(one), run_id(two));
  EXPECT_FALSE(to_json(one).at("model").as_object().contains("plugin_version"));
  EXPECT_EQ(to_json(two).at("model").as_object().at("plugin_version"), 2);
  EXPECT_EQ(run_id(run_spec_from_json(to_json(two))), run_id(two));
  EXPECT_FALSE(run_spec_from_json(to_json(two)).model.options.contains("plugin_version"));
}

}  // namespace
}  // namespace bitsweep::spec
