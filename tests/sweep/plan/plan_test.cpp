#include "plan/plan.h"

#include <map>

#include "spec/support.h"

namespace bitsweep::plan {
namespace {

using testing::HasSubstr;

// n_layers layers of d_model² weights; refuses widths that 16 does not divide.
class FakeDescriber : public Describer {
 public:
  std::vector<DescribeAnswer> describe(const std::vector<DescribeQuestion>& questions) override {
    ++calls;
    std::vector<DescribeAnswer> answers;
    for (const DescribeQuestion& question : questions) {
      asked.push_back(question);
      json::object options = question.request.options;
      if (options.contains("params")) {
        // A family with few shapes: sizes nearby come to the same one.
        options = {{"d_model", integer_or(options, "params", 0) > 2'000'000 ? 1024 : 512}, {"n_layers", 4}};
      }
      const int64_t d = integer_or(options, "d_model", 64), layers = integer_or(options, "n_layers", 2);
      options["d_model"] = d;
      options["n_layers"] = layers;
      if (d % 16 != 0) {
        const std::string second = d == 18 ? "\nd_ff: one more thing" : "";
        answers.push_back({std::nullopt, "d_model must be a multiple of 16" + second});
        continue;
      }
      plugin::Description description;
      description.options = options;
      description.params = layers * d * d + 2 * question.request.vocab * d;
      description.params_embedding = 2 * question.request.vocab * d;
      description.stored_bits_per_weight = 1;
      description.flops_forward_per_token = 2 * static_cast<double>(description.params);
      description.flops_backward_per_token = flops_backward;
      description.path = path;
      if (path && question.request.precision != "f32") description.path = plugin::StepPath{.because = "bf16 it is"};
      answers.push_back(
          {description, "", 0, question.freeze.empty() ? "" : "train.freeze: no 'x'\ntrain.freeze: no 'y'"});
    }
    return answers;
  }
  std::optional<double> flops_backward;
  std::optional<plugin::StepPath> path{};
  int calls = 0;
  std::vector<DescribeQuestion> asked;
};

class FakeProbe : public DatasetProbe {
 public:
  DatasetFacts probe(const spec::DataSpec& data) override {
    ++calls;
    DatasetFacts facts;
    if (data.corpus == "headers") facts.problems.push_back({"data.corpus", "the text is too short"});
    if (data.tokenizer.ends_with("gone.model")) facts.problems.push_back({"data.tokenizer", "no such tokenizer"});
    if (data.val.ends_with("gone.txt")) facts.problems.push_back({"data.val", "no such text"});
    if (!facts.problems.empty()) return facts;
    facts.sha256 = std::string(64, data.val.empty() ? 'c' : 'd');
    facts.train_tokens = 1'000'000;
    facts.val_tokens = 50'000;
    facts.vocab = data.tokenizer == "ascii128" ? 128 : 256;
    facts.notes = {"3 bytes are unknown"};
    facts.val_bytes = data.mixture.empty() ? std::vector<int64_t>{50'000} : std::vector<int64_t>{4000, 50'000};
    return facts;
  }
  DatasetFacts probe_beside(const spec::DataSpec& own, const spec::AlsoSpec& text) override {
    ++calls_beside;
    EXPECT_EQ(own.sha256.size(), 64u);  // it is resolved
    DatasetFacts facts;
    if (text.corpus.ends_with("gone.txt")) facts.problems.push_back({"data.corpus", "no such text"});
    facts.bytes = 1000;
    facts.val_bytes = {50};
    facts.notes = {"a note on " + text.name};
    return facts;
  }
  int calls = 0, calls_beside = 0;
};

class PlanTest : public spec::SweepTest {
 protected:
  Plan plan(const std::string& text) { return make_plan(load(text), describer_, probe_); }
  std::string plan_error(const std::string& text) {
    return error_in([&] { plan(text); });
  }
  FakeDescriber describer_;
  FakeProbe probe_;
};

TEST_F(PlanTest, ResolvesShapeStepsTextAndId) {
  const Plan made = plan(with("grid: { train.tokens: [1M] }\n"));
  const PlannedRun& run = made.runs.at(0);
  EXPECT_EQ(run.spec.train.steps, 62);  // 61.04 steps of 64 × 256 tokens, rounded up
  EXPECT_EQ(run.tokens, 62 * 64 * 256);
  EXPECT_EQ(run.spec.data.sha256, std::string(64, 'c'));
  EXPECT_EQ(run.spec.model.options.at("n_layers"), 2);
  EXPECT_EQ(run.id, run_id(run.spec));
  EXPECT_EQ(run.model.params, 2 * 64 * 64 + 2 * 256 * 64);
  EXPECT_EQ(run.flops, 3.0 * 2 * static_cast<double>(run.model.params) * run.tokens);
  EXPECT_EQ(run.flops_6nd, run.flops);
  EXPECT_NEAR(run.epochs, 1.015808, 1e-9);
  EXPECT_EQ(run.state, "new");
}

TEST_F(PlanTest, OptionsThatCameLaterTakeTheirDefaultsInANewSweep) {
  spec::write_text(folder_ / "plugins/later/plugin.yaml",
                   "name: later\nsummary: a test's\noptions:\n  d_model: { type: int, help: width }\n"
                   "  init: { type: choice, choices: [a, b], default: b, absent: a, help: x }\n");
  plugins_ = plugin::find_plugins(folder_ / "plugins");
  plan("name: a\nmodel: { plugin: later, d_model: 64 }\ndata: { corpus: stories }\ntrain: { steps: 100 }\n");
  EXPECT_EQ(canonical_json(describer_.asked.at(0).request.defaults), R"({"init":"b"})");
  EXPECT_FALSE(describer_.asked.at(0).request.options.contains("init"));
}

TEST_F(PlanTest, FlopsOfTrainingAreForwardAndBackward) {
  describer_.flops_backward = 5e5;
  const PlannedRun run = plan(with("grid: { train.steps: [10] }\n")).runs.at(0);
  EXPECT_EQ(run.flops, (2 * static_cast<double>(run.model.params) + 5e5) * run.tokens);
}

TEST_F(PlanTest, AnEpochRepeatsNothing) {
  const Plan made =
      plan("name: a\nmodel: { plugin: llama }\ndata: { corpus: stories }\ntrain: { epochs: 1, warmup: 10 }\n");
  EXPECT_EQ(made.runs[0].spec.train.steps, 61);
  EXPECT_LE(made.runs[0].epochs, 1);
  ASSERT_EQ(made.notes.size(), 1u);
  EXPECT_EQ(made.notes[0], "3 bytes are unknown");
}

TEST_F(PlanTest, EachQuestionOnce) {
  const Plan made = plan(with("grid: { train.lr: [1e-3, 2e-3], model.d_model: [64, 128] }\nseeds: [0, 1, 2]\n"));
  EXPECT_EQ(made.runs.size(), 12u);
  EXPECT_EQ(describer_.calls, 1);
  EXPECT_EQ(describer_.asked.size(), 2u);
  EXPECT_EQ(probe_.calls, 1);
}

TEST_F(PlanTest, TextsBesideAreProbedOnceAndToldWithTheData) {
  const Plan made = plan(with("eval: { also: { hd: { corpus: headers }, st: { corpus: stories } } }\nseeds: [0, 1]\n"));
  EXPECT_EQ(probe_.calls_beside, 2);
  ASSERT_EQ(made.data.size(), 3u);
  EXPECT_EQ(made.data[0].beside, "");
  EXPECT_EQ(made.data[1].beside + " " + made.data[1].spec.corpus, "hd headers");
  EXPECT_EQ(plan_json(made).at("data").at(2).at("beside"), "st");
  EXPECT_THAT(made.notes, testing::Contains("a note on st"));
  const std::string wrong = with("eval: { also: { base: { corpus: gone.txt } } }\nseeds: [0, 1]\n");
  EXPECT_EQ(plan_error(wrong), "a.yaml:5:15: eval.also.base: no such text");
}

TEST_F(PlanTest, FewerBytesThanAskedForAreTold) {
  const auto notes = [&](const std::string& data, const std::string& eval) {
    std::string all;
    for (const std::string& note :
         plan("name: a\nmodel: { plugin: strict, d_model: 64 }\ntrain: { steps: 100, warmup: 1 }\ndata: " + data +
              "\neval: " + eval + "\nseeds: [0, 1]\n")
             .notes)
      if (note.starts_with("eval.bytes")) all += note + "\n";
    return all;
  };
  EXPECT_EQ(notes("{ corpus: stories }", "{ bytes: 50_000 }"), "");
  EXPECT_EQ(notes("{ corpus: stories }", "{ bytes: 100_000 }"),
            "eval.bytes asks for 100,000 bytes, and 'stories' has 50,000 to validate on: all of them are scored\n");
  EXPECT_THAT(notes("{ corpus: stories, val: v.txt }", "{ bytes: 100_000 }"), HasSubstr("'v.txt' has 50,000"));
  EXPECT_EQ(notes("{ corpus: stories }", "{ bytes: 10_000, also: { hd: { corpus: headers } } }"),
            "eval.bytes asks for 10,000 bytes, and 'headers' has 50 to validate on: all of them are scored\n");
  const std::string mixed = "{ corpus: [{ corpus: stories }, { corpus: repeat }] }";
  EXPECT_EQ(notes(mixed, "{ bytes: 8000 }"), "");
  EXPECT_EQ(
      notes(mixed, "{ bytes: 10_000 }"),
      "eval.bytes asks for 10,000 bytes, 5,000 of them of 'stories', which has 4,000 to validate on: all of those "
      "are scored\n");
}

TEST_F(PlanTest, PatternsToFreezeAreToldAtTheirPlace) {
  EXPECT_EQ(plan_error("name: a\nmodel: { plugin: strict, d_model: 64 }\ndata: { corpus: stories }\n"
                       "train: { steps: 100, freeze: [x, y] }\nseeds: [0, 1]\n"),
            "a.yaml:4:30: train.freeze: no 'x'; at seed 0\na.yaml:4:30: train.freeze: no 'y'; at seed 0");
}

TEST_F(PlanTest, AsksForTheMicroBatch) {
  plan(
      "name: a\nmodel: { plugin: strict, d_model: 64 }\ndata: { corpus: stories }\n"
      "train: { steps: 100, batch: 12, accumulate: 3, precision: bf16 }\n");
  const plugin::DescribeRequest& request = describer_.asked.at(0).request;
  EXPECT_EQ(request.sequences, 4);
  EXPECT_TRUE(request.accumulates);
  EXPECT_EQ(request.precision, "bf16");
}

TEST_F(PlanTest, SaysWhatComputesTheStepsWhereThatDiffers) {
  Plan made = plan(with("seeds: [0, 1, 2]\n"));
  EXPECT_EQ(path_note(made), "");  // the plugin does not say
  EXPECT_FALSE(plan_json(made).at("runs").at(0).as_object().contains("engine"));
  for (PlannedRun& run : made.runs) run.model.path = plugin::StepPath{.own = true};
  EXPECT_EQ(path_note(made), "");
  made.runs[1].model.path = plugin::StepPath{.because = "precision bf16"};
  EXPECT_EQ(path_note(made),
            "on a CPU, 2 of 3 runs are computed by the model's own engine and 1 by blocks: precision bf16 (1)");
  EXPECT_EQ(plan_json(made).at("runs").at(0).at("engine"), "own");
  EXPECT_EQ(plan_json(made).at("runs").at(1).at("engine"), "blocks");
  EXPECT_EQ(plan_json(made).at("runs").at(1).at("engine_because"), "precision bf16");
}

TEST_F(PlanTest, RoundsGradientsWhereAnEngineDoes) {
  describer_.path = plugin::StepPath{.because = "none of these"};
  const std::string head = "name: a\nmodel: { plugin: strict, d_model: 64 }\ndata: { corpus: stories }\n";
  const std::string grid = "grid: { train.gradients: [f32, int16, s6] }\n", steps = "train: { steps: 100 }\n";
  EXPECT_EQ(plan_error(head + steps + grid),
            "a.yaml:5:32: 'train.gradients' must be f32 here, found 'int16': none of these; at train.gradients int16, "
            "seed 0");
  describer_.path = plugin::StepPath{.own = true, .rounds = true};
  const Plan made = plan(head + steps + grid);
  ASSERT_EQ(made.runs.size(), 3u);
  EXPECT_EQ(made.runs[2].spec.train.gradients, "s6");
  EXPECT_EQ(made.runs[0].id, plan(head + steps).runs[0].id);  // f32 is as before
  EXPECT_THAT(made.notes, testing::Contains(HasSubstr("go to the CPU")));
  EXPECT_THAT(plan(head + steps + grid + "resources: { device: cpu }\n").notes,
              testing::Not(testing::Contains(HasSubstr("go to the CPU"))));
  EXPECT_THAT(plan_error(head + steps + grid + "resources: { device: cuda }\n"),
              HasSubstr("on a CPU alone, and 'resources.device' is cuda"));
  EXPECT_THAT(plan_error(head + "train: { steps: 100, precision: bf16, gradients: s6 }\n"),
              HasSubstr("a.yaml:4:50: 'train.gradients' must be f32 here, found 's6': bf16 it is"));
}

TEST_F(PlanTest, SaysWhatDoesNotFit) {
  Plan made = plan(with("seeds: [0, 1, 2]\n"));
  EXPECT_EQ(made.totals().memory_bytes, std::nullopt);
  EXPECT_TRUE(memory_notes(made, "this machine", 1, 8).empty());  // the plugin does not say
  for (size_t i = 0; i < 3; ++i)
    made.runs[i].memory = RunMemory{
        .tensors = {.weights = 10, .optimizer = 20, .peak = 100 * (1 << i)}, .process_bytes = 50, .data_bytes = 7};
  EXPECT_EQ(made.totals().memory_bytes, 450);
  EXPECT_EQ(made.totals().checkpoint_bytes, 3 * 30 * 2);
  EXPECT_TRUE(memory_notes(made, "this machine", 450, 1).empty());
  const auto notes = memory_notes(made, "this machine", 300, 2);
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_THAT(notes[0], HasSubstr("1 of 3, the largest with 450 B"));
  EXPECT_THAT(notes[1], HasSubstr("2 at once do not fit"));
  EXPECT_THAT(notes[1], HasSubstr("1 of 3"));
  made.runs[2].state = "done";
  EXPECT_EQ(memory_notes(made, "this machine", 300, 2).size(), 1u);
}

TEST_F(PlanTest, TheVocabularyIsTheTextsOwn) {
  plan(with("grid: { data.tokenizer: [ascii128, bytes256] }\n"));
  ASSERT_EQ(describer_.asked.size(), 2u);
  EXPECT_EQ(describer_.asked[0].request.vocab, 128);
  EXPECT_EQ(describer_.asked[1].request.vocab, 256);
  EXPECT_EQ(describer_.asked[0].request.context, 256);
}

TEST_F(PlanTest, SizesThatComeToOneShapeAreOneRun) {
  const Plan made = plan(with("grid: { model.params: [1M, 1.1M, 5M] }\n"));
  EXPECT_EQ(made.runs.size(), 2u);
  EXPECT_THAT(
      made.notes,
      testing::Contains(HasSubstr(
          "1 point comes to the same run as another, e.g. (model.params 1M, seed 0) and (model.params 1.1M, seed 0)")));
}

TEST_F(PlanTest, NotesOnWhatWasMeantOtherwise) {
  const Plan made = plan(with("grid: { train.steps: [100, 1000] }\ncheckpoint: { keep: [best] }\n"));
  EXPECT_THAT(made.notes,
              testing::Contains(HasSubstr("runs that see the training text more than once: 2, up to 16.4 times")));
  EXPECT_THAT(made.notes, testing::Contains("runs that end within the warmup and never reach their learning rate: 1"));
  EXPECT_THAT(
      made.notes,
      testing::Contains(HasSubstr("runs that keep no last checkpoint, so that an interruption starts them anew: 2")));
}

TEST_F(PlanTest, EverythingWrongAtOnceWithItsPlace) {
  const std::string message = plan_error(
      "name: a\nmodel: { plugin: llama }\ndata:\n  corpus: headers\ntrain: { steps: 5 }\ngrid: { model.d_model: [16, "
      "17, 18] }\n");
  EXPECT_EQ(message,
            "a.yaml:4:11: the text is too short\n"
            "a.yaml:6:29: d_model must be a multiple of 16; at model.d_model 17, seed 0\n"
            "a.yaml:6:33: d_model must be a multiple of 16; at model.d_model 18, seed 0\n"
            "a.yaml:6:33: d_ff: one more thing; at model.d_model 18, seed 0");
}

TEST_F(PlanTest, WhatIsWrongWithDataIsToldWhereTheKeyIs) {
  const std::string text =
      "name: a\nmodel: { plugin: strict, d_model: 64 }\ndata:\n  corpus: headers\n  tokenizer: gone.model\n"
      "  val: gone.txt\ntrain: { steps: 100 }\n";
  EXPECT_EQ(plan_error(text),
            "a.yaml:4:11: the text is too short\na.yaml:5:14: no such tokenizer\na.yaml:6:8: no such text");
  spec::write_text(folder_ / "a.yaml", with(""));
  const std::string set =
      error_in([&] { make_plan(load_file("a.yaml", {"data.tokenizer=/gone.model"}), describer_, probe_); });
  EXPECT_THAT(set, HasSubstr("--set"));
  EXPECT_THAT(set, HasSubstr("no such tokenizer"));
}

TEST_F(PlanTest, BudgetsThatAreNoStep) {
  EXPECT_THAT(plan_error("name: a\nmodel: { plugin: llama }\ndata: { corpus: stories }\ntrain: { epochs: 0.001 }\n"),
              HasSubstr("a.yaml:4:18: the budget comes to 0 steps of 16,384 tokens"));
  EXPECT_THAT(plan_error("name: a\nmodel: { plugin: llama }\ndata: { corpus: stories, context: 1 }\ntrain: { tokens: "
                         "1e15, batch: 1 }\n"),
              HasSubstr("from 1 to 1,000,000,000 are possible"));
}

TEST_F(PlanTest, AMissingDescriberIsNoMistakeOfTheFile) {
  class Gone : public Describer {
   public:
    std::vector<DescribeAnswer> describe(const std::vector<DescribeQuestion>&) override {
      throw Error(ErrorKind::environment, "no worker");
    }
  } gone;
  try {
    make_plan(load(with("")), gone, probe_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::environment);
  }
}

TEST_F(PlanTest, Json) {
  Plan made = plan(with("grid: { train.lr: [1e-3, 2e-3] }\n"));
  made.runs[1].state = "done";
  const json::object document = plan_json(made);
  EXPECT_EQ(document.at("sweep"), "a");
  const json::object& run = document.at("runs").at(1).as_object();
  for (const char* key : {"id", "plugin", "axes", "params", "params_nonembedding", "tokens", "epochs", "flops", "bytes",
                          "hours", "hours_from", "state"})
    EXPECT_TRUE(run.contains(key)) << key;
  EXPECT_EQ(run.at("state"), "done");
  EXPECT_GT(number_or(run, "epochs", 0), 0);
  made.runs[1].epochs = 0;  // of a tokenizer that is not trained yet
  EXPECT_TRUE(plan_json(made).at("runs").at(1).at("epochs").is_null());
  EXPECT_TRUE(run.at("hours").is_null());
  EXPECT_EQ(canonical_json(run.at("axes")), R"({"train.lr":0.002})");
  EXPECT_EQ(document.at("totals").at("runs"), 2);
  EXPECT_EQ(document.at("totals").at("done"), 1);
}

}  // namespace
}  // namespace bitsweep::plan
