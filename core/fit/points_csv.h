// A table of points as text: CSV with a header line, as spreadsheets and scripts write it.
//
// Understood: a byte-order mark; LF, CRLF and CR line ends; comma, semicolon or tab, found from the header; "quoted"
// fields with "" inside and line breaks inside; blank lines and lines that start with '#'; with semicolons or tabs also
// decimal commas. Sizes take k, M, B. Columns no one asked for are left alone.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "fit/points.h"

namespace bitsweep {

// Our name of a column -> its name in the file. Names left out map to themselves; only params, tokens and loss are
// wanted by default (unique_tokens, variant, dataset, seed and run are read when present, or when mapped).
using ColumnMap = std::map<std::string, std::string>;

// "params=N,tokens=D,loss=val_bpc". Throws Error{input} for an unknown name of ours (with the nearest) and for a
// name given twice.
ColumnMap parse_column_map(const std::string& text);

// Throws Error{input} with every finding as NAME:line:column (column: the field's first character): a missing or
// doubled column, rows of another length, cells that are missing, no number, zero, negative or not finite.
// `need_params`, `need_tokens`: a law along one axis can do without the other column.
std::vector<Point> read_points_csv(std::string_view text, const std::string& name_for_message,
                                   const ColumnMap& columns = {}, bool need_params = true, bool need_tokens = true);

}  // namespace bitsweep
