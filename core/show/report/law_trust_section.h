// How far a law can be trusted: whether it describes its runs, three ways to ask how sizes grow with compute, and what other
// choices of an analyst would have changed.
#pragma once

#include <vector>

#include "analysis/analysis.h"
#include "render/document.h"

namespace bitsweep::report {

// "yes", or "no" where something the law is for (a_opt, a target) is not known to the stated widths.
const char* determined_text(const analysis::LawFit& fit);

// Of every joint law of the group; nothing where there is none.
std::vector<render::Block> law_trust_section(const analysis::GroupAnalysis& g, int level);

}  // namespace bitsweep::report
