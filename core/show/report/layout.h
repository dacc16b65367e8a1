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

// Folds what stands beneath each heading of level 2, but for those of `open`. Of a folded table of more than `rows`
// rows the Markdown shows so many; where it names no file that has the others, it is named by the heading that it
// stands beneath: "table-measured-runs.csv".
void lay_out(render::Document& document, const std::vector<std::string>& open, size_t rows);

// The tables that lay_out() named files for, as CSV.
std::vector<std::pair<std::string, std::string>> table_files(const render::Document& document);

}  // namespace bitsweep::report
