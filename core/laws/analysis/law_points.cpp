#include "analysis/law_points.h"

namespace bitsweep::analysis {
namespace {

// The cells that stand for a variant's places: chosen ones with those that say the same of themselves, or all.
std::vector<size_t> cells_for(const CellTable& table, const std::string& variant, const PointRule& rule) {
  const auto wanted = [&](const ReportCell& cell) {
    return cell.variant == variant && (rule.incomplete || (cell.params > 0 && cell.tokens > 0)) &&
           cell.size_class == rule.size_class.value_or(cell.size_class) &&
           cell.budget_class == rule.budget_class.value_or(cell.budget_class);
  };
  std::vector<size_t> cells;
  if (rule.all_settings) {
    for (size_t c = 0; c < table.cells.size(); ++c)
      if (wanted(table.cells[c])) cells.push_back(c);
    return cells;
  }
  for (const size_t c : table.chosen) {
    if (!wanted(table.cells[c])) continue;
    const std::vector<size_t> alike = table.alike(c);
    cells.insert(cells.end(), alike.begin(), alike.end());
  }
  return cells;
}

void find_yardsticks(RunGroup& g) {
  if (g.dataset == nullptr) return;
  g.yardsticks = g.dataset->ngram_bpb;
  if (const query::YardstickRow* scored = yardstick_of(g.group, *g.dataset)) {
    g.yardsticks = scored->ngram_bpb;
    g.scored_bytes = scored->bytes;
  }
}

}  // namespace

std::vector<RunGroup> group_runs(const std::vector<MeasuredRun>& runs, const std::vector<query::DatasetRow>& datasets,
                                 const KeepRun& keep) {
  std::vector<query::RunRow> rows;
  for (const MeasuredRun& run : runs) rows.push_back(run.row);
  std::vector<RunGroup> groups;
  for (query::ComparableGroup& group : comparable_groups(rows, datasets)) {
    RunGroup& g = groups.emplace_back();
    g.group = std::move(group);
    for (const query::DatasetRow& dataset : datasets)
      if (dataset.id == g.group.dataset) g.dataset = &dataset;
    find_yardsticks(g);
    g.variant_of = variant_names(runs, g.group.runs);
    std::vector<std::string> variants;
    for (size_t k = 0; k < g.group.runs.size(); ++k) {
      const size_t run = g.group.runs[k];
      if (!exclusion_reason(runs[run].row).empty()) continue;
      if (keep && !keep(run, g.group, g.variant_of[k])) continue;
      g.usable.push_back(run);
      variants.push_back(g.variant_of[k]);
    }
    g.table = make_cells(runs, g.usable, variants);
  }
  return groups;
}

fit::Point point_of(const std::vector<MeasuredRun>& runs, const RunGroup& g, const ReportCell& cell, size_t run) {
  const query::RunRow& row = runs[run].row;
  fit::Point point;
  point.params = cell.params;
  point.tokens = cell.tokens;
  point.loss = *row.last_val_bpc;
  point.flops = row.flops.value_or(0);
  if (g.dataset != nullptr)
    point.unique_tokens = static_cast<double>(g.dataset->train_tokens);
  else if (row.epochs && *row.epochs > 0)
    point.unique_tokens = cell.tokens / *row.epochs;
  point.variant = cell.variant;
  point.dataset = g.group.label;
  point.run = row.id;
  if (cell.seed_known) point.seed = row.seed;
  return point;
}

LawPoints points_of(const std::vector<MeasuredRun>& runs, const RunGroup& g, const std::string& variant,
                    const PointRule& rule) {
  LawPoints law;
  for (const size_t c : cells_for(g.table, variant, rule)) {
    for (const size_t run : g.table.cells[c].runs) {
      law.points.push_back(point_of(runs, g, g.table.cells[c], run));
      law.runs.push_back(run);
    }
  }
  return law;
}

}  // namespace bitsweep::analysis
