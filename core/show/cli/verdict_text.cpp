#include "cli/verdict_text.h"

#include <fmt/format.h>

#include "base/units.h"

namespace bitsweep::cli {
namespace {

std::string approach_line(const char* name, const frontier::Approach& a) {
  if (!a.a_opt) return fmt::format("    {:<9} - ({})\n", name, a.why_not);
  std::string text = fmt::format("    {:<9} {:.3f}", name, *a.a_opt);
  if (a.interval) text += fmt::format("  [{:.3f}, {:.3f}]", a.interval->first, a.interval->second);
  if (a.budgets > 0) text += fmt::format("  {} budgets", a.budgets);
  return text + '\n';
}

std::string optimum_line(const frontier::Optimum& o) {
  std::string text = fmt::format("    {:.3g} FLOPs: {} parameters, {} tokens, loss {:.4f}", o.flops,
                                 format_count(o.best.params), format_count(o.best.tokens), o.best.loss);
  if (o.loss_interval) text += fmt::format(" [{:.4f}, {:.4f}]", o.loss_interval->first, o.loss_interval->second);
  text += fmt::format(" ({}", basis_name(o.basis));
  if (o.basis != frontier::Basis::law && o.law)
    text += fmt::format("; the law alone: {}, {}, {:.4f}", format_count(o.law->params), format_count(o.law->tokens),
                        o.law->loss);
  if (!o.beyond.inside()) text += "; " + o.beyond.text();
  return text + ")\n";
}

}  // namespace

std::string verdict_text(const fit::FitResult& fit, const frontier::Verdict& v) {
  if (!fit.has_params() && v.approaches.minima.all.empty() && v.optima.rows.empty()) return "";
  std::string text = v.adequate() ? "  adequate: nothing speaks against the law here\n" : "";
  for (const std::string& word : v.inadequacy()) text += fmt::format("  inadequate: {}\n", word);
  if (v.joint) {
    text += "  a_opt, N ∝ C^a_opt:\n" + approach_line("envelope", v.approaches.envelope) +
            approach_line("isoflop", v.approaches.isoflop) + approach_line("joint", v.approaches.joint);
    for (const std::string& word : v.approaches.remarks) text += fmt::format("  note: {}\n", word);
  }
  if (!v.optima.rows.empty()) text += "  best divisions:\n";
  for (const frontier::Optimum& row : v.optima.rows)
    if (row.refused.empty()) text += optimum_line(row);
  for (const std::string& why : refusals(v.optima)) text += fmt::format("  refused: {}\n", why);
  return text;
}

}  // namespace bitsweep::cli
