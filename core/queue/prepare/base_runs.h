// Whether the runs of a plan can start from those that they name (train.init_from).
#pragma once

#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "plan/plan.h"
#include "prepare/texts.h"

namespace bitsweep::prepare {

// Appends, at the place of each train.init_from: a run that neither the database of `root`, if any, nor a plan holds;
// another tokenizer; other sizes, with the options that differ. Options that differ where the sizes are the same
// (heads, positions: other functions of the same weights) are a note of the plan.
void check_bases(std::vector<plan::Plan>& plans, const fs::path& root, Texts& texts, std::vector<Diagnostic>& problems);

}  // namespace bitsweep::prepare
