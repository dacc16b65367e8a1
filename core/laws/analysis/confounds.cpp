#include "analysis/confounds.h"

#include <algorithm>
#include <cmath>

namespace bitsweep::analysis {
namespace {

// Whether `of`'s variant was run at its size and tokens under the settings of `under` as well: where settings were
// searched, what is compared is the best of each, and the pair that differs in one factor is there too.
bool was_run_under(const GroupAnalysis& g, const ReportCell& of, const ReportCell& under) {
  return std::any_of(g.table.cells.begin(), g.table.cells.end(), [&](const ReportCell& cell) {
    return cell.variant == of.variant && cell.size_class == of.size_class && cell.budget_class == of.budget_class &&
           other_differences(cell, under).empty();
  });
}

// The chosen cells of a variant, by their size.
std::vector<std::vector<const ReportCell*>> cells_by_size(const CellTable& table, const std::string& variant) {
  std::vector<std::vector<const ReportCell*>> sizes(table.sizes.size());
  for (const size_t c : table.chosen)
    if (table.cells[c].variant == variant) sizes[table.cells[c].size_class].push_back(&table.cells[c]);
  return sizes;
}

// The two cells of neighbouring sizes whose tokens are nearest; nothing when one size was not run.
std::optional<SizePair> nearest_pair(const std::vector<const ReportCell*>& small,
                                     const std::vector<const ReportCell*>& large) {
  std::optional<SizePair> nearest;
  double least = HUGE_VAL;
  for (const ReportCell* a : small)
    for (const ReportCell* b : large) {
      const double apart = std::abs(std::log(b->tokens / a->tokens));
      if (!(apart < least)) continue;
      least = apart;
      nearest = SizePair{a, b};
    }
  return nearest;
}

// A law that the runs determine tells size from tokens, wherever they were.
bool has_joint_law(const GroupAnalysis& g, const std::string& variant) {
  return std::any_of(g.fits.begin(), g.fits.end(), [&](const LawFit& fit) {
    return fit.variant == variant && fit.uses_params() && fit.uses_tokens() && fit.result.identified;
  });
}

}  // namespace

MissingRun missing_run(const ReportCell& from, const ReportCell& to) {
  return {to.variant, to.params, to.tokens, settings_of(from, to)};
}

ConfoundedPairs confounded_pairs(const GroupAnalysis& g) {
  ConfoundedPairs found;
  const auto add = [&](size_t a, size_t b, const std::vector<std::string>& also) {
    const ReportCell &from = g.table.cells[a], &to = g.table.cells[b];
    if (also.empty() || was_run_under(g, to, from) || was_run_under(g, from, to)) return;
    found.cells.emplace_back(a, b);
    for (const std::string& difference : also) found.factors.insert(difference.substr(0, difference.find(' ')));
  };
  for (const ScalingStep& step : g.param_steps) add(step.from, step.to, step.also);
  for (const ScalingStep& step : g.token_steps) add(step.from, step.to, step.also);
  for (const VariantComparison& pair : g.variant_comparisons) add(pair.a, pair.b, pair.also);
  return found;
}

std::vector<SizePair> unmatched_size_pairs(const GroupAnalysis& g, const std::string& variant) {
  if (has_joint_law(g, variant)) return {};
  const auto sizes = cells_by_size(g.table, variant);
  std::vector<SizePair> pairs;
  for (size_t size = 0; size + 1 < sizes.size(); ++size)
    if (const auto pair = nearest_pair(sizes[size], sizes[size + 1]))
      if (pair->small->budget_class != pair->large->budget_class) pairs.push_back(*pair);
  return pairs;
}

int64_t steps_of(const ReportInput& input, const ReportCell& cell) { return input.runs[cell.runs.front()].row.steps; }

EqualSteps equal_steps_of(const ReportInput& input, const GroupAnalysis& g, size_t most) {
  EqualSteps found;
  const std::vector<ReportCell>& cells = g.table.cells;
  for (size_t i = 0; i < cells.size(); ++i) {
    const int64_t steps = steps_of(input, cells[i]);
    for (size_t j = i + 1; steps > 0 && j < cells.size(); ++j) {
      if (steps != steps_of(input, cells[j]) || cells[i].variant != cells[j].variant ||
          !tokens_differ(cells[i], cells[j]))
        continue;
      if (++found.all <= most) found.cells.emplace_back(i, j);
    }
  }
  return found;
}

double collinearity(const std::vector<fit::Point>& points) {
  double n = 0, d = 0, nn = 0, dd = 0, nd = 0;
  const auto count = static_cast<double>(points.size());
  for (const fit::Point& p : points) {
    n += std::log(p.params) / count;
    d += std::log(p.tokens) / count;
  }
  for (const fit::Point& p : points) {
    const double x = std::log(p.params) - n, y = std::log(p.tokens) - d;
    nn += x * x;
    dd += y * y;
    nd += x * y;
  }
  return nn > 1e-9 && dd > 1e-9 ? nd / std::sqrt(nn * dd) : 0;
}

}  // namespace bitsweep::analysis
