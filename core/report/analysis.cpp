#include "report/analysis.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace bitsweep {
namespace {

enum class Along { tokens, params };

// Steps between neighbours of one variant: along tokens at each size, or along sizes at each budget.
std::vector<ScalingStep> steps_along(const CellTable& table, Along along) {
  std::vector<ScalingStep> steps;
  const size_t outer = along == Along::tokens ? table.sizes.size() : table.budgets.size();
  const size_t inner = along == Along::tokens ? table.budgets.size() : table.sizes.size();
  for (const std::string& variant : table.variants) {
    for (size_t fixed = 0; fixed < outer; ++fixed) {
      std::optional<size_t> before;
      for (size_t moving = 0; moving < inner; ++moving) {
        const auto here = along == Along::tokens ? table.at(variant, fixed, moving) : table.at(variant, moving, fixed);
        if (!here) continue;
        if (before) {
          const ReportCell &a = table.cells[*before], &b = table.cells[*here];
          const double units =
              along == Along::tokens ? std::log2(b.tokens / a.tokens) : std::log10(b.params / a.params);
          const Estimate change = difference(b.final_bpc, a.final_bpc);
          steps.push_back({*before, *here, change, change.mean / units, other_differences(a, b)});
        }
        before = here;
      }
    }
  }
  return steps;
}

// Holm 1979: the smallest of m p-values times m, the next times m − 1 …, never falling.
void correct(std::vector<VariantGap>& gaps) {
  std::vector<VariantGap*> order;
  for (VariantGap& gap : gaps)
    if (gap.change.p) order.push_back(&gap);
  std::stable_sort(order.begin(), order.end(), [](auto* a, auto* b) { return *a->change.p < *b->change.p; });
  double least = 0;
  for (size_t k = 0; k < order.size(); ++k) {
    least = std::max(least, std::min(1.0, *order[k]->change.p * static_cast<double>(order.size() - k)));
    order[k]->p_holm = least;
  }
}

// Seed by seed where both have the same two or more seeds: what a seed does to both cancels.
VariantGap gap_of(const ReportInput& input, const CellTable& table, size_t a, size_t b) {
  const ReportCell &x = table.cells[a], &y = table.cells[b];
  VariantGap gap{a, b, difference(y.final_bpc, x.final_bpc), other_differences(x, y), false, {}};
  std::map<int64_t, double> first;
  for (const size_t r : x.runs) first[input.runs[r].row.seed] = *input.runs[r].row.last_val_bpc;
  std::map<int64_t, double> differences;
  for (const size_t r : y.runs)
    if (const auto same = first.find(input.runs[r].row.seed); same != first.end())
      differences[same->first] = *input.runs[r].row.last_val_bpc - same->second;
  if (differences.size() < 2 || differences.size() != x.runs.size() || differences.size() != y.runs.size()) return gap;
  std::vector<double> values;
  for (const auto& [seed, value] : differences) values.push_back(value);
  gap.change = paired_difference(values);
  gap.paired = true;
  return gap;
}

std::vector<VariantGap> gaps_between(const ReportInput& input, const CellTable& table) {
  std::vector<VariantGap> gaps;
  for (size_t i = 0; i < table.variants.size(); ++i) {
    for (size_t j = i + 1; j < table.variants.size(); ++j) {
      for (size_t size = 0; size < table.sizes.size(); ++size) {
        for (size_t budget = 0; budget < table.budgets.size(); ++budget) {
          const auto a = table.at(table.variants[i], size, budget), b = table.at(table.variants[j], size, budget);
          if (!a || !b) continue;
          gaps.push_back(gap_of(input, table, *a, *b));
        }
      }
    }
  }
  correct(gaps);
  return gaps;
}

// The runs a law may see: of each size and budget the chosen configuration, all its seeds.
LawFit points_of(const ReportInput& input, const GroupAnalysis& g, const std::string& variant,
                 std::optional<size_t> size_class = {}, std::optional<size_t> budget_class = {}) {
  LawFit fit;
  fit.variant = variant, fit.size_class = size_class, fit.budget_class = budget_class;
  for (const size_t c : g.table.chosen) {
    const ReportCell& cell = g.table.cells[c];
    if (cell.variant != variant || !(cell.params > 0) || !(cell.tokens > 0)) continue;
    if (cell.size_class != size_class.value_or(cell.size_class)) continue;
    if (cell.budget_class != budget_class.value_or(cell.budget_class)) continue;
    for (const size_t r : cell.runs) {
      const RunRow& row = input.runs[r].row;
      Point point;
      point.params = cell.params, point.tokens = cell.tokens, point.loss = *row.last_val_bpc;
      point.unique_tokens = g.dataset != nullptr ? static_cast<double>(g.dataset->train_tokens) : 0;
      point.variant = variant, point.dataset = g.group.label, point.seed = row.seed, point.run = row.id;
      fit.points.push_back(std::move(point));
      fit.runs.push_back(r);
    }
  }
  return fit;
}

void run_fit(LawFit& fit, const std::string& law, const std::vector<Target>& targets, const std::string& axis = "") {
  FitOptions options;
  options.law = law;
  options.axis = axis;
  options.second_opinions = false;
  options.targets = targets;
  for (Target& target : options.targets) target.variant = fit.variant, target.dataset = fit.points[0].dataset;
  fit.law = law;
  fit.result = fit_law(fit.points, options);
}

// The law of one axis, at each budget (or size) at which there are three values along the axis.
void add_simple_law(const ReportInput& input, const GroupAnalysis& g, const std::string& variant, Along along,
                    std::vector<LawFit>& fits) {
  const bool params = along == Along::params;
  const size_t fixed_values = params ? g.table.budgets.size() : g.table.sizes.size();
  const size_t moving_values = params ? g.table.sizes.size() : g.table.budgets.size();
  for (size_t fixed = 0; fixed < fixed_values; ++fixed) {
    size_t there = 0;
    for (size_t moving = 0; moving < moving_values; ++moving)
      there += params ? g.table.at(variant, moving, fixed).has_value() : g.table.at(variant, fixed, moving).has_value();
    if (there < 3) continue;
    LawFit fit = points_of(input, g, variant, params ? std::optional<size_t>() : fixed,
                           params ? fixed : std::optional<size_t>());
    // The targets lie at other budgets and sizes, of which this law says nothing.
    run_fit(fit, "power", {}, params ? "params" : "tokens");
    if (fit.drawable()) fits.push_back(std::move(fit));
  }
}

std::vector<LawFit> fits_of(const ReportInput& input, const GroupAnalysis& g) {
  std::vector<LawFit> fits;
  for (const std::string& variant : g.table.variants) {
    const LawFit base = points_of(input, g, variant);
    if (base.points.empty()) continue;
    for (const std::string& law : input.laws.empty() ? std::vector<std::string>{"chinchilla"} : input.laws) {
      fits.push_back(base);
      run_fit(fits.back(), law, input.targets);
    }
    // Where the law of both axes is refused, one axis may still carry the simple one.
    if (fits.back().law != "power" && !fits.back().drawable()) {
      add_simple_law(input, g, variant, Along::params, fits);
      add_simple_law(input, g, variant, Along::tokens, fits);
    }
  }
  return fits;
}

}  // namespace

std::vector<double> LawFit::losses(const std::vector<Target>& at) const {
  std::vector<double> values;
  for (const NamedValue& value : result.params) values.push_back(value.value);
  FitOptions options;
  options.law = law;
  options.axis = result.axis;
  options.targets = at;
  return evaluate_law(points, values, options).predictions;
}

int highest_order_beaten(double bits_per_byte, const DatasetRow& dataset) {
  int order = -1;
  for (size_t k = 0; k < dataset.ngram_bpb.size(); ++k)
    if (bits_per_byte < dataset.ngram_bpb[k]) order = static_cast<int>(k);
  return order;
}

Analysis analyse(const ReportInput& input) {
  std::vector<RunRow> rows;
  for (const MeasuredRun& run : input.runs) rows.push_back(run.row);
  Analysis analysis;
  for (ComparableGroup& group : comparable_groups(rows, input.datasets)) {
    GroupAnalysis& g = analysis.groups.emplace_back();
    g.group = std::move(group);
    for (const DatasetRow& dataset : input.datasets)
      if (dataset.id == g.group.dataset) g.dataset = &dataset;
    g.variant_of = variant_names(input.runs, g.group.runs);
    std::vector<std::string> variants;
    for (size_t k = 0; k < g.group.runs.size(); ++k) {
      if (!exclusion_reason(input.runs[g.group.runs[k]].row).empty()) continue;
      g.usable.push_back(g.group.runs[k]);
      variants.push_back(g.variant_of[k]);
    }
    analysis.finished += static_cast<int64_t>(g.usable.size());
    analysis.excluded += static_cast<int64_t>(g.group.runs.size() - g.usable.size());
    g.table = make_cells(input.runs, g.usable, variants);
    g.token_steps = steps_along(g.table, Along::tokens);
    g.param_steps = steps_along(g.table, Along::params);
    g.gaps = gaps_between(input, g.table);
    g.fits = fits_of(input, g);
    for (const LawFit& fit : g.fits)
      if (auto optimum = compute_optimum(fit, g, input)) g.optima.push_back(std::move(*optimum));
    g.worth = parameter_worth(input, g);
  }
  return analysis;
}

}  // namespace bitsweep
