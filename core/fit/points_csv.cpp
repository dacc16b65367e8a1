#include "fit/points_csv.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/units.h"

namespace bitsweep {
namespace {

constexpr size_t kMostDiagnostics = 50;

const std::vector<std::string>& our_columns() {
  static const std::vector<std::string> names = {"params",  "tokens",  "loss", "unique_tokens",
                                                 "variant", "dataset", "seed", "run"};
  return names;
}

struct Cell {
  std::string text;
  int line = 0, column = 0;
  bool quoted = false;
};
using Row = std::vector<Cell>;

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// What is shown of a cell in a message: short, and nothing that would move the terminal's cursor.
std::string shown(const std::string& text) {
  std::string safe;
  for (const char c : text.substr(0, 40)) safe += static_cast<unsigned char>(c) < 32 || c == 127 ? '?' : c;
  return text.size() > 40 ? safe + "…" : safe;
}

// Collects findings; says how many more there are beyond the first fifty.
class Findings {
 public:
  explicit Findings(std::string name) : name_(std::move(name)) {}
  void add(int line, int column, std::string message) {
    if (++count_ <= kMostDiagnostics) found_.push_back({name_, line, column, std::move(message)});
  }
  bool any() const { return count_ > 0; }
  void throw_if_any() {
    if (!any()) return;
    if (count_ > kMostDiagnostics)
      found_.push_back({name_, 0, 0, fmt::format("and {} more", count_ - kMostDiagnostics)});
    throw Error(ErrorKind::input, found_);
  }

 private:
  std::string name_;
  std::vector<Diagnostic> found_;
  size_t count_ = 0;
};

// Splits text into rows of cells. Lines count LF, CRLF and CR as one end each; columns count bytes.
class Reader {
 public:
  Reader(std::string_view text, Findings& findings) : text_(text), findings_(findings) {
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") text_.remove_prefix(3);
  }

  std::vector<Row> rows() {
    std::vector<Row> rows;
    while (at_ < text_.size()) {
      if (skip_line_without_data()) continue;
      if (delimiter_ == 0) delimiter_ = find_delimiter();
      rows.push_back(row());
    }
    return rows;
  }
  char delimiter() const { return delimiter_; }

 private:
  bool skip_line_without_data() {
    size_t end = at_;
    while (end < text_.size() && text_[end] != '\n' && text_[end] != '\r') ++end;
    const std::string_view line = text_.substr(at_, end - at_);
    const size_t first = line.find_first_not_of(" \t");
    if (first != std::string_view::npos && line[first] != '#') return false;
    at_ = end;
    end_line();
    return true;
  }

  // The one that occurs most in the header outside of quotes; a comma when none does.
  char find_delimiter() const {
    int comma = 0, semicolon = 0, tab = 0;
    bool quoted = false;
    for (size_t i = at_; i < text_.size() && (quoted || (text_[i] != '\n' && text_[i] != '\r')); ++i) {
      if (text_[i] == '"') quoted = !quoted;
      if (quoted) continue;
      comma += text_[i] == ',', semicolon += text_[i] == ';', tab += text_[i] == '\t';
    }
    if (semicolon > comma && semicolon >= tab) return ';';
    return tab > comma ? '\t' : ',';
  }

  Row row() {
    Row row;
    for (;;) {
      row.push_back(cell());
      if (at_ < text_.size() && text_[at_] == delimiter_) {
        ++at_;
        continue;
      }
      end_line();
      return row;
    }
  }

  Cell cell() {
    Cell cell;
    while (at_ < text_.size() && (text_[at_] == ' ' || (text_[at_] == '\t' && delimiter_ != '\t'))) ++at_;
    cell.line = line_, cell.column = static_cast<int>(at_ - line_start_) + 1;
    if (at_ < text_.size() && text_[at_] == '"') return quoted(std::move(cell));
    while (at_ < text_.size() && text_[at_] != delimiter_ && text_[at_] != '\n' && text_[at_] != '\r')
      cell.text += text_[at_++];
    cell.text = trimmed(cell.text);
    return cell;
  }

  Cell quoted(Cell cell) {
    cell.quoted = true;
    ++at_;
    for (;;) {
      if (at_ >= text_.size()) {
        findings_.add(cell.line, cell.column, "a quote is opened here and never closed");
        return cell;
      }
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        if (at_ >= text_.size() || text_[at_] != '"') break;
        cell.text += '"', ++at_;
      } else if (c == '\n' || c == '\r') {
        cell.text += '\n';
        end_line();
      } else {
        cell.text += c, ++at_;
      }
    }
    const size_t after = at_;
    while (at_ < text_.size() && text_[at_] != delimiter_ && text_[at_] != '\n' && text_[at_] != '\r') ++at_;
    if (text_.substr(after, at_ - after).find_first_not_of(" \t") != std::string_view::npos)
      findings_.add(line_, static_cast<int>(after - line_start_) + 1, "text after a closing quote");
    return cell;
  }

  void end_line() {
    if (at_ < text_.size() && text_[at_] == '\r')
      ++at_;
    else if (at_ < text_.size() && text_[at_] == '\n') {
      ++at_;
      ++line_;
      line_start_ = at_;
      return;
    } else
      return;
    if (at_ < text_.size() && text_[at_] == '\n') ++at_;
    ++line_, line_start_ = at_;
  }

  std::string_view text_;
  Findings& findings_;
  char delimiter_ = 0;
  size_t at_ = 0, line_start_ = 0;
  int line_ = 1;
};

// Our column -> its number in the file.
std::map<std::string, size_t> find_columns(const Row& header, const ColumnMap& columns,
                                           const std::vector<std::string>& needed, Findings& findings) {
  std::map<std::string, size_t> found;
  std::vector<std::string> names;
  for (const Cell& cell : header) names.push_back(cell.text);
  for (const std::string& ours : our_columns()) {
    const auto mapped = columns.find(ours);
    const std::string& name = mapped == columns.end() ? ours : mapped->second;
    const auto at = std::find(names.begin(), names.end(), name);
    if (at != names.end()) {
      found[ours] = static_cast<size_t>(at - names.begin());
      const auto again = std::find(at + 1, names.end(), name);
      if (again != names.end()) {
        const Cell& cell = header[again - names.begin()];
        findings.add(cell.line, cell.column, fmt::format("column '{}' is there twice", shown(name)));
      }
    } else if (mapped != columns.end() || std::find(needed.begin(), needed.end(), ours) != needed.end()) {
      const std::string hint = did_you_mean(name, names);
      findings.add(
          header[0].line, header[0].column,
          fmt::format("no column '{}'{}{}", shown(name), shown(hint).empty() ? "" : hint,
                      mapped == columns.end() ? fmt::format(" (another name is mapped by --map {}=NAME)", ours) : ""));
    }
  }
  return found;
}

// "3,14" where commas do not separate cells.
std::string with_point(std::string text, char delimiter) {
  if (delimiter != ',' && std::count(text.begin(), text.end(), ',') == 1 && text.find('.') == std::string::npos)
    std::replace(text.begin(), text.end(), ',', '.');
  return text;
}

std::optional<double> positive(const Cell& cell, const std::string& name, char delimiter, Findings& findings) {
  const auto complain = [&](std::string message) {
    findings.add(cell.line, cell.column, fmt::format("{} {}", name, message));
    return std::nullopt;
  };
  if (cell.text.empty()) return complain("is missing");
  const auto value = parse_size(with_point(cell.text, delimiter));
  if (!value) return complain(fmt::format("must be a number, not '{}'", shown(cell.text)));
  if (!std::isfinite(*value)) return complain(fmt::format("must be finite, not '{}'", shown(cell.text)));
  if (*value <= 0) return complain(fmt::format("must be greater than 0, not '{}'", shown(cell.text)));
  return value;
}

class RowReader {
 public:
  RowReader(const std::map<std::string, size_t>& columns, char delimiter, Findings& findings)
      : columns_(columns), delimiter_(delimiter), findings_(findings) {}

  Point read(const Row& row) const {
    Point point;
    number(row, "params", point.params);
    number(row, "tokens", point.tokens);
    number(row, "loss", point.loss);
    if (const Cell* cell = at(row, "unique_tokens"); cell && !cell->text.empty())
      number(row, "unique_tokens", point.unique_tokens);
    if (const Cell* cell = at(row, "variant")) point.variant = cell->text;
    if (const Cell* cell = at(row, "dataset")) point.dataset = cell->text;
    if (const Cell* cell = at(row, "run")) point.run = cell->text;
    if (const Cell* cell = at(row, "seed"); cell && !cell->text.empty()) seed(*cell, point);
    return point;
  }

 private:
  const Cell* at(const Row& row, const std::string& name) const {
    const auto column = columns_.find(name);
    return column == columns_.end() ? nullptr : &row[column->second];
  }
  void number(const Row& row, const std::string& name, double& value) const {
    const Cell* cell = at(row, name);
    if (!cell) return;
    if (const auto read = positive(*cell, name, delimiter_, findings_)) value = *read;
  }
  void seed(const Cell& cell, Point& point) const {
    int64_t value = 0;
    const char* end = cell.text.data() + cell.text.size();
    const auto [rest, code] = std::from_chars(cell.text.data(), end, value);
    if (code != std::errc() || rest != end)
      findings_.add(cell.line, cell.column, fmt::format("seed must be a whole number, not '{}'", shown(cell.text)));
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
      wrong.push_back({"", 0, 0, fmt::format("--map: '{}' is not of the form params=N,tokens=D", shown(part))});
    else if (std::find(known.begin(), known.end(), ours) == known.end())
      wrong.push_back({"", 0, 0,
                       fmt::format("--map: unknown column '{}'{}; known: {}", shown(ours), did_you_mean(ours, known),
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
  Reader reader(text, findings);
  const std::vector<Row> rows = reader.rows();
  if (rows.empty()) findings.add(0, 0, "no header line: the file is empty");
  findings.throw_if_any();
  std::vector<std::string> needed = {"loss"};
  if (need_params) needed.push_back("params");
  if (need_tokens) needed.push_back("tokens");
  const auto found = find_columns(rows[0], columns, needed, findings);
  findings.throw_if_any();
  const RowReader row_reader(found, reader.delimiter(), findings);
  std::vector<Point> points;
  points.reserve(rows.size());
  for (size_t i = 1; i < rows.size(); ++i) {
    const Row& row = rows[i];
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
