// Questions over stories: the same always, right by the story, and in two parts that share none.
#include "data/stories_questions.h"

#include <set>

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/sha256.h"
#include "data/stories.h"

namespace bitsweep::data {
namespace {

std::vector<json::object> questions_of(QuestionPart part, int64_t count) {
  std::vector<json::object> questions;
  std::string text = generate_stories_questions(part, count);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    questions.push_back(try_parse_json(text.substr(begin, end - begin)).value().as_object());
    begin = end + 1;
  }
  return questions;
}

TEST(StoriesQuestions, AreTheSameAlways) {
  const std::string few = generate_stories_questions(QuestionPart::dev, 40);
  EXPECT_TRUE(generate_stories_questions(QuestionPart::dev, 60).starts_with(few));
  EXPECT_EQ(sha256_hex(few).substr(0, 16), "347e47782de39f57");
}

TEST(StoriesQuestions, HaveTheirAnswerInTheStoryOrNone) {
  const std::vector<json::object> questions = questions_of(QuestionPart::dev, 160);
  ASSERT_EQ(questions.size(), 160u);
  std::set<std::string> asked;
  int none = 0;
  for (const json::object& question : questions) {
    const std::string story = string_or(question, "context", ""), text = string_or(question, "question", "");
    EXPECT_GT(stories_code_length_bits(story + "\n\n"), 0);  // it is one
    const json::array& answers = question.at("answers").as_array();
    asked.insert(text.substr(0, text.find(' ', 6)));
    none += answers.empty();
    if (answers.empty()) continue;
    const std::string answer(answers.at(0).as_string());
    EXPECT_NE(story.find(answer), std::string::npos) << answer << " of " << story;
  }
  EXPECT_EQ(none, 40);
  EXPECT_EQ(asked, (std::set<std::string>{"Who lived", "Where did", "What did", "Who told"}));
}

TEST(StoriesQuestions, WhatIsAskedOfSomebodyElseIsNotInTheStory) {
  for (const json::object& question : questions_of(QuestionPart::train, 160)) {
    const std::string text = string_or(question, "question", ""), story = string_or(question, "context", "");
    std::string subject;
    for (const std::string before : {"Who lived by the ", "Where did ", "What did ", "Who told "})
      if (text.starts_with(before))
        subject = text.substr(before.size(), text.find_first_of(" ?", before.size()) - before.size());
    EXPECT_EQ(story.find(subject) == std::string::npos, question.at("answers").as_array().empty()) << text;
  }
}

TEST(StoriesQuestions, TheTwoPartsShareNoStory) {
  std::set<std::string> stories;
  for (const json::object& question : questions_of(QuestionPart::train, 800))
    stories.insert(string_or(question, "context", ""));
  for (const json::object& question : questions_of(QuestionPart::dev, 200))
    EXPECT_FALSE(stories.contains(string_or(question, "context", "")));
}

}  // namespace
}  // namespace bitsweep::data
