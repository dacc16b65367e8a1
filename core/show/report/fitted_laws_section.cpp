#include "report/fitted_laws_section.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"
#include "report/findings.h"
#include "report/law_trust_section.h"

namespace bitsweep::report {
namespace {

constexpr double kRounding = 1e-20;  // an objective below it is an exact fit

std::string law_name(const analysis::GroupAnalysis& g, const analysis::LawFit& fit) {
  if (fit.budget_class) return fmt::format("{} at {}", fit.variant, g.table.budget_text(*fit.budget_class));
  if (fit.size_class) return fmt::format("{} at {}", fit.variant, g.table.size_text(*fit.size_class));
  return fit.variant;
}

// What is not claimed and what to know, each sentence once with all the fits it holds for, those of the same fits
// together.
std::vector<render::Block> reasons(const analysis::GroupAnalysis& g) {
  std::vector<render::Block> blocks;
  for (const bool refusals : {true, false}) {
    std::vector<std::pair<std::string, std::vector<std::string>>> sentences;
    for (const analysis::LawFit& fit : g.fits) {
      for (const std::string& sentence : refusals ? fit.result.refused : fit.result.warnings) {
        const auto same = [&](const auto& known) { return known.first == sentence; };
        auto known = std::find_if(sentences.begin(), sentences.end(), same);
        if (known == sentences.end()) known = sentences.insert(known, {sentence, {}});
        known->second.push_back(fmt::format("{} ({})", law_name(g, fit), fit.law));
      }
    }
    if (sentences.empty()) continue;
    blocks.emplace_back(
        render::Paragraph{refusals ? "What is not claimed, and why:" : "Before relying on these fits:"});
    std::vector<render::Text> items;
    for (size_t i = 0; i < sentences.size();) {
      const std::vector<std::string>& names = sentences[i].second;
      std::string text = ": " + sentences[i].first;
      for (++i; i < sentences.size() && sentences[i].second == names; ++i) text += "; " + sentences[i].first;
      items.push_back(render::Text().strong(names.size() > 3 && names.size() == g.fits.size()
                                                ? fmt::format("All {} fits", names.size())
                                                : listed(names))
                      << text + ".");
    }
    blocks.emplace_back(render::BulletList{std::move(items)});
  }
  return blocks;
}

}  // namespace

std::vector<render::Block> fitted_laws_section(const analysis::GroupAnalysis& g, int level) {
  if (g.fits.empty()) return {};
  std::vector<render::Block> blocks{render::Heading{level, "Fitted laws"}};
  const bool intervals = std::any_of(g.fits.begin(), g.fits.end(),
                                     [](const analysis::LawFit& fit) { return !fit.result.intervals.empty(); });
  blocks.emplace_back(render::Paragraph{
      std::string(
          "Huber loss (δ = 0.001) on the log of the final loss, summed over runs; the best of many starts. N is "
          "parameters, D training tokens.") +
      (intervals ? " In brackets, 95 % of the posterior of the parameters, the noise and all basins included." : "")});
  render::Table t{{{"variant"},
                   {"law"},
                   {"runs", render::Align::right},
                   {"parameters"},
                   {"objective", render::Align::right},
                   {"starts at the best", render::Align::right},
                   {"residual sd", render::Align::right},
                   {"determined"}},
                  {}};
  for (const analysis::LawFit& fit : g.fits) {
    const fit::FitResult& r = fit.result;
    std::string values;
    for (const fit::NamedValue& v : r.params) {
      values += fmt::format("{}{} {}", values.empty() ? "" : ", ", v.name, render::format_significant(v.value, 4));
      if (const auto millions = v.name == "A" ? analysis::amplitude_in_millions(r) : std::nullopt)
        values += fmt::format(" ({} with N in millions)", render::format_significant(*millions, 4));
      const auto interval = r.intervals.find(v.name);
      if (interval != r.intervals.end())
        values += fmt::format(" ({} to {})", render::format_significant(interval->second.first, 3),
                              render::format_significant(interval->second.second, 3));
    }
    t.rows.push_back(
        {law_name(g, fit), r.formula.empty() ? fit.law : r.formula, std::to_string(r.points),
         values.empty() ? "refused" : values,
         values.empty() ? render::kNothing : render::format_significant(r.objective < kRounding ? 0 : r.objective, 6),
         values.empty() ? render::kNothing : fmt::format("{} of {}", r.starts_at_best, r.starts),
         r.residual_sd ? render::format_significant(*r.residual_sd, 2) : render::kNothing, determined_text(fit)});
  }
  blocks.emplace_back(render::TableBlock{std::move(t)});
  for (render::Block& block : reasons(g)) blocks.push_back(std::move(block));
  for (render::Block& block : law_trust_section(g, level)) blocks.push_back(std::move(block));
  return blocks;
}

std::vector<render::Block> predictions_section(const analysis::GroupAnalysis& g, int level) {
  render::Table t{{{"variant"},
                   {"law"},
                   {"params", render::Align::right},
                   {"tokens", render::Align::right},
                   {"loss", render::Align::right},
                   {"range", render::Align::right},
                   {"what the range is"},
                   {"beyond the runs", render::Align::right}},
                  {}};
  for (const analysis::LawFit& fit : g.fits) {
    std::vector<fit::Prediction> told = fit.result.predictions;
    if (fit.result.has_params()) told.insert(told.end(), fit.longer.begin(), fit.longer.end());
    for (const fit::Prediction& p : told) {
      const auto& range = p.interval ? p.interval : p.feasible;
      const std::string kind = p.interval   ? render::format_percent(fit.result.confidence) + " interval"
                               : p.feasible ? fmt::format("all that residuals up to ± {} allow",
                                                          render::format_significant(fit.result.noise, 2))
                                            : std::string("refused");
      t.rows.push_back(
          {law_name(g, fit), fit.law, p.target.params > 0 ? format_count(p.target.params) : render::kNothing,
           p.target.tokens > 0 ? format_count(p.target.tokens) : render::kNothing,
           !p.loss                               ? std::string(render::kNothing)
           : fit.result.identified || p.interval ? render::format_bpc(p.loss)
                                                 : render::format_bpc(p.loss) + " by the best fit alone",
           range ? render::format_bpc(range->first) + " to " + render::format_bpc(range->second) : render::kNothing,
           kind, p.beyond.cell()});
    }
  }
  if (t.empty()) return {};
  return {render::Heading{level, "Predictions"}, render::TableBlock{std::move(t)}};
}

}  // namespace bitsweep::report
