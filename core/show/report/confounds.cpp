#include "report/confounds.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "base/units.h"
#include "report/findings.h"
#include "render/format.h"

namespace bitsweep {
namespace {

constexpr size_t kMostTold = 3;  // of one kind; of more, their number

bool differ(double a, double b, double factor) { return a > 0 && b > 0 && std::max(a / b, b / a) > factor; }

bool tokens_differ(const ReportCell& a, const ReportCell& b) { return differ(a.tokens, b.tokens, kSameBudget); }

std::string and_others(size_t told, size_t all) {
  return all > told
             ? fmt::format(" And {}.", plural(static_cast<int64_t>(all - told), "other like it", "others like it"))
             : "";
}

// Whether `of`'s variant was run at its size and tokens under the settings of `under` as well: where settings were
// searched, what is compared is the best of each, and the pair that differs in one factor is there too.
bool was_run_under(const GroupAnalysis& g, const ReportCell& of, const ReportCell& under) {
  return std::any_of(g.table.cells.begin(), g.table.cells.end(), [&](const ReportCell& cell) {
    return cell.variant == of.variant && cell.size_class == of.size_class && cell.budget_class == of.budget_class &&
           other_differences(cell, under).empty();
  });
}

// Each comparison of the report with more than one factor, without one that has no more: its two cells.
std::vector<std::pair<size_t, size_t>> confounded_pairs(const GroupAnalysis& g, std::set<std::string>& names) {
  std::vector<std::pair<size_t, size_t>> pairs;
  const auto add = [&](size_t a, size_t b, const std::vector<std::string>& also) {
    const ReportCell &from = g.table.cells[a], &to = g.table.cells[b];
    if (also.empty() || was_run_under(g, to, from) || was_run_under(g, from, to)) return;
    pairs.emplace_back(a, b);
    for (const std::string& difference : also) names.insert(difference.substr(0, difference.find(' ')));
  };
  for (const ScalingStep& step : g.param_steps) add(step.from, step.to, step.also);
  for (const ScalingStep& step : g.token_steps) add(step.from, step.to, step.also);
  for (const VariantGap& gap : g.gaps) add(gap.a, gap.b, gap.also);
  return pairs;
}

int64_t steps_of(const ReportInput& input, const ReportCell& cell) { return input.runs[cell.runs.front()].row.steps; }

struct SizePair {
  const ReportCell *small, *large;
};

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
    for (const ReportCell* b : large)
      if (const double apart = std::abs(std::log(b->tokens / a->tokens)); apart < least)
        least = apart, nearest = SizePair{a, b};
  return nearest;
}

}  // namespace

std::string told_name(const ReportInput& input, const ReportCell& cell) {
  return input.sweeps.empty() && cell.runs.size() == 1 ? input.runs[cell.runs.front()].row.id : cell_name(cell);
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

std::string missing_cell(const ReportCell& from, const ReportCell& to) {
  return fmt::format("{} at {}", cell_name(to), listed(settings_of(from, to)));
}

void confounded(const ReportInput&, const GroupAnalysis& g, std::vector<Text>& out) {
  std::set<std::string> names;
  const auto pairs = confounded_pairs(g, names);
  if (pairs.empty()) return;
  std::vector<std::string> missing;
  for (const auto& [a, b] : pairs) {
    std::string cell = missing_cell(g.table.cells[a], g.table.cells[b]);
    if (std::find(missing.begin(), missing.end(), cell) == missing.end()) missing.push_back(std::move(cell));
  }
  const size_t all = missing.size();
  missing.resize(std::min(all, kMostTold));
  out.push_back(fmt::format(
      "In {} another setting differs as well ({}): what is seen there has more than one possible cause. Missing: {}.{}",
      plural(static_cast<int64_t>(pairs.size()), "comparison", "comparisons"), listed({names.begin(), names.end()}),
      fmt::format("{}", fmt::join(missing, "; ")), and_others(missing.size(), all)));
}

// A law that the runs determine tells size from tokens, wherever they were.
bool has_joint_law(const GroupAnalysis& g, const std::string& variant) {
  return std::any_of(g.fits.begin(), g.fits.end(), [&](const LawFit& fit) {
    return fit.variant == variant && fit.uses_params() && fit.uses_tokens() && fit.result.identified;
  });
}

// Neighbouring sizes of a variant that share no budget: what the nearest runs differ in, and which run would tell.
void unmatched_sizes(const ReportInput&, const GroupAnalysis& g, std::vector<Text>& out) {
  for (const std::string& variant : g.table.variants) {
    if (has_joint_law(g, variant)) continue;
    const auto sizes = cells_by_size(g.table, variant);
    std::vector<SizePair> pairs;
    for (size_t size = 0; size + 1 < sizes.size(); ++size)
      if (const auto pair = nearest_pair(sizes[size], sizes[size + 1]))
        if (pair->small->budget_class != pair->large->budget_class) pairs.push_back(*pair);
    if (pairs.empty()) continue;
    const size_t all = pairs.size();
    pairs.resize(std::min(all, kMostTold));
    std::vector<std::string> names;
    for (const auto& [small, large] : pairs)
      names.push_back(fmt::format("{} and {}", format_count(small->params), format_count(large->params)));
    const auto& [small, large] = pairs.front();
    std::vector<std::string> also = other_differences(*small, *large);
    also.insert(also.begin(), fmt::format("tokens {} → {}", format_count(small->tokens), format_count(large->tokens)));
    out.push_back(fmt::format(
        "{}: {} parameters{} were never trained on the same tokens, so their losses say nothing of size alone{}. The "
        "nearest two runs of {} differ in more than size ({}). Missing there: {} parameters with the settings and {} "
        "tokens of the other.",
        variant, fmt::join(names, ", "),
        all > names.size() ? fmt::format(" and {} more pairs", all - names.size()) : "",
        all > 1 ? "; a law of size and tokens together may" : "", names[0], listed(also), format_count(small->params),
        format_count(large->tokens)));
  }
}

// "Ran for as many steps" sounds like "cost as much".
void equal_steps(const ReportInput& input, const GroupAnalysis& g, std::vector<Text>& out) {
  size_t found = 0;
  for (size_t i = 0; i < g.table.cells.size(); ++i) {
    const ReportCell& a = g.table.cells[i];
    const int64_t steps = steps_of(input, a);
    for (size_t j = i + 1; steps > 0 && j < g.table.cells.size(); ++j) {
      const ReportCell& b = g.table.cells[j];
      if (steps != steps_of(input, b) || a.variant != b.variant || !tokens_differ(a, b)) continue;
      if (++found > kMostTold) continue;
      const ReportCell &more = a.tokens > b.tokens ? a : b, &less = a.tokens > b.tokens ? b : a;
      out.push_back(fmt::format("{} and {} ran for {} steps each, and {} saw {} times the tokens: they differ in {}.",
                                told_name(input, a), told_name(input, b), format_thousands(steps),
                                told_name(input, more), format_significant(more.tokens / less.tokens, 2),
                                listed(all_differences(a, b))));
    }
  }
  if (found > kMostTold)
    out.push_back(fmt::format("{} more pairs of runs have equal steps and unequal tokens.", found - kMostTold));
}

void unequal_batches(const ReportInput& input, const GroupAnalysis& g, std::vector<Text>& out) {
  size_t found = 0;
  for (const SettingStep& step : g.setting_steps) {
    const ReportCell &a = g.table.cells[step.from], &b = g.table.cells[step.to];
    if (!tokens_differ(a, b) || ++found > kMostTold) continue;
    out.push_back(fmt::format(
        "{} against {} is no comparison at the same compute: {} times the tokens{}, and {}. Missing: {} parameters and "
        "{} tokens at {}.",
        told_name(input, b), told_name(input, a), format_significant(step.tokens_ratio, 3),
        step.wall_change ? " at " + format_change(*step.wall_change) + " wall-clock" : "", listed(step.also),
        format_count(b.params), format_count(a.tokens), listed(settings_of(b, a))));
  }
  if (found > kMostTold)
    out.push_back(fmt::format("{} more steps from batch to batch are at unequal tokens.", found - kMostTold));
}

void unlabelled_repeats(const ReportInput& input, const GroupAnalysis& g, std::vector<Text>& out) {
  for (const size_t c : g.table.chosen) {
    const std::vector<size_t> alike = g.table.alike(c);
    if (alike.size() < 2) continue;
    std::vector<std::string> names;
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (const size_t i : alike) {
      const ReportCell& cell = g.table.cells[i];
      names.push_back(told_name(input, cell));
      low = std::min(low, cell.final_bpc.mean), high = std::max(high, cell.final_bpc.mean);
    }
    const size_t all = names.size();
    names.resize(std::min(all, 2 * kMostTold));
    out.push_back(fmt::format(
        "{}{} agree in every setting that is known and have no seed: they are {} apart, for a reason that the data do "
        "not tell, and are compared one by one, not pooled.",
        listed(names), all > names.size() ? fmt::format(" and {} others", all - names.size()) : "",
        format_bpc(high - low)));
  }
}

}  // namespace bitsweep
