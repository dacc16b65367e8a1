#include "report/sets_section.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "render/format.h"

namespace bitsweep::report {
namespace {

// "4 of 5 within, 0.8 % off"
std::string held_out_text(const std::optional<fit::HoldOut>& held) {
  if (!held) return render::kNothing;
  const auto inside = std::count_if(held->runs.begin(), held->runs.end(), [](const auto& run) { return run.inside(); });
  return fmt::format("{} of {} within, {:.1f} % off", inside, held->runs.size(), 100 * held->root_mean_square_error);
}

}  // namespace

render::Table sets_table(const analysis::Analysis& analysis) {
  render::Table t{{{"set"},
                   {"variant"},
                   {"runs", render::Align::right},
                   {"lowest loss", render::Align::right},
                   {"a_opt", render::Align::right},
                   {"residual sd", render::Align::right},
                   {"determined"},
                   {"adequate"},
                   {"largest runs foretold", render::Align::right}},
                  {}};
  for (const analysis::GroupAnalysis& g : analysis.groups) {
    for (const analysis::LawFit& fit : g.fits) {
      if (!kept_for_later(fit)) continue;
      const fit::FitResult& r = fit.result;
      double lowest = HUGE_VAL;
      for (const fit::Point& p : fit.points) lowest = std::min(lowest, p.loss);
      std::string a_opt = r.a_opt && r.identified ? render::format_significant(*r.a_opt, 3) : render::kNothing;
      if (const auto range = r.intervals.find("a_opt"); r.identified && range != r.intervals.end())
        a_opt += fmt::format(" ({} to {})", render::format_significant(range->second.first, 2),
                             render::format_significant(range->second.second, 2));
      t.rows.push_back({g.group.label, fit.variant, std::to_string(r.points), render::format_bpc(lowest),
                        std::move(a_opt),
                        r.residual_sd ? render::format_significant(*r.residual_sd, 2) : render::kNothing,
                        r.identified && fit.verdict.undetermined.empty() ? "yes" : "no",
                        !fit.verdict.adequacy.judged ? render::kNothing
                        : fit.verdict.adequate()     ? "yes"
                                                     : "no",
                        held_out_text(fit.verdict.adequacy.held_out)});
    }
  }
  return t;
}

}  // namespace bitsweep::report
