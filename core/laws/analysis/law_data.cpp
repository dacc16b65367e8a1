#include "analysis/law_data.h"

#include <algorithm>
#include <map>
#include <set>

#include "analysis/cells.h"
#include "query/comparable.h"

namespace bitsweep {
namespace {

// All of a run's spec but what a repetition changes, and what does not touch the loss.
std::string settings_key(const RunRow& run) {
  json::object spec = run.spec;
  for (const char* beside : {"seed", "checkpoint", "eval", "import"}) spec.erase(beside);
  return canonical_json(spec);
}

bool may_still_begin(const RunRow& run) { return run.state == "queued" && run.attempts == 0; }

// One variant of one comparable group. `of_variant`: its runs, whatever their state.
class LawDataOf {
 public:
  LawDataOf(const std::vector<RunRow>& runs, LawData& law) : runs_(runs), law_(law) {}

  void add_points(const std::vector<size_t>& chosen) {
    for (const size_t r : chosen) {
      const RunRow& run = runs_[r];
      Point point;
      point.params = static_cast<double>(run.params), point.tokens = static_cast<double>(run.tokens);
      point.loss = *run.last_val_bpc;
      if (run.epochs && *run.epochs > 0) point.unique_tokens = point.tokens / *run.epochs;
      point.variant = law_.variant, point.dataset = law_.label, point.seed = run.seed, point.run = run.id;
      law_.points.push_back(std::move(point));
      law_.runs.push_back(r);
    }
  }

  void add_waiting(const std::vector<size_t>& of_variant) {
    std::map<std::pair<int64_t, int64_t>, std::set<std::string>> settings;
    for (const size_t r : of_variant) settings[{runs_[r].params, runs_[r].tokens}].insert(settings_key(runs_[r]));
    for (const size_t r : of_variant) {
      if (!may_still_begin(runs_[r])) continue;
      if (settings[{runs_[r].params, runs_[r].tokens}].size() == 1)
        law_.waiting.push_back(r);
      else
        ++law_.settings_waiting;
    }
  }

 private:
  const std::vector<RunRow>& runs_;
  LawData& law_;
};

void add_group(const ComparableGroup& group, const std::vector<MeasuredRun>& measured, SweepData& data) {
  const std::vector<std::string> names = variant_names(measured, group.runs);
  std::vector<size_t> usable;
  std::vector<std::string> usable_names;
  std::map<std::string, std::vector<size_t>> of_variant;
  std::vector<std::string> order;
  for (size_t k = 0; k < group.runs.size(); ++k) {
    if (!of_variant.contains(names[k])) order.push_back(names[k]);
    of_variant[names[k]].push_back(group.runs[k]);
    if (!exclusion_reason(data.runs[group.runs[k]]).empty()) continue;
    usable.push_back(group.runs[k]);
    usable_names.push_back(names[k]);
  }
  const CellTable table = make_cells(measured, usable, usable_names);
  for (const std::string& variant : order) {
    LawData law;
    law.label = group.label, law.dataset = group.dataset, law.variant = variant;
    law.plugin = data.runs[of_variant[variant][0]].plugin;
    std::vector<size_t> chosen;
    for (const size_t c : table.chosen)
      if (table.cells[c].variant == variant)
        chosen.insert(chosen.end(), table.cells[c].runs.begin(), table.cells[c].runs.end());
    LawDataOf adding(data.runs, law);
    adding.add_points(chosen);
    adding.add_waiting(of_variant[variant]);
    data.laws.push_back(std::move(law));
  }
}

}  // namespace

SweepData law_data(const Query& query, const std::vector<std::string>& sweeps) {
  SweepData data;
  data.sweeps = sweeps;
  data.runs = query.runs_of(sweeps);
  std::vector<MeasuredRun> measured;
  for (const RunRow& run : data.runs) {
    MeasuredRun& one = measured.emplace_back();
    one.row = run;
  }
  for (const ComparableGroup& group : comparable_groups(data.runs, query.datasets())) add_group(group, measured, data);
  return data;
}

}  // namespace bitsweep
