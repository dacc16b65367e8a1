// What a sweep asks beside its own data: questions, and texts that are scored.
#pragma once

#include <vector>

#include "base/error.h"
#include "prepare/texts.h"
#include "spec/sweep.h"

namespace bitsweep::prepare {

// Appends what is wrong with the files of eval.tasks and the texts of eval.also, at the places of these keys.
void check_texts(const spec::Sweep& sweep, Texts& texts, std::vector<Diagnostic>& problems);

}  // namespace bitsweep::prepare
