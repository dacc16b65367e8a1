// What a sweep asks beside its texts: questions.
#pragma once

#include <vector>

#include "base/error.h"
#include "prepare/texts.h"
#include "spec/sweep.h"

namespace bitsweep::prepare {

// Appends what is wrong with the files of eval.tasks, at the place of that key. Runs of one sweep have the tasks of its
// file, all the same ones.
void check_tasks(const spec::Sweep& sweep, Texts& texts, std::vector<Diagnostic>& problems);

}  // namespace bitsweep::prepare
