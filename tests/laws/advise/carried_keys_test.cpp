// Whether a suggested sweep file gives runs like those it came from: every key of a run, there and back.
#include <functional>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "advise/candidates.h"
#include "spec/keys.h"
#include "spec/sweep.h"

namespace bitsweep::advise {
namespace {

// A value of a key, off its default, and what it needs beside it.
struct Sample {
  json::value value;
  std::function<void(spec::RunSpec&)> beside = [](spec::RunSpec&) {};
};

void on_examples(spec::RunSpec& spec) {
  spec.data.corpus.clear();
  spec.data.examples.file = "stories-questions-train";
}
void on_tokens(spec::RunSpec& spec) { spec.data.tokenizer = "/texts/bpe.model"; }

json::object part(const char* corpus, double weight) {
  return {{"corpus", corpus}, {"glob", ""}, {"field", ""}, {"weight", weight}};
}

const std::multimap<std::string, Sample>& samples() {
  static const std::multimap<std::string, Sample> kSamples = {
      {"data.corpus", {"headers"}},
      {"data.corpus", {json::array{part("stories", 2), part("headers", 1)}}},
      {"data.corpus", {json::object{{"train", "/shards/a*.bin"}, {"val", "/shards/v.bin"}}, on_tokens}},
      {"data.examples", {"stories-questions-train", [](spec::RunSpec& spec) { spec.data.corpus.clear(); }}},
      {"data.template", {json::object{{"preset", "alpaca"}, {"prompt", ""}, {"answer", ""}}, on_examples}},
      {"data.template", {json::object{{"preset", "plain"}, {"prompt", "{{q}}\n"}, {"answer", ""}}, on_examples}},
      {"data.loss", {"all", on_examples}},
      {"data.pack", {true, on_examples}},
      {"data.glob", {"*.txt"}},
      {"data.field", {"text"}},
      {"data.tokenizer", {"/texts/bpe.model"}},
      {"data.tokenizer", {json::object{{"train", {{"kind", "unigram"}, {"vocab", 700}, {"sample", 1'000'000}}}}}},
      {"data.vocab_rows", {1000}},
      {"data.documents", {"none", on_tokens}},
      {"data.documents", {"eos", on_tokens}},
      {"data.context", {128}},
      {"data.val_fraction", {0.25}},
      {"data.val", {"/texts/val.txt"}},
      {"data.split", {"documents"}},
      {"train.batch", {32}},
      {"train.accumulate", {4}},
      {"train.lr", {0.0123}},
      {"train.warmup", {7}},
      {"train.schedule", {"wsd"}},
      {"train.lr_final", {0.5}},
      {"train.decay_fraction", {0.75}},
      {"train.optimizer", {"adamw"}},  // there is no other
      {"train.betas", {json::array{0.8, 0.99}}},
      {"train.eps", {1e-6}},
      {"train.weight_decay", {0.3}},
      {"train.weight_decay_until", {0.5}},
      {"train.clip", {2.5}},
      {"train.precision", {"bf16"}},
      {"train.gradients", {"s6"}},
      {"train.init_from", {"0123456789ab"}},
      {"train.freeze", {json::array{"layers.*", "head"}}},
      {"eval.every", {11}},
      {"eval.windows", {12}},
      {"eval.bytes", {100'000}},
      {"eval.stride", {32, [](spec::RunSpec& spec) { spec.eval.bytes = 100'000; }}},
      {"eval.probes", {"every"}},
      {"eval.also",
       {json::object{
           {"base", {{"corpus", "headers"}, {"glob", ""}, {"field", "text"}, {"val", ""}, {"val_fraction", 0.25}}}}}},
      {"eval.before", {true}},
      {"eval.tasks",
       {json::array{to_json(spec::TaskSpec{.name = "q",
                                           .file = "stories-questions",
                                           .kind = "generate",
                                           .shots = 2,
                                           .preset = "chatml",
                                           .stop = {"\n", "."},
                                           .limit = 5,
                                           .when = "every"}),
                    to_json(spec::TaskSpec{.name = "r",
                                           .file = "stories-questions",
                                           .kind = "choice",
                                           .prompt = "{{question}}?",
                                           .answer = "{{answer}}"})}}},
      {"checkpoint.every", {13}},
      {"checkpoint.keep", {json::array{"best"}}},
      {"checkpoint.best", {"train_bpc"}},
  };
  return kSamples;
}

class CarriedKeys : public testing::Test {
 protected:
  CarriedKeys() {
    fs::remove_all(folder_);
    make_folder(folder_ / "plugins/llama");
    write_file_atomic(folder_ / "plugins/llama/plugin.yaml",
                      "name: llama\nsummary: a test's control\noptions:\n"
                      "  d_model: { type: int, min: 8, max: 4096, help: width }\n");
    plugins_ = plugin::find_plugins(folder_ / "plugins");
  }
  ~CarriedKeys() override { fs::remove_all(folder_); }

  static spec::RunSpec example() {
    spec::RunSpec spec;
    spec.model = {"llama", {{"d_model", 64}}};
    spec.data.corpus = "stories";
    spec.data.sha256 = std::string(64, 'a');
    spec.train.steps = 1000;
    return spec;
  }

  // The runs of the file that asks for these, in its order.
  std::vector<spec::RunSpec> there_and_back(const std::vector<spec::RunSpec>& specs) {
    std::vector<CandidateRun> candidates;
    for (const spec::RunSpec& spec : specs) {
      candidates.emplace_back().run.spec = spec;
      candidates.back().asked_params = 1e6;
    }
    std::vector<ChosenRun> chosen;
    for (const CandidateRun& candidate : candidates)
      chosen.push_back({&candidate, static_cast<int64_t>(chosen.size()), "why"});
    const fs::path file = folder_ / "next.yaml";
    write_file_atomic(file, sweep_yaml("next", {"head"}, chosen, {}, {}, "chinchilla", {}));
    std::vector<spec::RunSpec> back;
    for (const spec::ExpandedRun& run : spec::load_sweep({file, {}, plugins_}).runs) {
      back.push_back(run.spec);
      back.back().train.steps = run.budget.steps.value_or(0);
    }
    return back;
  }

  const fs::path folder_ = fs::path(testing::TempDir()) /
                           (std::string("carried_") + testing::UnitTest::GetInstance()->current_test_info()->name());
  std::vector<plugin::Manifest> plugins_;
};

// Sections without what the plan fills in.
std::string settings(spec::RunSpec spec) {
  spec.data.sha256.clear();
  if (spec.data.documents == "none") spec.data.documents.clear();
  json::object object = to_json(spec);
  object.erase("model");
  object.erase("seed");
  return canonical_json(object);
}

TEST_F(CarriedKeys, AllOfThem) {
  std::set<std::string> given_otherwise{"model.plugin", "train.steps", "train.tokens", "train.epochs", "seed"};
  for (const spec::RunKey& key : spec::run_keys()) {
    if (given_otherwise.erase(key.path) > 0) continue;
    const auto [first, last] = samples().equal_range(key.path);
    EXPECT_NE(first, last) << key.path << ": a new key needs a value here, and a way into a suggested sweep";
    for (auto sample = first; sample != last; ++sample) {
      spec::RunSpec spec = example();
      sample->second.beside(spec);
      const std::string before = settings(spec);
      key.set(spec, sample->second.value);
      const bool changes = settings(spec) != before;
      EXPECT_TRUE(changes || spec.data.documents == "none" || std::string(key.path) == "train.optimizer") << key.path;
      const std::vector<spec::RunSpec> back = there_and_back({spec});
      ASSERT_EQ(back.size(), 1u) << key.path;
      EXPECT_EQ(settings(back[0]), settings(spec)) << key.path;
      if (spec.data.documents == "none") {  // not left to be chosen
        EXPECT_EQ(back[0].data.documents, "none");
      }
    }
  }
  EXPECT_TRUE(given_otherwise.empty());
}

// Runs of one law may have different rates, and with eval.bytes different tokenizers and contexts.
TEST_F(CarriedKeys, WhereRunsOfOneFileDiffer) {
  for (const char* path : {"data.tokenizer", "data.vocab_rows", "data.context", "train.lr", "train.betas",
                           "train.freeze", "train.weight_decay_until", "train.gradients", "eval.every"}) {
    const auto [first, last] = samples().equal_range(path);
    for (auto sample = first; sample != last; ++sample) {
      spec::RunSpec one = example();
      one.eval.bytes = 100'000;
      spec::RunSpec two = one;
      spec::find_run_key(path)->set(two, sample->second.value);
      for (const auto& both : {std::vector{one, two}, std::vector{two, one}}) {
        if (std::string(path) == "train.freeze" && both[1].train.freeze.empty()) continue;  // no word for none
        const std::vector<spec::RunSpec> back = there_and_back(both);
        ASSERT_EQ(back.size(), 2u) << path;
        for (size_t i = 0; i < 2; ++i) EXPECT_EQ(settings(back[i]), settings(both[i])) << path;
      }
    }
  }
}

TEST(Candidates, ModelsHaveTheRowsThatTheRunsHad) {
  spec::RunSpec spec;
  spec.model.plugin = "llama";
  const auto vocab = [&] { return question_of({{spec, 1e5}}, 1e6, {}).request.vocab; };
  EXPECT_EQ(vocab(), 256);
  spec.data.vocab_rows = 300;
  EXPECT_EQ(vocab(), 300);
  spec.data.tokenizer = "none";
  spec.data.vocab_rows = 100;
  EXPECT_EQ(vocab(), 100);
  spec.data.tokenizer = "/texts/bpe.model";
  spec.data.vocab = 4096;
  spec.data.vocab_rows = 0;
  EXPECT_EQ(vocab(), 4096);
}

}  // namespace
}  // namespace bitsweep::advise
