// A task asked of a model whose mind is known.
#include "tasks/run_task.h"

#include <cmath>

#include "tasks/load_tasks.h"
#include "tasks/made_items.h"
#include "tokenize/byte_tokenizer.h"

namespace bitsweep::tasks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Bytes are as likely as their number + 1; it says what stands behind the last '=' of what it reads, a byte a time.
class KnownModel : public LanguageModel {
 public:
  explicit KnownModel(int64_t context) : context_(context) {}
  int64_t context() const override { return context_; }
  size_t rows_at_once() const override { return 2; }
  std::vector<RowScore> score(std::span<const ScoredRow> rows) override {
    std::vector<RowScore> scores;
    for (const ScoredRow& row : rows) {
      EXPECT_LE(row.tokens.size(), static_cast<size_t>(context_) + 1);
      EXPECT_LT(row.scored, row.tokens.size());
      RowScore& score = scores.emplace_back();
      for (size_t i = row.tokens.size() - row.scored; i < row.tokens.size(); ++i)
        score.nats += std::log((row.tokens[i] + 1.0) / (256 * 257 / 2));
      score.likeliest = row.tokens.back() == 'z';
    }
    return scores;
  }
  std::vector<TokenId> likeliest(std::span<const std::vector<TokenId>> rows) override {
    EXPECT_LE(rows.size(), 2u);
    ++calls;
    std::vector<TokenId> next;
    for (const std::vector<TokenId>& row : rows) {
      EXPECT_LE(row.size(), static_cast<size_t>(context_));
      const std::string text(row.begin(), row.end());
      const size_t question = text.rfind('?'), equals = text.rfind('=', question);
      next.push_back(equals == std::string::npos ? 'x' : static_cast<TokenId>(text[equals + text.size() - question]));
    }
    return next;
  }
  int calls = 0;

 private:
  int64_t context_;
};

Task task_of(const std::string& kind, const std::string& lines, int64_t shots = 0) {
  spec::TaskSpec spec;
  spec.name = "t";
  spec.kind = kind;
  spec.shots = shots;
  spec.delimiter = "\n";
  return make_task(spec, read_items(lines, kind, "f"), nullptr);
}

TEST(RunTask, ChoicesByTheirLogLikelihoods) {
  const auto bytes = tokenize::make_byte_tokenizer("bytes256");
  KnownModel model(64);
  const AnswerFile file = run_task(task_of("choice", R"({"query": "Q", "choices": ["b", "z"], "gold": 1}
{"query": "Q ", "choices": ["b", "yy"], "gold": 1}
)"),
                                   *bytes, model);
  ASSERT_EQ(file.answers.size(), 2u);
  EXPECT_TRUE(file.answers[0].right);
  const auto nats = [](int byte) { return std::log((byte + 1.0) / (256 * 257 / 2)); };
  EXPECT_NEAR(file.answers[0].log_likelihoods[1], nats(' ') + nats('z'), 1e-12);
  EXPECT_NEAR(file.answers[1].log_likelihoods[1], nats(' ') + 2 * nats('y'), 1e-12);  // the context's space
  EXPECT_FALSE(file.answers[1].right);
  EXPECT_EQ(file.answers[1].scores.at("acc_norm"), 1);
  EXPECT_DOUBLE_EQ(file.metrics.at("t.acc"), 0.5);
  EXPECT_EQ(file.answers[0].prompt_sha256.size(), 16u);
  EXPECT_EQ(file.first_prompt, "Q");
}

TEST(RunTask, Continuations) {
  const auto bytes = tokenize::make_byte_tokenizer("bytes256");
  KnownModel model(64);
  const AnswerFile file = run_task(task_of("continue", R"({"context": "a", "continuation": "bz"}
{"context": "a", "continuation": "zb"}
)"),
                                   *bytes, model);
  EXPECT_DOUBLE_EQ(file.metrics.at("t.acc"), 0.5);
  EXPECT_EQ(file.answers[0].said, "bz");
}

TEST(RunTask, WhatStoodBeforeDocumentsStandsBeforePrompts) {
  class Reading : public KnownModel {
   public:
    using KnownModel::KnownModel;
    std::vector<RowScore> score(std::span<const ScoredRow> rows) override {
      for (const ScoredRow& row : rows) seen.push_back(row);
      return KnownModel::score(rows);
    }
    std::vector<ScoredRow> seen;
  };
  const auto bytes = tokenize::make_byte_tokenizer("bytes256");
  Reading model(64);
  run_task(task_of("continue", R"({"context": "a", "continuation": "b"}
{"context": " ", "continuation": "b"}
)"),
           *bytes, model, 7);
  ASSERT_EQ(model.seen.size(), 2u);
  EXPECT_THAT(model.seen[0].tokens, ElementsAre(7, 'a', ' ', 'b'));
  EXPECT_EQ(model.seen[0].scored, 2u);
  EXPECT_THAT(model.seen[1].tokens, ElementsAre(7, ' ', 'b'));
  EXPECT_EQ(model.seen[1].scored, 2u);
}

TEST(RunTask, RepliesUpToAStop) {
  const auto bytes = tokenize::make_byte_tokenizer("bytes256");
  KnownModel model(64);
  const std::string lines = R"({"prompt": "x=Bo\n who?", "response": "Bo"}
{"prompt": "y=Ada Lee\n who?", "response": "Ada"}
{"prompt": "z=\n who?", "response": ""}
)";
  const AnswerFile file = run_task(task_of("generate", lines), *bytes, model);
  EXPECT_THAT(file.notes, ElementsAre(HasSubstr("3 questions"), HasSubstr("1 of them has no answer")));
  EXPECT_EQ(file.answers[0].said, "Bo");
  EXPECT_EQ(file.answers[1].said, "Ada Lee");
  EXPECT_EQ(file.answers[2].said, "");
  EXPECT_DOUBLE_EQ(file.metrics.at("t.em"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(file.metrics.at("t.f1"), (1 + 2.0 / 3 + 1) / 3);
  EXPECT_EQ(model.calls, 3 + 8);  // two rows, then one; "\n" is asked for as well
}

TEST(RunTask, WhatDoesNotFitIsLeftOutAndTold) {
  const auto bytes = tokenize::make_byte_tokenizer("bytes256");
  KnownModel model(16);
  const std::string lines = R"({"prompt": "x=Bo\n who?", "response": "Bo"}
{"prompt": "y=ABCDEFGHIJK\n who?", "response": "Bo"}
)";
  const AnswerFile file = run_task(task_of("generate", lines, 1), *bytes, model);
  EXPECT_THAT(file.notes,
              ElementsAre(testing::_, "2 examples of 2 did not fit into 16 tokens of context and were left out.",
                          "2 questions are longer than the context and lost the left of what is asked.",
                          "2 replies were cut at 8 tokens, before any stop."));
  const AnswerFile whole = run_task(task_of("generate", lines, 1), *bytes, *std::make_unique<KnownModel>(256));
  EXPECT_EQ(whole.notes.size(), 1u);
}

TEST(LoadTasks, AllThatIsWrongAtOnceAndBuiltInQuestions) {
  spec::TaskSpec good, gone;
  good.name = "a", good.kind = "choice", good.file = "stories-questions";
  gone = good;
  gone.name = "b", gone.prompt = "{{none}}";
  const auto text_of = [](const std::string& name) {
    EXPECT_EQ(name, "stories-questions");
    return kArcLines;
  };
  EXPECT_EQ(load_tasks({good}, text_of).at(0).questions.size(), 3u);
  spec::TaskSpec shots = gone;
  shots.prompt = "", shots.shots = 9, shots.shots_from = "stories-questions";
  const std::string told = message_of([&] { load_tasks({good, gone, shots}, text_of); });
  EXPECT_THAT(told, HasSubstr("unknown field 'none'"));
  EXPECT_THAT(told, HasSubstr("9 shots are asked for"));
}

}  // namespace
}  // namespace bitsweep::tasks
