#include "fit/points_csv.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/nearest.h"
#include "fit/cell_value.h"
#include "fit/checkpoints.h"
#include "fit/curve.h"
#include "fit/json_table.h"
#include "fit/points_source.h"
#include "fit/row_checks.h"

namespace bitsweep::fit {
namespace {

// Rows of one kind that are left out, or taken for something: how many, the first, and what they say.
struct Tally {
  int count = 0, first = 0;
  std::vector<std::string> examples;

  void add(int line, const std::string& text) {
    constexpr size_t kMostExamples = 4;
    if (++count == 1) first = line;
    const std::string shown = text.empty() ? "empty" : excerpt(text);
    if (examples.size() < kMostExamples && std::find(examples.begin(), examples.end(), shown) == examples.end())
      examples.push_back(shown);
  }
  // "3 rows without a loss (N/A, empty), the first on line 4"
  std::string told(const char* one, const char* many) const {
    return fmt::format("{} {} ({}), the first on line {}", count, count == 1 ? one : many, fmt::join(examples, ", "),
                       first);
  }
};

struct Tallies {
  Tally no_loss, not_above_zero, discarded, far_seeds;
};

NumberKind kind_of(const std::string& ours) {
  return ours == "loss" || ours == "best_loss" || ours == "lr" || ours == "lr_area" || ours == "annealing"
             ? NumberKind::measure
             : NumberKind::count;
}

// Reads rows of a table whose sources are known. What is wrong with a cell goes to the findings of its kind.
class RowReader {
 public:
  RowReader(const PointSources& sources, const TableHeader& header, const PointsFormat& format, char delimiter,
            Findings& findings, Tallies& tallies)
      : sources_(sources),
        format_(format),
        delimiter_(delimiter),
        findings_(findings),
        tallies_(tallies),
        names_(header.names()) {
    const auto know = [&](const RowFilter& filter) {
      for (const std::string& name : filter.columns()) {
        if (!sources.count(name)) columns_[name] = header.find(name);
      }
    };
    know(format.where);
    for (const VariantRule& rule : format.labels) {
      know(rule.rows);
      labels_.push_back(point_source(rule.label, true, header, false));
    }
    for (size_t k = 0; k < names_.size() && !state_column_; ++k)
      if (is_state_column(names_[k])) state_column_ = k;
  }

  bool wanted(const CsvRow& row) const { return holds(format_.where, row); }

  PointRow read(const CsvRow& row) const {
    PointRow read;
    read.line = row[0].line;
    read.state = state(row);
    for (size_t k = 0; k < names_.size(); ++k) read.cells[names_[k]] = cell_text(row[k].text);
    // Of a run that did not finish the cells are taken as far as they can be read.
    Findings unheard("");
    values(row, read, read.state.finished() ? findings_ : unheard);
    if (!read.state.finished()) return read;
    if (read.point.loss <= 0) tell_no_loss(row);
    return read;
  }

 private:
  std::string cell_text(const std::string& text) const {
    std::string number = plain_number(text, delimiter_);
    return cell_number(text, delimiter_) ? std::move(number) : text;
  }

  bool holds(const RowFilter& filter, const CsvRow& row) const {
    return filter.keeps([&](const std::string& name) -> std::optional<std::string> {
      const auto column = columns_.find(name);
      if (column == columns_.end()) {
        const auto found = text(row, name);
        return found ? std::optional(plain_number(*found, delimiter_, kind_of(name))) : std::nullopt;
      }
      return plain_number(row[*column->second].text, delimiter_);
    });
  }

  RowState state(const CsvRow& row) const {
    if (!state_column_) return {};
    const CsvCell& cell = row[*state_column_];
    if (cell.text.empty()) return {};
    const auto read = read_row_state(cell.text);
    if (!read) {
      findings_.add_kind(
          "state " + cell.text, cell.line, cell.column,
          fmt::format("{} '{}' is none that is known{}; known: {}", names_[*state_column_], excerpt(cell.text),
                      did_you_mean(cell.text, row_state_words()), fmt::join(row_state_words(), ", ")));
      return {};
    }
    if (read->finished() && lower_case(cell.text).starts_with("discard")) tallies_.discarded.add(cell.line, cell.text);
    return *read;
  }

  void values(const CsvRow& row, PointRow& read, Findings& findings) const {
    Point& point = read.point;
    number(row, "params", point.params, findings);
    number(row, "tokens", point.tokens, findings);
    loss(row, point, findings);
    const bool size = sources_.count("params") > 0, length = sources_.count("tokens") > 0;
    double flops = 0;
    if (!(size && length) || filled(row, "flops")) number(row, "flops", flops, findings);
    if (size && length) point.flops = flops;
    if (!length && point.params > 0) point.tokens = flops / (6 * point.params);
    if (!size && point.tokens > 0) point.params = flops / (6 * point.tokens);
    if (filled(row, "params_nonembedding")) number(row, "params_nonembedding", point.params_nonembedding, findings);
    if (filled(row, "best_loss")) number(row, "best_loss", point.best_loss, findings);
    if (filled(row, "unique_tokens")) number(row, "unique_tokens", point.unique_tokens, findings);
    if (filled(row, "lr_area")) number(row, "lr_area", point.lr_area, findings);
    if (filled(row, "annealing")) point.annealing = not_negative(row, "annealing", findings).value_or(0);
    if (filled(row, "step")) read.step = not_negative(row, "step", findings);
    if (filled(row, "lr")) read.lr = not_negative(row, "lr", findings);
    point.variant = variant(row);
    point.dataset = text(row, "dataset").value_or("");
    point.run = text(row, "run").value_or("");
    if (filled(row, "seed")) seed(*at(row, "seed"), point, findings);
  }

  const CsvCell* at(const CsvRow& row, const std::string& name) const {
    const auto source = sources_.find(name);
    return source == sources_.end() || source->second.cells.empty() ? nullptr : &row[source->second.cells[0]];
  }
  bool filled(const CsvRow& row, const std::string& name) const {
    const CsvCell* cell = at(row, name);
    return cell && !says_missing(cell->text);
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
  static std::string text_of(const CsvRow& row, const PointSource& source) {
    std::string text = source.texts[0];
    for (size_t i = 0; i < source.cells.size(); ++i) text += row[source.cells[i]].text + source.texts[i + 1];
    return text;
  }

  // A unit says that a cell is a measure of it: "1,5" of millions.
  NumberKind kind_in_file(const std::string& name) const {
    return format_.units.contains(name) ? NumberKind::measure : kind_of(name);
  }

  void number(const CsvRow& row, const std::string& name, double& value, Findings& findings) const {
    const CsvCell* cell = at(row, name);
    if (!cell) return;
    const auto complain = [&](const char* kind, const std::string& message) {
      findings.add_kind(name + " " + kind, cell->line, cell->column, fmt::format("{} {}", name, message));
    };
    const auto read = cell_number(cell->text, delimiter_, kind_in_file(name));
    const std::string shown = excerpt(cell->text);
    if (says_missing(cell->text))
      complain("missing", cell->text.empty() ? "is missing" : fmt::format("is missing: '{}'", shown));
    else if (!read)
      complain("number", fmt::format("must be a number, not '{}'", shown));
    else if (!std::isfinite(*read))
      complain("finite", fmt::format("must be finite, not '{}'", shown));
    else if (*read <= 0)
      complain("positive", fmt::format("must be greater than 0, not '{}'", shown));
    else
      value = *read * unit(name);
  }

  double unit(const std::string& name) const {
    const auto unit = format_.units.find(name);
    return unit == format_.units.end() ? 1 : unit->second;
  }

  // A loss that is not there, or not above 0, is no mistake of the file: the row is left out and told.
  void loss(const CsvRow& row, Point& point, Findings& findings) const {
    const CsvCell* cell = at(row, "loss");
    if (!cell || says_missing(cell->text)) return;
    const auto read = cell_number(cell->text, delimiter_);
    if (!read)
      findings.add_kind("loss number", cell->line, cell->column,
                        fmt::format("loss must be a number, not '{}'", excerpt(cell->text)));
    else if (std::isfinite(*read) && *read > 0)
      point.loss = *read;
  }

  void tell_no_loss(const CsvRow& row) const {
    const CsvCell* cell = at(row, "loss");
    if (!cell) return;
    if (says_missing(cell->text))
      tallies_.no_loss.add(cell->line, cell->text);
    else if (cell_number(cell->text, delimiter_))
      tallies_.not_above_zero.add(cell->line, cell->text);
  }

  std::optional<double> not_negative(const CsvRow& row, const std::string& name, Findings& findings) const {
    const CsvCell& cell = *at(row, name);
    const auto value = cell_number(cell.text, delimiter_, kind_of(name));
    if (value && std::isfinite(*value) && *value >= 0) return value;
    findings.add_kind(name + " negative", cell.line, cell.column,
                      fmt::format("{} must be a number of 0 or more, not '{}'", name, excerpt(cell.text)));
    return std::nullopt;
  }

  void seed(const CsvCell& cell, Point& point, Findings& findings) const {
    point.seed = whole_number(cell.text, delimiter_);
    if (point.seed) return;
    const bool digits = cell.text.find_first_not_of("0123456789") == std::string::npos;
    if (digits)
      tallies_.far_seeds.add(cell.line, cell.text);
    else
      findings.add_kind("seed", cell.line, cell.column,
                        fmt::format("seed must be a whole number, not '{}'", excerpt(cell.text)));
  }

  const PointSources& sources_;
  const PointsFormat& format_;
  char delimiter_;
  Findings& findings_;
  Tallies& tallies_;
  std::vector<std::string> names_;
  std::vector<PointSource> labels_;
  std::map<std::string, std::optional<size_t>> columns_;  // of `where`, those of the file's that are not ours
  std::optional<size_t> state_column_;
};

// S1 and S2 of rows that say the rate of their step: of each run in the order of its steps.
void fill_areas(std::vector<PointRow>& all) {
  std::map<std::string, std::vector<PointRow*>> runs;
  for (PointRow& r : all) {
    if (r.step && r.lr && r.point.lr_area == 0) runs[r.point.run].push_back(&r);
  }
  for (auto& [name, rows] : runs) {
    std::stable_sort(rows.begin(), rows.end(),
                     [](const PointRow* a, const PointRow* b) { return *a->step < *b->step; });
    std::vector<RateAt> schedule;
    std::vector<double> steps;
    for (const PointRow* r : rows) {
      steps.push_back(*r->step);
      if (schedule.empty() || schedule.back().step < *r->step) schedule.push_back({*r->step, *r->lr});
    }
    const std::vector<ScheduleArea> areas = schedule_areas(schedule, steps);
    for (size_t i = 0; i < rows.size(); ++i) {
      rows[i]->point.lr_area = areas[i].lr_area;
      rows[i]->point.annealing = areas[i].annealing;
    }
  }
}

void tell(const Tallies& tallies, std::vector<std::string>& notes) {
  if (tallies.no_loss.count > 0)
    notes.push_back("left out " + tallies.no_loss.told("row without a loss", "rows without a loss"));
  if (tallies.not_above_zero.count > 0)
    notes.push_back("left out " +
                    tallies.not_above_zero.told("row whose loss is not above 0", "rows whose loss is not above 0"));
  if (tallies.discarded.count > 0)
    notes.push_back(tallies.discarded.told("row was finished and not kept", "rows were finished and not kept") +
                    ": what they measured counts; --where leaves them out");
  if (tallies.far_seeds.count > 0)
    notes.push_back("left out the seed of " + tallies.far_seeds.told("row", "rows") +
                    ": beyond 64 bits with a sign, it would be another number");
}

// Cells beyond the header's that say nothing are a separator too many.
size_t length_of(const CsvRow& row, size_t columns) {
  size_t length = row.size();
  while (length > columns && row[length - 1].text.empty()) --length;
  return length;
}

// Columns that tell runs of one size apart.
RunSettings settings_columns(const TableHeader& header) {
  const std::vector<std::string> names = {
      "batch",     "batch_size", "batch_seqs", "bs",      "weight_decay", "wd",   "optimizer", "warmup",    "schedule",
      "precision", "gradients",  "context",    "seq_len", "architecture", "arch", "config",    "config_id", "group"};
  RunSettings found;
  for (const size_t column : header.like(names)) found.held.push_back(header.name(column));
  // One that a log writes at each step tells nothing.
  if (!header.has({"step", "global_step", "_step", "iter", "iteration"}))
    for (const size_t column : header.like({"lr", "learning_rate"})) found.rates.push_back(header.name(column));
  return found;
}

// Columns that mean something to us already.
std::vector<std::string> known_columns(const PointSources& sources, const TableHeader& header) {
  std::vector<std::string> known;
  for (const auto& [ours, source] : sources)
    for (const size_t cell : source.cells)
      if (ours != "lr" && ours != "step" && !(ours == "run" && source.guessed)) known.push_back(header.name(cell));
  return known;
}

std::vector<PointRow> read_rows(const CsvTable& table, const PointSources& sources, const TableHeader& header,
                                const PointsFormat& format, Findings& findings, Tallies& tallies) {
  const RowReader reader(sources, header, format, table.delimiter, findings, tallies);
  std::vector<PointRow> found;
  found.reserve(table.rows.size());
  const size_t columns = table.rows[0].size();
  for (size_t i = 1; i < table.rows.size(); ++i) {
    const CsvRow& row = table.rows[i];
    if (length_of(row, columns) != columns)
      findings.add_kind("length", row[0].line, row.back().column,
                        fmt::format("{} cells, where the header has {}", row.size(), columns));
    else if (reader.wanted(row))
      found.push_back(reader.read(row));
  }
  if (table.rows.size() == 1) findings.add(0, 0, "no rows below the header");
  if (table.rows.size() > 1 && found.empty() && !findings.any()) findings.add(0, 0, "no row is left by --where");
  return found;
}

}  // namespace

CsvTable read_table(std::string_view text, const std::string& name_for_message, std::vector<std::string>& notes) {
  Findings findings(name_for_message);
  CsvTable table;
  if (const std::string other = not_text(text); !other.empty())
    findings.add(0, 0, fmt::format("no text, but {}", other));
  else if (is_json_table(text, name_for_message))
    table = read_json_table(text, findings, notes);
  else
    table = read_csv(text, findings);
  if (table.rows.empty() && !findings.any()) findings.add(0, 0, "no header line: the file is empty");
  findings.throw_if_any();
  return table;
}

PointTable read_point_table(std::string_view text, const std::string& name_for_message, const PointsFormat& format) {
  PointTable table;
  const CsvTable cells = read_table(text, name_for_message, table.notes);
  Findings findings(name_for_message);
  const TableHeader header(cells.rows[0], findings);
  const PointSources sources = find_point_sources(header, format);
  findings.throw_if_any();
  if (const auto loss = sources.find("loss"); !loss->second.cells.empty())
    table.loss_column = header.name(loss->second.cells[0]);
  Tallies tallies;
  table.rows = read_rows(cells, sources, header, format, findings, tallies);
  findings.throw_if_any();
  tell(tallies, table.notes);
  drop_copies(table);
  const auto run = sources.find("run");
  const auto runs = find_checkpoints(table, run != sources.end() && run->second.guessed, settings_columns(header));
  find_repetitions(table.rows, findings);
  findings.throw_if_any();
  fill_areas(table.rows);
  const bool within = std::find(format.needed.begin(), format.needed.end(), Axis::lr_area) != format.needed.end();
  if (within) {
    for (PointRow& row : table.rows) row.point.checkpoints = 1;
    return table;
  }
  use_checkpoints(table, runs, format.checkpoints);
  find_uneven_seeds(table, known_columns(sources, header));
  return table;
}

std::vector<Point> read_points_csv(std::string_view text, const std::string& name_for_message,
                                   const PointsFormat& format) {
  std::vector<Point> points;
  for (PointRow& row : read_point_table(text, name_for_message, format).rows)
    if (row.counts()) points.push_back(std::move(row.point));
  return points;
}

}  // namespace bitsweep::fit
