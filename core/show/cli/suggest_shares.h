// `suggest` for several variants: the hours or FLOPs that are asked for, divided among their laws.
#pragma once

#include <vector>

#include "advise/next_sweep.h"
#include "analysis/law_data.h"
#include "cli/options.h"

namespace bitsweep::cli {

struct SharingLaw {
  const analysis::LawData* law;
  std::vector<advise::Candidate> candidates;
  advise::SuggestOptions options;  // with the whole of what is asked for
  const advise::Costs* costs;
};

// The part of --hours or --budget that each law gets, so that least variance is left at the targets of all; it is told
// as a note. All of it for each where there is one law, or where neither is asked for.
std::vector<double> budget_shares(const CommandLine& line, const std::vector<SharingLaw>& laws);

}  // namespace bitsweep::cli
