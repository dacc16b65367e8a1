// What is not asked because an answer cannot be read whole.
#include "tasks/fitting.h"

#include "tasks/made_items.h"
#include "tokenize/byte_tokenizer.h"

namespace bitsweep::tasks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Task task_of(const std::string& kind, const std::string& lines, int64_t shots = 0) {
  spec::TaskSpec spec;
  spec.name = "t";
  spec.kind = kind;
  spec.shots = shots;
  return make_task(spec, read_items(lines, kind, "f"), nullptr);
}

std::vector<std::string> ids(const Task& task) {
  std::vector<std::string> found;
  for (const Question& question : task.questions) found.push_back(question.id);
  return found;
}

class Fitting : public testing::Test {
 protected:
  const std::shared_ptr<const tokenize::Tokenizer> bytes_ = tokenize::make_byte_tokenizer("bytes256");
};

TEST_F(Fitting, QuestionsWithAnAnswerLongerThanTheContextAreLeftOutAndTold) {
  // " 1234567" is eight tokens, which fit; of the second and third a wrong choice and the right one do not.
  Task task =
      task_of("choice", R"({"query": "What is longer than all that is read?", "choices": ["1234567", "b"], "gold": 0}
{"query": "Q", "choices": ["b", "12345678"], "gold": 0}
{"query": "Q", "choices": ["12345678", "b", "c"], "gold": 0}
{"query": "Q", "choices": ["a", "b", "c", "d"], "gold": 0}
)");
  keep_what_fits(task, *bytes_, 8, {});
  EXPECT_THAT(ids(task), ElementsAre("1", "4"));
  EXPECT_THAT(task.left_out, ElementsAre("2", "3"));
  EXPECT_EQ(task.notes.at(1), "2 of 4 questions are not scored: an answer is longer than the context of 8 tokens.");
  EXPECT_DOUBLE_EQ(*task.chance, (1.0 / 2 + 1.0 / 4) / 2);
}

TEST_F(Fitting, WhatStandsInFrontIsOneOfTheTokensInFront) {
  const std::string lines = R"({"context": " ", "continuation": "1234567"})";
  Task task = task_of("continue", lines);
  keep_what_fits(task, *bytes_, 8, TokenId{7});
  EXPECT_EQ(task.questions.size(), 1u);
  EXPECT_EQ(task.notes.size(), 1u);
}

TEST_F(Fitting, ATaskOfWhichNothingIsLeftIsRefusedByName) {
  Task task = task_of("continue", R"({"context": "a", "continuation": "123456789"}
{"context": "a", "continuation": "1234567890"}
)");
  EXPECT_EQ(message_of([&] { keep_what_fits(task, *bytes_, 8, {}); }),
            "task 't': no question of 2 can be scored: an answer is longer than the context of 8 tokens");
}

TEST_F(Fitting, RepliesThatCannotBeSaidAreTold) {
  Task task = task_of("generate", R"({"question": "Q", "answers": ["12345", "1234"]}
{"question": "Q", "answers": ["12345", "123456"]}
{"question": "Q", "answers": []}
)");
  keep_what_fits(task, *bytes_, 8, {});
  EXPECT_EQ(task.questions.size(), 3u);
  EXPECT_THAT(task.notes.back(), HasSubstr("1 of 3 questions cannot be answered in full: their right answers are "
                                           "longer than the 4 tokens of a reply"));
  const size_t notes = task.notes.size();
  keep_what_fits(task, *bytes_, 12, {});
  EXPECT_EQ(task.notes.size(), notes);
}

}  // namespace
}  // namespace bitsweep::tasks
