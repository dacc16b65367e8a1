#include "analysis/before_after.h"

#include <algorithm>

#include "base/task_metrics.h"

namespace bitsweep::analysis {
namespace {

constexpr const char* kOwnLoss = "val_bpc";

// Of one run and metric.
struct Ends {
  std::optional<double> before, after;
};

Ends ends_of(const MeasuredRun& run, const std::string& metric) {
  Ends ends;
  const auto take = [&](int64_t step, const std::optional<double>& value) {
    if (!value) return;
    if (step == 0) ends.before = value;
    if (step > 0) ends.after = value;
  };
  if (metric == kOwnLoss) {
    for (const query::EvalRow& eval : run.curve) take(eval.step, eval.val_bpc);
  } else {
    for (const query::MetricRow& row : run.told)
      if (row.name == metric) take(row.step, row.value);
  }
  return ends;
}

// Of the cell's runs: its own loss, then texts beside, then tasks.
std::vector<std::string> metrics_of(const ReportInput& input, const ReportCell& cell) {
  std::vector<std::string> metrics{kOwnLoss};
  const auto add = [&](const std::string& name) {
    if (std::find(metrics.begin(), metrics.end(), name) == metrics.end()) metrics.push_back(name);
  };
  for (const size_t r : cell.runs)
    for (const std::string& text : texts_beside(input.runs[r].row)) add(text);
  for (const size_t r : cell.runs)
    for (const query::MetricRow& row : input.runs[r].told) add(row.name);
  return metrics;
}

std::optional<BeforeAfter> row_of(const ReportInput& input, const ReportCell& cell, const std::string& metric) {
  std::vector<size_t> tellers;
  for (const size_t r : cell.runs)
    if (ends_of(input.runs[r], metric).after) tellers.push_back(r);
  if (tellers.empty()) return std::nullopt;
  const std::vector<size_t> alike = asked_alike(input.runs, tellers, metric);
  std::vector<double> before, after, both, change;
  for (const size_t r : alike) {
    const Ends ends = ends_of(input.runs[r], metric);
    after.push_back(*ends.after);
    if (!ends.before) continue;
    before.push_back(*ends.before);
    both.push_back(*ends.after);
    change.push_back(*ends.after - *ends.before);
  }
  BeforeAfter row;
  row.metric = metric;
  if (const MetricKind* kind = input.kinds.find(metric)) row.kind = *kind;
  row.before = estimate(before);
  row.after = *estimate(both.empty() ? after : both);
  row.change = estimate(change);
  row.asked = asked_at(input.runs[alike.front()], metric);
  return row;
}

}  // namespace

std::optional<double> BeforeAfter::worse() const {
  if (!change || kind.better == Better::neither) return std::nullopt;
  return kind.better == Better::lower ? change->mean : -change->mean;
}

std::vector<BeforeAfter> before_after(const ReportInput& input, const CellTable& table) {
  std::vector<BeforeAfter> rows;
  for (size_t c = 0; c < table.cells.size(); ++c) {
    const ReportCell& cell = table.cells[c];
    for (const std::string& metric : metrics_of(input, cell)) {
      if (metric == kOwnLoss && input.loss) continue;  // the curve is of another metric
      std::optional<BeforeAfter> row = row_of(input, cell, metric);
      if (!row) continue;
      row->cell = c;
      rows.push_back(std::move(*row));
    }
  }
  const auto own_alone = [](const BeforeAfter& row) { return row.metric == kOwnLoss && !row.before; };
  const bool says_something = std::any_of(rows.begin(), rows.end(), [&](const BeforeAfter& row) {
    return row.before || (row.metric != kOwnLoss && !is_headline_metric(row.metric));
  });
  if (!says_something) return {};
  std::erase_if(rows, own_alone);
  return rows;
}

}  // namespace bitsweep::analysis
