// What a bad sweep file is told: where, what was expected, the nearest word; everything at once.
#include "spec/support.h"

namespace bitsweep::spec {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Bad : public SweepTest {};

TEST_F(Bad, UnknownKeysNameTheNearest) {
  EXPECT_EQ(error_of("name: a\nmodel: { plugin: strict }\ndata: { corpus: stories }\ntrain:\n  steps: 5\n  stesp: 5\n"),
            "a.yaml:6:3: unknown key 'train.stesp'; did you mean 'train.steps'?");
  EXPECT_EQ(error_of(with("trian: { lr: 1 }\n")), "a.yaml:5:1: unknown key 'trian'; did you mean 'train'?");
  EXPECT_THAT(error_of(with("batch: 5\n")), HasSubstr("unknown key 'batch'; did you mean 'train.batch'?"));
  EXPECT_THAT(error_of(with("train.lr: 5\n")), HasSubstr("write it as train: { lr: … }"));
  EXPECT_THAT(error_of(with("resources: { slot: 1 }\n")),
              HasSubstr("unknown key 'resources.slot'; did you mean 'resources.slots'?"));
  EXPECT_THAT(error_of(with("report: { targets: [{ params: 1M, token: 1 }] }\n")), HasSubstr("'report.targets.token'"));
  EXPECT_THAT(error_of(with("grid: { train.bath: [1] }\n")),
              HasSubstr("a.yaml:5:9: unknown key 'train.bath'; did you mean 'train.batch'?"));
}

TEST_F(Bad, UnknownPluginsAndOptions) {
  EXPECT_THAT(error_of("name: a\nmodel: { plugin: llma }\ndata: { corpus: stories }\ntrain: { steps: 1 }\n"),
              StartsWith("a.yaml:2:18: unknown plugin 'llma'; did you mean 'llama'?"));
  EXPECT_EQ(error_of(with("grid: { model.d_modle: [8] }\n")),
            "a.yaml:5:9: unknown key 'model.d_modle'; did you mean 'model.d_model'? (the plugin 'strict' has no such "
            "option)");
  // An option of one of two plugins is not silently dropped for the other.
  EXPECT_THAT(error_of("name: a\nmodel: { tau: 1.0 }\ndata: { corpus: stories }\ntrain: { steps: 1 }\ngrid: { "
                       "model.plugin: [strict, llama] }\n"),
              HasSubstr("a.yaml:2:10: unknown key 'model.tau' (the plugin 'llama' has no such option)"));
}

TEST_F(Bad, RangesAndTypesOfOptions) {
  EXPECT_EQ(error_of(with("grid: { model.d_model: [8, 4, 16] }\n")),
            "a.yaml:5:28: 'model.d_model' must be an integer from 8 to 4,096, found 4");
  EXPECT_THAT(error_of(with("grid: { model.attention: [topk, topp] }\n")),
              HasSubstr("must be one of gumbel, topk, found 'topp'; did you mean 'topk'?"));
  EXPECT_THAT(error_of(with("grid: { model.alibi: [yes] }\n")), HasSubstr("must be true or false, found 'yes'"));
  EXPECT_THAT(error_of(with("grid: { model.params: [many] }\n")),
              HasSubstr("'model.params' must be an integer from 1"));
}

struct Wrong {
  const char* key;
  const char* value;
  const char* expected;
};

TEST_F(Bad, NumbersThatMakeNoSense) {
  for (const Wrong& wrong :
       std::initializer_list<Wrong>{{"train.steps", "0", "an integer from 1 to 1,000,000,000, found 0"},
                                    {"train.steps", "-5", "found -5"},
                                    {"train.steps", "1.5", "found 1.5"},
                                    {"train.steps", "1e30", "found 1e30"},
                                    {"train.steps", "many", "found 'many'"},
                                    {"train.steps", "'100'", "found '100'"},
                                    {"train.steps", "[1]", "found a list"},
                                    {"train.steps", "{}", "found a map"},
                                    {"train.lr", "0", "a number above 0 and up to 100, found 0"},
                                    {"train.lr", ".nan", "found .nan"},
                                    {"train.lr", ".inf", "found .inf"},
                                    {"train.lr", "-1e-3", "found -1e-3"},
                                    {"train.lr", "1e-3x", "found '1e-3x'"},
                                    {"train.lr", "'0,001'", "found '0,001'"},
                                    {"train.batch", "99999999999999999999999", "an integer from 1 to 1,000,000"},
                                    {"train.tokens", "0", "a number from 1"},
                                    {"train.epochs", "-1", "a number above 0"},
                                    {"train.betas", "[0.9]", "a list of 2 numbers, each from 0 and below 1"},
                                    {"train.betas", "[0.9, 1]", "a list of 2 numbers"},
                                    {"train.schedule", "cosin", "found 'cosin'; did you mean 'cosine'?"},
                                    {"train.precision", "16", "one of f32, bf16, found 16"},
                                    {"train.gradients", "int6", "one of f32, int16, s6, found 'int6'; did you mean"},
                                    {"train.freeze", "layers", "a list of texts, found 'layers'"},
                                    {"train.clip", "-1", "a number from 0"},
                                    {"data.context", "2M", "an integer from 1 to 1,048,576"},
                                    {"data.val_fraction", "1", "a number above 0 and below 1"},
                                    {"data.corpus", "[a]", "headers, stories, repeat, copy, needle, or a path"},
                                    {"data.corpus", "''", "headers, stories, repeat, copy, needle, or a path"},
                                    {"data.tokenizer", "bytes265", "found 'bytes265'; did you mean 'bytes256'?"},
                                    {"data.tokenizer", "[a]", "ascii128, bytes256, the path of a .model or"},
                                    {"data.tokenizer", "{}", "or { train: { kind: bpe, vocab: 1024 } }"},
                                    {"data.documents", "sos", "one of none, bos, eos, found 'sos'"},
                                    {"data.split", "lines", "one of bytes, documents"},
                                    {"eval.bytes", "-1", "an integer from 0"},
                                    {"eval.windows", "0", "an integer from 1"},
                                    {"eval.probes", "lst", "one of last, every, off, found 'lst'"},
                                    {"checkpoint.keep", "[last, worst]", "a list of last, best"},
                                    {"seed", "-1", "an integer from 0"}}) {
    EXPECT_THAT(error_of(with(""), {std::string("grid.") + wrong.key + "=[" + wrong.value + "]"}),
                HasSubstr(wrong.expected))
        << wrong.key;
    if (std::string_view(wrong.key).starts_with("data.corpus")) continue;
    EXPECT_THAT(error_of(with(""), {std::string(wrong.key) + "=" + wrong.value}),
                HasSubstr(std::string("'") + wrong.key + "' must be "))
        << wrong.key;
  }
}

// A recipe for a tokenizer: one finding for each wrong key, where it stands.
TEST_F(Bad, TokenizerRecipesPointAtTheirKeys) {
  const auto recipe = [&](const std::string& value) {
    return error_of(
        "name: a\nmodel: { plugin: strict, d_model: 64 }\ntrain: { steps: 100 }\ndata:\n  corpus: "
        "stories\n  tokenizer:\n" +
        value);
  };
  EXPECT_EQ(recipe("    train:\n      kind: bp\n      vocab: 1k\n      sample: 1\n      vocabs: 3\n"),
            "a.yaml:8:13: 'data.tokenizer.train.kind' must be one of bpe, unigram, found 'bp'; did you mean 'bpe'?\n"
            "a.yaml:10:15: 'data.tokenizer.train.sample' must be a size in bytes from 65,536, such as 64M, found 1\n"
            "a.yaml:11:7: unknown key 'data.tokenizer.train.vocabs'; did you mean 'vocab'?");
  EXPECT_EQ(recipe("    train: { vocab: 100 }\n    tran: {}\n"),
            "a.yaml:7:21: 'data.tokenizer.train.vocab' must be an integer from 260 to 1,000,000, found 100\n"
            "a.yaml:8:5: unknown key 'data.tokenizer.tran'; did you mean 'train'?");
  EXPECT_EQ(recipe("    train: { kind: bpe }\n"),
            "a.yaml:7:5: 'data.tokenizer.train.vocab' is missing: an integer from 260 to 1,000,000");
  EXPECT_EQ(recipe("    train: 1024\n"),
            "a.yaml:7:12: 'data.tokenizer.train' must be a map such as { kind: bpe, vocab: 1024 }, found 1024");
  EXPECT_THAT(error_of(with(""), {"grid.data.tokenizer=[bytes256, { train: { vocab: x } }]"}),
              HasSubstr("'data.tokenizer.train.vocab' must be an integer"));
}

TEST_F(Bad, WhatDecidesTheBestCheckpointIsAMetricThatTheRunTells) {
  const std::string asked =
      "eval: { also: { base: { corpus: stories } }, tasks: [{ name: q, file: stories-questions, kind: choice, when: "
      "every }, { "
      "name: late, file: stories-questions, kind: choice }] }\n";
  const auto best = [&](const std::string& metric) { return asked + "checkpoint: { best: " + metric + " }\n"; };
  for (const char* metric : {"val_bpc", "train_bpc", "q.acc", "base.bpc"})
    EXPECT_EQ(load(with(best(metric))).runs.at(0).spec.checkpoint.best, metric);
  EXPECT_THAT(error_of(with(best("base.bpb"))), AllOf(StartsWith("a.yaml:6:21: 'checkpoint.best' must be a metric"),
                                                      HasSubstr("did you mean 'base.bpc'?")));
  EXPECT_THAT(error_of(with(best("q.n"))), HasSubstr("of which more or less is better (val_bpc, train_bpc, q.acc,"));
  EXPECT_THAT(error_of(with(best("val_bpt"))), HasSubstr("found 'val_bpt'"));  // a token is a byte here
  EXPECT_THAT(error_of(with(best("late.acc"))), HasSubstr("give the task 'late' when: every"));
  EXPECT_THAT(error_of(with(best("answer_accuracy"))), HasSubstr("found 'answer_accuracy'"));
  EXPECT_EQ(load(with(best("answer_accuracy")), {"data.corpus=copy"}).runs.size(), 1u);
}

TEST_F(Bad, EverythingAtOnceInOrder) {
  write_text(folder_ / "base.yaml", "data:\n  corpus: stories\n  contxt: 5\n");
  const std::string message = error_of(
      "name: a b\nextends: base.yaml\nmodel: { plugin: strit }\ntrain: { steps: -1, lr: x }\ngrid: { train.batch: [1, "
      "zwei, 3] }\nwhere: \"train.batch <\"\nretries: -2\n");
  EXPECT_EQ(message,
            "a.yaml:1:7: 'name' must be a folder's name of letters, digits, '-', '_' and '.', found 'a b'\n"
            "a.yaml:3:18: unknown plugin 'strit'; did you mean 'strict'?; known: llama, strict\n"
            "a.yaml:4:17: 'train.steps' must be an integer from 1 to 1,000,000,000, found -1\n"
            "a.yaml:4:25: 'train.lr' must be a number above 0 and up to 100, found 'x'\n"
            "a.yaml:5:26: 'train.batch' must be an integer from 1 to 1,000,000, found 'zwei'\n"
            "a.yaml:6:22: in 'where': the expression ends here, a value was expected\n"
            "a.yaml:7:10: 'retries' must be an integer from 0 to 1,000, found -2\n"
            "base.yaml:3:3: unknown key 'data.contxt'; did you mean 'data.context'?");
}

TEST_F(Bad, MissingKeys) {
  const std::string message = error_of("train: { batch: 1 }\n");
  EXPECT_THAT(message, HasSubstr("'name' is missing"));
  EXPECT_THAT(message, HasSubstr("'model.plugin' is missing"));
  EXPECT_THAT(message, HasSubstr("'data.corpus' is missing"));
  EXPECT_THAT(message, HasSubstr("the budget is missing"));
  EXPECT_THAT(error_of(""), HasSubstr("a.yaml:1:1: a sweep file is a map of keys, found nothing"));
  EXPECT_THAT(error_of("- a\n"), HasSubstr("found a list"));
}

TEST_F(Bad, TwoBudgets) {
  EXPECT_THAT(
      error_of("name: a\nmodel: { plugin: llama }\ndata: { corpus: stories }\ntrain: { steps: 1, epochs: 1 }\n"),
      HasSubstr("give exactly one of"));
  EXPECT_THAT(error_of(with("grid: { train.steps: [1], train.tokens: [1] }\n")), HasSubstr("exclude each other"));
}

TEST_F(Bad, Axes) {
  EXPECT_THAT(error_of(with("grid: { train.batch: [] }\n")),
              HasSubstr("a.yaml:5:22: the axis 'grid.train.batch' has no values"));
  EXPECT_THAT(error_of(with("grid: {}\n")), HasSubstr("found an empty map"));
  EXPECT_THAT(error_of(with("grid: [1]\n")), HasSubstr("'grid' must be a map"));
  EXPECT_THAT(error_of(with("grid: { train.batch: 5 }\n")), HasSubstr("must be a list of values, found 5"));
  EXPECT_THAT(error_of(with("zip: { train.batch: [1, 2], train.lr: [1e-3] }\n")),
              HasSubstr("zip takes lists of one length"));
  EXPECT_THAT(error_of(with("zip: { train.batch: [1] }\ngrid: { train.batch: [2] }\n")),
              HasSubstr("the axis 'train.batch' is already in"));
  EXPECT_THAT(error_of(with("cases: []\n")), HasSubstr("found an empty list"));
  EXPECT_THAT(error_of(with("cases: [5]\n")), HasSubstr("a case is a map"));
  EXPECT_THAT(error_of(with("cases: [{ train.batch: 1, train: { batch: 2 } }]\n")), HasSubstr("twice in one case"));
  EXPECT_THAT(error_of(with("grid: { train.batch: [1], train: { batch: [2] } }\n")),
              HasSubstr("duplicate key 'train.batch'"));
  EXPECT_THAT(error_of(with("seeds: []\n")), HasSubstr("found an empty list"));
  EXPECT_THAT(error_of(with("seeds: 3\n")), HasSubstr("'seeds' must be a list"));
  EXPECT_THAT(error_of(with("seeds: [0]\ngrid: { seed: [1] }\n")), HasSubstr("exclude each other"));
}

TEST_F(Bad, Random) {
  const auto random = [&](const std::string& text) { return error_of(with("random: " + text + "\n")); };
  EXPECT_THAT(random("{ axes: { train.lr: { uniform: [1, 2] } } }"), HasSubstr("'random.count' is missing"));
  EXPECT_THAT(random("{ count: 0, axes: { train.lr: { uniform: [1, 2] } } }"),
              HasSubstr("an integer from 1 to 100000, found 0"));
  EXPECT_THAT(random("{ count: 3, axes: {} }"), HasSubstr("'random.axes' must be a map"));
  EXPECT_THAT(random("{ count: 3, axes: { train.lr: { log_uniform: [0, 1] } } }"), HasSubstr("numbers above 0"));
  EXPECT_THAT(random("{ count: 3, axes: { train.lr: { log_unifrom: [1, 2] } } }"),
              HasSubstr("did you mean 'log_uniform'?"));
  EXPECT_THAT(random("{ count: 3, axes: { train.lr: { uniform: [2, 1] } } }"), HasSubstr("from not above to"));
  EXPECT_THAT(random("{ count: 3, axes: { train.lr: { uniform: [.nan, 1] } } }"), HasSubstr("two finite numbers"));
  EXPECT_THAT(random("{ count: 3, axes: { train.batch: { int_uniform: [1.5, 3] } } }"), HasSubstr("two whole numbers"));
  EXPECT_THAT(random("{ count: 3, axes: { train.lr: { choice: [] } } }"), HasSubstr("choice takes a list"));
  EXPECT_THAT(random("{ count: 3, axes: { train.batch: { uniform: [-5, -1] } } }"), HasSubstr("'train.batch' must be"));
}

TEST_F(Bad, TooManyRuns) {
  const std::string list = "[0,1,2,3,4,5,6,7,8,9]";
  EXPECT_THAT(
      error_of(with("grid: { train.warmup: " + list + ", train.clip: " + list + ", train.weight_decay: " + list +
                    ", eval.every: [1,2,3,4,5,6,7,8,9,10], eval.windows: [1,2,3,4,5,6,7,8,9,10] }\nseeds: " + list +
                    "\n")),
      HasSubstr("a.yaml:1:1: the sweep has 1,000,000 points; at most 100,000"));
}

TEST_F(Bad, Expressions) {
  EXPECT_THAT(error_of(with("where: \"train.bacth < 5\"\n")),
              StartsWith("a.yaml:5:9: unknown key 'train.bacth'; did you mean 'train.batch'?"));
  EXPECT_THAT(error_of(with("where: train.batch\n")), HasSubstr("a condition such as"));
  EXPECT_THAT(error_of(with("where: [[1]]\n")), HasSubstr("must be an expression, found a list"));
  EXPECT_THAT(error_of(with("grid: { train.warmup: [1, 0] }\nwhere: 5 / train.warmup > 1\n")),
              HasSubstr("a.yaml:6:10: '5 / train.warmup > 1': division by zero; at train.warmup 0, seed 0"));
  EXPECT_THAT(error_of(with("derive: { train.lr: \"sqrt(0 - train.batch)\" }\n")),
              HasSubstr("sqrt(-64) is not a number"));
  EXPECT_THAT(error_of(with("grid: { train.batch: [3, 5, 7] }\nderive: { train.accumulate: train.batch / 2 }\n")),
              HasSubstr("gives 1.5, but 'train.accumulate' must be an integer from 1 to 1,000,000; at train.batch 3, "
                        "seed 0 (and 2 more points)"));
  EXPECT_THAT(error_of(with("derive: { train.lr: \"train.warmup * 1.0\", train.warmup: \"train.lr * 2\" }\n")),
              HasSubstr("goes in a circle: "));
  EXPECT_THAT(error_of(with("derive: { train.lr: \"train.lr * 2\" }\n")),
              HasSubstr("'derive' goes in a circle: train.lr -> train.lr"));
  EXPECT_THAT(error_of(with("derive: { train.lrr: 1 }\n")), HasSubstr("did you mean 'train.lr'?"));
  EXPECT_THAT(error_of(with("derive: { model.depth: 1 }\n")), HasSubstr("is no option of the plugin 'strict'"));
  EXPECT_THAT(error_of(with("derive: 5\n")), HasSubstr("'derive' must be a map"));
  EXPECT_THAT(error_of(with("where: model.n_layers > 1\n")), HasSubstr("'model.n_layers' has no value here"));
}

TEST_F(Bad, NothingLeftSaysWhy) {
  EXPECT_THAT(
      error_of(with("grid: { train.batch: [8, 16, 32] }\nwhere: train.batch > 10\nexclude: train.batch < 100\n")),
      HasSubstr("a.yaml:6:8: no run is left of 3 points; where 'train.batch > 10' removed 1; exclude 'train.batch < "
                "100' removed 2"));
}

TEST_F(Bad, Extends) {
  write_text(folder_ / "a.yaml", "name: a\nextends: b.yaml\n");
  write_text(folder_ / "b.yaml", "extends: sub/../a.yaml\n");
  fs::create_directories(folder_ / "sub");
  EXPECT_THAT(error_in([&] { load_file("a.yaml"); }),
              HasSubstr("b.yaml:1:10: 'a.yaml' extends itself, by way of a.yaml -> b.yaml"));
  EXPECT_THAT(error_of(with("extends: a.yaml\n")), HasSubstr("extends itself"));
  EXPECT_THAT(error_of(with("extends: none.yaml\n")),
              HasSubstr("a.yaml:5:10: cannot extend 'none.yaml': no such file"));
  EXPECT_THAT(error_of(with("extends: sub\n")), HasSubstr("it is a folder"));
  EXPECT_THAT(error_of(with("extends: [b.yaml]\n")), HasSubstr("the path of one file, found a list"));
  fs::create_symlink("/nonexistent/x.yaml", folder_ / "link.yaml");
  EXPECT_THAT(error_of(with("extends: link.yaml\n")), HasSubstr("a symbolic link that leads nowhere"));
  for (int i = 0; i < 40; ++i)
    write_text(folder_ / ("c" + std::to_string(i) + ".yaml"), "extends: c" + std::to_string(i + 1) + ".yaml\n");
  write_text(folder_ / "c40.yaml", "seed: 1\n");
  EXPECT_THAT(error_of(with("extends: c0.yaml\n")), HasSubstr("more than 32 files extend each other"));
  write_text(folder_ / "b.yaml", "train: {lr: 1, lr: 2}\n");
  EXPECT_THAT(error_of(with("extends: b.yaml\n")), HasSubstr("b.yaml:1:16: duplicate key 'lr'"));
}

TEST_F(Bad, Set) {
  EXPECT_EQ(error_of(with(""), {"train.stesp=3"}),
            "--set train.stesp=3: unknown key 'train.stesp'; did you mean 'train.steps'?");
  EXPECT_THAT(error_of(with(""), {"train.steps"}), HasSubstr("write it as PATH=VALUE"));
  EXPECT_THAT(error_of(with(""), {"=3"}), HasSubstr("write it as PATH=VALUE"));
  EXPECT_THAT(error_of(with(""), {"train..lr=3"}), HasSubstr("is not a path of keys"));
  EXPECT_THAT(error_of(with(""), {"train.lr=[1"}), HasSubstr("--set train.lr=[1: not YAML"));
  EXPECT_THAT(error_of(with(""), {"extends=b.yaml"}), HasSubstr("fixed by the file"));
  EXPECT_THAT(error_of(with(""), {"train=5"}), HasSubstr("'train' must be a map of keys, found 5"));
  const std::string both = error_of(with(""), {"train.lr=x", "train.steps=y"});
  EXPECT_THAT(both, HasSubstr("'train.lr' must be"));
  EXPECT_THAT(both, HasSubstr("'train.steps' must be"));
}

TEST_F(Bad, SweepOptions) {
  EXPECT_THAT(error_of(with("stop: { rule: ashe }\n")),
              HasSubstr("unknown stop rule 'ashe'; did you mean 'asha'?; known: none, asha, median, curve"));
  EXPECT_THAT(error_of(with("stop: { rule: asha, graze: 5 }\n")),
              HasSubstr("unknown key 'stop.graze'; did you mean 'stop.grace'?"));
  EXPECT_THAT(error_of(with("stop: { reduction: 1 }\n")), HasSubstr("'stop.reduction' must be an integer from 2"));
  EXPECT_THAT(error_of(with("stop: { probability: 1.5 }\n")), HasSubstr("from 0.5 to below 1, found"));
  EXPECT_THAT(error_of(with("stop: { metric: acc }\n")), HasSubstr("unknown metric to stop by 'acc'"));
  EXPECT_THAT(error_of(with("on_oom: retry\n")), HasSubstr("known: fail, alone, smaller_batch"));
  EXPECT_THAT(error_of(with("after: { a: b }\n")), HasSubstr("'after' must be the name of a sweep"));
  EXPECT_THAT(error_of(with("resources: { device: gpu }\n")), HasSubstr("any, cpu, cuda or cuda:N, found 'gpu'"));
  EXPECT_THAT(error_of(with("resources: { device: 'cuda:x' }\n")), HasSubstr("any, cpu, cuda or cuda:N"));
  EXPECT_THAT(error_of(with("resources: { timeout: -5 }\n")), HasSubstr("a duration"));
  EXPECT_THAT(error_of(with("resources: { timeout: 1e400h }\n")), HasSubstr("a duration"));
  EXPECT_THAT(error_of(with("resources: { memory: lots }\n")), HasSubstr("auto, or a size"));
  EXPECT_THAT(error_of(with("order: short\n")), HasSubstr("longest, shortest"));
  EXPECT_THAT(error_of(with("on_error: explode\n")), HasSubstr("continue, stop, or { stop_after: N }"));
  EXPECT_THAT(error_of(with("on_error: { stop_after: 0 }\n")), HasSubstr("an integer from 1"));
  EXPECT_THAT(error_of(with("report: { laws: [chinchila] }\n")), HasSubstr("did you mean 'chinchilla'?"));
  EXPECT_THAT(error_of(with("report: { targets: [{ params: 1M }] }\n")), HasSubstr("a target needs 'tokens'"));
  EXPECT_THAT(error_of(with("report: { targets: [{ params: .nan, tokens: 1 }] }\n")), HasSubstr("a size such as 300M"));
  EXPECT_THAT(error_of("name: ../x\nmodel: { plugin: llama }\ndata: { corpus: stories }\ntrain: { steps: 1 }\n"),
              HasSubstr("a folder's name"));
}

TEST_F(Bad, KeysThatContradictEachOther) {
  EXPECT_THAT(error_of(with("grid: { train.batch: [10], train.accumulate: [3] }\n")),
              HasSubstr("3 micro-batches do not divide evenly"));
  EXPECT_THAT(error_of(with("grid: { train.init_from: [latest] }\n")),
              HasSubstr("a run's id of 12 hex digits, found 'latest'"));
  EXPECT_THAT(error_of(with("grid: { train.batch: [1000000], train.steps: [1000000000], data.context: [1000000] }\n")),
              HasSubstr("the run would see"));
}

TEST_F(Bad, HostileFilesEndSoon) {
  std::string keys = with("train2:\n");
  for (int i = 0; i < 60'000; ++i) keys += "  k" + std::to_string(i) + ": 1\n";
  EXPECT_THAT(error_of(keys), HasSubstr("unknown key 'train2'"));
  std::string section = "name: a\ntrain:\n";
  for (int i = 0; i < 60'000; ++i) section += "  k" + std::to_string(i) + ": 1\n";
  EXPECT_THAT(error_of(section), HasSubstr("and "));
  std::string many = with("where: [");
  for (int i = 0; i < 20'000; ++i) many += "x, ";
  EXPECT_THAT(error_of(many + "x]\n"), HasSubstr("unknown key 'x'"));
  EXPECT_THAT(error_of(std::string(10 << 20, 'x')), HasSubstr("a.yaml"));
}

TEST_F(Bad, UnreadableFiles) {
  EXPECT_THAT(error_in([&] { load_file("none.yaml"); }), HasSubstr("cannot read"));
  fs::create_directories(folder_ / "dir.yaml");
  EXPECT_THAT(error_in([&] { load_file("dir.yaml"); }), HasSubstr("Is a directory"));
  EXPECT_THAT(error_of(std::string("name: a\0b\n", 10)), HasSubstr("NUL"));
}

TEST_F(Bad, WhatIsTrainedOnIsNotValidatedOn) {
  const auto error = [&](const std::string& data) {
    return error_of("name: a\nmodel: { plugin: strict, d_model: 64 }\ndata: " + data + "\ntrain: { steps: 100 }\n");
  };
  const std::string both = "both to train on and to validate on";
  EXPECT_THAT(error("{ corpus: t.txt, val: ./t.txt }"), HasSubstr(both));
  EXPECT_THAT(error("{ corpus: t.txt, val: ./t.txt }"), HasSubstr("a.yaml:3:29"));
  EXPECT_THAT(error("{ corpus: [{ corpus: t.txt }, { corpus: u.txt }], val: u.txt }"), HasSubstr(both));
  EXPECT_THAT(error("{ examples: e.jsonl, val: e.jsonl, tokenizer: bytes256 }"), HasSubstr(both));
}

// Each would make runs of other ids and of the same losses.
TEST_F(Bad, WhatIsOfACorpusIsRefusedOfExamples) {
  const auto sweep = [](const std::string& key) {
    return "name: a\nmodel: { plugin: strict, d_model: 64 }\ntrain: { steps: 100 }\n"
           "data: { examples: e.jsonl, tokenizer: bytes256, " +
           key + " }\n";
  };
  for (const char* key : {"split: documents", "field: text", "glob: '*.jsonl'", "documents: bos"}) {
    const std::string error = error_of(sweep(key));
    EXPECT_THAT(error, HasSubstr("is of a corpus and has no effect on examples"));
    EXPECT_THAT(error, HasSubstr("a.yaml:4:"));
  }
  for (const char* key : {"split: bytes", "documents: none"}) EXPECT_EQ(load(sweep(key)).runs.size(), 1u);
}

}  // namespace
}  // namespace bitsweep::spec
