// What the command line says of a file of points.
#pragma once

#include <string>
#include <vector>

#include "analysis/claims_file.h"
#include "analysis/input.h"
#include "cli/options.h"
#include "fit/points_csv.h"

namespace bitsweep::cli {

// What --help says of --points: each form that is read.
inline constexpr const char* kPointsHelp =
    "a file with the columns params, tokens, loss (and variant, dataset, seed, run, state): CSV with commas, "
    "semicolons or tabs, JSON lines, a JSON list; rows of one run are its checkpoints; unfinished rows are left out";

// Declares --points, --map, --label, --units, --checkpoints, --pool, --where and --drop-largest-loss; the last two are
// for sweeps too.
void points_options(CommandLine& line);
// Throws Error{input} for one of these options, of which --points was not given.
void refuse_points_options(const CommandLine& line, const std::string& verb, const std::vector<std::string>& names);

// Of a file of points, as a report has it; what reading it left out is told on stderr. --where, --pool and
// --drop-largest-loss are done. `verb`: with which one makes it again.
analysis::ReportInput points_input(const CommandLine& line, const std::string& verb,
                                   const analysis::ClaimsFile& claims = {});
// --where and --drop-largest-loss, of runs of sweeps; between the two --loss, of whoever is asked by `loss_of`.
void choose_runs(const CommandLine& line, analysis::ReportInput& input, const query::Query* loss_of = nullptr);

// --map, --units, --where, --label and --checkpoints of a command line that declares them.
fit::PointsFormat points_format(const CommandLine& line);

}  // namespace bitsweep::cli
