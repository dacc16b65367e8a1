// How a report's blocks lie on the page: sections folded, long tables cut in the Markdown, with the whole of them as
// CSV beside it. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "render/document.h"

namespace bitsweep::report {

// Files of whole tables begin so.
constexpr const char* kTablePrefix = "table-";

// A table of points knows less of its runs than the database does: columns that are empty throughout go.
render::Table without_empty_columns(render::Table t);

// How long the Markdown may be, and how many rows of a table it shows for that: before fewer than `some_rows`, minor
// tables are left to their files.
struct Room {
  size_t lines = 250;
  size_t least_rows = 2, some_rows = 5, most_rows = 10;
};

// Folds what stands beneath each heading of level 2, but for those of `open`. Of a folded table the Markdown shows as
// many rows as there is room for; where it names no file that has the others, it is named by the heading that it stands
// beneath: "table-measured-runs.csv".
void lay_out(render::Document& document, const std::vector<std::string>& open, const Room& room = {});

// The tables that lay_out() named files for, as CSV.
std::vector<std::pair<std::string, std::string>> table_files(const render::Document& document);

}  // namespace bitsweep::report
