// The rules behind "what to keep in mind" and "what is missing": each looks for one weakness of the data and speaks
// only when it is there.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/units.h"
#include "report/findings.h"
#include "report/format.h"

namespace bitsweep {
namespace {

using Out = std::vector<Text>;

constexpr double kTokensPerParameter = 20;  // Hoffmann et al. 2022, at the compute optimum of ordinary models
constexpr size_t kMostListed = 8;

size_t sizes_of(const GroupAnalysis& g, const std::string& variant) {
  std::set<size_t> sizes;
  for (const size_t c : g.table.chosen)
    if (g.table.cells[c].variant == variant) sizes.insert(g.table.cells[c].size_class);
  return sizes.size();
}

void few_sizes(const GroupAnalysis& g, Out& out) {
  std::map<size_t, std::vector<std::string>> by_count;
  for (const std::string& variant : g.table.variants)
    if (const size_t n = sizes_of(g, variant); n < 4) by_count[n].push_back(variant);
  for (const auto& [n, variants] : by_count)
    out.push_back(fmt::format("Few sizes: {} for {}. How the loss bends with size cannot be told from so few.",
                              n == 1 ? std::string("one") : fmt::format("{}", n), listed_variants(g, variants)));
}

void few_budgets(const GroupAnalysis& g, Out& out) {
  const size_t n = g.table.budgets.size();
  if (n == 1)
    out.push_back("One token budget: nothing is known about more or longer training.");
  else if (n == 2)
    out.push_back("Two token budgets: the slope with tokens is one difference a size, its curvature unknown.");
}

void one_seed(const GroupAnalysis& g, Out& out) {
  const auto single = static_cast<size_t>(
      std::count_if(g.table.cells.begin(), g.table.cells.end(), [](const ReportCell& c) { return c.runs.size() < 2; }));
  if (single == 0) return;
  if (single == g.table.cells.size())
    out.push_back(
        "One seed each: how much the loss varies from seed to seed is not known, so small differences may be chance.");
  else
    out.push_back(fmt::format("{} of {} configurations have one seed only.", single, g.table.cells.size()));
}

// Correlation of log N and log D over the points of a variant.
double collinearity(const std::vector<Point>& points) {
  double n = 0, d = 0, nn = 0, dd = 0, nd = 0;
  const auto count = static_cast<double>(points.size());
  for (const Point& p : points) n += std::log(p.params) / count, d += std::log(p.tokens) / count;
  for (const Point& p : points) {
    const double x = std::log(p.params) - n, y = std::log(p.tokens) - d;
    nn += x * x, dd += y * y, nd += x * y;
  }
  return nn > 1e-9 && dd > 1e-9 ? nd / std::sqrt(nn * dd) : 0;
}

void collinear(const GroupAnalysis& g, Out& out) {
  std::vector<std::string> variants;
  for (const LawFit& fit : g.fits)
    if (fit.points.size() > 2 && std::abs(collinearity(fit.points)) > 0.9 &&
        std::find(variants.begin(), variants.end(), fit.variant) == variants.end())
      variants.push_back(fit.variant);
  if (!variants.empty())
    out.push_back(fmt::format("Parameters and tokens move together for {}: their effects cannot be told apart.",
                              listed_variants(g, variants)));
}

// Tuned at a cell: several learning rates were measured there.
void untuned_rate(const GroupAnalysis& g, Out& out) {
  std::set<double> rates;
  bool tuned = true;
  for (const size_t c : g.table.chosen) {
    const ReportCell& cell = g.table.cells[c];
    std::set<double> here;
    for (const ReportCell& other : g.table.cells)
      if (other.variant == cell.variant && other.size_class == cell.size_class &&
          other.budget_class == cell.budget_class && other.lr)
        here.insert(*other.lr);
    if (here.empty()) return;  // not known
    if (here.size() < 2) tuned = false;
    rates.insert(here.begin(), here.end());
  }
  if (tuned || g.table.chosen.size() < 2) return;
  std::string which = rates.size() == 1 ? fmt::format("every run used {}", format_significant(*rates.begin(), 2))
                                        : std::string("not every size and budget was tried at several");
  out.push_back(fmt::format(
      "Learning rate not tuned per size: {}. Part of a difference between sizes or variants may be tuning.", which));
}

void chosen_rate(const GroupAnalysis& g, Out& out) {
  const auto several =
      std::count_if(g.table.alternatives.begin(), g.table.alternatives.end(), [](int n) { return n > 1; });
  if (several > 0)
    out.push_back(
        fmt::format("At {} several settings were measured; relations and fits use the one with the lowest final "
                    "loss, which flatters it a little.",
                    plural(several, "size and budget", "sizes and budgets")));
}

void repeated_data(const GroupAnalysis& g, Out& out) {
  int64_t count = 0;
  double most = 0;
  for (const ReportCell& cell : g.table.cells)
    if (cell.epochs && *cell.epochs > 1) ++count, most = std::max(most, *cell.epochs);
  if (count > 0)
    out.push_back(
        fmt::format("Repeated data: {} more than once over the training text (up to {} times). Repeated tokens are "
                    "worth less than new ones.",
                    count == 1 ? "one configuration goes" : fmt::format("{} configurations go", count),
                    format_significant(most, 2)));
}

void short_runs(const GroupAnalysis& g, Out& out) {
  double most = 0;
  for (const ReportCell& cell : g.table.cells)
    if (cell.size_class + 1 == g.table.sizes.size() && cell.params > 0)
      most = std::max(most, cell.tokens / cell.params);
  if (most > 0 && most < kTokensPerParameter)
    out.push_back(
        fmt::format("Short runs: the largest models saw at most {} tokens a parameter, where compute-optimal training "
                    "of ordinary models takes about {}. Longer training may change the order.",
                    format_significant(most, 2), kTokensPerParameter));
}

void unknown_bytes(const GroupAnalysis& g, Out& out) {
  if (g.dataset == nullptr || g.dataset->unknown_bytes == 0) return;
  out.push_back(fmt::format(
      "Unknown bytes: {} of {} are outside the vocabulary of {} ({}).", format_thousands(g.dataset->unknown_bytes),
      format_thousands(g.dataset->bytes), g.dataset->tokenizer,
      g.dataset->bytes > 0
          ? format_significant(
                100.0 * static_cast<double>(g.dataset->unknown_bytes) / static_cast<double>(g.dataset->bytes), 2) +
                " %"
          : "of an unknown total"));
}

void worse_at_the_end(const GroupAnalysis& g, Out& out) {
  int64_t count = 0;
  double most = 0;
  for (const ReportCell& cell : g.table.cells) {
    const double rise = cell.final_bpc.mean - cell.best_bpc.mean;
    if (rise > 0.01) ++count, most = std::max(most, rise);
  }
  if (count > 0)
    out.push_back(fmt::format(
        "{} ended above {} best loss, by up to {}: overfitting or unstable training. Relations use the final loss.",
        count == 1 ? "One configuration" : fmt::format("{} configurations", count), count == 1 ? "its" : "their",
        format_bpc(most)));
}

void confounded(const GroupAnalysis& g, Out& out) {
  std::set<std::string> names;
  size_t count = 0;
  const auto add = [&](const std::vector<std::string>& also) {
    if (!also.empty()) ++count;
    for (const std::string& difference : also) names.insert(difference.substr(0, difference.find(' ')));
  };
  for (const ScalingStep& step : g.param_steps) add(step.also);
  for (const ScalingStep& step : g.token_steps) add(step.also);
  for (const VariantGap& gap : g.gaps) add(gap.also);
  if (count == 0) return;
  out.push_back(fmt::format(
      "In {} another setting differs as well ({}): what is seen there has more than one possible cause.",
      plural(static_cast<int64_t>(count), "comparison", "comparisons"), listed({names.begin(), names.end()})));
}

// Two sizes of a variant that share no budget: what the nearest runs differ in, and which run would tell.
void unmatched_sizes(const GroupAnalysis& g, Out& out) {
  for (const std::string& variant : g.table.variants) {
    for (size_t size = 0; size + 1 < g.table.sizes.size(); ++size) {
      const ReportCell *small = nullptr, *large = nullptr;
      double nearest = HUGE_VAL;
      for (const size_t i : g.table.chosen)
        for (const size_t j : g.table.chosen) {
          const ReportCell &a = g.table.cells[i], &b = g.table.cells[j];
          if (a.variant != variant || b.variant != variant || a.size_class != size || b.size_class != size + 1)
            continue;
          if (const double apart = std::abs(std::log(b.tokens / a.tokens)); apart < nearest)
            nearest = apart, small = &a, large = &b;
        }
      if (small == nullptr || small->budget_class == large->budget_class) continue;
      std::vector<std::string> also = other_differences(*small, *large);
      also.insert(also.begin(),
                  fmt::format("tokens {} → {}", format_count(small->tokens), format_count(large->tokens)));
      out.push_back(fmt::format(
          "{}: {} and {} parameters were never trained on the same tokens. The nearest two runs differ in more than "
          "size ({}), so their losses say nothing of size alone. Missing: {} parameters with the settings and {} "
          "tokens "
          "of the other.",
          variant, format_count(small->params), format_count(large->params), listed(also), format_count(small->params),
          format_count(large->tokens)));
    }
  }
}

void mixed_machines(const ReportInput& input, const GroupAnalysis& g, Out& out) {
  std::set<std::string> devices;
  for (const size_t r : g.usable)
    if (const std::string device = string_or(input.runs[r].start, "device", ""); !device.empty())
      devices.insert(device.substr(0, device.find(':')));
  if (devices.size() > 1)
    out.push_back(fmt::format("Runs were made on {}: their times and tokens per second are not comparable.",
                              listed({devices.begin(), devices.end()})));
}

void left_out(const ReportInput& input, const GroupAnalysis& g, Out& out) {
  std::map<std::string, int64_t> reasons;
  for (const size_t r : g.group.runs) {
    const std::string reason = exclusion_reason(input.runs[r].row);
    if (!reason.empty() && reason != "not begun") ++reasons[reason];
  }
  if (reasons.empty()) return;
  std::vector<std::string> parts;
  for (const auto& [reason, n] : reasons) parts.push_back(fmt::format("{} {}", n, reason));
  out.push_back(
      fmt::format("Left out of every comparison and fit: {}. Where the runs that fail are the hard ones, what is left "
                  "looks too good.",
                  listed(parts)));
}

std::vector<std::string> empty_cells(const GroupAnalysis& g) {
  std::vector<std::string> names;
  for (const std::string& variant : g.table.variants)
    for (size_t size = 0; size < g.table.sizes.size(); ++size)
      for (size_t budget = 0; budget < g.table.budgets.size(); ++budget)
        if (!g.table.at(variant, size, budget))
          names.push_back(fmt::format("{} at {} parameters and {} tokens", variant, g.table.sizes[size].label,
                                      g.table.budgets[budget].label));
  return names;
}

}  // namespace

std::vector<Text> group_caveats(const ReportInput& input, const GroupAnalysis& g) {
  Out out;
  if (g.table.cells.empty()) return out;
  few_sizes(g, out), few_budgets(g, out), one_seed(g, out), collinear(g, out), untuned_rate(g, out),
      chosen_rate(g, out);
  repeated_data(g, out), short_runs(g, out), worse_at_the_end(g, out), unknown_bytes(g, out), confounded(g, out),
      unmatched_sizes(g, out);
  mixed_machines(input, g, out), left_out(input, g, out);
  return out;
}

std::vector<Text> group_missing(const ReportInput& input, const GroupAnalysis& g) {
  Out out;
  int64_t waiting = 0, failed = 0;
  for (const size_t r : g.group.runs) {
    const std::string& state = input.runs[r].row.state;
    waiting += state == "queued" || state == "starting" || state == "running";
    failed += state == "failed" || state == "stopped";
  }
  if (waiting > 0)
    out.push_back(Text(fmt::format("{} not finished: ", plural(waiting, "run is", "runs are"))).code("bitsweep work")
                  << ".");
  if (failed > 0)
    out.push_back(
        Text(fmt::format("{} failed or stopped: ", plural(failed, "run has", "runs have"))).code("bitsweep show RUN")
        << " says why.");
  std::vector<std::string> cells = empty_cells(g);
  if (!cells.empty() && cells.size() <= kMostListed)
    out.push_back(fmt::format("Cells of the design without a finished run: {}.", listed(cells)));
  else if (!cells.empty())
    out.push_back(fmt::format("{} of {} cells of the design (variant × size × budget) have no finished run.",
                              cells.size(), g.table.variants.size() * g.table.sizes.size() * g.table.budgets.size()));
  const bool seeds =
      std::any_of(g.table.cells.begin(), g.table.cells.end(), [](const ReportCell& c) { return c.runs.size() > 2; });
  if (!seeds && !g.table.cells.empty())
    out.push_back(Text("Noise: one configuration at three or more seeds (").code("seeds: [0, 1, 2]")
                  << ") would tell which differences are real.");
  for (const LawFit& fit : g.fits)
    if (fit.law == "chinchilla" && !fit.result.identified &&
        (sizes_of(g, fit.variant) < 4 || g.table.budgets.size() < 3)) {
      out.push_back(
          "A joint law in parameters and tokens: at least four sizes and three token budgets a variant, spread over a "
          "decade each.");
      break;
    }
  return out;
}

}  // namespace bitsweep
