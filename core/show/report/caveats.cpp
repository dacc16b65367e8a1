// "What to keep in mind", of the rules, and "what is missing": the runs that would complete the picture.
#include <algorithm>

#include <fmt/format.h>

#include "render/format.h"
#include "report/findings.h"
#include "report/rules.h"

namespace bitsweep::report {
namespace {

constexpr size_t kMostListed = 8;

std::vector<std::string> empty_cells(const analysis::GroupAnalysis& g) {
  std::vector<std::string> names;
  for (const std::string& variant : g.table.variants)
    for (size_t size = 0; size < g.table.sizes.size(); ++size)
      for (size_t budget = 0; budget < g.table.budgets.size(); ++budget)
        if (!g.table.at(variant, size, budget))
          names.push_back(
              fmt::format("{} at {} and {}", variant, g.table.size_text(size), g.table.budget_text(budget)));
  return names;
}

}  // namespace

std::vector<render::Text> group_caveats(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  std::vector<render::Text> out;
  for (Remark& remark : group_remarks(input, g)) out.push_back(std::move(remark.text));
  return out;
}

std::vector<render::Text> group_missing(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  std::vector<render::Text> out;
  int64_t waiting = 0, failed = 0;
  for (const size_t r : g.group.runs) {
    const RunState state = input.runs[r].row.state;
    waiting += !is_terminal(state);
    failed += state == RunState::failed || state == RunState::stopped;
  }
  if (waiting > 0)
    out.push_back(render::Text(fmt::format("{} not finished: ", render::plural(waiting, "run is", "runs are")))
                      .code("bitsweep work")
                  << ".");
  if (failed > 0)
    out.push_back(render::Text(fmt::format("{} failed or stopped: ", render::plural(failed, "run has", "runs have")))
                      .code("bitsweep show RUN")
                  << " says why.");
  std::vector<std::string> cells = empty_cells(g);
  // Where most are empty the runs were not meant as a grid: budgets that grow with the size, a search.
  if (2 * cells.size() > g.table.variants.size() * g.table.sizes.size() * g.table.budgets.size()) cells.clear();
  if (!cells.empty() && cells.size() <= kMostListed)
    out.push_back(fmt::format("Cells of the design without a finished run: {}.", listed(cells)));
  else if (!cells.empty())
    out.push_back(fmt::format("{} of {} cells of the design (variant × size × budget) have no finished run.",
                              cells.size(), g.table.variants.size() * g.table.sizes.size() * g.table.budgets.size()));
  const bool seeds = std::any_of(g.table.cells.begin(), g.table.cells.end(),
                                 [](const analysis::ReportCell& c) { return c.runs.size() > 2; });
  if (!seeds && !g.table.cells.empty())
    out.push_back(render::Text("Noise: one configuration at three or more seeds (").code("seeds: [0, 1, 2]")
                  << ") would tell which differences are real.");
  const auto of_given_shapes = [&](const std::string& variant) {
    return std::any_of(g.table.cells.begin(), g.table.cells.end(),
                       [&](const analysis::ReportCell& c) { return c.variant == variant && c.shape_given; });
  };
  for (const analysis::LawFit& fit : g.fits)
    if (fit.law == "chinchilla" && !fit.result.identified && !of_given_shapes(fit.variant) &&
        (g.table.sizes_of(fit.variant) < 4 || g.table.budgets.size() < 3)) {
      out.push_back(
          "A joint law in parameters and tokens: at least four sizes and three token budgets a variant, spread over a "
          "decade each.");
      break;
    }
  return out;
}

}  // namespace bitsweep::report
