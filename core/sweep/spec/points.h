// From settings, blocks and formulas to runs: the product of the blocks, derive, where and exclude, one RunSpec a
// point.
#pragma once

#include <string>
#include <vector>

#include "spec/axes.h"
#include "spec/formulas.h"
#include "spec/settings.h"
#include "spec/sweep.h"

namespace bitsweep::spec {

struct Design {
  YamlPlace place;  // of the sweep: named when a key is missing
  std::vector<Setting> base;
  std::vector<DesignBlock> blocks;  // none without rows; the seeds last
  std::vector<Formula> derived;     // in order of evaluation
  std::vector<Condition> conditions;
};

// The runs, without duplicates. Appends to `notes` what was collapsed. When `problems` is not empty at the start,
// points are only checked, so that everything wrong is told at once.
std::vector<ExpandedRun> expand(Design design, PluginShelf& plugins, Problems& problems,
                                std::vector<std::string>& notes);

}  // namespace bitsweep::spec
