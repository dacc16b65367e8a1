#include "fit/points_csv.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/nearest.h"
#include "base/units.h"

namespace bitsweep {
namespace {

const std::vector<std::string>& our_columns() {
  static const std::vector<std::string> names = {"params",  "tokens",  "loss", "unique_tokens",
                                                 "variant", "dataset", "seed", "run"};
  return names;
}

// Our column -> its number in the file.
std::map<std::string, size_t> find_columns(const CsvRow& header, const ColumnMap& columns,
                                           const std::vector<std::string>& needed, Findings& findings) {
  std::map<std::string, size_t> found;
  std::vector<std::string> names;
  for (const CsvCell& cell : header) names.push_back(cell.text);
  for (const std::string& ours : our_columns()) {
    const auto mapped = columns.find(ours);
    const std::string& name = mapped == columns.end() ? ours : mapped->second;
    const auto at = std::find(names.begin(), names.end(), name);
    if (at != names.end()) {
      found[ours] = static_cast<size_t>(at - names.begin());
      const auto again = std::find(at + 1, names.end(), name);
      if (again != names.end()) {
        const CsvCell& cell = header[again - names.begin()];
        findings.add(cell.line, cell.column, fmt::format("column '{}' is there twice", excerpt(name)));
      }
    } else if (mapped != columns.end() || std::find(needed.begin(), needed.end(), ours) != needed.end()) {
      const std::string hint = did_you_mean(name, names);
      findings.add(
          header[0].line, header[0].column,
          fmt::format("no column '{}'{}{}", excerpt(name), excerpt(hint).empty() ? "" : hint,
                      mapped == columns.end() ? fmt::format(" (another name is mapped by --map {}=NAME)", ours) : ""));
    }
  }
  return found;
}

std::optional<double> positive(const CsvCell& cell, const std::string& name, char delimiter, Findings& findings) {
  const auto complain = [&](std::string message) {
    findings.add(cell.line, cell.column, fmt::format("{} {}", name, message));
    return std::nullopt;
  };
  if (cell.text.empty()) return complain("is missing");
  const auto value = parse_size(with_decimal_point(cell.text, delimiter));
  if (!value) return complain(fmt::format("must be a number, not '{}'", excerpt(cell.text)));
  if (!std::isfinite(*value)) return complain(fmt::format("must be finite, not '{}'", excerpt(cell.text)));
  if (*value <= 0) return complain(fmt::format("must be greater than 0, not '{}'", excerpt(cell.text)));
  return value;
}

class RowReader {
 public:
  RowReader(const std::map<std::string, size_t>& columns, char delimiter, Findings& findings)
      : columns_(columns), delimiter_(delimiter), findings_(findings) {}

  Point read(const CsvRow& row) const {
    Point point;
    number(row, "params", point.params);
    number(row, "tokens", point.tokens);
    number(row, "loss", point.loss);
    if (const CsvCell* cell = at(row, "unique_tokens"); cell && !cell->text.empty())
      number(row, "unique_tokens", point.unique_tokens);
    if (const CsvCell* cell = at(row, "variant")) point.variant = cell->text;
    if (const CsvCell* cell = at(row, "dataset")) point.dataset = cell->text;
    if (const CsvCell* cell = at(row, "run")) point.run = cell->text;
    if (const CsvCell* cell = at(row, "seed"); cell && !cell->text.empty()) seed(*cell, point);
    return point;
  }

 private:
  const CsvCell* at(const CsvRow& row, const std::string& name) const {
    const auto column = columns_.find(name);
    return column == columns_.end() ? nullptr : &row[column->second];
  }
  void number(const CsvRow& row, const std::string& name, double& value) const {
    const CsvCell* cell = at(row, name);
    if (!cell) return;
    if (const auto read = positive(*cell, name, delimiter_, findings_)) value = *read;
  }
  void seed(const CsvCell& cell, Point& point) const {
    int64_t value = 0;
    const char* end = cell.text.data() + cell.text.size();
    const auto [rest, code] = std::from_chars(cell.text.data(), end, value);
    if (code != std::errc() || rest != end)
      findings_.add(cell.line, cell.column, fmt::format("seed must be a whole number, not '{}'", excerpt(cell.text)));
    else
      point.seed = value;
  }

  const std::map<std::string, size_t>& columns_;
  char delimiter_;
  Findings& findings_;
};

}  // namespace

ColumnMap parse_column_map(const std::string& text) {
  ColumnMap map;
  std::vector<Diagnostic> wrong;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = trimmed(text.substr(begin, end - begin));
    begin = end + 1;
    const size_t equals = part.find('=');
    const std::string ours = trimmed(part.substr(0, equals));
    const std::string theirs = equals == std::string::npos ? "" : trimmed(part.substr(equals + 1));
    const auto& known = our_columns();
    if (theirs.empty())
      wrong.push_back({"", 0, 0, fmt::format("--map: '{}' is not of the form params=N,tokens=D", excerpt(part))});
    else if (std::find(known.begin(), known.end(), ours) == known.end())
      wrong.push_back({"", 0, 0,
                       fmt::format("--map: unknown column '{}'{}; known: {}", excerpt(ours), did_you_mean(ours, known),
                                   fmt::join(known, ", "))});
    else if (!map.emplace(ours, theirs).second)
      wrong.push_back({"", 0, 0, fmt::format("--map: '{}' is mapped twice", ours)});
  }
  if (!wrong.empty()) throw Error(ErrorKind::input, wrong);
  return map;
}

std::vector<Point> read_points_csv(std::string_view text, const std::string& name_for_message, const ColumnMap& columns,
                                   bool need_params, bool need_tokens) {
  Findings findings(name_for_message);
  const CsvTable table = read_csv(text, findings);
  const std::vector<CsvRow>& rows = table.rows;
  if (rows.empty()) findings.add(0, 0, "no header line: the file is empty");
  findings.throw_if_any();
  std::vector<std::string> needed = {"loss"};
  if (need_params) needed.push_back("params");
  if (need_tokens) needed.push_back("tokens");
  const auto found = find_columns(rows[0], columns, needed, findings);
  findings.throw_if_any();
  const RowReader row_reader(found, table.delimiter, findings);
  std::vector<Point> points;
  points.reserve(rows.size());
  for (size_t i = 1; i < rows.size(); ++i) {
    const CsvRow& row = rows[i];
    if (row.size() != rows[0].size())
      findings.add(row[0].line, row.back().column,
                   fmt::format("{} cells, where the header has {}", row.size(), rows[0].size()));
    else
      points.push_back(row_reader.read(row));
  }
  if (rows.size() == 1) findings.add(0, 0, "no rows below the header");
  findings.throw_if_any();
  return points;
}

}  // namespace bitsweep
