// By which settings the rows of a table of configurations differ, beside those that it has columns for. Pure.
#pragma once

#include <string>
#include <vector>

#include "analysis/cells.h"

namespace bitsweep::report {

struct SettingColumn {
  std::string path, title;  // "train.accumulate", "accumulate"
  // Of a cell; nothing said is kNothing.
  std::string text(const analysis::ReportCell& cell) const;
};

// How many such columns a table shows; its CSV has all.
inline constexpr size_t kMostSettingColumns = 3;

// Of all cells, those in which they differ. What names the variants has a place of its own, and so have batch and rate
// but `with_rates`.
std::vector<SettingColumn> setting_columns(const analysis::CellTable& table, bool with_rates = false);

}  // namespace bitsweep::report
