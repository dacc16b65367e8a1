// Runs on tokens that are no bytes, and on examples: through Dataset, Stepper, validate and train.
#include <cmath>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "data/dataset.h"
#include "tiny_model.h"
#include "tiny_run.h"
#include "train/evaluate.h"
#include "train/stepper.h"
#include "train/trainer.h"

namespace bitsweep::train {
namespace {

std::string golden(const char* name) {
  return std::string(BITSWEEP_SOURCE_DIR) + "/tests/model/tokenize/goldens/" + name;
}

void make_uniform(nn::Model& model) {
  const at::NoGradGuard no_grad;
  for (const nn::Parameter& parameter : model.parameters()) parameter.tensor.zero_();
}

class TokenRun : public testing::TestWithParam<const char*> {};

// Whatever tokenizer, context and stride: a model that knows nothing spends log2 V a token of the same text.
TEST_P(TokenRun, AUniformModelScoresExactlyWhatItMust) {
  const fs::path folder = fresh_folder();
  spec::RunSpec spec = tiny_spec(folder);
  if (std::string(GetParam()).find('.') != std::string::npos)
    spec.data.tokenizer = golden(GetParam());
  else
    spec.data.tokenizer = GetParam();
  spec.eval.bytes = 3'000;
  for (const int64_t stride : {0, 5}) {
    spec.eval.stride = stride;
    const data::Dataset dataset = data::Dataset::open(spec.data, folder / "data");
    const data::ValidationWindows windows = dataset.validation(spec.eval);
    TinyModel model(0, 8, dataset.info().vocab);
    make_uniform(model);
    const Validation validation =
        validate(model, windows, spec.data.context, 3, {}, c10::Device(c10::kCPU), Precision::f32);
    const double bits = std::log2(static_cast<double>(dataset.info().vocab));
    const auto tokens = static_cast<double>(windows.targets(0, windows.count())),
               bytes = static_cast<double>(windows.target_bytes(0, windows.count()));
    EXPECT_NEAR(validation.bits_per_byte, bits * tokens / bytes, 1e-6);
    EXPECT_NEAR(validation.bits_per_token, bits, 1e-6);
  }
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, TokenRun, testing::Values("bytes256", "ascii128", "gpt2.json", "bpe.model"));

// Every tokenizer is scored on the same bytes.
TEST(TokenRuns, AreScoredOnTheSameBytes) {
  const fs::path folder = fresh_folder();
  spec::RunSpec spec = tiny_spec(folder);
  spec.eval.bytes = 3'000;
  spec.data.tokenizer = "bytes256";
  const data::Dataset bytes = data::Dataset::open(spec.data, folder / "data");
  spec.data.tokenizer = golden("gpt2.json");
  const data::Dataset tokens = data::Dataset::open(spec.data, folder / "data");
  const auto of_bytes = bytes.validation(spec.eval), of_tokens = tokens.validation(spec.eval);
  EXPECT_EQ(of_bytes.target_bytes(0, of_bytes.count()), of_tokens.target_bytes(0, of_tokens.count()));
  EXPECT_LT(of_tokens.targets(0, of_tokens.count()), of_bytes.targets(0, of_bytes.count()));
}

TEST(TokenRuns, LearnAndRepeatBitByBit) {
  const fs::path folder = fresh_folder();
  spec::RunSpec spec = tiny_spec(folder);
  spec.data.tokenizer = golden("gpt2.json");
  spec.eval.bytes = 3'000;
  const auto run = [&](const std::string& name) {
    const data::Dataset dataset = data::Dataset::open(spec.data, folder / "data");
    TinyModel model(1, 8, dataset.info().vocab);
    fs::create_directories(folder / name);
    event::EventWriter events(folder / name / "events.jsonl", "0123456789ab", 1);
    const TrainJob job{.spec = spec, .run = "0123456789ab", .attempt_folder = folder / name, .resume = {}, .init = {}};
    CollectedNotes log;
    train(job, model, dataset, events, log);
    return events_of(folder / name, "eval");
  };
  const auto whole = run("a");
  EXPECT_EQ(whole.back().fields.at("val_bpc"), run("b").back().fields.at("val_bpc"));
  EXPECT_LT(number_or(whole.back().fields, "val_bpc", 9), number_or(whole.front().fields, "val_bpc", 0));
  const double tokens = number_or(whole.back().fields, "bytes_per_token", 0);
  EXPECT_GT(tokens, 1);
  EXPECT_NEAR(number_or(whole.back().fields, "val_bpt", 0), number_or(whole.back().fields, "val_bpc", 0) * tokens,
              1e-9);
}

spec::RunSpec example_spec(const fs::path& folder) {
  spec::RunSpec spec = tiny_spec(folder);
  std::string lines;
  for (int i = 0; i < 60; ++i)  // answers of very different lengths
    lines +=
        fmt::format("{{\"prompt\": \"say {} \", \"completion\": \"{}\"}}\n", i, std::string(1 + i % 7, 'a' + i % 26));
  write_file_atomic(folder / "examples.jsonl", lines);
  spec.data.corpus.clear();
  spec.data.examples.file = (folder / "examples.jsonl").string();
  spec.data.context = 24;
  spec.data.val_fraction = 0.2;
  return spec;
}

// The loss is over the step's answers, however they fall into micro-batches.
TEST(ExampleRuns, AccumulationEqualsTheBiggerBatch) {
  const fs::path folder = fresh_folder();
  spec::RunSpec spec = example_spec(folder);
  spec.train.batch = 12;
  std::vector<at::Tensor> weights;
  std::vector<double> losses;
  for (const int64_t parts : {1, 4}) {
    spec.train.accumulate = parts;
    const data::Dataset dataset = data::Dataset::open(spec.data, folder / "data");
    TinyModel model(1);
    model.noise = 0;
    const auto optimizer = make_optimizer(spec.train, model.parameters());
    LossMeter meter(1);
    Stepper stepper(spec, dataset, model, *optimizer, meter, c10::Device(c10::kCPU));
    for (int64_t step = 0; step < 5; ++step) stepper.run(step);
    weights.push_back(model.parameters()[0].tensor.detach().clone());
    losses.push_back(meter.mean_nats());
  }
  EXPECT_LT((weights[0] - weights[1]).abs().max().item<double>(), 2e-5);
  EXPECT_NEAR(losses[0], losses[1], 1e-6);
}

// What is read has no part in the loss: only the answers' tokens decide the gradient.
TEST(ExampleRuns, TheLossIsTheMeanOverTheAnswers) {
  const fs::path folder = fresh_folder();
  spec::RunSpec spec = example_spec(folder);
  const data::Dataset dataset = data::Dataset::open(spec.data, folder / "data");
  TinyModel model(1);
  make_uniform(model);
  model.noise = 0;
  const auto optimizer = make_optimizer(spec.train, model.parameters());
  LossMeter meter(1);
  Stepper stepper(spec, dataset, model, *optimizer, meter, c10::Device(c10::kCPU));
  stepper.run(0);
  EXPECT_NEAR(meter.mean_nats(), std::log(256.0), 1e-6);
  const data::ValidationWindows held = dataset.validation(100);
  const Validation validation = validate(model, held, 24, 5, {}, c10::Device(c10::kCPU), Precision::f32);
  EXPECT_EQ(held.count(), 12);
  EXPECT_GT(validation.bits_per_byte, 0);
}

TEST(ExampleRuns, AreMeasuredBeforeTheFirstStepAndOnOtherTexts) {
  const fs::path folder = fresh_folder();
  spec::RunSpec text = tiny_spec(folder), spec = example_spec(folder);
  spec.eval.before = true;
  const data::Dataset dataset = data::Dataset::open(spec.data, folder / "data");
  text.data.context = spec.data.context;
  const data::Dataset other = data::Dataset::open(text.data, folder / "data");
  TinyModel model(1);
  fs::create_directories(folder / "a");
  event::EventWriter events(folder / "a/events.jsonl", "0123456789ab", 1);
  TrainJob job{.spec = spec, .run = "0123456789ab", .attempt_folder = folder / "a", .resume = {}, .init = {}};
  job.also.push_back({"text.bpc", other.validation(4)});
  CollectedNotes log;
  EXPECT_EQ(train(job, model, dataset, events, log).status, TrainStatus::done);
  const auto evals = events_of(folder / "a", "eval");
  EXPECT_EQ(evals.front().step, 0);
  for (const event::Event& event : evals) EXPECT_GT(number_or(event.fields, "text.bpc", -1), 0);
  EXPECT_FALSE(evals.front().fields.contains("best"));
  EXPECT_LT(number_or(evals.back().fields, "val_bpc", 99), number_or(evals.front().fields, "val_bpc", 0));
}

}  // namespace
}  // namespace bitsweep::train
