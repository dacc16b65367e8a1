// The document: which sections a report has, in which order, from the analysis and its figures: the decision, the
// summary, and the evidence, folded. Pure.
#pragma once

#include <vector>

#include "analysis/analysis.h"
#include "analysis/decision.h"
#include "render/document.h"

namespace bitsweep::report {

// A group's figures with their file names ("curves.svg"; "curves-2.svg" for the second group) and their SVG.
struct DrawnFigure {
  render::Figure figure;
  std::string svg;
};
using GroupFigures = std::vector<DrawnFigure>;

render::Document make_document(const analysis::ReportInput& input, const analysis::Analysis& analysis,
                               const std::vector<GroupFigures>& figures,
                               const std::vector<analysis::Decision>& decisions);

}  // namespace bitsweep::report
