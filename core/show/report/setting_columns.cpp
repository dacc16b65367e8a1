#include "report/setting_columns.h"

#include <algorithm>
#include <set>

#include "analysis/run_settings.h"
#include "render/format.h"

namespace bitsweep::report {
namespace {

bool is_rate(const std::string& path) { return path == "train.batch" || path == "train.lr"; }

bool names_variants(const std::string& path) {
  return path == "train.init_from" || path == analysis::kTokenizerSetting || analysis::is_model_option(path);
}

// As a sweep file calls it.
std::string key_of(const std::string& path) {
  const std::string examples = "data.examples.";
  return path.starts_with(examples) ? "data." + path.substr(examples.size()) : path;
}

std::string last_part(const std::string& path) { return path.substr(path.rfind('.') + 1); }

}  // namespace

std::string SettingColumn::text(const analysis::ReportCell& cell) const {
  const std::string* value = analysis::find_setting(cell.factors, path);
  return value != nullptr && !value->empty() && *value != "[]" ? *value : render::kNothing;
}

std::vector<SettingColumn> setting_columns(const analysis::CellTable& table, bool with_rates) {
  std::vector<SettingColumn> columns;
  std::set<std::string> seen;
  for (const analysis::ReportCell& cell : table.cells)
    for (const auto& [path, value] : cell.factors) {
      if (names_variants(path) || (!with_rates && is_rate(path)) || !seen.insert(path).second) continue;
      const SettingColumn column{path, key_of(path)};
      const std::string first = column.text(table.cells.front());
      if (std::any_of(table.cells.begin(), table.cells.end(),
                      [&](const analysis::ReportCell& other) { return column.text(other) != first; }))
        columns.push_back(column);
    }
  // A last part that says enough, and is no word of the table's own.
  std::multiset<std::string> parts{"loss", "final", "best", "params", "tokens"};
  for (const SettingColumn& column : columns) parts.insert(last_part(column.title));
  for (SettingColumn& column : columns)
    if (const std::string part = last_part(column.title); parts.count(part) == 1) column.title = part;
  return columns;
}

}  // namespace bitsweep::report
