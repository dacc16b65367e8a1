// Which rows of a table, or runs of a sweep, are wanted: "w_bits = 1 and params >= 10M".
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bitsweep::fit {

// Conditions COLUMN OP VALUE joined by `and` (or a comma), OP one of = == != < <= > >= ~ !~. Numbers compare as numbers
// and take k, M, B; other values as text, for which there are = and !=, and ~ and !~: contains and does not. Values
// with spaces stand in quotes.
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
  bool empty() const { return conditions_.empty(); }

 private:
  struct Condition {
    std::string column, operation, value;
  };
  std::string name_;
  std::vector<Condition> conditions_;
};

}  // namespace bitsweep::fit
