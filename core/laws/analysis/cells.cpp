#include "analysis/cells.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analysis/measure.h"
#include "analysis/run_settings.h"
#include "analysis/windows.h"
#include "base/distinct_names.h"
#include "base/units.h"
#include "query/comparable.h"

namespace bitsweep::analysis {
namespace {

// Which is left out of a spec at 1.
constexpr const char* kPluginVersion = "model.plugin_version";
constexpr const char* kFirstVersion = "1";

// Per plugin the options, shape apart, that take several values among these runs: they name variants.
std::map<std::string, std::set<std::string>> naming_options(const std::vector<MeasuredRun>& runs,
                                                            const std::vector<size_t>& which,
                                                            const std::vector<Settings>& settings) {
  std::map<std::string, std::map<std::string, std::set<std::string>>> values;
  for (size_t k = 0; k < which.size(); ++k) {
    auto& of_plugin = values[runs[which[k]].row.plugin];
    for (const auto& [path, value] : settings[k])
      if (is_model_option(path) && !is_shape_setting(path)) of_plugin[path].insert(value);
    if (find_setting(settings[k], kPluginVersion) == nullptr) of_plugin[kPluginVersion].insert(kFirstVersion);
  }
  std::map<std::string, std::set<std::string>> naming;
  // Tokens of two tokenizers are two units: no law holds for both.
  std::set<std::string> tokenizers;
  for (const Settings& of_run : settings)
    if (const std::string* tokenizer = find_setting(of_run, kTokenizerSetting)) tokenizers.insert(*tokenizer);
  if (tokenizers.size() > 1)
    for (const auto& [plugin, options] : values) naming[plugin].insert(kTokenizerSetting);
  for (const auto& [plugin, options] : values)
    for (const auto& [path, seen] : options)
      if (seen.size() > 1) naming[plugin].insert(path);
  return naming;
}

// `plugin` is its name among the plugins of the report (base/distinct_names.h).
std::string variant_name(const std::string& plugin, const Settings& settings, const std::set<std::string>& options) {
  std::string name = plugin.empty() ? "model" : plugin;
  std::string inside;
  for (const std::string& path : options) {
    const std::string* value = find_setting(settings, path);
    const char* unset = path == kPluginVersion ? kFirstVersion : "unset";
    inside +=
        fmt::format("{}{}={}", inside.empty() ? "" : ", ", path.substr(path.rfind('.') + 1), value ? *value : unset);
  }
  if (!inside.empty()) name += " (" + inside + ")";
  const std::string* base = find_setting(settings, "train.init_from");
  return base != nullptr && starts_from_weights(*base) ? name + " from " + base->substr(0, 12) : name;
}

std::optional<double> number_of(const Settings& settings, const std::string& path) {
  const std::string* text = find_setting(settings, path);
  return text != nullptr ? parse_number(*text) : std::nullopt;
}

ReportCell new_cell(const MeasuredRun& measured, std::string variant, const Settings& settings) {
  const query::RunRow& run = measured.row;
  ReportCell cell;
  cell.variant = std::move(variant);
  cell.params = static_cast<double>(run.params);
  cell.params_nonembedding = static_cast<double>(run.params_nonembedding);
  cell.tokens = static_cast<double>(run.tokens);
  cell.tokenizer = query::tokenizer_of(run.spec);
  cell.bytes = cell.tokens * query::bytes_per_token(run, measured.start).value_or(0);
  cell.epochs = run.epochs;
  cell.flops = run.flops;
  cell.batch = number_of(settings, "train.batch");
  cell.lr = number_of(settings, "train.lr");
  const std::string* init_from = find_setting(settings, "train.init_from");
  cell.shape_given = init_from != nullptr && starts_from_weights(*init_from);
  cell.seed_known = find_setting(settings, "seed") != nullptr;
  // Runs that are scored on the same bytes may differ in their context, which then is a setting.
  const bool any_context = find_setting(settings, "eval.bytes") != nullptr;
  for (const auto& setting : settings)
    if (!is_told_elsewhere(setting.first) || (any_context && setting.first == "data.context"))
      cell.factors.push_back(setting);
  return cell;
}

// Means over the cell's runs, where every run or some have a value.
void summarise(ReportCell& cell, const std::vector<MeasuredRun>& runs) {
  std::vector<double> last, best, wall, rate;
  for (const size_t r : cell.runs) {
    const query::RunRow& row = runs[r].row;
    last.push_back(*row.last_val_bpc);
    best.push_back(row.best_val_bpc.value_or(*row.last_val_bpc));
    if (row.wall_s) wall.push_back(*row.wall_s);
    if (row.tokens_per_s) rate.push_back(*row.tokens_per_s);
    cell.attempts += row.attempts;
  }
  cell.final_bpc = *estimate(last);
  cell.window_bpc = mean_windows(runs, cell.runs);
  if (const auto windows = window_error(runs, cell)) cell.final_bpc.window_se = windows->se;
  cell.best_bpc = *estimate(best);
  cell.choice = mean_validation_loss(runs, cell.runs);
  cell.metrics = task_estimates(runs, cell.runs);
  if (const auto mean = estimate(wall)) cell.wall_s = mean->mean;
  if (const auto mean = estimate(rate)) cell.tokens_per_s = mean->mean;
}

bool are_alike(const ReportCell& a, const ReportCell& b) {
  return !a.seed_known && !b.seed_known && a.variant == b.variant && a.params == b.params && a.tokens == b.tokens &&
         a.factors == b.factors;
}

// Measured at another size or length of the same class, and otherwise alike: a place of its own.
bool is_another_place(const ReportCell& a, const ReportCell& b) {
  return (a.params != b.params || a.tokens != b.tokens) && other_differences(a, b).empty();
}

bool differ(double a, double b, double factor) { return a > 0 && b > 0 && std::max(a / b, b / a) > factor; }

bool in_one_slot(const ReportCell& a, const ReportCell& b) {
  return a.size_class == b.size_class && a.budget_class == b.budget_class && a.variant == b.variant;
}

// REQUIRES cells in order: those of a slot one after another.
void choose(CellTable& table) {
  size_t first = 0;  // of the slot, in `chosen`
  for (size_t i = 0; i < table.cells.size(); ++i) {
    const ReportCell& cell = table.cells[i];
    if (i > 0 && !in_one_slot(table.cells[i - 1], cell)) first = table.chosen.size();
    const auto same = [&](size_t j) { return !is_another_place(cell, table.cells[j]); };
    const auto found =
        std::find_if(table.chosen.begin() + static_cast<std::ptrdiff_t>(first), table.chosen.end(), same);
    if (found == table.chosen.end()) {
      table.chosen.push_back(i);
      table.alternatives.push_back(1);
      continue;
    }
    if (!are_alike(cell, table.cells[*found])) ++table.alternatives[static_cast<size_t>(found - table.chosen.begin())];
    if (cell.choice < table.cells[*found].choice) *found = i;
  }
}

void put_in_order(CellTable& table) {
  const auto rank = [&](const std::string& variant) {
    return std::find(table.variants.begin(), table.variants.end(), variant) - table.variants.begin();
  };
  std::stable_sort(table.cells.begin(), table.cells.end(), [&](const ReportCell& a, const ReportCell& b) {
    if (a.variant != b.variant) return rank(a.variant) < rank(b.variant);
    if (a.size_class != b.size_class) return a.size_class < b.size_class;
    if (a.budget_class != b.budget_class) return a.budget_class < b.budget_class;
    return a.final_bpc.mean < b.final_bpc.mean;
  });
}

}  // namespace

std::vector<std::string> variant_names(const std::vector<MeasuredRun>& runs, const std::vector<size_t>& which) {
  std::vector<Settings> settings;
  for (const size_t r : which) settings.push_back(run_settings(runs[r].row));
  const auto naming = naming_options(runs, which, settings);
  std::vector<std::string> plugins;
  for (const MeasuredRun& run : runs) plugins.push_back(run.row.plugin);
  const auto short_names = distinct_names(plugins);
  std::vector<std::string> names;
  for (size_t k = 0; k < which.size(); ++k) {
    const query::RunRow& row = runs[which[k]].row;
    const auto options = naming.find(row.plugin);
    names.push_back(variant_name(short_names.at(row.plugin), settings[k],
                                 options == naming.end() ? std::set<std::string>() : options->second));
  }
  return names;
}

namespace {

// What the runs of one cell agree in. Of points from a file the counts, the variant and a few settings are all that is
// known: two that agree in these may differ in anything, and are seeds of one configuration only where they say so.
std::string cell_key(const query::RunRow& row, const std::string& variant, const Settings& settings, size_t which,
                     bool with_identity) {
  std::string key = fmt::format("{}/{}/{}", row.params, row.tokens, variant);
  if (find_setting(settings, "seed") == nullptr) key += fmt::format("/{}", which);
  for (const auto& [path, value] : settings)
    if (tells_cells_apart(settings, path) && (with_identity || !is_imported_log(path)))
      key += "\n" + path + "=" + value;
  return key;
}

// Per run whether another one from elsewhere agrees with it in every setting and in the seed: then the log tells them
// apart, for they are no two seeds of one configuration.
std::vector<bool> share_a_seed(const std::vector<MeasuredRun>& runs, const std::vector<size_t>& which,
                               const std::vector<std::string>& variants, const std::vector<Settings>& settings) {
  std::map<std::string, std::map<int64_t, size_t>> seeds;
  std::vector<std::string> keys;
  for (size_t k = 0; k < which.size(); ++k) {
    const query::RunRow& row = runs[which[k]].row;
    keys.push_back(cell_key(row, variants[k], settings[k], which[k], /*with_identity=*/false));
    if (row.spec.contains("import")) ++seeds[keys.back()][row.seed];
  }
  std::vector<bool> shared;
  for (const std::string& key : keys) {
    const auto found = seeds.find(key);
    shared.push_back(found != seeds.end() && std::any_of(found->second.begin(), found->second.end(),
                                                         [](const auto& seed) { return seed.second > 1; }));
  }
  return shared;
}

}  // namespace

CellTable make_cells(const std::vector<MeasuredRun>& runs, const std::vector<size_t>& which,
                     const std::vector<std::string>& variants) {
  CellTable table;
  std::map<std::string, size_t> cell_of;
  std::vector<Settings> all_settings;
  for (const size_t r : which) all_settings.push_back(run_settings(runs[r].row));
  const std::vector<bool> shared = share_a_seed(runs, which, variants, all_settings);
  for (size_t k = 0; k < which.size(); ++k) {
    const query::RunRow& row = runs[which[k]].row;
    const Settings& settings = all_settings[k];
    if (std::find(table.variants.begin(), table.variants.end(), variants[k]) == table.variants.end())
      table.variants.push_back(variants[k]);
    const std::string key = cell_key(row, variants[k], settings, which[k], /*with_identity=*/shared[k]);
    const auto [at, fresh] = cell_of.try_emplace(key, table.cells.size());
    if (fresh) table.cells.push_back(new_cell(runs[which[k]], variants[k], settings));
    table.cells[at->second].runs.push_back(which[k]);
  }
  for (ReportCell& cell : table.cells) summarise(cell, runs);
  classify_cells(table);
  put_in_order(table);
  choose(table);
  return table;
}

std::optional<size_t> CellTable::at(const std::string& variant, size_t size_class, size_t budget_class) const {
  // In the order of cells: by variant, then place, then loss.
  const auto rank = [&](const std::string& name) { return std::find(variants.begin(), variants.end(), name); };
  const auto wanted = rank(variant);
  const auto found = std::lower_bound(chosen.begin(), chosen.end(), 0, [&](size_t i, int) {
    const ReportCell& cell = cells[i];
    if (cell.variant != variant) return rank(cell.variant) < wanted;
    return std::pair(cell.size_class, cell.budget_class) < std::pair(size_class, budget_class);
  });
  if (found == chosen.end()) return std::nullopt;
  const ReportCell& cell = cells[*found];
  const bool there = cell.size_class == size_class && cell.budget_class == budget_class && cell.variant == variant;
  return there ? std::optional(*found) : std::nullopt;
}

std::vector<size_t> CellTable::alike(size_t cell) const {
  size_t first = cell, end = cell + 1;
  while (first > 0 && in_one_slot(cells[first - 1], cells[cell])) --first;
  while (end < cells.size() && in_one_slot(cells[end], cells[cell])) ++end;
  std::vector<size_t> found;
  for (size_t i = first; i < end; ++i)
    if (i == cell || are_alike(cells[i], cells[cell])) found.push_back(i);
  return found;
}

size_t CellTable::sizes_of(const std::string& variant) const {
  std::set<size_t> found;
  for (const size_t c : chosen)
    if (cells[c].variant == variant) found.insert(cells[c].size_class);
  return found.size();
}

namespace {

// `tell(path, value, other)` of each setting in which they differ.
template <typename Tell>
void each_difference(const ReportCell& a, const ReportCell& b, Tell tell) {
  const bool same_variant = a.variant == b.variant;
  for (const auto& [path, value] : a.factors) {
    // Options of another plugin are what the variant is.
    if (!same_variant && is_model_option(path)) continue;
    const std::string* other = find_setting(b.factors, path);
    if (other != nullptr && *other != value) tell(path, value, *other);
  }
}

}  // namespace

bool tokens_differ(const ReportCell& a, const ReportCell& b) { return differ(a.tokens, b.tokens, kSameBudget); }

std::vector<std::string> other_differences(const ReportCell& a, const ReportCell& b) {
  std::vector<std::string> names;
  each_difference(a, b, [&](const std::string& path, const std::string& value, const std::string& other) {
    names.push_back(fmt::format("{} {} → {}", path, value, other));
  });
  return names;
}

std::optional<SettingDifference> only_difference(const ReportCell& a, const ReportCell& b) {
  std::optional<SettingDifference> only;
  int count = 0;
  each_difference(a, b, [&](const std::string& path, const std::string& value, const std::string& other) {
    only = SettingDifference{path, value, other};
    ++count;
  });
  return count == 1 ? only : std::nullopt;
}

std::vector<std::string> all_differences(const ReportCell& a, const ReportCell& b) {
  std::vector<std::string> all;
  if (a.variant != b.variant) all.push_back(fmt::format("variant {} → {}", a.variant, b.variant));
  if (differ(a.params, b.params, kSameSize))
    all.push_back(fmt::format("params {} → {}", format_count(a.params), format_count(b.params)));
  if (tokens_differ(a, b)) all.push_back(fmt::format("tokens {} → {}", format_count(a.tokens), format_count(b.tokens)));
  for (std::string& other : other_differences(a, b)) all.push_back(std::move(other));
  return all;
}

std::vector<std::string> settings_of(const ReportCell& of, const ReportCell& where_other_than) {
  std::vector<std::string> names;
  each_difference(of, where_other_than, [&](const std::string& path, const std::string& value, const std::string&) {
    names.push_back(path + " " + value);
  });
  return names;
}

}  // namespace bitsweep::analysis
