// Small question files, and what is said of wrong ones.
#pragma once

#include <string>

#include <gmock/gmock.h>

#include "base/error.h"
#include "tasks/read_items.h"

namespace bitsweep::tasks {

inline const std::string kArcLines =
    R"({"query": "Question: What barks?", "choices": ["a cat", "a dog", "a bird"], "gold": 1}
{"query": "Question: What is blue?", "choices": ["the sky", "snow"], "gold": 0}
{"query": "Question: What is 1 + 1?", "choices": ["1", "2", "3", "4"], "gold": 1}
)";

inline const std::string kSquad = R"({"version": "v2.0", "data": [{"title": "T", "paragraphs": [
  {"context": "Ada lived by the river.", "qas": [
    {"id": "q1", "question": "Who lived by the river?", "answers": [{"text": "Ada", "answer_start": 0}]},
    {"id": "q2", "question": "Where did Ada live?",
     "answers": [{"text": "by the river", "answer_start": 10}, {"text": "the river", "answer_start": 13}]},
    {"id": "q3", "question": "Where did Bo live?", "answers": [], "is_impossible": true}]}]}]}
)";

template <class Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

}  // namespace bitsweep::tasks
