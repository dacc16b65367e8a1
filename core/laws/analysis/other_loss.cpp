#include "analysis/other_loss.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/nearest.h"
#include "query/comparable.h"

namespace bitsweep::analysis {
namespace {

void replace_values(const query::Query& query, const MetricKind& kind, MeasuredRun& run) {
  std::map<int64_t, double> told;  // by step
  for (const query::MetricRow& row : query.metrics(run.row.id))
    if (row.name == kind.name && row.value) told[row.step] = *row.value;
  run.row.last_val_bpc.reset();
  run.row.best_val_bpc.reset();
  run.row.best_step.reset();
  for (const auto& [step, value] : told) {
    run.row.last_val_bpc = value;
    if (run.row.best_val_bpc && *run.row.best_val_bpc <= value) continue;
    run.row.best_val_bpc = value;
    run.row.best_step = step;
  }
  for (query::EvalRow& eval : run.curve) {
    const auto at = told.find(eval.step);
    eval.val_bpc = at == told.end() ? std::nullopt : std::optional(at->second);
  }
}

}  // namespace

MetricKind require_loss(const query::Query& query, const std::string& metric) {
  const MetricKinds kinds = query.metric_kinds();
  std::vector<std::string> losses{"val_bpc"}, told = query.metric_names();
  for (const std::string& name : told)
    if (const MetricKind* kind = kinds.find(name); kind != nullptr && kind->better == Better::lower)
      losses.push_back(name);
  const MetricKind* kind = kinds.find(metric);
  if (std::find(losses.begin(), losses.end(), metric) != losses.end()) {
    MetricKind found = *kind;
    found.name = metric;  // a kind may speak for several
    return found;
  }
  const bool known = std::find(told.begin(), told.end(), metric) != told.end();
  const std::string why = !known ? "no run has told it" + did_you_mean(metric, told)
                          : kind != nullptr && kind->better == Better::higher
                              ? "of it more is better, and a law is of a loss, which falls"
                              : "nothing says that less of it is better";
  throw Error(ErrorKind::input, fmt::format("--loss {}: {}; losses here: {}", metric, why, fmt::join(losses, ", ")));
}

void take_loss(const query::Query& query, const std::string& metric, ReportInput& input) {
  const MetricKind kind = require_loss(query, metric);
  if (kind.name == "val_bpc") return;
  input.loss = kind;
  for (MeasuredRun& run : input.runs) {
    query::RunRow& row = run.row;
    if (exclusion_reason(row).starts_with("diverged")) {
      row.state = RunState::failed;
      row.exit_cause = "diverged";
    }
    if (row.last_val_bpc) row.metrics["val_bpc"] = *row.last_val_bpc;
    row.loss = kind;
    replace_values(query, kind, run);
    run.windows = {};
  }
  for (query::DatasetRow& dataset : input.datasets) {
    dataset.ngram_bpb.clear();
    dataset.yardsticks.clear();
    dataset.entropy_bpb.reset();
  }
  input.predictions.clear();
}

}  // namespace bitsweep::analysis
