#include "report/claims_section.h"

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"
#include "report/confounds.h"
#include "report/findings.h"

namespace bitsweep::report {
namespace {

std::string decimals(double value, int count) {
  std::string text = fmt::format("{:.{}f}", value, count);
  if (text[0] == '-') text.replace(0, 1, "−");
  return text;
}

std::string words(const analysis::NotChecked& found) { return found.why; }

std::string words(const analysis::ResidualsFound& found) {
  std::vector<std::string> parts;
  for (const auto& [run, residual] : found.of_runs)
    parts.push_back(fmt::format("{} {}{}", run, residual < 0 ? "" : "+", decimals(residual, 4)));
  return fmt::format("measured − stated law: {}", listed(parts));
}

std::string words(const analysis::LawValueFound& found) {
  return fmt::format("the stated law gives {} there, {} was stated: {} from it", render::format_bpc(found.found),
                     render::format_significant(found.stated, 4), render::format_delta(found.found - found.stated));
}

std::string half_width(const std::pair<double, double>& range) {
  return render::format_bpc((range.second - range.first) / 2);
}

std::string words(const analysis::RangeFound& found) {
  std::string own;
  for (const fit::NamedValue& v : found.law)
    own += fmt::format("{}{} {}", own.empty() ? "" : ", ", v.name, render::format_significant(v.value, 4));
  if (found.loss) own += fmt::format("; {} at the target", render::format_bpc(*found.loss));
  std::string text = own.empty() ? "" : fmt::format("the law of its kind nearest to the runs has {}. ", own);
  if (!found.allowed) return text + listed(found.refused);
  const auto& [low, high] = *found.allowed;
  text += fmt::format("{} {} allow {} to {}, half-width {}", found.runs,
                      found.at_95_percent
                          ? "runs, at 95 %,"
                          : fmt::format("runs with residuals up to ± {}", render::format_significant(found.noise, 2)),
                      render::format_bpc(low), render::format_bpc(high), half_width(*found.allowed));
  if (found.stated)
    text += fmt::format("; stated is {} to {}, half-width {}", render::format_bpc(found.stated->first),
                        render::format_bpc(found.stated->second), half_width(*found.stated));
  return text;
}

std::string words(const analysis::RangesFound& found) {
  const auto &here = found.here, &there = found.there;
  const bool meet = here.first <= there.second && there.first <= here.second;
  return fmt::format("{}: {} to {} here, {} to {} in '{}': {}", found.of, render::format_bpc(here.first),
                     render::format_bpc(here.second), render::format_bpc(there.first), render::format_bpc(there.second),
                     found.other, meet ? "they overlap" : "they exclude each other");
}

std::string words(const analysis::FactorsFound& found) {
  std::string text =
      found.factors.empty() ? "they differ in no known factor" : "they differ in " + listed(found.factors);
  if (found.missing) text += ". Missing: " + missing_text(*found.missing);
  return text;
}

std::string words(const analysis::RatioFound& found) {
  return fmt::format("{}: the second has {} times that of the first", found.of,
                     render::format_significant(found.ratio, 3));
}

std::string words(const analysis::SettingFound& found) {
  return found.difference.empty() ? found.name + " is equal" : "not equal: " + found.difference;
}

std::string words(const analysis::LossChangeFound& found) {
  return fmt::format("the loss changes by {}", render::format_delta(found.change));
}

std::string words(const analysis::WallChangeFound& found) {
  return "wall-clock changes by " + render::format_change(found.change);
}

std::string words(const analysis::SizeFound& found) {
  return fmt::format("a model of this shape has {} parameters ({}); stated are {}",
                     render::format_exact_count(static_cast<double>(found.counted)), format_thousands(found.counted),
                     render::format_exact_count(found.stated));
}

}  // namespace

std::string claim_text(const analysis::ClaimFinding& found) {
  return std::visit([](const auto& one) { return words(one); }, found);
}

std::vector<render::Block> claims_section(const analysis::Analysis& analysis) {
  if (analysis.verdicts.empty()) return {};
  render::Table t{{{"claim"}, {"rule"}, {"verdict"}, {"what the runs say"}}, {}};
  for (const analysis::ClaimVerdict& v : analysis.verdicts)
    t.rows.push_back({v.claim, v.rule,
                      !v.holds   ? "cannot be checked"
                      : *v.holds ? "holds"
                                 : "does not hold",
                      claim_text(v.found)});
  std::vector<render::Block> out;
  out.emplace_back(render::Heading{2, "Claims, checked"});
  out.emplace_back(render::Paragraph{"What was stated of these runs, each check a named rule."});
  out.emplace_back(render::TableBlock{std::move(t)});
  return out;
}

json::array claims_json(const analysis::Analysis& analysis) {
  json::array list;
  for (const analysis::ClaimVerdict& v : analysis.verdicts) {
    json::object figures;
    for (const auto& [name, value] : v.figures) figures[name] = finite_or_null(value);
    list.push_back(json::object{{"claim", v.claim},
                                {"rule", v.rule},
                                {"holds", v.holds ? json::value(*v.holds) : json::value(nullptr)},
                                {"message", claim_text(v.found)},
                                {"figures", std::move(figures)}});
  }
  return list;
}

}  // namespace bitsweep::report
