// Whether the runs of a plan can start from those that they name (train.init_from).
#pragma once

#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "plan/plan.h"

namespace bitsweep::prepare {

// Appends, at the place of each train.init_from: a run that neither the database of `root`, if any, nor a plan holds;
// another tokenizer; other sizes, with the options that differ.
void check_bases(const std::vector<plan::Plan>& plans, const fs::path& root, std::vector<Diagnostic>& problems);

}  // namespace bitsweep::prepare
