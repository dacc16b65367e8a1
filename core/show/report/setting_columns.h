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

// Of all cells, those in which they differ. Batch, rate and what names the variants have places of their own.
std::vector<SettingColumn> setting_columns(const analysis::CellTable& table);

}  // namespace bitsweep::report
