// A task ready to be asked: every question as text, with its examples in front.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tasks/item.h"
#include "tasks/layout.h"

namespace bitsweep::tasks {

struct Question {
  std::string id;
  std::string asked;                       // without examples, for people
  std::vector<std::string> shots;          // examples, each with the delimiter behind it
  std::string prompt;                      // the question itself, up to where the answer begins
  std::vector<std::string> continuations;  // of a choice one each, of a continuation the one; none of a reply
  std::vector<std::string> choices;        // as the file has them
  size_t gold = 0;                         // of choices
  std::vector<std::string> answers;        // right ones

  // The last `count` examples and the question.
  std::string text(size_t count) const;
};

struct Task {
  spec::TaskSpec spec;
  std::vector<Question> questions;
  std::vector<std::string> stops;  // a reply ends before any of these
  std::optional<double> chance;    // of a choice: the mean of 1 / choices
  std::vector<std::string> notes;
  std::vector<std::string> left_out;  // ids of questions that keep_what_fits() took out
};

// What `items` ask under this task. `examples`: those of spec.shots_from, else null. Throws Error{input}: a template
// that does not fit, more examples than there are other items.
Task make_task(const spec::TaskSpec& spec, const ItemSet& items, const ItemSet* examples);

// The mean of 1 / choices; nothing where a question has none. REQUIRES a question.
std::optional<double> chance_of(const std::vector<Question>& questions);

// What is asked, all of it: 12 hex digits, other ones for another question, choice, answer or example.
std::string questions_digest(const Task& task);

// Which of `count` items are the examples of item `item` (or, of another file, of its question `item`): a function of
// the task's name and the item alone. `own`: item itself is none. REQUIRES that there are so many.
std::vector<size_t> draw_shots(std::string_view task, size_t item, size_t shots, size_t count, bool own);

}  // namespace bitsweep::tasks
