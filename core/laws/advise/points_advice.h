// A report's advice from measured runs of which no plugin is asked: of a table of points, or imported.
#pragma once

#include "advise/report_advice.h"
#include "analysis/law_data.h"

namespace bitsweep::advise {

inline constexpr const char* kNoNearTarget = "every target lies too far beyond the runs for any law to speak of it";

// The plan of a target as the nearest runs have it: no shape, no memory, hours by their wall times. Refused beyond
// `limit` (fit/beyond.h).
analysis::TargetPlan plan_of_place(const analysis::SweepData& data, const analysis::LawData& law,
                                   const fit::Target& target, double limit);

// Those that no guard refuses (fit/beyond.h).
std::vector<fit::Target> near_targets(const analysis::LawData& law, const std::vector<fit::Target>& targets,
                                      double limit);

// The next runs of a law as places, for targets that are near; refused where there are none. `why`: there is no sweep
// file.
analysis::NextRuns next_places(const analysis::SweepData& data, const analysis::LawData& law,
                               const std::vector<fit::Target>& targets, const std::string& why);

// For the targets of `input` that have both a size and tokens; a row a target, group and variant.
Advice advise_points(const analysis::ReportInput& input);

}  // namespace bitsweep::advise
