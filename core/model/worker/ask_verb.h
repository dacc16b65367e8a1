// `bitsweep-worker ask`: a checkpoint's answers to the questions of tasks.
#pragma once

#include <iosfwd>

#include "worker/arguments.h"

namespace bitsweep::worker {

// Reads the run's spec, its text, the checkpoint and the tasks; writes answers-NAME-STEP.jsonl for each into `out` and
// to `stream` one line of JSON: {"step", "metrics": {name: number}, "kinds": [kind], "files": [path], "notes": [text]}.
// Returns 0. Throws Error{input} for a checkpoint that is damaged, of another run or of another shape, and for what is
// wrong with a file of questions.
int ask_verb(const AskArguments& arguments, std::ostream& stream);

}  // namespace bitsweep::worker
