// From log-likelihoods and replies to a task's numbers.
#include "tasks/summary.h"

#include <cmath>

#include <gmock/gmock.h>

#include "base/task_metrics.h"

namespace bitsweep::tasks {
namespace {

Question choice_of(std::vector<std::string> choices, size_t gold) {
  Question question;
  question.id = "q";
  question.choices = std::move(choices);
  question.gold = gold;
  return question;
}

TEST(Summary, AChoiceIsTheLikeliestWholeByCharacterOrByByte) {
  // Nats: whole prefers the first, per character the second (−0.9 of 3 characters), per byte the third.
  const Question question = choice_of({"ab", "abc", "éé"}, 1);
  const Answer answer = choice_answer(question, {{-0.8, false, 3}, {-0.9, false, 4}, {-1.0, false, 5}});
  EXPECT_EQ(answer.said, "ab");
  EXPECT_FALSE(answer.right);
  EXPECT_EQ(answer.scores.at("acc_norm"), 1);
  EXPECT_EQ(answer.scores.at("acc_bytes"), 0);  // −1.0 / 4 bytes is more than −0.9 / 3
  EXPECT_EQ(answer.log_likelihoods, (std::vector<double>{-0.8, -0.9, -1.0}));
  // The first of equals, as numpy's argmax takes it.
  EXPECT_EQ(choice_answer(choice_of({"x", "y"}, 0), {{-1, false, 2}, {-1, false, 2}}).said, "x");
}

TEST(Summary, MeansAndTheirStandardErrors) {
  std::vector<Answer> answers;
  for (int i = 0; i < 10; ++i)
    answers.push_back(choice_answer(choice_of({"a", "b"}, i < 7 ? 0 : 1), {{-1, false, 2}, {-2, false, 2}}));
  spec::TaskSpec task;
  task.name = "arc";
  task.kind = "choice";
  const std::map<std::string, double> metrics = summarise(task, answers);
  EXPECT_DOUBLE_EQ(metrics.at("arc.acc"), 0.7);
  EXPECT_NEAR(metrics.at("arc.acc_se"), std::sqrt(0.7 * 0.3 / 9), 1e-12);  // as lm-evaluation-harness has it
  EXPECT_DOUBLE_EQ(metrics.at("arc.bpb"), (7 * 1 + 3 * 2) / 20.0 / std::log(2.0));
  EXPECT_EQ(metrics.at("arc.n"), 10);
  for (const MetricKind& kind : task_metric_kinds("choice", "arc"))
    EXPECT_TRUE(metrics.contains(kind.name)) << kind.name;
  EXPECT_EQ(metrics.size(), task_metric_kinds("choice", "arc").size());
}

TEST(Summary, RepliesAndContinuations) {
  Question question;
  question.answers = {"Ada Byron"};
  const std::vector<Answer> replies{reply_answer(question, "ada"), reply_answer(question, "Ada Byron.")};
  spec::TaskSpec task;
  task.name = "q";
  task.kind = "generate";
  const std::map<std::string, double> metrics = summarise(task, replies);
  EXPECT_DOUBLE_EQ(metrics.at("q.em"), 0.5);
  EXPECT_DOUBLE_EQ(metrics.at("q.f1"), (2.0 / 3 + 1) / 2);
  EXPECT_NEAR(metrics.at("q.f1_se"), std::sqrt(std::pow(1.0 / 6, 2) * 2 / 1 / 2), 1e-12);  // sample deviation / √2
  EXPECT_EQ(metrics.size(), task_metric_kinds("generate", "q").size());
  task.kind = "continue";
  const std::vector<Answer> said{continuation_answer(question, {-2, true, 9}),
                                 continuation_answer(question, {-4, false, 9})};
  const std::map<std::string, double> continued = summarise(task, said);
  EXPECT_DOUBLE_EQ(continued.at("q.acc"), 0.5);
  EXPECT_DOUBLE_EQ(continued.at("q.bpb"), 6 / 18.0 / std::log(2.0));
  EXPECT_EQ(continued.size(), task_metric_kinds("continue", "q").size());
}

}  // namespace
}  // namespace bitsweep::tasks
