// The design of a sweep: grid, zip, cases and random as blocks of rows. The runs are the product of the blocks, with
// the first block varying slowest.
//
//   grid:   each axis is a block; a row sets one path
//   zip:    one block; row i sets every path to its i-th value (a list of maps makes several such blocks)
//   cases:  one block; each case is a row, or with lists in it a row for every combination of their values
//   random: one block of `count` rows. Value i of an axis depends on (seed, path, i) alone, so that more rows or
//           more axes leave the earlier values as they were. Real values are rounded to 4 significant digits.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "spec/settings.h"

namespace bitsweep::spec {

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

// What the reader of a design has to know of keys.
struct DesignKeys {
  const std::set<std::string>& pinned;           // paths that --set gave
  const std::vector<std::string>& option_paths;  // options of the sweep's plugins
  std::set<std::string> list_options;            // of these, options whose value is a list
};

// Values that are wrong are reported and left null. Axes that are pinned are left out, with a note.
std::vector<DesignBlock> read_design(const YamlNode& root, const DesignKeys& keys, Problems& problems,
                                     std::vector<std::string>& notes);

}  // namespace bitsweep::spec
