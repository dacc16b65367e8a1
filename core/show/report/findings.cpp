#include "report/findings.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "base/statistics.h"
#include "base/units.h"
#include "fit/bootstrap.h"
#include "render/format.h"
#include "report/ablation_section.h"
#include "report/before_after_section.h"
#include "report/rules.h"

namespace bitsweep::report {
namespace {

constexpr size_t kMostTold = 20;  // comparisons whose whole range is told

const analysis::ReportCell* best_cell(const analysis::GroupAnalysis& g) {
  const analysis::ReportCell* best = nullptr;
  for (const analysis::ReportCell& cell : g.table.cells)
    if (best == nullptr || cell.final_bpc.mean < best->final_bpc.mean) best = &cell;
  return best;
}

render::Text best_finding(const analysis::GroupAnalysis& g, const analysis::ReportCell& best) {
  render::Text text("Lowest final loss: ");
  text.strong(render::format_bpc(best.final_bpc.mean)) << in_loss_unit(g, "") << ", by " + cell_name(best);
  if (best.final_bpc.half_width)
    text << fmt::format(" (mean of {} seeds, ± {})", best.final_bpc.values,
                        render::format_bpc(*best.final_bpc.half_width));
  return text << ".";
}

render::Text yardstick_finding(const analysis::GroupAnalysis& g, const analysis::ReportCell& best) {
  const std::vector<double>& orders = g.yardsticks;
  const int beaten = analysis::highest_order_beaten(best.final_bpc.mean, orders);
  const auto model = [&](int k) {
    return fmt::format("the order-{} count model ({})", k, render::format_bpc(orders[static_cast<size_t>(k)]));
  };
  std::string text;
  if (beaten < 0)
    text = fmt::format("No configuration beats a count model: even {} is lower than the best run", model(0));
  else if (beaten + 1 < static_cast<int>(orders.size()))
    text = fmt::format("The best run beats {}, and not {}", model(beaten), model(beaten + 1));
  else
    text = fmt::format("The best run beats {}, the strongest that was computed", model(beaten));
  if (beaten < 1 || g.table.cells.size() < 2) return text + ".";
  const auto count = std::count_if(g.table.cells.begin(), g.table.cells.end(),
                                   [&](const analysis::ReportCell& cell) { return cell.final_bpc.mean < orders[1]; });
  return text + fmt::format("; {} of {} configurations beat the order-1 model ({}).", count, g.table.cells.size(),
                            render::format_bpc(orders[1]));
}

// "in all 6 comparisons", "in 5 of 6 comparisons", "in the one comparison there is"
std::string share(size_t part, size_t whole) {
  if (whole == 1) return part == 1 ? "in the one comparison there is" : "not in the one comparison there is";
  if (part == whole) return fmt::format("in all {} comparisons", whole);
  return fmt::format("in {} of {} comparisons", part, whole);
}

std::string range_of(const std::vector<double>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (render::format_bpc(*low) == render::format_bpc(*high)) return render::format_bpc(*low);
  return render::format_bpc(*low) + " to " + render::format_bpc(*high);
}

// Of many values the middle ones: the ends are the luckiest runs.
std::string gain_text(const analysis::GroupAnalysis& g, std::vector<double> gains, const char* unit) {
  if (gains.size() <= kMostTold) return fmt::format("by {} per {}", in_loss_unit(g, range_of(gains)), unit);
  const auto [low, high] = fit::percentile_interval(gains, 0.5);
  return fmt::format("by a median of {} per {} (half of them {} to {})",
                     in_loss_unit(g, render::format_bpc(median(gains))), unit, render::format_bpc(low),
                     render::format_bpc(high));
}

void scaling_finding(const analysis::GroupAnalysis& g, const std::vector<analysis::ScalingStep>& steps,
                     const char* more, const char* unit, std::vector<render::Text>& out) {
  if (steps.empty()) return;
  std::vector<double> gains;
  size_t confounded = 0;
  for (const analysis::ScalingStep& step : steps) {
    if (step.change.mean < 0) gains.push_back(-step.per_unit);
    if (!step.also.empty()) ++confounded;
  }
  std::string text;
  if (gains.empty())
    text = fmt::format("{} did not lower the loss in any of {}", more,
                       render::plural(static_cast<int64_t>(steps.size()), "comparison", "comparisons"));
  else
    text =
        fmt::format("{} lowered the loss {}, {}", more, share(gains.size(), steps.size()), gain_text(g, gains, unit));
  if (confounded > 0)
    text += confounded == steps.size()
                ? "; other settings differed too (see the table)"
                : fmt::format("; in {} of them other settings differed too (see the table)", confounded);
  out.push_back(text + ".");
}

// The variants from low to high loss at one size and budget; empty unless all of them are there.
std::vector<std::string> order_at(const analysis::GroupAnalysis& g, size_t size, size_t budget) {
  std::vector<std::pair<double, std::string>> losses;
  for (const std::string& variant : g.table.variants) {
    const auto cell = g.table.at(variant, size, budget);
    if (!cell) return {};
    losses.emplace_back(g.table.cells[*cell].final_bpc.mean, variant);
  }
  std::stable_sort(losses.begin(), losses.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (size_t i = 1; i < losses.size(); ++i)
    if (losses[i].first == losses[i - 1].first) return {};
  std::vector<std::string> names;
  for (auto& [loss, name] : losses) names.push_back(std::move(name));
  return names;
}

// One order of all variants wherever they can all be compared; nothing when there is no such place, or the order
// changes.
std::optional<render::Text> common_order(const analysis::GroupAnalysis& g) {
  std::vector<std::string> common;
  size_t places = 0;
  for (size_t size = 0; size < g.table.sizes.size(); ++size) {
    for (size_t budget = 0; budget < g.table.budgets.size(); ++budget) {
      const std::vector<std::string> order = order_at(g, size, budget);
      if (order.empty()) continue;
      if (!common.empty() && order != common) return std::nullopt;
      common = order;
      ++places;
    }
  }
  if (places == 0) return std::nullopt;
  std::string names;
  for (const std::string& name : common) names += (names.empty() ? "" : ", then ") + name;
  return render::Text(
      places == 1
          ? "At the one size and budget that all variants share, the order from low to high loss is " + names + "."
          : fmt::format(
                "At all {} sizes and budgets that the variants share, the order from low to high loss is the same: {}.",
                places, names));
}

void pair_findings(const analysis::GroupAnalysis& g, std::vector<render::Text>& out) {
  std::map<std::pair<std::string, std::string>, std::vector<double>> pairs;
  for (const analysis::VariantComparison& gap : g.variant_comparisons)
    pairs[{g.table.cells[gap.a].variant, g.table.cells[gap.b].variant}].push_back(gap.change.mean);
  for (const auto& [names, changes] : pairs) {
    const auto second =
        static_cast<size_t>(std::count_if(changes.begin(), changes.end(), [](double d) { return d < 0; }));
    const auto first =
        static_cast<size_t>(std::count_if(changes.begin(), changes.end(), [](double d) { return d > 0; }));
    const std::string& low = second >= first ? names.second : names.first;
    const std::string& high = second >= first ? names.first : names.second;
    const bool usual = !g.table.measure.body && !g.table.measure.bytes;
    std::string text = fmt::format(
        "{} ends lower than {} {} at equal {}", low, high, share(std::max(first, second), changes.size()),
        usual ? "size and budget" : fmt::format("{} and {}", g.table.measure.sizes(), g.table.measure.budgets()));
    if (std::max(first, second) == changes.size()) {
      std::vector<double> sizes;
      for (const double d : changes) sizes.push_back(std::abs(d));
      text += ", by " + in_loss_unit(g, range_of(sizes));
    } else {
      const auto [least, most] = std::minmax_element(changes.begin(), changes.end());
      text += fmt::format("; {} minus {} is {} to {}", names.second, names.first, render::format_delta(*least),
                          in_loss_unit(g, render::format_delta(*most)));
    }
    out.push_back(text + ".");
  }
}

void variant_findings(const analysis::GroupAnalysis& g, std::vector<render::Text>& out) {
  if (g.variant_comparisons.empty()) {
    if (g.table.variants.size() > 1)
      out.push_back("No two variants share a size and a budget, so they cannot be compared.");
    return;
  }
  if (g.table.variants.size() > 2)
    if (auto order = common_order(g)) out.push_back(std::move(*order));
  // Beyond a handful the table says it better.
  if (g.table.variants.size() <= 3) pair_findings(g, out);
}

std::string place_of(const analysis::GroupAnalysis& g, const analysis::LawFit& fit, const fit::Target& target) {
  std::string place;
  if (target.params > 0 && fit.uses_params()) place = format_count(target.params) + " parameters";
  if (target.tokens > 0 && fit.uses_tokens())
    place += (place.empty() ? "" : " and ") + format_count(target.tokens) + " tokens";
  // What a law of one axis was fitted at.
  if (fit.budget_class) place += " and " + g.table.budget_text(*fit.budget_class);
  if (fit.size_class) place += " and " + g.table.size_text(*fit.size_class);
  return place;
}

std::string prediction_text(const analysis::GroupAnalysis& g, const analysis::LawFit& fit, const fit::Prediction& p) {
  const std::string place = place_of(g, fit, p.target);
  if (p.interval)
    return fmt::format("{} is predicted to reach {} at {} ({} interval {} to {}), {}.", fit.variant,
                       in_loss_unit(g, render::format_bpc(p.loss)), place,
                       render::format_percent(fit.result.confidence), render::format_bpc(p.interval->first),
                       render::format_bpc(p.interval->second), p.beyond.text());
  return fmt::format(
      "For {} at {}, the best fit says {}, and the measured runs allow anything from {} to {} (residuals up to ± {}): "
      "no "
      "single figure is claimed.",
      fit.variant, place, render::format_bpc(p.loss), render::format_bpc(p.feasible->first),
      in_loss_unit(g, render::format_bpc(p.feasible->second)), render::format_significant(fit.result.noise, 2));
}

// Whether another law of the variant says something of the target.
bool is_told_elsewhere(const analysis::GroupAnalysis& g, const analysis::LawFit& fit, const fit::Target& target) {
  return std::any_of(g.fits.begin(), g.fits.end(), [&](const analysis::LawFit& other) {
    return other.variant == fit.variant &&
           std::any_of(other.result.predictions.begin(), other.result.predictions.end(), [&](const fit::Prediction& p) {
             return (p.interval || p.feasible) && p.target.params == target.params && p.target.tokens == target.tokens;
           });
  });
}

// Each target once, with all the variants for which nothing can be said.
void unpredictable(const analysis::GroupAnalysis& g, std::vector<render::Text>& out) {
  std::vector<std::pair<std::string, std::vector<std::string>>> places;
  for (const analysis::LawFit& fit : g.fits) {
    for (const fit::Prediction& p : fit.result.predictions) {
      if (p.interval || p.feasible) continue;
      const std::string place = place_of(g, fit, p.target);
      if (is_told_elsewhere(g, fit, p.target)) continue;
      auto known = std::find_if(places.begin(), places.end(), [&](const auto& k) { return k.first == place; });
      if (known == places.end()) known = places.insert(known, {place, {}});
      if (std::find(known->second.begin(), known->second.end(), fit.variant) == known->second.end())
        known->second.push_back(fit.variant);
    }
  }
  for (const auto& [place, variants] : places)
    out.push_back(fmt::format("Nothing can be predicted from the measured runs for {} at {}.",
                              listed_variants(g, variants), place));
}

void law_findings(const analysis::GroupAnalysis& g, std::vector<render::Text>& out) {
  std::vector<std::string> refused;
  std::vector<render::Text> predictions;
  for (const analysis::LawFit& fit : g.fits) {
    for (const fit::Prediction& p : fit.result.predictions)
      if (p.interval || p.feasible) predictions.push_back(prediction_text(g, fit, p));
    if (fit.budget_class || fit.size_class) continue;  // a part of the runs: in the table of fits
    if (fit.result.identified) {
      std::string values;
      for (const fit::NamedValue& v : fit.result.params)
        values += fmt::format("{}{} = {}", values.empty() ? "" : ", ", v.name, render::format_significant(v.value, 4));
      out.push_back(fmt::format("{} follows {} with {}.", fit.variant, fit.result.formula, values));
    } else if (std::find(refused.begin(), refused.end(), fit.variant) == refused.end()) {
      refused.push_back(fit.variant);
    }
  }
  if (!refused.empty())
    out.push_back(fmt::format("The runs do not determine a scaling law for {}; the reasons are given with the fits.",
                              listed_variants(g, refused)));
  std::move(predictions.begin(), predictions.end(), std::back_inserter(out));
  unpredictable(g, out);
}

// "left out 2 rows" as "Left out 2 rows."
std::string sentence(std::string note) {
  if (!note.empty() && note[0] >= 'a' && note[0] <= 'z') note[0] = static_cast<char>(note[0] - 'a' + 'A');
  return note + ".";
}

void parameter_value_finding(const analysis::GroupAnalysis& g, std::vector<render::Text>& out) {
  if (!g.parameter_value) return;
  std::string values;
  for (const analysis::ParameterValueRow& row : g.parameter_value->rows)
    if (row.interval)
      values += fmt::format("{}{} {} (95 % interval {} to {})", values.empty() ? "" : ", ", row.variant,
                            render::format_significant(row.eff, 3), render::format_significant(row.interval->first, 3),
                            render::format_significant(row.interval->second, 3));
  if (!values.empty())
    out.push_back(fmt::format("By one law through all variants, a parameter does as much as this many of {}'s: {}.",
                              g.parameter_value->reference, values));
}

}  // namespace

std::string cell_name(const analysis::ReportCell& cell) {
  return fmt::format("{} with {} parameters and {} tokens", cell.variant, format_count(cell.params),
                     format_count(cell.tokens));
}

std::string in_loss_unit(const analysis::GroupAnalysis& g, const std::string& number) {
  return g.group.loss_unit.empty() ? number : number + " " + g.group.loss_unit;
}

std::string loss_title(const analysis::GroupAnalysis& g, const std::string& what) {
  if (const auto& loss = g.group.loss)
    return fmt::format("{} ({}{} is better)", with_loss_name(g, what), loss->unit.empty() ? "" : loss->unit + ", ",
                       direction_word(loss->better));
  return fmt::format("{} ({})", what, g.group.loss_unit.empty() ? "unit not told" : g.group.loss_unit);
}

std::string with_loss_name(const analysis::GroupAnalysis& g, std::string text) {
  if (!g.group.loss) return text;
  bool whole = false;
  for (const std::string_view called : {"validation loss", "Validation loss"})
    for (size_t at = 0; (at = text.find(called, at)) != std::string::npos; at += g.group.loss->name.size()) {
      text.replace(at, called.size(), g.group.loss->name);
      whole = true;
    }
  for (const std::string_view begin : {"Loss ", "loss "})
    if (!whole && text.starts_with(begin)) text.replace(0, begin.size() - 1, g.group.loss->name);
  if (text == "loss") return g.group.loss->name;
  return text;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return text;
}

std::string listed_variants(const analysis::GroupAnalysis& g, const std::vector<std::string>& names) {
  const size_t n = g.table.variants.size();
  return n > 3 && names.size() == n ? fmt::format("all {} variants", n) : listed(names);
}

namespace {

// Behind each finding from `first` on, what takes it back.
void take_back(std::vector<render::Text>& findings, size_t first, const std::vector<analysis::Doubt>& doubts,
               unsigned kind) {
  std::vector<std::string> briefs;
  for (const analysis::Doubt& doubt : doubts)
    if (doubt.takes_back & kind) briefs.push_back(doubt.brief);
  if (briefs.empty()) return;
  for (size_t i = first; i < findings.size(); ++i) findings[i] << " No finding yet: " + listed(briefs) + ".";
}

}  // namespace

std::vector<render::Text> group_findings(const analysis::GroupAnalysis& g, const std::vector<analysis::Doubt>& doubts) {
  std::vector<render::Text> out;
  const analysis::ReportCell* best = best_cell(g);
  if (best == nullptr) return out;
  out.push_back(best_finding(g, *best));
  if (!g.yardsticks.empty()) out.push_back(yardstick_finding(g, *best));
  scaling_finding(g, g.param_steps, "More parameters at the same tokens", "tenfold parameters", out);
  scaling_finding(g, g.token_steps, "More tokens at the same size", "doubling of tokens", out);
  for (render::Text& text : before_after_findings(g)) out.push_back(std::move(text));
  for (render::Text& text : ablation_findings(g)) out.push_back(std::move(text));
  size_t first = out.size();
  variant_findings(g, out);
  parameter_value_finding(g, out);
  take_back(out, first, doubts, analysis::kWinner);
  first = out.size();
  law_findings(g, out);
  take_back(out, first, doubts, analysis::kLaw);
  return out;
}

std::vector<render::Text> run_findings(const analysis::ReportInput& input, const analysis::Analysis& analysis) {
  std::vector<render::Text> out;
  for (const std::string& note : input.notes) out.emplace_back(sentence(note));
  const auto total = static_cast<int64_t>(input.runs.size());
  if (total == 0) return {"There are no runs yet."};
  std::map<std::string, int64_t> reasons;
  for (const analysis::MeasuredRun& run : input.runs)
    if (const std::string reason = exclusion_reason(run.row); !reason.empty()) ++reasons[reason];
  if (reasons.empty()) return out;
  std::vector<std::string> parts;
  for (const auto& [reason, count] : reasons) parts.push_back(fmt::format("{} {}", count, reason));
  if (analysis.finished == 0)
    out.push_back(fmt::format("No run has finished, so nothing can be said yet: {}.", listed(parts)));
  else
    out.push_back(fmt::format("{} of {} count; left out: {}.", analysis.finished, render::plural(total, "run", "runs"),
                              listed(parts)));
  return out;
}

std::vector<render::Text> summary_findings(const analysis::ReportInput& input, const analysis::Analysis& analysis) {
  std::vector<render::Text> items = run_findings(input, analysis);
  if (analysis.groups.size() == 1)
    for (render::Text& finding : group_findings(analysis.groups[0], group_doubts(input, analysis.groups[0])))
      items.push_back(std::move(finding));
  if (analysis.groups.size() > 1) {
    std::vector<std::string> differences;
    for (const Remark& remark : comparability_remarks(analysis)) differences.push_back(remark.text.plain());
    items.push_back(
        fmt::format("The runs fall into {} groups that differ in {}. Losses of different groups are never "
                    "pooled or ranked.",
                    analysis.groups.size(), listed(differences)));
  }
  return items;
}

}  // namespace bitsweep::report
