// Tasks with their questions, from the files that they name.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "tasks/questions.h"

namespace bitsweep::tasks {

// The text of a file of questions: of a path, or of a built-in one (spec::builtin_task_files). Handed in: what makes
// questions, and what unpacks files, is of room data (data/question_text.h).
using QuestionText = std::function<std::string(const std::string& file)>;

// Throws Error{input} with what is wrong with any of them.
std::vector<Task> load_tasks(const std::vector<spec::TaskSpec>& specs, const QuestionText& text_of);

}  // namespace bitsweep::tasks
