// The sections "Fitted laws", with what is not claimed and whether they can be trusted, and "Predictions". Pure.
#pragma once

#include <vector>

#include "analysis/analysis.h"
#include "render/document.h"

namespace bitsweep::report {

// Nothing where no law was asked for; a refused one is there, with its reasons.
std::vector<render::Block> fitted_laws_section(const analysis::GroupAnalysis& g, int level);
// Of each law at its targets and at two and four times their tokens.
std::vector<render::Block> predictions_section(const analysis::GroupAnalysis& g, int level);

}  // namespace bitsweep::report
