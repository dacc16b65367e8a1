// What a report cannot know by itself: what plugins say of a model at its targets, which runs would tell most, and what
// the last report of the same sweeps said.
#pragma once

#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "base/files.h"
#include "base/notes.h"

namespace bitsweep::advise {

struct Advice {
  std::vector<analysis::TargetPlan> plans;  // a row a target, comparable group and variant
  std::vector<analysis::NextRuns> next;     // a row a comparable group and variant
};

// What the runs of sweeps say; into `input` goes what else their report tells: advice for its targets, and the last
// report's fits.
analysis::Analysis analyse_sweeps(const fs::path& root, analysis::ReportInput& input);

// Of the finished runs of the input's sweeps, for its targets that have both a size and tokens. Where nobody can be
// asked, the rows say so; runs of which no sweep file can be made (imported ones) give places alone. Never throws for
// what the data are. REQUIRES names of sweeps that are there.
Advice advise(const fs::path& root, const analysis::ReportInput& input);

// The fits of the last report of these sweeps that was made from other points than this one, a row a variant and law.
std::vector<analysis::EarlierFit> earlier_fits(const fs::path& root, const analysis::ReportInput& input,
                                               const analysis::Analysis& analysis);

// Stores this report's fits, for the next one to be held against; those of the same points are there once. A root that
// cannot be written to is no failure, and is told.
void keep_fits(const fs::path& root, const analysis::ReportInput& input, const analysis::Analysis& analysis,
               Notes& notes);

}  // namespace bitsweep::advise
