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

#include "fit/axis.h"
#include "fit/points.h"
#include "fit/row_filter.h"

namespace bitsweep {

// Our name of a column -> its name in the file. Names left out map to themselves; only what the law reads, and loss,
// has to be there (the rest is read when present, or when mapped). variant, dataset and run also take several columns,
// as "W{w_bits}A{a_bits}". flops, of the training, is read only when mapped: the one of params and tokens that the file
// lacks then follows from C = 6 N D (Kaplan et al. 2020).
using ColumnMap = std::map<std::string, std::string>;

// The names of ours.
const std::vector<std::string>& point_columns();

// "params=N,tokens=D,loss=val_bpc". Throws Error{input} for an unknown name of ours (with the nearest) and for a
// name given twice.
ColumnMap parse_column_map(const std::string& text);

// "params=M,tokens=B": 1, k, M, B or T of params, tokens, flops, unique_tokens. Throws as parse_column_map does.
std::map<std::string, double> parse_units(const std::string& text);

// "W{w_bits}A16: a_quant = NoQuantizer": rows for which the condition holds are of that variant.
struct VariantRule {
  std::string label;  // as in a ColumnMap
  RowFilter rows;
};
// Throws Error{input} naming --label.
VariantRule parse_variant_rule(const std::string& text);

struct PointsFormat {
  PointsFormat(ColumnMap map = {}) : columns(std::move(map)) {}
  ColumnMap columns;
  std::map<std::string, double> units;  // by our name: what a value is multiplied by
  std::vector<VariantRule> labels;      // the first that holds, else `columns`, says a row's variant
  RowFilter where;                      // over the file's columns and over ours
  // What every row must have. lr_area: or step and lr, from which it follows (curve.h), the rows of a `run` together.
  std::vector<Axis> needed = {Axis::params, Axis::tokens};
};

// A point, and everything else that its row says, by the file's names of columns; decimal commas as points.
struct PointRow {
  Point point;
  std::map<std::string, std::string> cells;
};

// Throws Error{input} with every finding as NAME:line:column (column: the field's first character): a missing or
// doubled column, rows of another length, cells that are missing, no number, zero, negative or not finite, a run that
// is listed twice. Rows that `where` leaves out are not looked at.
std::vector<PointRow> read_point_rows(std::string_view text, const std::string& name_for_message,
                                      const PointsFormat& format = {});
// The points alone.
std::vector<Point> read_points_csv(std::string_view text, const std::string& name_for_message,
                                   const PointsFormat& format = {});

}  // namespace bitsweep
