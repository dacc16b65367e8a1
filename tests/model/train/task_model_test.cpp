// What a model of LibTorch makes of rows of tokens, against the same computed one by one.
#include "train/task_model.h"

#include <gtest/gtest.h>

#include "nn/decoder_model.h"
#include "tasks/answer.h"
#include "tiny_model.h"
#include "tiny_run.h"
#include "train/task_answers.h"
#include "train/trainer.h"

namespace bitsweep::train {
namespace {

using tasks::TokenId;

// Its logits depend on all tokens before, so that a row that saw its padding or its neighbours would be another one's;
// whole, or parted into trunk and head.
class SummingModel : public nn::Model {
 public:
  explicit SummingModel(bool parted) : parted_(parted) {
    seed_initial_weights(3);
    embedding_ = add_parameter("embedding.weight", at::randn({256, 8}));
    head_ = add_parameter("head.weight", at::randn({256, 8}));
  }
  at::Tensor forward(const at::Tensor& tokens, const nn::StepContext& context) override {
    widest = std::max(widest, tokens.numel());
    return parted_ ? nn::Model::forward(tokens, context) : head(trunk(tokens, context));
  }
  int64_t head_vocab() const override { return parted_ ? 256 : 0; }
  at::Tensor trunk(const at::Tensor& tokens, const nn::StepContext&) override {
    return at::tanh(at::embedding(embedding_, tokens).cumsum(/*dim=*/1));
  }
  at::Tensor head(const at::Tensor& hidden) override { return at::linear(hidden, head_); }
  int64_t widest = 0;

 private:
  bool parted_;
  at::Tensor embedding_, head_;
};

std::vector<tasks::ScoredRow> rows() {
  std::vector<tasks::ScoredRow> rows;
  for (size_t length : {5, 3, 9, 3, 2, 17, 9}) {
    tasks::ScoredRow row;
    for (size_t i = 0; i < length; ++i) row.tokens.push_back(static_cast<TokenId>((i * 37 + length * 11) % 256));
    row.scored = 1 + length % 3;
    if (row.scored >= length) row.scored = length - 1;
    rows.push_back(std::move(row));
  }
  return rows;
}

at::Tensor log_probabilities(nn::Model& model, const std::vector<TokenId>& tokens) {
  const at::NoGradGuard no_grad;
  at::Tensor input = at::empty({1, static_cast<int64_t>(tokens.size())}, at::kLong);
  std::copy(tokens.begin(), tokens.end(), input.mutable_data_ptr<int64_t>());
  return at::log_softmax(model.forward(input, {})[0], /*dim=*/1);  // [T, V]
}

TEST(TaskModel, ScoresRowsInBatchesAsOneByOne) {
  for (const bool parted : {false, true}) {
    SummingModel model(parted);
    TaskModel asked(model, {.context = 16, .rows = 2, .step = {}});
    const std::vector<tasks::ScoredRow> given = rows();
    const std::vector<tasks::RowScore> scores = asked.score(given);
    EXPECT_LE(model.widest, 32);  // two windows' tokens at a time
    for (size_t r = 0; r < given.size(); ++r) {
      const at::Tensor all = log_probabilities(model, given[r].tokens);
      double nats = 0;
      bool likeliest = true;
      const auto& tokens = given[r].tokens;
      for (size_t t = tokens.size() - given[r].scored; t < tokens.size(); ++t) {
        const at::Tensor row = all[static_cast<int64_t>(t) - 1];
        nats += row[static_cast<int64_t>(tokens[t])].item<double>();
        likeliest = likeliest && row.argmax().item<int64_t>() == static_cast<int64_t>(tokens[t]);
      }
      EXPECT_NEAR(scores[r].nats, nats, 1e-5);
      EXPECT_EQ(scores[r].likeliest, likeliest);
    }
  }
}

TEST(TaskModel, SaysTheLikeliestTokenOfEachRow) {
  SummingModel whole(false), parted(true);
  std::vector<std::vector<TokenId>> given;
  for (const tasks::ScoredRow& row : rows())
    if (row.tokens.size() <= 16) given.push_back(row.tokens);
  const std::vector<TokenId> said = TaskModel(whole, {.context = 16, .rows = 8, .step = {}}).likeliest(given);
  EXPECT_EQ(TaskModel(parted, {.context = 16, .rows = 8, .step = {}}).likeliest(given), said);
  for (size_t r = 0; r < given.size(); ++r)
    EXPECT_EQ(said[r], log_probabilities(whole, given[r])[-1].argmax().item<int64_t>());
  // What is likeliest is scored as likeliest.
  tasks::ScoredRow row{given[0], 1};
  row.tokens.push_back(said[0]);
  EXPECT_TRUE(TaskModel(whole, {.context = 16, .rows = 8, .step = {}}).score({&row, 1})[0].likeliest);
}

// A model may have rows for more tokens than the tokenizer knows.
TEST(TaskModel, SaysNoTokenThatTheTokenizerHasNot) {
  SummingModel whole(false), parted(true);
  std::vector<std::vector<TokenId>> given;
  for (const tasks::ScoredRow& row : rows())
    if (row.tokens.size() <= 16) given.push_back(row.tokens);
  for (nn::Model* model : {static_cast<nn::Model*>(&whole), static_cast<nn::Model*>(&parted)}) {
    const TaskModelSettings settings{.context = 16, .rows = 8, .vocab = 40, .step = {}};
    const std::vector<TokenId> said = TaskModel(*model, settings).likeliest(given);
    for (size_t r = 0; r < given.size(); ++r)
      EXPECT_EQ(said[r], log_probabilities(whole, given[r])[-1].narrow(0, 0, 40).argmax().item<int64_t>());
  }
}

// The same sums, kept between calls as an attention keeps its keys.
class KeepingModel : public nn::DecoderModel {
 public:
  KeepingModel() {
    seed_initial_weights(3);
    embedding_ = add_parameter("embedding.weight", at::randn({256, 8}));
    head_ = add_parameter("head.weight", at::randn({256, 8}));
  }
  int64_t head_vocab() const override { return 256; }
  at::Tensor head(const at::Tensor& hidden) override { return at::linear(hidden, head_); }
  int64_t positions = 0;  // that were computed

 protected:
  at::Tensor read(const at::Tensor& tokens, const nn::StepContext&, nn::DecodeCache* cache) override {
    positions += tokens.numel();
    at::Tensor sum = at::embedding(embedding_, tokens).cumsum(/*dim=*/1);
    if (nn::LayerCache* layer = cache_of(cache, 0)) {
      if (layer->keys.defined()) sum = sum + layer->keys.narrow(1, layer->positions() - 1, 1);
      layer->keys = layer->keys.defined() ? at::cat({layer->keys, sum}, 1) : sum;
    }
    return at::tanh(sum);
  }

 private:
  at::Tensor embedding_, head_;
};

TEST(TaskModel, RepliesOfAModelThatKeepsWhatItReadAreTheSame) {
  KeepingModel keeping;
  SummingModel summing(true);  // the same weights
  const TaskModelSettings settings{.context = 32, .rows = 8, .vocab = 200, .step = {}};
  TaskModel kept(keeping, settings), whole(summing, settings);
  std::vector<std::vector<TokenId>> given;
  for (const tasks::ScoredRow& row : rows())
    if (row.tokens.size() < 16) given.push_back(row.tokens);
  int64_t first = 0;
  for (const auto& row : given) first += static_cast<int64_t>(row.size());
  for (int said = 0; said < 8; ++said) {
    const std::vector<TokenId> next = kept.likeliest(given);
    ASSERT_EQ(next, whole.likeliest(given)) << said;
    for (size_t r = 0; r < given.size(); ++r) given[r].push_back(next[r]);
    if (said < 2) {
      EXPECT_EQ(keeping.positions, first + said * static_cast<int64_t>(given.size()));
    }
    if (said == 2) given.erase(given.begin() + 1);                          // one of two of a length is done
    if (said == 4) given.push_back({9, 8, 7}), given.erase(given.begin());  // others come
  }
}

// Every evaluation's tasks, and the last one's: numbers in the events, answers in the attempt's folder.
TEST(TaskAnswers, AreToldAtTheirEvaluations) {
  const fs::path folder = fresh_folder();
  spec::RunSpec spec = tiny_spec(folder);
  std::ofstream(folder / "q.jsonl") << R"({"query": "run of", "choices": ["bits", "xyzw"], "gold": 0}
{"query": "a model of", "choices": ["signs", "%$#@!"], "gold": 0}
)";
  spec::TaskSpec every, last;
  every.name = "every", every.file = (folder / "q.jsonl").string(), every.kind = "choice", every.when = "every";
  last = every;
  last.name = "last", last.when = "last";
  event::EventWriter events(folder / "events.jsonl", "0123456789ab", 1);
  const data::Dataset dataset = data::Dataset::open(spec.data, folder / "data");
  const TrainJob job{.spec = spec,
                     .run = "0123456789ab",
                     .attempt_folder = folder,
                     .resume = {},
                     .tasks = open_tasks({every, last}, spec.data, dataset),
                     .init = {},
                     .stop = nullptr};
  CollectedNotes log;
  TinyModel model(1);
  train(job, model, dataset, events, log);
  const std::vector<event::Event> evals = events_of(folder, "eval");
  ASSERT_EQ(evals.size(), 4u);
  for (const event::Event& eval : evals) {
    EXPECT_TRUE(eval.fields.contains("every.acc")) << eval.step;
    EXPECT_EQ(eval.fields.contains("last.acc"), eval.step == 20);
    EXPECT_TRUE(fs::exists(folder / tasks::answer_file_name("every", eval.step)));
  }
  EXPECT_EQ(number_or(evals.back().fields, "last.acc", -1), 1);  // it has learned its words
  EXPECT_EQ(number_or(evals.back().fields, "last.n", 0), 2);
  EXPECT_LT(number_or(evals.back().fields, "last.bpb", 99), 8);
  const std::vector<MetricKind> kinds = metric_kinds_of(job.tasks);
  EXPECT_EQ(kinds.at(0).name, "every.acc");
  EXPECT_EQ(kinds.at(0).chance, 0.5);
}

}  // namespace
}  // namespace bitsweep::train
