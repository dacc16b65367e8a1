#include "report/confounds.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/confounds.h"
#include "base/units.h"
#include "render/format.h"
#include "report/findings.h"

namespace bitsweep::report {
namespace {

constexpr size_t kMostPairsTold = 3;  // of one kind; of more, their number

std::string and_others(size_t told, size_t all) {
  return all > told ? fmt::format(" And {}.",
                                  render::plural(static_cast<int64_t>(all - told), "other like it", "others like it"))
                    : "";
}

}  // namespace

std::string told_name(const analysis::ReportInput& input, const analysis::ReportCell& cell) {
  return input.sweeps.empty() && cell.runs.size() == 1 ? input.runs[cell.runs.front()].row.id : cell_name(cell);
}

std::string missing_text(const analysis::MissingRun& run) {
  return fmt::format("{} with {} parameters and {} tokens at {}", run.variant, format_count(run.params),
                     format_count(run.tokens), listed(run.settings));
}

std::string missing_cell(const analysis::ReportCell& from, const analysis::ReportCell& to) {
  return missing_text(missing_run(from, to));
}

void confounded(const analysis::ReportInput&, const analysis::GroupAnalysis& g, std::vector<render::Text>& out) {
  const auto [pairs, names] = confounded_pairs(g);
  if (pairs.empty()) return;
  std::vector<std::string> missing;
  for (const auto& [a, b] : pairs) {
    std::string cell = missing_cell(g.table.cells[a], g.table.cells[b]);
    if (std::find(missing.begin(), missing.end(), cell) == missing.end()) missing.push_back(std::move(cell));
  }
  const size_t all = missing.size();
  missing.resize(std::min(all, kMostPairsTold));
  out.push_back(fmt::format(
      "In {} another setting differs as well ({}): what is seen there has more than one possible cause. Missing: {}.{}",
      render::plural(static_cast<int64_t>(pairs.size()), "comparison", "comparisons"),
      listed({names.begin(), names.end()}), fmt::format("{}", fmt::join(missing, "; ")),
      and_others(missing.size(), all)));
}

// Neighbouring sizes of a variant that share no budget: what the nearest runs differ in, and which run would tell.
void unmatched_sizes(const analysis::ReportInput&, const analysis::GroupAnalysis& g, std::vector<render::Text>& out) {
  for (const std::string& variant : g.table.variants) {
    std::vector<analysis::SizePair> pairs = unmatched_size_pairs(g, variant);
    if (pairs.empty()) continue;
    const size_t all = pairs.size();
    pairs.resize(std::min(all, kMostPairsTold));
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
void equal_steps(const analysis::ReportInput& input, const analysis::GroupAnalysis& g, std::vector<render::Text>& out) {
  const analysis::EqualSteps found = equal_steps_of(input, g, kMostPairsTold);
  for (const auto& [first, second] : found.cells) {
    const analysis::ReportCell &a = g.table.cells[first], &b = g.table.cells[second];
    const analysis::ReportCell &more = a.tokens > b.tokens ? a : b, &less = a.tokens > b.tokens ? b : a;
    out.push_back(fmt::format("{} and {} ran for {} steps each, and {} saw {} times the tokens: they differ in {}.",
                              told_name(input, a), told_name(input, b), format_thousands(steps_of(input, a)),
                              told_name(input, more), render::format_significant(more.tokens / less.tokens, 2),
                              listed(all_differences(a, b))));
  }
  if (found.all > kMostPairsTold)
    out.push_back(
        fmt::format("{} more pairs of runs have equal steps and unequal tokens.", found.all - kMostPairsTold));
}

void unequal_batches(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                     std::vector<render::Text>& out) {
  size_t found = 0;
  for (const analysis::SettingStep& step : g.setting_steps) {
    const analysis::ReportCell &a = g.table.cells[step.from], &b = g.table.cells[step.to];
    if (!tokens_differ(a, b) || ++found > kMostPairsTold) continue;
    out.push_back(fmt::format(
        "{} against {} is no comparison at the same compute: {} times the tokens{}, and {}. Missing: {} parameters and "
        "{} tokens at {}.",
        told_name(input, b), told_name(input, a), render::format_significant(step.tokens_ratio, 3),
        step.wall_change ? " at " + render::format_change(*step.wall_change) + " wall-clock" : "", listed(step.also),
        format_count(b.params), format_count(a.tokens), listed(settings_of(b, a))));
  }
  if (found > kMostPairsTold)
    out.push_back(fmt::format("{} more steps from batch to batch are at unequal tokens.", found - kMostPairsTold));
}

void unlabelled_repeats(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                        std::vector<render::Text>& out) {
  for (const size_t c : g.table.chosen) {
    const std::vector<size_t> alike = g.table.alike(c);
    if (alike.size() < 2) continue;
    std::vector<std::string> names;
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (const size_t i : alike) {
      const analysis::ReportCell& cell = g.table.cells[i];
      names.push_back(told_name(input, cell));
      low = std::min(low, cell.final_bpc.mean);
      high = std::max(high, cell.final_bpc.mean);
    }
    const size_t all = names.size();
    names.resize(std::min(all, 2 * kMostPairsTold));
    out.push_back(fmt::format(
        "{}{} agree in every setting that is known and have no seed: they are {} apart, for a reason that the data do "
        "not tell, and are compared one by one, not pooled.",
        listed(names), all > names.size() ? fmt::format(" and {} others", all - names.size()) : "",
        render::format_bpc(high - low)));
  }
}

}  // namespace bitsweep::report
