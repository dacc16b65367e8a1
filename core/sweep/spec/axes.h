// The design of a sweep: grid, zip, cases and random as blocks of rows. The runs are the product of the blocks, with
// the first block varying slowest.
//
//   grid:   each axis is a block; a row sets one path
//   zip:    one block; row i sets every path to its i-th value (a list of maps makes several such blocks)
//   cases:  one block; each case is a row
//   random: one block of `count` rows. Value i of an axis depends on (seed, path, i) alone, so that more rows or
//           more axes leave the earlier values as they were. Real values are rounded to 4 significant digits.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "spec/settings.h"

namespace bitsweep {

struct DesignBlock {
  std::string kind;  // "grid", "zip", "cases", "random"
  YamlPlace place;
  std::vector<std::string> paths;
  struct Row {
    YamlPlace place;
    std::vector<Setting> settings;
  };
  std::vector<Row> rows;
};

// Values that are wrong are reported and left null. Axes in `pinned` are left out, with a note.
std::vector<DesignBlock> read_design(const YamlNode& root, const std::set<std::string>& pinned, Problems& problems,
                                     const std::vector<std::string>& option_paths, std::vector<std::string>& notes);

}  // namespace bitsweep
