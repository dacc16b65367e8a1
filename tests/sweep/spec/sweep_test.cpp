// What a good sweep file becomes.
#include "spec/support.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace bitsweep::spec {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(SweepTest, DefaultsAreTheSeedsRecipe) {
  const Sweep sweep = load(with(""));
  ASSERT_EQ(sweep.runs.size(), 1u);
  const RunSpec& spec = sweep.runs[0].spec;
  EXPECT_EQ(sweep.name, "a");
  EXPECT_EQ(spec.model.plugin, "strict");
  EXPECT_EQ(canonical_json(spec.model.options), R"({"d_model":64})");
  EXPECT_EQ(spec.data.corpus, "stories");
  EXPECT_EQ(spec.train.steps, 100);
  EXPECT_EQ(spec.train.batch, 64);
  EXPECT_EQ(spec.train.lr, 6e-4);
  EXPECT_EQ(spec.train.beta2, 0.95);
  EXPECT_TRUE(sweep.runs[0].axes.empty());
  EXPECT_EQ(sweep.runs[0].model_place.to_string(), (folder_ / "a.yaml").string() + ":2:18");
}

TEST_F(SweepTest, EveryKeyArrives) {
  const Sweep sweep = load(R"(
name: all-of-it
model: { plugin: strict, params: 5.5M, tau: 1.5, alibi: false, attention: topk, kshift: [0, 2] }
data: { corpus: texts, glob: "*.txt", field: text, tokenizer: ascii128, context: 128, val_fraction: 0.1, val: v.txt }
train:
  tokens: 20M
  batch: 32
  accumulate: 4
  lr: 1.0e-3
  warmup: 10
  schedule: wsd
  lr_final: 0.1
  decay_fraction: 0.3
  optimizer: adamw
  betas: [0.8, 0.99]
  eps: 1.0e-9
  weight_decay: 0.1
  clip: 0
  precision: bf16
  init_from: 123456789012
  freeze: ["layers.0.*", 12]
eval: { every: 50, windows: 64 }
checkpoint: { every: 77, keep: [last] }
seed: 5
resources: { device: "cuda:1", slots: 2, threads: 3, memory: 8B, timeout: 90m }
retries: 5
priority: -3
order: shortest
stop: { rule: asha, grace: 500, reduction: 4, within: [model.params] }
on_oom: smaller_batch
after: [first-sweep, 0123456789ab]
on_error: { stop_after: 4 }
report: { laws: [chinchilla, power], targets: [{ params: 300M, tokens: 1B }] }
)");
  const RunSpec& s = sweep.runs.at(0).spec;
  EXPECT_EQ(canonical_json(s.model.options),
            R"({"alibi":false,"attention":"topk","kshift":[0,2],"params":5500000,"tau":1.5})");
  EXPECT_EQ(s.data.corpus, (folder_ / "texts").string());
  EXPECT_EQ(s.data.val, (folder_ / "v.txt").string());
  EXPECT_EQ(s.data.glob + s.data.field + s.data.tokenizer, "*.txttextascii128");
  EXPECT_EQ(s.train.accumulate, 4);
  EXPECT_EQ(s.train.schedule, "wsd");
  EXPECT_EQ(s.train.decay_fraction, 0.3);
  EXPECT_EQ(s.train.beta1, 0.8);
  EXPECT_EQ(s.train.init_from, "123456789012");
  EXPECT_THAT(s.train.freeze, ElementsAre("layers.0.*", "12"));
  EXPECT_FALSE(s.checkpoint.keep_best);
  EXPECT_EQ(s.seed, 5);
  EXPECT_EQ(sweep.runs[0].budget.tokens, 20e6);
  EXPECT_FALSE(sweep.runs[0].budget.steps);
  EXPECT_EQ(sweep.resources.device, "cuda:1");
  EXPECT_EQ(sweep.resources.slots, 2);
  EXPECT_EQ(sweep.resources.threads, 3);
  EXPECT_EQ(sweep.resources.memory_bytes, 8e9);
  EXPECT_EQ(sweep.resources.timeout_s, 5400);
  EXPECT_EQ(sweep.retries, 5);
  EXPECT_EQ(sweep.priority, -3);
  EXPECT_EQ(sweep.order, "shortest");
  EXPECT_EQ(sweep.stop_after, 4);
  EXPECT_THAT(sweep.report.laws, ElementsAre("chinchilla", "power"));
  EXPECT_EQ(sweep.report.targets.at(0).params, 3e8);
}

TEST_F(SweepTest, ExtendsSeveralLevels) {
  write_text(
      folder_ / "bases/deep/one.yaml",
      "data: { corpus: text.txt, context: 64 }\ntrain: { steps: 10, batch: 8, freeze: [a, b] }\neval: { every: 5 }\n");
  write_text(folder_ / "bases/two.yaml", "extends: deep/one.yaml\ntrain: { batch: 16, freeze: [c] }\neval: null\n");
  write_text(folder_ / "sweeps/s.yaml",
             "name: s\nextends: ../bases/two.yaml\nmodel: { plugin: llama }\ntrain: { tokens: 1M }\n");
  const Sweep sweep = load_file("sweeps/s.yaml");
  const ExpandedRun& run = sweep.runs.at(0);
  EXPECT_EQ(run.spec.data.corpus, (folder_ / "bases/deep/text.txt").string());  // relative to the file that names it
  EXPECT_EQ(run.spec.data.context, 64);
  EXPECT_EQ(run.spec.train.batch, 16);
  EXPECT_THAT(run.spec.train.freeze, ElementsAre("c"));  // a list replaces
  EXPECT_EQ(run.spec.eval.every, 200);                   // null removed it: the default again
  EXPECT_EQ(run.budget.tokens, 1e6);                     // tokens took the place of steps
  EXPECT_FALSE(run.budget.steps);
  EXPECT_EQ(sweep.sources.size(), 3u);
}

TEST_F(SweepTest, SizeAndShapeReplaceEachOther) {
  write_text(folder_ / "base.yaml", with(""));
  EXPECT_EQ(canonical_json(load("extends: base.yaml\nmodel: { params: 1M }\n").runs[0].spec.model.options),
            R"({"params":1000000})");
  EXPECT_EQ(canonical_json(load(with("grid: { model.params: [1M] }\n")).runs[0].spec.model.options),
            R"({"params":1000000})");
  EXPECT_EQ(canonical_json(load(with(""), {"model.params=1M"}).runs[0].spec.model.options), R"({"params":1000000})");
  EXPECT_EQ(canonical_json(load(with(""), {"model.body=1M"}).runs[0].spec.model.options), R"({"body":1000000})");
}

TEST_F(SweepTest, ExamplesAndACorpusReplaceEachOther) {
  write_text(folder_ / "base.yaml", with(""));
  const Sweep tuned = load("extends: base.yaml\ndata: { examples: e.jsonl }\n");
  EXPECT_EQ(tuned.runs[0].spec.data.corpus, "");
  EXPECT_EQ(tuned.runs[0].spec.data.examples.file, (folder_ / "e.jsonl").string());
  EXPECT_EQ(load(with(""), {"data.examples=/e.jsonl"}).runs[0].spec.data.corpus, "");
}

TEST_F(SweepTest, KeysThatChangeNothingAreNoted) {
  const auto notes = [](const Sweep& sweep) { return fmt::format("{}", fmt::join(sweep.notes, "\n")); };
  const char* windows = "'eval.windows' has no effect";
  EXPECT_THAT(notes(load(with("eval: { bytes: 1M, windows: 64 }\n"))), HasSubstr(windows));
  EXPECT_THAT(notes(load(with("eval: { bytes: 1M }\ngrid: { eval.windows: [64, 128] }\n"))), HasSubstr(windows));
  EXPECT_THAT(notes(load(with("eval: { bytes: 1M }\n"), {"eval.windows=64"})), HasSubstr(windows));
  EXPECT_EQ(notes(load(with("eval: { windows: 64 }\n"))), "");
  // What a recipe says for others is nobody's slip.
  write_text(folder_ / "base.yaml", with("eval: { windows: 64 }\n"));
  EXPECT_EQ(notes(load("extends: base.yaml\nname: b\neval: { bytes: 1M }\n")), "");
  EXPECT_THAT(notes(load(with(""), {"data.val=/v.txt", "data.val_fraction=0.5"})),
              HasSubstr("'data.val_fraction' has no effect"));
  EXPECT_EQ(notes(load(with(""), {"data.val=/v.txt"})), "");
}

TEST_F(SweepTest, WhatAPointLeavesOutIsNotSaidOfIt) {
  const json::object axes{{"data.documents", ""}, {"data.tokenizer", "bytes256"}};
  EXPECT_EQ(short_point_text(axes, 0), "tokenizer bytes256, seed 0");
  EXPECT_EQ(point_text(axes, 0), "data.tokenizer bytes256, seed 0");
}

TEST_F(SweepTest, ASizeWithoutTheEndsReplacesTheOneWithThem) {
  const std::string sized =
      "name: s\nmodel: { plugin: llama, params: 2M, n_layers: 2 }\ndata: { corpus: headers }\n"
      "train: { steps: 10 }\n";
  EXPECT_EQ(canonical_json(load(sized + "grid: { model.body: [1M] }\n").runs[0].spec.model.options),
            R"({"body":1000000,"n_layers":2})");
  write_text(folder_ / "base.yaml", sized);
  EXPECT_EQ(canonical_json(load("extends: base.yaml\nmodel: { body: 1.5M }\n").runs[0].spec.model.options),
            R"({"body":1500000})");
  EXPECT_EQ(point_text(load(sized + "grid: { model.body: [1M, 2M] }\n").runs[0].axes, 0), "model.body 1M, seed 0");
}

TEST_F(SweepTest, AnAxisOverSizesKeepsDepthAndHeads) {
  const std::string text = "name: s\nmodel: { plugin: llama, n_layers: 2, d_model: 64 }\ndata: { corpus: headers }\n"
                           "train: { steps: 10 }\n";
  EXPECT_EQ(canonical_json(load(text + "grid: { model.params: [1M] }\n").runs[0].spec.model.options),
            R"({"n_layers":2,"params":1000000})");
  EXPECT_EQ(canonical_json(load(text + "derive: { model.params: 1000 * 1000 }\n").runs[0].spec.model.options),
            R"({"n_layers":2,"params":1000000})");
  const std::string sized = "name: s\nmodel: { plugin: llama, params: 1M }\ndata: { corpus: headers }\n"
                            "train: { steps: 10 }\ngrid: { model.n_layers: [2] }\n";
  EXPECT_EQ(canonical_json(load(sized).runs[0].spec.model.options), R"({"n_layers":2,"params":1000000})");
}

TEST_F(SweepTest, SetOverridesAnything) {
  const std::string text = with(
      "grid: { train.batch: [8, 16], train.lr: [1e-3, 2e-3] }\nderive: { train.warmup: train.batch }\nseeds: [0, 1]\n");
  EXPECT_EQ(load(text).runs.size(), 8u);
  const Sweep batch = load(text, {"train.batch=4", "train.warmup=7", "seed=9"});
  ASSERT_EQ(batch.runs.size(), 2u);
  EXPECT_EQ(batch.runs[0].spec.train.batch, 4);
  EXPECT_EQ(batch.runs[0].spec.train.warmup, 7);
  EXPECT_EQ(batch.runs[0].spec.seed, 9);
  EXPECT_EQ(batch.notes.size(), 3u);
  EXPECT_EQ(load(text, {"grid.train.batch=[1, 2, 4]"}).runs.size(), 12u);
  EXPECT_EQ(load(text, {"grid=null", "seeds=[3]"}).runs.size(), 1u);
  EXPECT_EQ(load(text, {"name=other"}).name, "other");
  EXPECT_EQ(load(text, {"train.tokens=1M"}).runs[0].budget.tokens, 1e6);
  EXPECT_EQ(load(text, {"train.steps=1", "train.steps=2"}).runs[0].budget.steps, 2);
}

TEST_F(SweepTest, SetTakesPathsAsTheyAre) {
  EXPECT_EQ(load(with(""), {"data.corpus=/a b/it's #1: \"x\".txt"}).runs[0].spec.data.corpus,
            "/a b/it's #1: \"x\".txt");
  EXPECT_EQ(load(with(""), {"data.corpus=rel/x.txt"}).runs[0].spec.data.corpus,
            (fs::current_path() / "rel/x.txt").string());
  EXPECT_EQ(load(with(""), {"data.corpus=headers"}).runs[0].spec.data.corpus, "headers");
}

TEST_F(SweepTest, PathsWithBlanksAndQuotes) {
  write_text(folder_ / "it's a \"folder\"/base file.yaml", "data: { corpus: \"my text.txt\" }\n");
  write_text(
      folder_ / "a.yaml",
      "name: a\nextends: \"it's a \\\"folder\\\"/base file.yaml\"\nmodel: { plugin: llama }\ntrain: { steps: 1 }\n");
  EXPECT_EQ(load_file("a.yaml").runs[0].spec.data.corpus, (folder_ / "it's a \"folder\"/my text.txt").string());
}

TEST_F(SweepTest, PluginsOutsideTheTree) {
  write_text(folder_ / "mine/mine.so", "elf");
  write_text(folder_ / "mine/plugin.yaml", "name: mine\nsummary: x\noptions: { width: { type: int, min: 1 } }\n");
  const std::string head = "name: a\ndata: { corpus: stories }\ntrain: { steps: 1 }\n";
  const Sweep sweep = load(head + "model: { plugin: mine/mine.so, width: 4 }\n");
  EXPECT_EQ(sweep.runs[0].spec.model.plugin, (folder_ / "mine/mine.so").string());
  EXPECT_THAT(error_of(head + "model: { plugin: mine/mine.so, widht: 4 }\n"), HasSubstr("did you mean 'model.width'?"));
  EXPECT_THAT(error_of(head + "model: { plugin: mine/none.so }\n"), HasSubstr("a.yaml:4:18: there is no plugin at"));
  fs::remove(folder_ / "mine/plugin.yaml");
  EXPECT_THAT(error_of(head + "model: { plugin: mine/mine.so }\n"), HasSubstr("no plugin.yaml beside it"));
}

TEST_F(SweepTest, ThePlaceOfARunIsWhatMadeIt) {
  const Sweep sweep = load(with("cases:\n  - { model.d_model: 32 }\n  - { model.d_model: 48 }\n"));
  EXPECT_EQ(sweep.runs.at(1).place.line, 7);
  EXPECT_EQ(sweep.runs.at(1).model_place.to_string(), (folder_ / "a.yaml").string() + ":7:22");
}

TEST_F(SweepTest, HelpListsEveryKey) {
  const std::vector<std::string> lines = sweep_keys();
  const auto has = [&](const char* start) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) { return line.starts_with(start); });
  };
  for (const char* key :
       {"train.lr  a number above 0 and up to 100", "data.context  an integer from 1", "stop.rule", "seed  "})
    EXPECT_TRUE(has(key)) << key;
}

}  // namespace
}  // namespace bitsweep::spec
