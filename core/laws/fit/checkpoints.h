// Which rows of a table are checkpoints of one run, and what becomes of them.
//
// Rows of one `run` are, where the values of that column name runs: most of them have one size. Without such a column,
// many token counts at one size that are evenly spaced are a run's: nobody trains a dozen models to 1B, 2B, 3B …
// tokens, while logs are written every so many steps; budgets of a design grow by factors.
#pragma once

#include <string>
#include <vector>

#include "fit/points_csv.h"

namespace bitsweep::fit {

// Whether values, ascending and distinct, are evenly spaced for the most part: gaps where checkpoints are missing, and
// one shorter step at the end, are allowed.
bool evenly_spaced(const std::vector<double>& ascending);

// Columns of a file that tell runs of one size apart: settings that a run holds, and its rate, which a schedule moves.
struct RunSettings {
  std::vector<std::string> held, rates;
};

// Gives rows that are checkpoints of one run a name in `run` where they have none, and clears names that name no runs
// where the column was only guessed to. Returns the rows of each such run, in the order of their tokens (or steps).
// A name whose rows differ in a setting that runs hold is that of a family of runs, is cleared, and is told in the
// notes.
std::vector<std::vector<size_t>> find_checkpoints(PointTable& table, bool run_guessed, const RunSettings& settings);

// What `use` makes of them; a sentence about it into `notes`.
void use_checkpoints(PointTable& table, const std::vector<std::vector<size_t>>& runs, CheckpointUse use);

}  // namespace bitsweep::fit
