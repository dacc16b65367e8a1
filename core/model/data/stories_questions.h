// Questions over `stories` with exact answers: who the hero is, where they live, what they dream of, who told them
// where to look; of somebody else in every fourth, which has no answer.
//
// A story is in the training part or in the other one by what it says, so that no story is in both.
#pragma once

#include <cstdint>
#include <string>

namespace bitsweep::data {

enum class QuestionPart { train, dev };

// One question a line: {"id", "context", "question", "answers"}. The first `count` of the part: a longer list begins
// with a shorter.
std::string generate_stories_questions(QuestionPart part, int64_t count);

// What the built-in names of question files stand for (spec::builtin_task_files). REQUIRES one of them.
std::string stories_questions_lines(const std::string& name);

}  // namespace bitsweep::data
