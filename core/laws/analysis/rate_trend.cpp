#include "analysis/rate_trend.h"

#include <cmath>
#include <vector>

#include "fit/distributions.h"

namespace bitsweep::analysis {
namespace {

constexpr size_t kRatesToTell = 3, kSizesForTrend = 3;

}  // namespace

RateLadder ladder_about(const GroupAnalysis& g, const ReportCell& cell) {
  RateLadder ladder;
  for (const ReportCell& other : g.table.cells) {
    if (other.variant != cell.variant || other.size_class != cell.size_class ||
        other.budget_class != cell.budget_class || other.batch != cell.batch || !other.lr || !(*other.lr > 0))
      continue;
    ladder.rates.insert(*other.lr);
    if (ladder.best == nullptr || other.final_bpc.mean < ladder.best->final_bpc.mean) ladder.best = &other;
  }
  return ladder;
}

double RateTrend::at(double params) const { return std::exp(log_rate + exponent * (std::log(params) - log_params)); }

std::optional<RateTrend> rate_trend(const GroupAnalysis& g, const std::string& variant) {
  // Of each size the longest budget at which three rates and an inner best were measured.
  std::vector<std::pair<double, double>> tuned;
  for (size_t size = 0; size < g.table.sizes.size(); ++size) {
    for (size_t budget = g.table.budgets.size(); budget-- > 0;) {
      const auto chosen = g.table.at(variant, size, budget);
      if (!chosen || !g.table.cells[*chosen].lr) continue;
      const RateLadder ladder = ladder_about(g, g.table.cells[*chosen]);
      if (ladder.rates.size() < kRatesToTell || ladder.at_an_end()) continue;
      tuned.emplace_back(std::log(ladder.best->params), std::log(*ladder.best->lr));
      break;
    }
  }
  if (tuned.size() < kSizesForTrend) return std::nullopt;
  RateTrend trend;
  const auto n = static_cast<double>(tuned.size());
  for (const auto& [x, y] : tuned) {
    trend.log_params += x / n;
    trend.log_rate += y / n;
  }
  double xx = 0, xy = 0, squares = 0;
  for (const auto& [x, y] : tuned) xx += std::pow(x - trend.log_params, 2);
  for (const auto& [x, y] : tuned) xy += (x - trend.log_params) * (y - trend.log_rate);
  trend.exponent = xy / xx;
  trend.sizes = tuned.size();
  for (const auto& [x, y] : tuned) squares += std::pow(y - trend.log_rate - trend.exponent * (x - trend.log_params), 2);
  if (tuned.size() > kSizesForTrend)
    trend.half_width = fit::student_quantile(0.975, n - 2) * std::sqrt(squares / (n - 2) / xx);
  return trend;
}

}  // namespace bitsweep::analysis
