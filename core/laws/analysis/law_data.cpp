#include "analysis/law_data.h"

#include <algorithm>
#include <map>
#include <set>

#include "analysis/law_points.h"
#include "analysis/run_settings.h"

namespace bitsweep::analysis {
namespace {

// All of a run's spec but what a repetition changes, and what does not touch the loss.
std::string settings_key(const query::RunRow& run) {
  const Settings settings = run_settings(run);
  std::string key;
  for (const auto& [path, value] : settings)
    if (tells_cells_apart(settings, path) && !path.starts_with("eval.") && !is_imported_log(path))
      key += path + "=" + value + "\n";
  return key;
}

bool may_still_begin(const query::RunRow& run) { return run.state == RunState::queued && run.attempts == 0; }

// `of_variant`: its runs, whatever their state.
void add_waiting(const std::vector<MeasuredRun>& runs, const std::vector<size_t>& of_variant, LawData& law) {
  std::map<std::pair<int64_t, int64_t>, std::set<std::string>> settings;
  const auto place = [&](size_t r) { return std::pair{runs[r].row.params, runs[r].row.tokens}; };
  for (const size_t r : of_variant) settings[place(r)].insert(settings_key(runs[r].row));
  for (const size_t r : of_variant) {
    if (!may_still_begin(runs[r].row)) continue;
    if (settings[place(r)].size() == 1)
      law.waiting.push_back(r);
    else
      ++law.settings_waiting;
  }
}

void add_group(const RunGroup& g, const std::vector<MeasuredRun>& runs, std::vector<LawData>& laws) {
  std::map<std::string, std::vector<size_t>> of_variant;
  std::vector<std::string> order;
  for (size_t k = 0; k < g.group.runs.size(); ++k) {
    if (!of_variant.contains(g.variant_of[k])) order.push_back(g.variant_of[k]);
    of_variant[g.variant_of[k]].push_back(g.group.runs[k]);
  }
  for (const std::string& variant : order) {
    LawData& law = laws.emplace_back();
    law.label = g.group.label;
    law.dataset = g.group.dataset;
    law.variant = variant;
    law.plugin = runs[of_variant[variant][0]].row.plugin;
    LawPoints points = points_of(runs, g, variant);
    law.points = std::move(points.points);
    law.runs = std::move(points.runs);
    law.settings = setting_law(g.table, variant);
    add_waiting(runs, of_variant[variant], law);
  }
}

}  // namespace

SweepData law_data(const query::Query& query, const std::vector<std::string>& sweeps) {
  ReportInput input;
  input.sweeps = sweeps;
  for (query::RunRow& row : query.runs_of(sweeps)) input.runs.emplace_back().row = std::move(row);
  input.datasets = query.datasets();
  return law_data(input);
}

SweepData law_data(const ReportInput& input) {
  SweepData data;
  data.sweeps = input.sweeps;
  for (const RunGroup& g : group_runs(input.runs, input.datasets)) add_group(g, input.runs, data.laws);
  for (const MeasuredRun& run : input.runs) data.runs.push_back(run.row);
  return data;
}

}  // namespace bitsweep::analysis
