#include "fit/results_table.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/nearest.h"
#include "fit/cell_value.h"
#include "fit/points_source.h"
#include "fit/table_form.h"

namespace bitsweep::fit {
namespace {

struct ResultColumns {
  PointSource label;
  size_t loss = 0;
  std::optional<size_t> seed, state;
};

// One row of the table, as far as it counts.
struct ResultRow {
  std::string name, seed;
  double loss = 0;
  int line = 0;
};

std::string label_of(const CsvRow& row, const PointSource& source) {
  std::string text = source.texts[0];
  for (size_t i = 0; i < source.cells.size(); ++i) text += row[source.cells[i]].text + source.texts[i + 1];
  return text.empty() ? "(no name)" : text;
}

std::optional<ResultColumns> find_columns(const TableHeader& header, const PointsFormat& format) {
  ResultColumns columns;
  const auto mapped = [&](const char* ours) {
    const auto at = format.columns.find(ours);
    return at == format.columns.end() ? std::optional<std::string>() : std::optional(at->second);
  };
  if (const auto name = mapped("variant") ? mapped("variant") : mapped("run"))
    columns.label = point_source(*name, true, header);
  else if (const auto label = results_label(header))
    columns.label = {{"", ""}, {*label}, false};
  else
    return std::nullopt;
  std::optional<size_t> loss = loss_column(header, format.columns);
  // Of several the first of the usual order: a table of results has all of its measures beside each other.
  for (size_t k = 0; k < loss_names().size() && !loss && !mapped("loss"); ++k)
    if (const auto found = header.like({loss_names()[k]}); !found.empty()) loss = found[0];
  if (!loss) return std::nullopt;
  columns.loss = *loss;
  if (const auto name = mapped("seed"))
    columns.seed = header.find(*name);
  else if (const auto seeds = header.like({"seed", "random_seed", "rng_seed"}); !seeds.empty())
    columns.seed = seeds[0];
  for (size_t k = 0; k < header.names().size() && !columns.state; ++k)
    if (is_state_column(header.name(k))) columns.state = k;
  return columns;
}

// Reads rows into groups, and counts what it leaves out.
class ResultReader {
 public:
  ResultReader(const ResultColumns& columns, char delimiter, Findings& findings)
      : columns_(columns), delimiter_(delimiter), findings_(findings) {}

  std::optional<ResultRow> read(const CsvRow& row) {
    const RowState state = state_of(row);
    if (!state.finished()) {
      const std::string why = state.exit_cause.empty() ? state.state : state.exit_cause;
      count("row that did not finish (" + why + ")", row[0].line);
      return std::nullopt;
    }
    ResultRow read{label_of(row, columns_.label), "", 0, row[0].line};
    if (columns_.seed) read.seed = seed_of(row[*columns_.seed].text);
    const CsvCell& loss = row[columns_.loss];
    const auto value = cell_number(loss.text, delimiter_);
    if (says_missing(loss.text)) {
      count("row without a value", loss.line);
      return std::nullopt;
    }
    if (!value) {
      findings_.add_kind("number", loss.line, loss.column,
                         fmt::format("a result must be a number, not '{}'", excerpt(loss.text)));
      return std::nullopt;
    }
    if (!std::isfinite(*value) || !(*value > 0)) {
      count("row whose loss is not above 0", loss.line);
      return std::nullopt;
    }
    read.loss = *value;
    return read;
  }

  void tell(std::vector<std::string>& notes) const {
    for (const auto& [what, seen] : left_out_)
      notes.push_back(fmt::format("left out {} {}, the first on line {}", seen.first, what, seen.second));
  }

 private:
  RowState state_of(const CsvRow& row) {
    if (!columns_.state || row[*columns_.state].text.empty()) return {};
    const CsvCell& cell = row[*columns_.state];
    if (const auto read = read_row_state(cell.text)) return *read;
    findings_.add_kind("state " + cell.text, cell.line, cell.column,
                       fmt::format("state '{}' is none that is known{}; known: {}", excerpt(cell.text),
                                   did_you_mean(cell.text, row_state_words()), fmt::join(row_state_words(), ", ")));
    return {};
  }

  // A seed is a name here: 1337 and 1337.0 are one, and no digit of a long one is lost.
  std::string seed_of(const std::string& text) const {
    if (says_missing(text)) return "";
    const auto whole = whole_number(text, delimiter_);
    return whole ? std::to_string(*whole) : text;
  }

  void count(const std::string& what, int line) {
    auto& seen = left_out_.try_emplace(what, 0, line).first->second;
    ++seen.first;
  }

  const ResultColumns& columns_;
  char delimiter_;
  Findings& findings_;
  std::map<std::string, std::pair<int, int>> left_out_;  // how many, and the first line
};

bool wanted(const RowFilter& where, const TableHeader& header, const CsvRow& row, char delimiter) {
  return where.keeps([&](const std::string& name) -> std::optional<std::string> {
    const auto column = header.find(name);
    if (!column) return std::nullopt;
    return plain_number(row[*column].text, delimiter);
  });
}

// Names of settings (config.lr, args.depth) that differ between the seeds of one name.
void tell_mixed_settings(const CsvTable& cells, const TableHeader& header, const PointSource& label,
                         std::vector<std::string>& notes) {
  for (size_t column = 0; column < header.names().size(); ++column) {
    const std::string& name = header.name(column);
    const size_t dot = name.find('.');
    const std::string section = lower_case(name.substr(0, dot));
    if (dot == std::string::npos || name.ends_with("seed")) continue;
    if (section != "config" && section != "args" && section != "hparams" && section != "settings") continue;
    std::map<std::string, std::string> value_of;
    for (size_t i = 1; i < cells.rows.size(); ++i) {
      if (cells.rows[i].size() <= column) continue;
      const std::string row = label_of(cells.rows[i], label), &value = cells.rows[i][column].text;
      const auto [at, added] = value_of.emplace(row, value);
      if (added || at->second == value) continue;
      notes.push_back(fmt::format("'{}' has {} '{}' and '{}' (line {}): its results are not seeds of one configuration",
                                  excerpt(row), excerpt(name), excerpt(at->second), excerpt(value),
                                  cells.rows[i][0].line));
      break;
    }
  }
}

void add_row(ResultsTable& table, const ResultRow& row) {
  const auto same = [&](const ResultGroup& group) { return group.name == row.name; };
  auto group = std::find_if(table.groups.begin(), table.groups.end(), same);
  if (group == table.groups.end()) group = table.groups.insert(group, {row.name, {}, {}});
  group->seeds.push_back(row.seed);
  group->losses.push_back(row.loss);
}

// Rows that say nothing that another does not say are copies, counted once.
class Copies {
 public:
  bool is_copy(const CsvRow& row) {
    std::vector<std::string> texts;
    for (const CsvCell& cell : row) texts.push_back(cell.text);
    if (seen_.insert(std::move(texts)).second) return false;
    if (++count_ == 1) first_ = row[0].line;
    return true;
  }
  void tell(std::vector<std::string>& notes) const {
    if (count_ > 0)
      notes.push_back(
          fmt::format("{} row{} equal to another in all: taken for copies and counted once, the first on "
                      "line {}",
                      count_, count_ == 1 ? " is" : "s are", first_));
  }

 private:
  std::set<std::vector<std::string>> seen_;
  int count_ = 0, first_ = 0;
};

void tell_repeated_seeds(ResultsTable& table) {
  for (const ResultGroup& group : table.groups) {
    std::set<std::string> seen;
    for (const std::string& seed : group.seeds)
      if (!seed.empty() && !seen.insert(seed).second) {
        table.notes.push_back(
            fmt::format("'{}' has seed {} more than once, with different results", excerpt(group.name), excerpt(seed)));
        break;
      }
  }
}

}  // namespace

std::optional<ResultsTable> read_results_table(std::string_view text, const std::string& name_for_message,
                                               const PointsFormat& format) {
  ResultsTable table;
  const CsvTable cells = read_table(text, name_for_message, table.notes);
  Findings findings(name_for_message);
  const TableHeader header(cells.rows[0], findings);
  if (!is_results_table(header, format.columns)) return std::nullopt;
  const auto columns = find_columns(header, format);
  findings.throw_if_any();
  if (!columns) return std::nullopt;
  table.metric = header.name(columns->loss);
  table.label = columns->label.cells.size() == 1 ? header.name(columns->label.cells[0]) : "variant";
  for (const std::string& name : format.where.columns())
    if (!header.find(name)) header.missing(name, " (--where)");
  findings.throw_if_any();
  ResultReader reader(*columns, cells.delimiter, findings);
  Copies copies;
  for (size_t i = 1; i < cells.rows.size(); ++i) {
    const CsvRow& row = cells.rows[i];
    if (row.size() != header.names().size())
      findings.add_kind("length", row[0].line, row.back().column,
                        fmt::format("{} cells, where the header has {}", row.size(), header.names().size()));
    else if (wanted(format.where, header, row, cells.delimiter) && !copies.is_copy(row))
      if (const auto read = reader.read(row)) add_row(table, *read);
  }
  if (table.groups.empty() && !findings.any()) findings.add(0, 0, "no row has a result");
  findings.throw_if_any();
  reader.tell(table.notes);
  copies.tell(table.notes);
  tell_repeated_seeds(table);
  tell_mixed_settings(cells, header, columns->label, table.notes);
  return table;
}

Baseline choose_baseline(const ResultsTable& table, const std::string& asked) {
  std::vector<std::string> names;
  for (const ResultGroup& group : table.groups) names.push_back(group.name);
  const auto named = [&](const std::string& name) -> std::optional<size_t> {
    for (size_t g = 0; g < names.size(); ++g)
      if (names[g] == name) return g;
    for (size_t g = 0; g < names.size(); ++g)
      if (lower_case(names[g]) == lower_case(name)) return g;
    return std::nullopt;
  };
  if (!asked.empty()) {
    if (const auto group = named(asked)) return {*group, "as asked for"};
    throw Error(ErrorKind::input, fmt::format("--baseline: no '{}' in column '{}'{}", excerpt(asked), table.label,
                                              did_you_mean(asked, names)));
  }
  for (const char* name : {"baseline", "base", "control", "reference", "ref", "default", "vanilla", "original", "a0"})
    if (const auto group = named(name)) return {*group, "by its name"};
  for (size_t g = 0; g < names.size(); ++g)
    for (const char* word : {"baseline", "control"})
      if (lower_case(names[g]).find(word) != std::string::npos) return {g, "by its name"};
  return {0, "as the first; --baseline NAME picks another"};
}

}  // namespace bitsweep::fit
