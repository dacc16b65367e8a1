// A file of points as `fit` and `report` read it: the points, and the settings that its other columns say.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/input.h"
#include "base/files.h"
#include "fit/points_csv.h"

namespace bitsweep::analysis {

struct PointsFile {
  std::vector<fit::Point> points;
  std::vector<PointSettings> settings;  // of each point
  std::vector<std::string> notes;       // what reading left out or took for something, a sentence each
  std::string no_seeds;                 // PointTable::no_seeds
};

// Columns called batch, lr, steps, warmup, weight_decay, optimizer, schedule, precision, gradients, tokenizer,
// context, val_sha256, unit, wall_s (or wall_min, wall_h, wall), device, state and their usual synonyms are settings;
// those named in `factors` too. Throws Error{input} as read_point_table does, and for a factor that is no column.
PointsFile read_points_file(const fs::path& path, const fit::PointsFormat& format,
                            const std::vector<std::string>& factors = {});

// Leaves out what exclusion_reason (query/comparable.h) leaves out of laws; returns a reason and a count of each kind.
// Rows without a loss are told in `notes` and not counted again.
std::map<std::string, int> drop_unfinished(PointsFile& file);

// Throws Error{input} for more points than anybody has finished runs: they are checkpoints, or a mistake.
void refuse_too_many(size_t points);

// A sentence where every one of several variants has one size, and none the same: such a column often names the size.
std::string one_size_each(const std::vector<fit::Point>& points);

}  // namespace bitsweep::analysis
