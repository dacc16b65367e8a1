#include "report/law_trust_section.h"

#include <string>

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"

namespace bitsweep::report {
namespace {

using analysis::LawFit;

std::string number(const std::optional<double>& value, int digits = 3) {
  return value ? render::format_significant(*value, digits) : render::kNothing;
}

std::string approach_text(const frontier::Approach& a) {
  if (!a.a_opt) return a.why_not.empty() ? render::kNothing : fmt::format("{} ({})", render::kNothing, a.why_not);
  std::string text = fmt::format("{:.3f}", *a.a_opt);
  if (a.interval) text += fmt::format(" ({:.3f} to {:.3f})", a.interval->first, a.interval->second);
  if (a.budgets > 0) text += fmt::format(", {} budgets", a.budgets);
  return text;
}

render::Table approaches_table(const std::vector<const LawFit*>& fits) {
  render::Table t{{{"variant"}, {"the envelope of all runs"}, {"iso-FLOP minima"}, {"the joint law"}}, {}};
  for (const LawFit* fit : fits) {
    const frontier::Approaches& ways = fit->verdict.approaches;
    if (ways.envelope.a_opt || ways.isoflop.a_opt || ways.joint.a_opt)  // the refused fit says why
      t.rows.push_back(
          {fit->variant, approach_text(ways.envelope), approach_text(ways.isoflop), approach_text(ways.joint)});
  }
  return t;
}

render::Table robustness_table(const std::vector<const LawFit*>& fits) {
  render::Table t{{{"variant"},
                   {"choice"},
                   {"configurations", render::Align::right},
                   {"a_opt", render::Align::right},
                   {"E", render::Align::right},
                   {"loss at", render::Align::right},
                   {"is", render::Align::right}},
                  {}};
  for (const LawFit* fit : fits) {
    if (!fit->robustness) continue;
    const fit::Target& at = fit->robustness->at;
    for (const analysis::Variation& row : fit->robustness->rows)
      t.rows.push_back({fit->variant, row.choice, std::to_string(row.configurations), number(row.a_opt), number(row.E),
                        fmt::format("{}, {}", format_count(at.params), format_count(at.tokens)),
                        row.refused.empty() ? number(row.prediction, 4) : "refused"});
  }
  return t;
}

std::string survives(const LawFit& fit) {
  const auto range = [](const char* name, const std::optional<fit::Interval>& r, int digits) {
    return r ? fmt::format("{} {} to {}", name, render::format_significant(r->first, digits),
                           render::format_significant(r->second, digits))
             : std::string();
  };
  std::string text;
  for (const std::string& part : {range("a_opt", fit.robustness->a_opt, 2), range("E", fit.robustness->E, 3),
                                  range("the prediction", fit.robustness->prediction, 4)})
    if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
  return text;
}

}  // namespace

const char* determined_text(const LawFit& fit) {
  return fit.result.identified && fit.verdict.undetermined.empty() ? "yes" : "no";
}

std::vector<render::Block> law_trust_section(const analysis::GroupAnalysis& g, int level) {
  std::vector<const LawFit*> fits;
  for (const LawFit& fit : g.fits)
    if (fit.law == "chinchilla" && fit.verdict.joint) fits.push_back(&fit);
  if (fits.empty()) return {};
  std::vector<render::Block> blocks;
  blocks.emplace_back(render::Heading{level, "Can the law be trusted?"});
  render::BulletList told;
  for (const LawFit* fit : fits) {
    const auto say = [&](const std::string& text) {
      told.items.push_back(render::Text().strong(fit->variant) << ": " + text);
    };
    if (const auto& held = fit->verdict.adequacy.held_out)
      say(fmt::format(
          "of its {} largest runs, predicted from the others, {} end within their 95 % intervals (half as wide as "
          "{:.2g} % of the loss in the middle), {:.0f} within those of the law alone.",
          held->runs.size(), std::lround(held->coverage * static_cast<double>(held->runs.size())),
          100 * held->half_width(), held->law_coverage * static_cast<double>(held->runs.size())));
    if (fit->result.has_params() && fit->verdict.adequate()) say("nothing speaks against the law.");
    for (const std::string& word : fit->verdict.inadequacy()) say(word + ".");
    for (const std::string& word : fit->verdict.undetermined) say(word + ": exponents are no findings here.");
    for (const std::string& word : fit->verdict.approaches.remarks) say(word + ".");
    if (fit->robustness && fit->robustness->rows.size() > 1)
      say(fmt::format("over {} choices of the analysis: {}.", fit->robustness->rows.size(), survives(*fit)));
  }
  if (!told.items.empty()) blocks.emplace_back(std::move(told));
  if (render::Table ways = approaches_table(fits); !ways.empty()) {
    blocks.emplace_back(render::Paragraph{
        "How the best size grows with compute, a_opt of N ∝ C^a_opt with its 95 % interval, asked in three ways:"});
    blocks.emplace_back(render::TableBlock{std::move(ways)});
  }
  if (render::Table choices = robustness_table(fits); !choices.empty()) {
    blocks.emplace_back(render::Paragraph{"What other choices would have changed:"});
    blocks.emplace_back(render::TableBlock{.table = std::move(choices), .worth = render::TableBlock::Worth::minor});
  }
  return blocks;
}

}  // namespace bitsweep::report
