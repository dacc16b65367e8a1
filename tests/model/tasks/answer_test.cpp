// Answers kept in files, and two runs' held side by side.
#include "tasks/answer.h"

#include <fstream>

#include <unistd.h>

#include "tasks/compare.h"
#include "tasks/made_items.h"

namespace bitsweep::tasks {
namespace {

using testing::HasSubstr;

AnswerFile file_of(const std::string& run, const std::vector<bool>& right) {
  AnswerFile file{.run = run,
                  .step = 40,
                  .task = {},
                  .metrics = {{"t.acc", 0.5}},
                  .notes = {"a note"},
                  .first_prompt = {},
                  .left_out = {},
                  .answers = {}};
  file.task.name = "t";
  file.task.kind = "generate";
  for (size_t i = 0; i < right.size(); ++i)
    file.answers.push_back({.item = "q" + std::to_string(i),
                            .asked = "Who?",
                            .prompt_sha256 = "00",
                            .said = run + "\n\"x\"",
                            .gold = {"Bo"},
                            .right = right[i],
                            .scores = {{"em", right[i] ? 1.0 : 0.0}},
                            .log_likelihoods = {}});
  return file;
}

class AnswerFiles : public testing::Test {
 protected:
  // Each test is a program of its own, several at once.
  AnswerFiles() : folder(fs::path(testing::TempDir()) / ("bitsweep_answers" + std::to_string(::getpid()))) {
    fs::remove_all(folder);
  }
  ~AnswerFiles() override { fs::remove_all(folder); }
  void write(const std::string& name, const std::string& text) {
    fs::create_directories((folder / name).parent_path());
    std::ofstream(folder / name) << text;
  }
  fs::path folder;
};

TEST_F(AnswerFiles, AreReadAsTheyWereWritten) {
  AnswerFile file = file_of("aaaa", {true, false});
  file.answers[0].log_likelihoods = {-0.1, -1.0 / 3};
  file.first_prompt = "Q: who?\nA:";
  file.left_out = {"q7"};
  write("x", answer_lines(file));
  const AnswerFile back = read_answers(folder / "x");
  EXPECT_EQ(answer_lines(back), answer_lines(file));
  EXPECT_EQ(back.first_prompt, "Q: who?\nA:");
  EXPECT_EQ(back.left_out, std::vector<std::string>{"q7"});
  EXPECT_EQ(back.answers.at(1).said, "aaaa\n\"x\"");
  EXPECT_EQ(back.answers.at(0).log_likelihoods.at(1), -1.0 / 3);
}

// Tokens of a byte each may end within a character, and an untrained model says anything.
TEST_F(AnswerFiles, AreUtf8WhateverWasSaid) {
  AnswerFile file = file_of("aaaa", {true});
  file.answers[0].said = "h\xC3\xA4 \xA9\xF0\x9F";
  file.answers[0].gold = {"\xFF"};
  file.first_prompt = "\xFF";
  file.left_out = {"\xFF"};
  write("x", answer_lines(file));
  const AnswerFile back = read_answers(folder / "x");
  EXPECT_EQ(back.answers.at(0).said, "h\xC3\xA4 \uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(back.answers.at(0).gold, std::vector<std::string>{"\uFFFD"});
}

TEST_F(AnswerFiles, AreFoundByAttemptAndStep) {
  for (const char* name : {"attempt-1/answers-t-100.jsonl", "attempt-2/answers-my-task-5.jsonl",
                           "attempt-2/answers-t-40.jsonl", "attempt-10/answers-t-9.jsonl", "attempt-2/events.jsonl",
                           "attempt-2/answers-t-x.jsonl", "lock/answers-t-1.jsonl"})
    write(name, "");
  const std::vector<AnswerPlace> places = answer_files(folder);
  ASSERT_EQ(places.size(), 4u);
  EXPECT_EQ(places[1].task, "my-task");
  EXPECT_EQ(places[2].step, 40);
  EXPECT_EQ(places[3].attempt, 10);
  EXPECT_TRUE(answer_files(folder / "gone").empty());
}

TEST_F(AnswerFiles, BrokenOnesAreRefusedAtTheirLine) {
  write("x", answer_lines(file_of("aaaa", {true})) + "{\"item\": ");
  EXPECT_THAT(message_of([&] { read_answers(folder / "x"); }), HasSubstr("x:3: no JSON object"));
  write("x", "{\"item\": 3}\n");
  EXPECT_THAT(message_of([&] { read_answers(folder / "x"); }), HasSubstr("x:1: no file of answers"));
  write("x", "");
  EXPECT_THAT(message_of([&] { read_answers(folder / "x"); }), HasSubstr("the file is empty"));
}

TEST(Compare, CountsWhoIsRightAndListsWhatChanged) {
  const AnswerFile base = file_of("base", {true, true, false, false, false, true}),
                   tuned = file_of("tuned", {true, false, true, true, false, true});
  const Comparison found = compare_answers(base, tuned);
  EXPECT_EQ(found.both, 2);
  EXPECT_EQ(found.base_alone, 1);
  EXPECT_EQ(found.tuned_alone, 2);
  EXPECT_EQ(found.neither, 1);
  EXPECT_EQ(found.fixed.at(0).tuned->item, "q2");
  EXPECT_EQ(found.broken.at(0).base->item, "q1");
  EXPECT_DOUBLE_EQ(found.p, 1);
  EXPECT_EQ(found.put_differently, 0);
}

TEST(Compare, RefusesDifferentQuestions) {
  const AnswerFile base = file_of("base", {true, true});
  AnswerFile tuned = file_of("tuned", {true, true, false});
  EXPECT_THAT(message_of([&] { compare_answers(base, tuned); }),
              HasSubstr("1 question that run base was not asked (q2)"));
  tuned.answers.resize(2);
  tuned.answers[1].gold = {"Al"};
  EXPECT_THAT(message_of([&] { compare_answers(base, tuned); }), HasSubstr("1 with other right answers (q1)"));
}

TEST(Compare, WhatOneOfThemWasTooShortForIsNotCounted) {
  AnswerFile base = file_of("base", {true, true, false}), tuned = file_of("tuned", {true, false, true});
  tuned.answers.erase(tuned.answers.begin() + 1);
  tuned.left_out = {"q1"};
  const Comparison found = compare_answers(base, tuned);
  EXPECT_EQ(found.count(), 2);
  EXPECT_EQ(found.both, 1);
  EXPECT_EQ(found.tuned_alone, 1);
  EXPECT_EQ(found.one_sided, 1);
  base.answers.resize(1), tuned.answers.erase(tuned.answers.begin());
  base.left_out = {"q1", "q2"}, tuned.left_out = {"q0", "q1"};
  EXPECT_THAT(message_of([&] { compare_answers(base, tuned); }), HasSubstr("no question that both were scored on"));
}

// scipy.stats.binomtest(k, n, 0.5).pvalue
TEST(Compare, McNemarsTestIsExact) {
  EXPECT_EQ(mcnemar_p(0, 0), 1);
  EXPECT_EQ(mcnemar_p(5, 5), 1);
  EXPECT_NEAR(mcnemar_p(0, 5), 0.0625, 1e-12);
  EXPECT_NEAR(mcnemar_p(3, 11), 0.0573730468750, 1e-12);
  EXPECT_NEAR(mcnemar_p(11, 3), 0.0573730468750, 1e-12);
  EXPECT_NEAR(mcnemar_p(100, 150), 0.001883300935076, 1e-12);
}

}  // namespace
}  // namespace bitsweep::tasks
