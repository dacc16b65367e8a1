// Where in a table the values of a point are: columns found by name, by its usual synonyms, or as a map says.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/csv.h"
#include "fit/points_csv.h"

namespace bitsweep::fit {

// The names of a table's columns, and what is said of one that is not there.
class TableHeader {
 public:
  TableHeader(const CsvRow& row, Findings& findings);

  // By its exact name; a doubled column is told.
  std::optional<size_t> find(const std::string& name) const;
  // All that are one of `names` in any case; else, where `paths`, all whose last part is ("config.seed").
  std::vector<size_t> like(const std::vector<std::string>& names, bool paths = true) const;
  const std::string& name(size_t column) const { return names_[column]; }
  const std::vector<std::string>& names() const { return names_; }
  bool has(const std::vector<std::string>& names) const { return !like(names).empty(); }

  void missing(const std::string& name, const std::string& hint) const;
  void tell(const std::string& message) const;
  // "step, val_bpb and 3 more"
  std::string listed() const;

 private:
  const CsvRow& row_;
  Findings& findings_;
  std::vector<std::string> names_;
};

// Which cells a value of ours is made of: literal text and columns by turns, text first.
struct PointSource {
  std::vector<std::string> texts;
  std::vector<size_t> cells;
  // A column that may name runs, and may not: it does where its values are evenly spaced checkpoints (checkpoints.h).
  bool guessed = false;
};
using PointSources = std::map<std::string, PointSource>;

// "W{w_bits}A{a_bits}", or a column's name alone; or, where a bare text is no column's name, that text.
PointSource point_source(const std::string& text, bool pattern, const TableHeader& header, bool bare_is_column = true);

// The source of each of ours that the table has. Tells what the format needs and the table lacks.
PointSources find_point_sources(const TableHeader& header, const PointsFormat& format);

// Names of columns that hold a final loss of validation, most usual first; "loss" is not among them.
const std::vector<std::string>& loss_names();

// The column of the loss: as mapped, `loss`, or the only one of loss_names(). Nothing where there is none, or several.
std::optional<size_t> loss_column(const TableHeader& header, const ColumnMap& map);

}  // namespace bitsweep::fit
