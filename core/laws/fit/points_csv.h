// A table of points as text: CSV with a header line, as spreadsheets and scripts write it, or JSON.
//
// Understood: a byte-order mark; LF, CRLF and CR line ends; comma, semicolon or tab, found from the header; "quoted"
// fields with "" inside and line breaks inside; blank lines and lines that start with '#'; with semicolons or tabs also
// decimal commas. JSON lines and lists (json_table.h) have the same columns. Sizes take k, M, B, and separators of
// thousands (cell_value.h). Columns no one asked for are left alone.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/csv.h"
#include "fit/axis.h"
#include "fit/points.h"
#include "fit/row_filter.h"
#include "fit/row_state.h"

namespace bitsweep::fit {

// Our name of a column -> its name in the file. Names left out map to themselves; only what the law reads, and loss,
// has to be there (the rest is read when present, or when mapped). variant, dataset and run also take several columns,
// as "W{w_bits}A{a_bits}". flops, of the training, is read only when mapped. Beside both params and tokens
// it is a run's compute, where a cell has it; else the one of them that the file lacks follows from C = 6 N D (Kaplan
// et al. 2020).
using ColumnMap = std::map<std::string, std::string>;

// The names of ours.
const std::vector<std::string>& point_columns();

// "params=N,tokens=D,loss=val_bpc"; names with commas or equals signs stand in quotes, "" or '': loss="lr=1,bs=2 -
// bpb". Throws Error{input} for an unknown name of ours (with the nearest) and for a name given twice.
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

// What becomes of rows that are checkpoints of one run (checkpoints.h): the last is the run's point; all are, and
// intervals resample whole runs; or they are taken for runs of their own.
enum class CheckpointUse { last, all, none };

struct PointsFormat {
  PointsFormat(ColumnMap map = {}) : columns(std::move(map)) {}
  ColumnMap columns;
  std::map<std::string, double> units;  // by our name: what a value is multiplied by
  std::vector<VariantRule> labels;      // the first that holds, else `columns`, says a row's variant
  RowFilter where;                      // over the file's columns and over ours
  // What every row must have. lr_area: or step and lr, from which it follows (curve.h), the rows of a `run` together.
  std::vector<Axis> needed = {Axis::params, Axis::tokens};
  CheckpointUse checkpoints = CheckpointUse::last;  // of a law of lr_area all are read
};

// A point, and everything else that its row says, by the file's names of columns; decimal commas as points.
struct PointRow {
  Point point;  // of an unfinished row only what can be read of it; loss 0: there is none
  std::map<std::string, std::string> cells;
  RowState state;
  std::optional<double> step, lr;
  int line = 0;

  bool counts() const { return state.finished() && point.loss > 0; }
};

struct PointTable {
  std::vector<PointRow> rows;
  std::string loss_column;         // its name in the file
  std::vector<std::string> notes;  // what was left out, taken together or taken for something, a sentence each
  // Where rows of one configuration differ as no two seeds do, and a column tells them apart: which; else "".
  std::string no_seeds;
};

// CSV or JSON as a table. Throws Error{input} for what is no text, naming what it is, and for broken quotes and JSON.
CsvTable read_table(std::string_view text, const std::string& name_for_message, std::vector<std::string>& notes);

// A row's state goes first: of unfinished ones no cell is judged. Rows without a loss above 0 are kept, and told.
// Throws Error{input} with each kind of mistake once, as NAME:line:column (column: the field's first character) of the
// first and their count: a missing or doubled column, rows of another length, unknown states, cells that are missing,
// no number, zero, negative or not finite, a run that is listed twice. Rows that `where` leaves out are not looked at.
PointTable read_point_table(std::string_view text, const std::string& name_for_message,
                            const PointsFormat& format = {});
// The points alone, of the rows that count.
std::vector<Point> read_points_csv(std::string_view text, const std::string& name_for_message,
                                   const PointsFormat& format = {});

}  // namespace bitsweep::fit
