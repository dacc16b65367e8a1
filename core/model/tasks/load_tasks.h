// Tasks with their questions, from the files that they name.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "tasks/questions.h"

namespace bitsweep::tasks {

// The questions of a built-in file (spec::builtin_task_files) as JSON lines. Handed in: what makes them is of room
// data.
using BuiltinQuestions = std::function<std::string(const std::string& name)>;

// Throws Error{input} with what is wrong with any of them.
std::vector<Task> load_tasks(const std::vector<spec::TaskSpec>& specs, const BuiltinQuestions& builtin);

}  // namespace bitsweep::tasks
