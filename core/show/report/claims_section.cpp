#include "report/claims_section.h"

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"
#include "report/confounds.h"
#include "report/findings.h"

namespace bitsweep {
namespace {

std::string decimals(double value, int count) {
  std::string text = fmt::format("{:.{}f}", value, count);
  if (text[0] == '-') text.replace(0, 1, "−");
  return text;
}

std::string words(const NotChecked& found) { return found.why; }

std::string words(const ResidualsFound& found) {
  std::vector<std::string> parts;
  for (const auto& [run, residual] : found.of_runs)
    parts.push_back(fmt::format("{} {}{}", run, residual < 0 ? "" : "+", decimals(residual, 4)));
  return fmt::format("measured − stated law: {}", listed(parts));
}

std::string words(const LawValueFound& found) {
  return fmt::format("the stated law gives {} there, {} was stated: {} from it", format_bpc(found.found),
                     format_significant(found.stated, 4), format_delta(found.found - found.stated));
}

std::string half_width(const std::pair<double, double>& range) { return format_bpc((range.second - range.first) / 2); }

std::string words(const RangeFound& found) {
  std::string own;
  for (const NamedValue& v : found.law)
    own += fmt::format("{}{} {}", own.empty() ? "" : ", ", v.name, format_significant(v.value, 4));
  if (found.loss) own += fmt::format("; {} at the target", format_bpc(*found.loss));
  std::string text = own.empty() ? "" : fmt::format("the law of its kind nearest to the runs has {}. ", own);
  if (!found.allowed) return text + listed(found.refused);
  const auto& [low, high] = *found.allowed;
  text += fmt::format("{} {} allow {} to {}, half-width {}", found.runs,
                      found.at_95_percent
                          ? "runs, at 95 %,"
                          : fmt::format("runs with residuals up to ± {}", format_significant(found.noise, 2)),
                      format_bpc(low), format_bpc(high), half_width(*found.allowed));
  if (found.stated)
    text += fmt::format("; stated is {} to {}, half-width {}", format_bpc(found.stated->first),
                        format_bpc(found.stated->second), half_width(*found.stated));
  return text;
}

std::string words(const RangesFound& found) {
  const auto &here = found.here, &there = found.there;
  const bool meet = here.first <= there.second && there.first <= here.second;
  return fmt::format("{}: {} to {} here, {} to {} in '{}': {}", found.of, format_bpc(here.first),
                     format_bpc(here.second), format_bpc(there.first), format_bpc(there.second), found.other,
                     meet ? "they overlap" : "they exclude each other");
}

std::string words(const FactorsFound& found) {
  std::string text =
      found.factors.empty() ? "they differ in no known factor" : "they differ in " + listed(found.factors);
  if (found.missing) text += ". Missing: " + missing_text(*found.missing);
  return text;
}

std::string words(const RatioFound& found) {
  return fmt::format("{}: the second has {} times that of the first", found.of, format_significant(found.ratio, 3));
}

std::string words(const SettingFound& found) {
  return found.difference.empty() ? found.name + " is equal" : "not equal: " + found.difference;
}

std::string words(const LossChangeFound& found) {
  return fmt::format("the loss changes by {}", format_delta(found.change));
}

std::string words(const WallChangeFound& found) { return "wall-clock changes by " + format_change(found.change); }

std::string words(const SizeFound& found) {
  return fmt::format("a model of this shape has {} parameters ({}); stated are {}",
                     format_exact_count(static_cast<double>(found.counted)), format_thousands(found.counted),
                     format_exact_count(found.stated));
}

}  // namespace

std::string claim_text(const ClaimFinding& found) {
  return std::visit([](const auto& one) { return words(one); }, found);
}

std::vector<Block> claims_section(const Analysis& analysis) {
  if (analysis.verdicts.empty()) return {};
  Table t{{{"claim"}, {"rule"}, {"verdict"}, {"what the runs say"}}, {}};
  for (const ClaimVerdict& v : analysis.verdicts)
    t.rows.push_back({v.claim, v.rule,
                      !v.holds   ? "cannot be checked"
                      : *v.holds ? "holds"
                                 : "does not hold",
                      claim_text(v.found)});
  std::vector<Block> out;
  out.emplace_back(Heading{2, "Claims, checked"});
  out.emplace_back(Paragraph{"What was stated of these runs, each check a named rule."});
  out.emplace_back(TableBlock{std::move(t)});
  return out;
}

json::array claims_json(const Analysis& analysis) {
  json::array list;
  for (const ClaimVerdict& v : analysis.verdicts) {
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

}  // namespace bitsweep
