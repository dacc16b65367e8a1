// What the command line of `suggest` says, of sweeps and of tables alike.
#pragma once

#include <vector>

#include "advise/next_sweep.h"
#include "analysis/law_data.h"
#include "cli/options.h"

namespace bitsweep::cli {

void suggest_options(CommandLine& line);

// The laws to be advised on: of each --variant, or of all. Throws Error{input} naming the choices.
std::vector<const analysis::LawData*> chosen_laws(const analysis::SweepData& data, const CommandLine& line,
                                                  const std::vector<fit::Target>& targets);

// `share`: of the hours or FLOPs that are asked for.
advise::SuggestOptions options_of(const CommandLine& line, const std::vector<fit::Target>& targets,
                                  const analysis::LawData& law, const advise::Costs& costs, double share);

}  // namespace bitsweep::cli
