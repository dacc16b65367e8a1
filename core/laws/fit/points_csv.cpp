#include "fit/points_csv.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/nearest.h"
#include "base/units.h"
#include "fit/curve.h"

namespace bitsweep {
namespace {

// Which cells a value of ours is made of: literal text and columns by turns, text first.
struct Source {
  std::vector<std::string> texts;
  std::vector<size_t> cells;
};
using Sources = std::map<std::string, Source>;

// Finds columns of the header by name, and says which are missing.
class Header {
 public:
  Header(const CsvRow& row, Findings& findings) : row_(row), findings_(findings) {
    for (const CsvCell& cell : row) names_.push_back(cell.text);
  }

  std::optional<size_t> find(const std::string& name) const {
    const auto at = std::find(names_.begin(), names_.end(), name);
    if (at == names_.end()) return std::nullopt;
    const auto again = std::find(at + 1, names_.end(), name);
    if (again != names_.end()) {
      const CsvCell& cell = row_[again - names_.begin()];
      findings_.add(cell.line, cell.column, fmt::format("column '{}' is there twice", excerpt(name)));
    }
    return static_cast<size_t>(at - names_.begin());
  }

  void missing(const std::string& name, const std::string& hint) const {
    findings_.add(row_[0].line, row_[0].column,
                  fmt::format("no column '{}'{}{}; there {}", excerpt(name), excerpt(did_you_mean(name, names_)), hint,
                              listed()));
  }

  void superfluous(const std::string& flops) const {
    findings_.add(row_[0].line, row_[0].column,
                  fmt::format("--map flops={}: not needed, params and tokens are both columns", excerpt(flops)));
  }

 private:
  std::string listed() const {
    constexpr size_t kMost = 16;
    std::string text = names_.size() == 1 ? "is" : "are";
    for (size_t i = 0; i < std::min(names_.size(), kMost); ++i) text += (i == 0 ? " " : ", ") + excerpt(names_[i]);
    if (names_.size() > kMost) text += fmt::format(" and {} more", names_.size() - kMost);
    return text;
  }
  const CsvRow& row_;
  Findings& findings_;
  std::vector<std::string> names_;
};

bool is_label(const std::string& ours) { return ours == "variant" || ours == "dataset" || ours == "run"; }

// "W{w_bits}A{a_bits}", or a column's name alone; or, where a bare text is no column's name, that text.
Source source_of(const std::string& text, bool pattern, const Header& header, bool bare_is_column = true) {
  Source source;
  if (!bare_is_column && text.find('{') == std::string::npos) return {{text}, {}};
  if (const auto whole = header.find(text); whole || !pattern || text.find('{') == std::string::npos) {
    source.texts = {"", ""};
    if (whole)
      source.cells = {*whole};
    else
      header.missing(text, "");
    return source;
  }
  source.texts.emplace_back();
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t close = text[i] == '{' ? text.find('}', i) : std::string::npos;
    if (close == std::string::npos) {
      source.texts.back() += text[i];
      continue;
    }
    const std::string name = trimmed(text.substr(i + 1, close - i - 1));
    if (const auto cell = header.find(name))
      source.cells.push_back(*cell), source.texts.emplace_back();
    else
      header.missing(name, "");
    i = close;
  }
  return source;
}

Sources find_sources(const Header& header, const PointsFormat& format) {
  Sources sources;
  for (const std::string& ours : point_columns()) {
    const auto mapped = format.columns.find(ours);
    if (mapped != format.columns.end()) {
      sources[ours] = source_of(mapped->second, is_label(ours), header);
    } else if (const auto at = header.find(ours); at && ours != "flops") {
      sources[ours] = Source{{"", ""}, {*at}};
    }
  }
  const auto need = [&](const std::string& ours) {
    if (sources.count(ours)) return;
    const bool other = (ours == "params" && sources.count("tokens")) || (ours == "tokens" && sources.count("params"));
    header.missing(ours, fmt::format(" (another name is mapped by --map {}=NAME{})", ours,
                                     other ? "; training FLOPs, C = 6 N D, by --map flops=NAME" : ""));
  };
  need("loss");
  const bool has_size = sources.count("params") > 0, has_length = sources.count("tokens") > 0;
  if (has_size && has_length && sources.count("flops")) header.superfluous(format.columns.at("flops"));
  const bool follows = sources.count("flops") && (has_size || has_length);
  for (const Axis axis : format.needed) {
    if (follows && (axis == Axis::params || axis == Axis::tokens)) continue;
    // Of a curve: the areas, or what they follow from.
    if (axis == Axis::annealing || (axis == Axis::lr_area && sources.count("lr_area"))) continue;
    if (axis == Axis::lr_area)
      need("step"), need("lr");
    else
      need(axis_name(axis));
  }
  const auto need_columns = [&](const RowFilter& filter, const char* hint) {
    for (const std::string& name : filter.columns()) {
      if (!sources.count(name) && !header.find(name)) header.missing(name, hint);
    }
  };
  need_columns(format.where, " (--where)");
  for (const VariantRule& rule : format.labels) need_columns(rule.rows, " (--label)");
  return sources;
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

// What a row says: the point, and where on its run's schedule it stands.
struct Reading {
  Point point;
  std::optional<double> step, lr;
  const CsvCell* first = nullptr;  // for messages
  const CsvRow* row = nullptr;
};

class RowReader {
 public:
  RowReader(const Sources& sources, const Header& header, const PointsFormat& format, char delimiter,
            Findings& findings)
      : sources_(sources), format_(format), delimiter_(delimiter), findings_(findings) {
    const auto know = [&](const RowFilter& filter) {
      for (const std::string& name : filter.columns()) {
        if (!sources.count(name)) columns_[name] = header.find(name);
      }
    };
    know(format.where);
    for (const VariantRule& rule : format.labels) {
      know(rule.rows);
      labels_.push_back(source_of(rule.label, true, header, false));
    }
  }

  bool wanted(const CsvRow& row) const { return holds(format_.where, row); }

  bool holds(const RowFilter& filter, const CsvRow& row) const {
    return filter.keeps([&](const std::string& name) -> std::optional<std::string> {
      const auto column = columns_.find(name);
      if (column == columns_.end()) return text(row, name);
      return with_decimal_point(row[*column->second].text, delimiter_);
    });
  }

  Reading read(const CsvRow& row) const {
    Reading reading;
    reading.first = &row[0], reading.row = &row;
    Point& point = reading.point;
    number(row, "params", point.params);
    number(row, "tokens", point.tokens);
    number(row, "loss", point.loss);
    double flops = 0;
    number(row, "flops", flops);
    if (!sources_.count("tokens") && point.params > 0) point.tokens = flops / (6 * point.params);
    if (!sources_.count("params") && point.tokens > 0) point.params = flops / (6 * point.tokens);
    if (filled(row, "unique_tokens")) number(row, "unique_tokens", point.unique_tokens);
    if (filled(row, "lr_area")) number(row, "lr_area", point.lr_area);
    if (filled(row, "annealing")) reading.point.annealing = not_negative(row, "annealing").value_or(0);
    if (filled(row, "step")) reading.step = not_negative(row, "step");
    if (filled(row, "lr")) reading.lr = not_negative(row, "lr");
    point.variant = variant(row);
    point.dataset = text(row, "dataset").value_or("");
    point.run = text(row, "run").value_or("");
    if (const CsvCell* cell = at(row, "seed"); cell && !cell->text.empty()) seed(*cell, point);
    return reading;
  }

 private:
  const CsvCell* at(const CsvRow& row, const std::string& name) const {
    const auto source = sources_.find(name);
    return source == sources_.end() || source->second.cells.empty() ? nullptr : &row[source->second.cells[0]];
  }
  bool filled(const CsvRow& row, const std::string& name) const {
    const CsvCell* cell = at(row, name);
    return cell && !cell->text.empty();
  }
  std::string variant(const CsvRow& row) const {
    for (size_t i = 0; i < labels_.size(); ++i) {
      if (holds(format_.labels[i].rows, row)) return text_of(row, labels_[i]);
    }
    return text(row, "variant").value_or("");
  }
  std::optional<std::string> text(const CsvRow& row, const std::string& name) const {
    const auto found = sources_.find(name);
    if (found == sources_.end()) return std::nullopt;
    return text_of(row, found->second);
  }
  std::string text_of(const CsvRow& row, const Source& source) const {
    std::string text = source.texts[0];
    for (size_t i = 0; i < source.cells.size(); ++i) text += row[source.cells[i]].text + source.texts[i + 1];
    return text;
  }
  void number(const CsvRow& row, const std::string& name, double& value) const {
    const CsvCell* cell = at(row, name);
    if (!cell) return;
    const auto unit = format_.units.find(name);
    if (const auto read = positive(*cell, name, delimiter_, findings_))
      value = *read * (unit == format_.units.end() ? 1 : unit->second);
  }
  std::optional<double> not_negative(const CsvRow& row, const std::string& name) const {
    const CsvCell& cell = *at(row, name);
    const auto value = parse_size(with_decimal_point(cell.text, delimiter_));
    if (value && std::isfinite(*value) && *value >= 0) return value;
    findings_.add(cell.line, cell.column,
                  fmt::format("{} must be a number of 0 or more, not '{}'", name, excerpt(cell.text)));
    return std::nullopt;
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

  const Sources& sources_;
  const PointsFormat& format_;
  char delimiter_;
  Findings& findings_;
  std::vector<Source> labels_;
  std::map<std::string, std::optional<size_t>> columns_;  // of `where`, those of the file's that are not ours
};

// A run that is listed twice would count twice.
void find_repetitions(const std::vector<Reading>& readings, Findings& findings) {
  struct Before {
    bool operator()(const Reading* a, const Reading* b) const {
      const auto key = [](const Reading& r) {
        return std::tie(r.point.run, r.point.variant, r.point.dataset, r.point.params, r.point.tokens,
                        r.point.unique_tokens, r.point.lr_area, r.step, r.point.seed);
      };
      return key(*a) < key(*b);
    }
  };
  std::set<const Reading*, Before> seen;
  for (const Reading& reading : readings) {
    if (reading.point.run.empty() && !reading.point.seed) continue;  // two runs may differ in what is not in the file
    const auto [first, added] = seen.insert(&reading);
    if (!added)
      findings.add(reading.first->line, reading.first->column,
                   fmt::format("the same run as on line {}{}", (*first)->first->line,
                               reading.point.run.empty() ? ": equal in all, the seed too"
                                                         : fmt::format(": '{}'", excerpt(reading.point.run))));
  }
}

// S1 and S2 of rows that say the rate of their step: of each run in the order of its steps.
void fill_areas(std::vector<Reading>& readings) {
  std::map<std::string, std::vector<Reading*>> runs;
  for (Reading& r : readings) {
    if (r.step && r.lr && r.point.lr_area == 0) runs[r.point.run].push_back(&r);
  }
  for (auto& [name, rows] : runs) {
    std::stable_sort(rows.begin(), rows.end(), [](const Reading* a, const Reading* b) { return *a->step < *b->step; });
    std::vector<RateAt> schedule;
    std::vector<double> steps;
    for (const Reading* r : rows) {
      steps.push_back(*r->step);
      if (schedule.empty() || schedule.back().step < *r->step) schedule.push_back({*r->step, *r->lr});
    }
    const std::vector<ScheduleArea> areas = schedule_areas(schedule, steps);
    for (size_t i = 0; i < rows.size(); ++i)
      rows[i]->point.lr_area = areas[i].lr_area, rows[i]->point.annealing = areas[i].annealing;
  }
}

}  // namespace

std::vector<PointRow> read_point_rows(std::string_view text, const std::string& name_for_message,
                                      const PointsFormat& format) {
  Findings findings(name_for_message);
  const CsvTable table = read_csv(text, findings);
  const std::vector<CsvRow>& rows = table.rows;
  if (rows.empty()) findings.add(0, 0, "no header line: the file is empty");
  findings.throw_if_any();
  const Header header(rows[0], findings);
  const Sources sources = find_sources(header, format);
  findings.throw_if_any();
  const RowReader reader(sources, header, format, table.delimiter, findings);
  std::vector<Reading> readings;
  readings.reserve(rows.size());
  for (size_t i = 1; i < rows.size(); ++i) {
    const CsvRow& row = rows[i];
    if (row.size() != rows[0].size())
      findings.add(row[0].line, row.back().column,
                   fmt::format("{} cells, where the header has {}", row.size(), rows[0].size()));
    else if (reader.wanted(row))
      readings.push_back(reader.read(row));
  }
  if (rows.size() == 1) findings.add(0, 0, "no rows below the header");
  if (rows.size() > 1 && readings.empty() && !findings.any()) findings.add(0, 0, "no row is left by --where");
  find_repetitions(readings, findings);
  findings.throw_if_any();
  fill_areas(readings);
  std::vector<PointRow> found;
  found.reserve(readings.size());
  for (Reading& reading : readings) {
    PointRow& row = found.emplace_back();
    row.point = std::move(reading.point);
    for (size_t k = 0; k < rows[0].size(); ++k) {
      std::string number = with_decimal_point((*reading.row)[k].text, table.delimiter);
      row.cells[rows[0][k].text] = parse_number(number) ? std::move(number) : (*reading.row)[k].text;
    }
  }
  return found;
}

std::vector<Point> read_points_csv(std::string_view text, const std::string& name_for_message,
                                   const PointsFormat& format) {
  std::vector<Point> points;
  for (PointRow& row : read_point_rows(text, name_for_message, format)) points.push_back(std::move(row.point));
  return points;
}

}  // namespace bitsweep
