#include "imports/log_forms.h"

#include <algorithm>
#include <cmath>
#include <span>

#include <fmt/format.h>

#include "base/metric_kind.h"
#include "base/units.h"
#include "imports/log_text.h"
#include "imports/log_values.h"

namespace bitsweep::imports {
namespace {

constexpr std::string_view kKeys[] = {"key",     "metric", "metric_name", "tag",   "variable",
                                      "measure", "series", "scalar",      "field", "name"};
constexpr std::string_view kValues[] = {"value", "val", "scalar_value", "metric_value", "y"};
constexpr std::string_view kBetween = " - ";  // a wide export's run and metric

bool is_measured(std::string_view ours) {
  return std::any_of(logged_metrics().begin(), logged_metrics().end(),
                     [&](const LoggedMetric& metric) { return metric.name == ours; });
}

json::value value_of(const CsvCell& cell, char delimiter) {
  if (!cell.quoted) {
    // Digit for digit where there are only digits: a seed needs all of them.
    if (auto whole = try_parse_json(cell.text); whole && (whole->is_int64() || whole->is_uint64())) return *whole;
  }
  const auto plain = parse_number(with_decimal_point(cell.text, delimiter));
  if (plain && !std::isfinite(*plain)) return nullptr;
  return plain && !cell.quoted ? json::value(*plain) : json::value(cell.text);
}

LogField field_of(const std::string& title, const CsvCell& cell, char delimiter, const LogNames& names) {
  json::value value = value_of(cell, delimiter);
  // Quoted numbers are numbers where a number is meant; a name is a text, whatever it looks like.
  if (names.ours(title).ours == "run") value = cell.text;
  return {title, std::move(value), cell.column};
}

// --- wide ---------------------------------------------------------------------------------------------------------

struct WideColumn {
  std::string run, metric;
  bool range = false;  // "__MIN" or "__MAX" of the column beside it
};

std::optional<WideColumn> wide_column(const std::string& title, const LogNames& names) {
  const size_t at = title.rfind(kBetween);
  if (at == std::string::npos || at == 0 || names.is_mapped(title)) return std::nullopt;
  WideColumn column{title.substr(0, at), title.substr(at + kBetween.size()), false};
  for (const std::string_view end : {"__MIN", "__MAX"})
    if (column.metric.ends_with(end)) column.range = true;
  return column;
}

// The columns of a wide export; empty for a table of another form, and where somebody named one of its columns.
std::vector<std::optional<WideColumn>> wide_columns(const CsvRow& header, const LogNames& names) {
  std::vector<std::optional<WideColumn>> columns;
  bool any = false;
  for (const CsvCell& cell : header) {
    columns.push_back(wide_column(cell.text, names));
    any |= columns.back().has_value();
    if (names.is_mapped(cell.text) && cell.text.find(kBetween) != std::string::npos) return {};
    if (!columns.back() && is_measured(names.ours(cell.text).ours)) return {};
  }
  if (!any) columns.clear();
  return columns;
}

void take_wide_row(const CsvTable& table, const CsvRow& cells, const std::vector<std::optional<WideColumn>>& columns,
                   const LogNames& names, const TakeRow& take) {
  LogRow shared{.line = cells[0].line, .fields = {}};
  std::vector<std::pair<std::string, LogRow>> runs;
  for (size_t c = 0; c < cells.size(); ++c) {
    if (cells[c].text.empty()) continue;
    if (!columns[c]) {
      shared.fields.push_back(field_of(table.rows[0][c].text, cells[c], table.delimiter, names));
      continue;
    }
    if (columns[c]->range) continue;
    const std::string& run = columns[c]->run;
    auto at = std::find_if(runs.begin(), runs.end(), [&](const auto& one) { return one.first == run; });
    if (at == runs.end()) at = runs.insert(runs.end(), {run, LogRow{.line = cells[0].line, .fields = {}}});
    at->second.fields.push_back(field_of(columns[c]->metric, cells[c], table.delimiter, names));
  }
  for (auto& [run, row] : runs) {
    row.fields.insert(row.fields.begin(), shared.fields.begin(), shared.fields.end());
    std::erase_if(row.fields, [&](const LogField& field) { return names.ours(field.name).ours == "run"; });
    row.fields.push_back({"run", json::value(run), 0});
    take(std::move(row));
  }
}

// --- other tables -------------------------------------------------------------------------------------------------

bool has_column(const CsvRow& header, const LogNames& names, std::string_view ours) {
  return std::any_of(header.begin(), header.end(),
                     [&](const CsvCell& cell) { return names.ours(cell.text).ours == ours; });
}

// One scalar as TensorBoard writes it to CSV.
bool is_scalar_export(const CsvRow& header, const LogNames& names) {
  if (header.size() != 3 || names.is_mapped(header[2].text)) return false;
  std::vector<std::string> titles;
  for (const CsvCell& cell : header) titles.push_back(plain_name(cell.text));
  return titles == std::vector<std::string>{"wall_time", "step", "value"};
}

bool repeats_header(const CsvRow& cells, const CsvRow& header) {
  return std::equal(cells.begin(), cells.end(), header.begin(), header.end(),
                    [](const CsvCell& a, const CsvCell& b) { return a.text == b.text; });
}

// --- tidy ---------------------------------------------------------------------------------------------------------

struct TidyParts {
  size_t key = 0, value = 0;
};

std::optional<size_t> field_named(const LogRow& row, std::span<const std::string_view> known, bool text) {
  for (const std::string_view name : known)
    for (size_t i = 0; i < row.fields.size(); ++i)
      if (plain_name(row.fields[i].name) == name && (!text || row.fields[i].value.is_string())) return i;
  return std::nullopt;
}

std::optional<TidyParts> tidy_parts(const LogRow& row, const LogNames& names) {
  const auto value = field_named(row, kValues, false);
  if (!value) return std::nullopt;
  const auto key = field_named(row, kKeys, true);
  if (!key || names.is_mapped(row.fields[*key].name) || names.is_mapped(row.fields[*value].name)) return std::nullopt;
  // A loss that is told by its own column is no tidy one.
  for (const LogField& field : row.fields)
    if (names.ours(field.name).ours == "val_bpc") return std::nullopt;
  return TidyParts{*key, *value};
}

const LogField* field_of_ours(const LogRow& row, const LogNames& names, std::string_view ours, size_t but) {
  const LogField* best = nullptr;
  int rank = 0;
  for (size_t i = 0; i < row.fields.size(); ++i) {
    const LogName name = names.ours(row.fields[i].name);
    if (i == but || name.ours != ours || (best != nullptr && name.rank >= rank)) continue;
    best = &row.fields[i];
    rank = name.rank;
  }
  return best;
}

// --- documents ----------------------------------------------------------------------------------------------------

bool is_list_of_objects(const json::value& value) {
  return value.is_array() && !value.get_array().empty() && value.get_array()[0].is_object();
}

void take_list(const json::array& list, const TakeRow& take) {
  for (const json::value& item : list)
    if (item.is_object()) take(row_of(item.get_object(), "", 0));
}

// {"step": [100, 200], "val_bpb": [2.2, 2.1]}: a row an index.
bool take_columns(const json::object& document, const LogNames& names, const TakeRow& take) {
  size_t length = 0;
  for (const auto& member : document)
    if (member.value().is_array() && names.ours(member.key()).ours == "step")
      length = member.value().get_array().size();
  for (size_t i = 0; i < length; ++i) {
    LogRow row;
    for (const auto& member : document)
      if (member.value().is_array() && member.value().get_array().size() == length)
        row.fields.push_back({std::string(member.key()), member.value().get_array()[i], 0});
    take(std::move(row));
  }
  return length > 0;
}

}  // namespace

void each_table_row(const CsvTable& table, std::string_view text, const LogNames& names, LogTally& tally,
                    const TakeRow& take) {
  if (table.rows.empty()) return tally.mistake("empty", 0, 0, "no header line: the file is empty");
  const CsvRow& header = table.rows[0];
  const auto wide = wide_columns(header, names);
  const bool scalar = is_scalar_export(header, names);
  if (scalar)
    tally.note("scalar", 0, "one scalar of TensorBoard; its 'Value' is read as val_bpc (else --map NAME=Value)");
  const bool has_step = !wide.empty() || has_column(header, names, "step");
  const bool whole = text.ends_with('\n');
  for (size_t i = 1; i < table.rows.size(); ++i) {
    const CsvRow& cells = table.rows[i];
    if (repeats_header(cells, header)) continue;
    if (cells.size() != header.size()) {
      tally.note(!whole && i + 1 == table.rows.size() ? "torn" : "cells", cells[0].line,
                 fmt::format("{} cells, where the header has {}: left out", cells.size(), header.size()),
                 cells.back().column);
      continue;
    }
    if (!wide.empty()) {
      take_wide_row(table, cells, wide, names, take);
      continue;
    }
    LogRow row{.line = cells[0].line, .fields = {}};
    for (size_t c = 0; c < cells.size(); ++c)
      if (!cells[c].text.empty())
        row.fields.push_back(field_of(scalar && c == 2 ? "val_bpc" : header[c].text, cells[c], table.delimiter, names));
    const bool steps = std::any_of(row.fields.begin(), row.fields.end(),
                                   [&](const LogField& field) { return names.ours(field.name).ours == "step"; });
    if (has_step && !steps) tally.note("no step", row.line, "step is missing: left out", cells[0].column);
    if (steps || !has_step) take(std::move(row));
  }
}

bool is_table(std::string_view text, std::string_view suffix, const LogNames& names) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return suffix == ".csv" || suffix == ".tsv";
  if (text[first] == '{' || text[first] == '[') return false;
  if (suffix == ".csv" || suffix == ".tsv") return true;
  // A header: names and no numbers, a step among them.
  Findings ignored("");
  for (std::string_view rest = text.substr(first); !rest.empty();) {
    const size_t end = std::min(rest.find_first_of("\r\n"), rest.size());
    const CsvTable head = read_csv(rest.substr(0, end), ignored);
    if (!head.rows.empty()) {
      const CsvRow& cells = head.rows[0];
      return cells.size() > 1 && has_column(cells, names, "step") &&
             std::none_of(cells.begin(), cells.end(), [](const CsvCell& cell) { return parse_number(cell.text); });
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

void each_document_row(const json::value& document, const LogNames& names, const TakeRow& take) {
  if (document.is_array()) return take_list(document.get_array(), take);
  const json::object& object = document.get_object();
  json::object facts = object;
  std::vector<std::string_view> lists;
  for (const auto& member : object) {
    const std::string_view ours = names.ours(member.key()).ours;
    if (ours == "step" || ours == "time" || ours == "event" || is_measured(ours)) facts.erase(member.key());
    if (is_list_of_objects(member.value())) lists.push_back(member.key());
  }
  const json::value* history = object.if_contains("log_history");
  if (history == nullptr && lists.size() == 1) history = object.if_contains(lists[0]);
  if (history != nullptr && history->is_array()) {
    take(row_of(facts, "", 0));
    return take_list(history->get_array(), take);
  }
  if (take_columns(object, names, take)) return;
  take(row_of(object, "", 0));
}

bool TidyRows::take(const LogRow& row) {
  const auto parts = tidy_parts(row, names_);
  if (!parts) return false;
  const LogField* at = field_of_ours(row, names_, "step", parts->key);
  const auto step = at == nullptr ? std::nullopt : log_number(at->value);
  if (!step || !std::isfinite(*step)) return false;
  const LogField* named = field_of_ours(row, names_, "run", parts->key);
  const std::string name = named == nullptr || !named->value.is_string() ? "" : std::string(named->value.get_string());
  if (!runs_.contains(name)) order_.push_back(name);
  Run& run = runs_[name];
  const std::string key(row.fields[parts->key].value.get_string());
  const auto [last, first] = run.last.try_emplace(key, *step);
  if (!first && *step < last->second) {
    tally_.note("falls back", row.line,
                fmt::format("the steps of '{}' fall back from {} to {}: what lies beyond was given up and is left out",
                            excerpt(key), last->second, *step));
    give_up(run, key, *step);
  }
  last->second = *step;
  const auto [place, fresh] = run.rows.try_emplace(*step, LogRow{.line = row.line, .fields = {}});
  std::vector<LogField>& fields = place->second.fields;
  for (size_t i = 0; fresh && i < row.fields.size(); ++i)
    if (i != parts->key && i != parts->value) fields.push_back(row.fields[i]);
  std::erase_if(fields, [&](const LogField& field) { return field.name == key; });
  fields.push_back({key, row.fields[parts->value].value, row.fields[parts->value].column});
  return true;
}

void TidyRows::give_up(Run& run, const std::string& key, double beyond) {
  for (auto at = run.rows.upper_bound(beyond); at != run.rows.end(); ++at)
    std::erase_if(at->second.fields, [&](const LogField& field) { return field.name == key; });
}

void TidyRows::flush(const TakeRow& take) {
  for (const std::string& name : order_)
    for (auto& [step, row] : runs_[name].rows) {
      const auto is_key = [&](const LogField& field) { return runs_[name].last.contains(field.name); };
      if (std::any_of(row.fields.begin(), row.fields.end(), is_key)) take(std::move(row));
    }
  order_.clear();
  runs_.clear();
}

}  // namespace bitsweep::imports
