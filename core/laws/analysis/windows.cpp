#include "analysis/windows.h"

#include <algorithm>
#include <cmath>

namespace bitsweep::analysis {
namespace {

// REQUIRES two or more.
WindowError error_of_mean(const std::vector<double>& windows) {
  const auto n = static_cast<double>(windows.size());
  double mean = 0, squares = 0;
  for (const double window : windows) mean += window / n;
  for (const double window : windows) squares += (window - mean) * (window - mean);
  return {std::sqrt(squares / (n - 1) / n), n - 1};
}

// As an evaluation says it, with the number of windows that the run asked for.
std::optional<WindowError> told_error(const MeasuredRun& run) {
  const json::value* eval = run.row.spec.if_contains("eval");
  const int64_t windows = eval != nullptr && eval->is_object() ? integer_or(eval->get_object(), "windows", 0) : 0;
  if (!run.windows.standard_error || windows < 2) return std::nullopt;
  return WindowError{*run.windows.standard_error, static_cast<double>(windows - 1)};
}

}  // namespace

std::vector<double> mean_windows(const std::vector<MeasuredRun>& runs, const std::vector<size_t>& which) {
  std::vector<double> mean;
  for (const size_t r : which) {
    const std::vector<double>& windows = runs[r].windows.blocks;
    if (windows.empty() || (!mean.empty() && mean.size() != windows.size())) return {};
    mean.resize(windows.size());
    for (size_t w = 0; w < mean.size(); ++w) mean[w] += windows[w] / static_cast<double>(which.size());
  }
  return mean;
}

std::optional<WindowError> window_error(const std::vector<MeasuredRun>& runs, const ReportCell& cell) {
  if (cell.window_bpc.size() > 1) return error_of_mean(cell.window_bpc);
  WindowError mean{0, HUGE_VAL};
  for (const size_t r : cell.runs) {
    const auto told = told_error(runs[r]);
    if (!told) return std::nullopt;
    mean.se += told->se / static_cast<double>(cell.runs.size());
    mean.degrees = std::min(mean.degrees, told->degrees);
  }
  return cell.runs.empty() ? std::nullopt : std::optional(mean);
}

std::optional<WindowError> window_error_between(const std::vector<MeasuredRun>& runs, const ReportCell& a,
                                                const ReportCell& b) {
  if (a.window_bpc.size() < 2 || a.window_bpc.size() != b.window_bpc.size()) return window_error_apart(runs, a, b);
  std::vector<double> apart(a.window_bpc.size());
  for (size_t w = 0; w < apart.size(); ++w) apart[w] = b.window_bpc[w] - a.window_bpc[w];
  return error_of_mean(apart);
}

std::optional<WindowError> window_error_apart(const std::vector<MeasuredRun>& runs, const ReportCell& a,
                                              const ReportCell& b) {
  const auto first = window_error(runs, a), second = window_error(runs, b);
  if (!first || !second) return std::nullopt;
  return WindowError{std::hypot(first->se, second->se), std::min(first->degrees, second->degrees)};
}

double mean_validation_loss(const std::vector<MeasuredRun>& runs, const std::vector<size_t>& which) {
  std::vector<double> losses;
  for (const size_t r : which) {
    const query::RunRow& row = runs[r].row;
    const auto kept = row.metrics.find("val_bpc");  // by take_loss()
    losses.push_back(row.loss && kept != row.metrics.end() ? kept->second : *row.last_val_bpc);
  }
  return estimate(losses)->mean;
}

}  // namespace bitsweep::analysis
