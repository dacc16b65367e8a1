// Which rows of a table, or runs of a sweep, are wanted: "bits = 1 and params >= 10M or variant = base".
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace bitsweep::fit {

// Conditions COLUMN OP VALUE joined by `and` (or a comma), and those by `or`, which binds less; OP one of = == != < <=
// > >= ~ !~. Numbers compare as numbers and take k, M, B; other values as text, for which there are = and !=, and ~ and
// !~: contains and does not. Values with spaces stand in quotes.
class RowFilter {
 public:
  RowFilter() = default;  // keeps every row
  // Throws Error{input} with every mistake, each naming `name_for_message`.
  RowFilter(const std::string& text, const std::string& name_for_message);

  // The columns it reads, each once.
  std::vector<std::string> columns() const;
  // `cell` gives a column's value in the row; nothing where the row has none, which no condition but != holds for.
  // Throws Error{input} where text is to be ordered.
  bool keeps(const std::function<std::optional<std::string>(const std::string&)>& cell) const;
  bool empty() const { return alternatives_.empty(); }

 private:
  struct Condition {
    std::string column, operation, value;
  };
  void read(const std::string& part, std::vector<Diagnostic>& wrong);
  bool holds(const Condition& c, const std::optional<std::string>& text) const;

  std::string name_;
  std::vector<std::vector<Condition>> alternatives_;  // one of them, and all that is in it
};

}  // namespace bitsweep::fit
