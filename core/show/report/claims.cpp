#include "report/claims.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/units.h"
#include "fit/fit.h"
#include "report/analysis.h"
#include "report/confounds.h"
#include "report/findings.h"
#include "render/format.h"

namespace bitsweep {
namespace {

using Verdicts = std::vector<ClaimVerdict>;

std::string decimals(double value, int count) {
  std::string text = fmt::format("{:.{}f}", value, count);
  if (text[0] == '-') text.replace(0, 1, "−");
  return text;
}

bool agrees(const StatedFigure& stated, double found) {
  return std::abs(found - stated.value) <= stated.tolerance * (1 + 1e-9) + 1e-12;
}

std::optional<size_t> find_run(const ReportInput& input, const std::string& name) {
  for (size_t r = 0; r < input.runs.size(); ++r)
    if (input.runs[r].row.id == name) return r;
  return std::nullopt;
}

// Nothing where one has no loss, or is not there.
std::optional<std::vector<Point>> points_of(const ReportInput& input, const Claim& claim) {
  std::vector<Point> points;
  for (const std::string& name : claim.runs) {
    const auto r = find_run(input, name);
    if (!r || !exclusion_reason(input.runs[*r].row).empty()) return std::nullopt;
    const RunRow& row = input.runs[*r].row;
    Point point;
    point.params = static_cast<double>(row.params), point.tokens = static_cast<double>(row.tokens);
    point.loss = *row.last_val_bpc, point.run = row.id;
    points.push_back(std::move(point));
  }
  return points;
}

FitOptions options_of(const Claim& claim) {
  FitOptions options;
  options.law = claim.law;
  if (claim.law == "power") options.axis = claim.axis;
  options.noise = claim.noise, options.resamples = 0, options.second_opinions = false;
  options.extrapolation_limit = HUGE_VAL;
  if (claim.target) options.targets = {*claim.target};
  return options;
}

// From the units of the claim to ones.
std::vector<double> values_of(const Claim& claim) {
  std::vector<double> values;
  const auto unit_of = [&](const std::string& amplitude) {
    const bool tokens = amplitude == "B" || (claim.law == "power" && claim.axis == "tokens");
    return std::pow(tokens ? claim.tokens_unit : claim.params_unit,
                    claim.parameters.at(amplitude == "B" ? "beta" : "alpha"));
  };
  for (const std::string& name : stated_parameters(claim.law)) {
    const double value = claim.parameters.at(name);
    values.push_back(name == "A" || name == "B" ? value * unit_of(name) : value);
  }
  return values;
}

bool has_law(const Claim& claim) { return !claim.law.empty() && !claim.parameters.empty(); }

std::optional<std::pair<double, double>> range_of(const Claim& claim) {
  if (claim.range) return claim.range;
  if (!claim.value) return std::nullopt;
  return std::pair{claim.value->value - claim.value->tolerance, claim.value->value + claim.value->tolerance};
}

void law_residuals(const ReportInput& input, const Analysis&, const Claim& claim, Verdicts& out) {
  if (!has_law(claim) || claim.runs.empty()) return;
  const auto points = points_of(input, claim);
  if (!points) return out.push_back({claim.name, "stated-law-residuals", {}, "a run of it has no final loss", {}});
  const Evaluation at = evaluate_law(*points, values_of(claim), options_of(claim));
  ClaimVerdict verdict{claim.name, "stated-law-residuals", true, "", {}};
  std::vector<std::string> parts;
  double largest = 0;
  for (size_t k = 0; k < points->size(); ++k) {
    const double residual = at.fits[k].residual;
    largest = std::max(largest, std::abs(residual));
    parts.push_back(fmt::format("{} {}{}", (*points)[k].run, residual < 0 ? "" : "+", decimals(residual, 4)));
    verdict.figures.emplace_back("residual " + (*points)[k].run, residual);
  }
  if (claim.residuals) verdict.holds = largest <= claim.residuals->value * (1 + 1e-9);
  verdict.text = fmt::format("measured − stated law: {}", listed(parts));
  out.push_back(std::move(verdict));
}

void law_value(const ReportInput& input, const Analysis&, const Claim& claim, Verdicts& out) {
  if (!has_law(claim) || !claim.target || !claim.value) return;
  std::vector<Point> points = points_of(input, claim).value_or(std::vector<Point>());
  if (points.empty()) points = {point_at(*claim.target)};
  const double found = evaluate_law(points, values_of(claim), options_of(claim)).predictions.at(0);
  out.push_back({claim.name,
                 "stated-law-value",
                 agrees(*claim.value, found),
                 fmt::format("the stated law gives {} there, {} was stated: {} from it", format_bpc(found),
                             format_significant(claim.value->value, 4), format_delta(found - claim.value->value)),
                 {{"law_value", found}, {"stated", claim.value->value}}});
}

// What the runs alone allow at the target, under the stated kind of law, against the stated width.
void range_against_runs(const ReportInput& input, const Analysis&, const Claim& claim, Verdicts& out) {
  if (claim.law.empty() || claim.runs.empty() || !claim.target) return;
  const auto points = points_of(input, claim);
  if (!points) return;
  const FitResult fit = fit_law(*points, options_of(claim));
  ClaimVerdict verdict{claim.name, "range-against-runs", {}, "", {}};
  std::string own;
  for (const NamedValue& v : fit.params) {
    const bool amplitude = v.name == "A" || v.name == "B";
    const double unit = v.name == "B" || fit.axis == "tokens" ? claim.tokens_unit : claim.params_unit;
    const auto exponent = fit.param(v.name == "B" ? "beta" : "alpha");
    const double value = amplitude && exponent ? v.value / std::pow(unit, *exponent) : v.value;
    own += fmt::format("{}{} {}", own.empty() ? "" : ", ", v.name, format_significant(value, 4));
    verdict.figures.emplace_back(v.name, value);
  }
  const Prediction& p = fit.predictions.at(0);
  if (p.loss) {
    own += fmt::format("; {} at the target", format_bpc(*p.loss));
    verdict.figures.emplace_back("fitted_value", *p.loss);
  }
  const auto allowed = p.interval ? p.interval : p.feasible;
  const std::string best = own.empty() ? "" : fmt::format("the law of its kind nearest to the runs has {}. ", own);
  if (!allowed) {
    verdict.text = best + (fit.refused.empty() ? p.refused : listed(fit.refused));
    return out.push_back(std::move(verdict));
  }
  const double half = (allowed->second - allowed->first) / 2;
  verdict.figures.insert(verdict.figures.end(),
                         {{"low", allowed->first}, {"high", allowed->second}, {"half_width", half}});
  verdict.text = fmt::format(
      "{}{} {} allow {} to {}, half-width {}", best, points->size(),
      p.interval ? "runs, at 95 %," : fmt::format("runs with residuals up to ± {}", format_significant(claim.noise, 2)),
      format_bpc(allowed->first), format_bpc(allowed->second), format_bpc(half));
  if (claim.range) {
    const double stated = (claim.range->second - claim.range->first) / 2;
    verdict.holds = claim.range->first <= allowed->first && claim.range->second >= allowed->second;
    verdict.text += fmt::format("; stated is {} to {}, half-width {}", format_bpc(claim.range->first),
                                format_bpc(claim.range->second), format_bpc(stated));
    verdict.figures.emplace_back("stated_half_width", stated);
  }
  out.push_back(std::move(verdict));
}

// With every later claim of the same quantity.
void disjoint_ranges(const ReportInput& input, const Analysis&, const Claim& claim, Verdicts& out) {
  const auto here = range_of(claim);
  if (claim.of.empty() || !here) return;
  for (const Claim* other = &claim + 1; other < input.claims.data() + input.claims.size(); ++other) {
    const auto there = other->of == claim.of ? range_of(*other) : std::nullopt;
    if (!there) continue;
    const bool meet = here->first <= there->second && there->first <= here->second;
    out.push_back(
        {claim.name,
         "disjoint-ranges",
         meet,
         fmt::format("{}: {} to {} here, {} to {} in '{}': {}", claim.of, format_bpc(here->first),
                     format_bpc(here->second), format_bpc(there->first), format_bpc(there->second), other->name,
                     meet ? "they overlap" : "they exclude each other"),
         {{"low", here->first}, {"high", here->second}, {"other_low", there->first}, {"other_high", there->second}}});
  }
}

struct Pair {
  size_t first_group = 0, second_group = 0;
  const ReportCell *a = nullptr, *b = nullptr;
};

std::optional<Pair> pair_of(const ReportInput& input, const Analysis& analysis, const Claim& claim) {
  if (claim.compare.size() != 2) return std::nullopt;
  Pair pair;
  for (size_t side = 0; side < 2; ++side) {
    const auto run = find_run(input, claim.compare[side]);
    for (size_t g = 0; run && g < analysis.groups.size(); ++g)
      for (const ReportCell& cell : analysis.groups[g].table.cells)
        if (std::find(cell.runs.begin(), cell.runs.end(), *run) != cell.runs.end())
          (side == 0 ? pair.a : pair.b) = &cell, (side == 0 ? pair.first_group : pair.second_group) = g;
  }
  return pair.a != nullptr && pair.b != nullptr ? std::optional(pair) : std::nullopt;
}

std::vector<std::string> factors_between(const Analysis& analysis, const Pair& pair) {
  std::vector<std::string> factors = all_differences(*pair.a, *pair.b);
  const auto &a = analysis.groups[pair.first_group].group.values, &b = analysis.groups[pair.second_group].group.values;
  for (size_t k = 0; k < comparability_rules().size(); ++k)
    if (a[k] != b[k])
      factors.push_back(fmt::format("{} {} → {}", comparability_rules()[k].name, a[k].empty() ? "not known" : a[k],
                                    b[k].empty() ? "not known" : b[k]));
  return factors;
}

// "train.batch 64 → 256" is of the factor "train.batch", or "batch".
bool is_factor(const std::string& difference, const std::string& name) {
  const std::string path = difference.substr(0, difference.find(' '));
  return path == name || path.substr(path.rfind('.') + 1) == name;
}

void factors_compared(const ReportInput& input, const Analysis& analysis, const Claim& claim, Verdicts& out) {
  if (claim.compare.empty()) return;
  const auto pair = pair_of(input, analysis, claim);
  if (!pair) return out.push_back({claim.name, "factors-compared", {}, "one of the two has no final loss", {}});
  const std::vector<std::string> factors = factors_between(analysis, *pair);
  const auto meant = [&](const std::string& factor) {
    return std::any_of(claim.differ_only.begin(), claim.differ_only.end(),
                       [&](const std::string& name) { return is_factor(factor, name); });
  };
  std::vector<std::string> besides;
  for (const std::string& factor : factors)
    if (!meant(factor)) besides.push_back(factor);
  ClaimVerdict verdict{claim.name, "factors-compared", {}, "", {{"factors", static_cast<double>(factors.size())}}};
  verdict.holds = claim.differ_only.empty() ? factors.size() <= 1 : besides.empty();
  verdict.text = factors.empty() ? "they differ in no known factor" : "they differ in " + listed(factors);
  if (!*verdict.holds && pair->first_group == pair->second_group && !settings_of(*pair->a, *pair->b).empty())
    verdict.text += ". Missing: " + missing_cell(*pair->a, *pair->b);
  out.push_back(std::move(verdict));
}

void equal_claimed(const ReportInput& input, const Analysis& analysis, const Claim& claim, Verdicts& out) {
  const auto pair = pair_of(input, analysis, claim);
  if (!pair) return;
  for (const std::string& name : claim.equal) {
    const ReportCell &a = *pair->a, &b = *pair->b;
    double ratio = 1;
    if (name == "compute")
      ratio = a.flops && b.flops ? *b.flops / *a.flops : (b.params * b.tokens) / (a.params * a.tokens);
    else if (name == "tokens")
      ratio = b.tokens / a.tokens;
    else if (name == "params")
      ratio = b.params / a.params;
    else if (name == "wall" && a.wall_s && b.wall_s)
      ratio = *b.wall_s / *a.wall_s;
    else {
      const std::vector<std::string> factors = factors_between(analysis, *pair);
      const auto found = std::find_if(factors.begin(), factors.end(), [&](auto& f) { return is_factor(f, name); });
      out.push_back({claim.name,
                     "equal-claimed",
                     found == factors.end(),
                     found == factors.end() ? name + " is equal" : "not equal: " + *found,
                     {}});
      continue;
    }
    out.push_back({claim.name,
                   "equal-claimed",
                   std::abs(std::log(ratio)) < 0.02,
                   fmt::format("{}: the second has {} times that of the first", name, format_significant(ratio, 3)),
                   {{name + "_ratio", ratio}}});
  }
}

void change_claimed(const ReportInput& input, const Analysis& analysis, const Claim& claim, Verdicts& out) {
  const auto pair = pair_of(input, analysis, claim);
  if (!pair) return;
  if (claim.change) {
    const double found = pair->b->final_bpc.mean - pair->a->final_bpc.mean;
    out.push_back({claim.name,
                   "change-claimed",
                   agrees(*claim.change, found),
                   fmt::format("the loss changes by {}", format_delta(found)),
                   {{"change", found}}});
  }
  if (!claim.wall_change) return;
  if (!pair->a->wall_s || !pair->b->wall_s || !(*pair->a->wall_s > 0))
    return out.push_back({claim.name, "change-claimed", {}, "their wall-clock times are not known", {}});
  const double found = *pair->b->wall_s / *pair->a->wall_s - 1;
  out.push_back({claim.name,
                 "change-claimed",
                 agrees(*claim.wall_change, found),
                 "wall-clock changes by " + format_change(found),
                 {{"wall_change", found}}});
}

void size_claimed(const ReportInput&, const Analysis&, const Claim& claim, Verdicts& out) {
  if (!claim.params) return;
  if (!claim.params_counted) return out.push_back({claim.name, "size-claimed", {}, claim.not_counted, {}});
  const auto counted = static_cast<double>(*claim.params_counted);
  out.push_back({claim.name,
                 "size-claimed",
                 agrees(*claim.params, counted),
                 fmt::format("a model of this shape has {} parameters ({}); stated are {}", format_exact_count(counted),
                             format_thousands(*claim.params_counted), format_exact_count(claim.params->value)),
                 {{"params", counted}, {"stated", claim.params->value}}});
}

}  // namespace

const std::vector<ClaimRule>& claim_rules() {
  static const std::vector<ClaimRule> kRules = {
      {"stated-law-residuals", "a law is stated for runs", law_residuals},
      {"stated-law-value", "a law and its value at a target are stated", law_value},
      {"range-against-runs", "a kind of law, runs and a target are stated", range_against_runs},
      {"disjoint-ranges", "two claims are of one quantity", disjoint_ranges},
      {"factors-compared", "two runs are compared", factors_compared},
      {"equal-claimed", "two runs are said to be equal in something", equal_claimed},
      {"change-claimed", "a change of loss or of time is stated", change_claimed},
      {"size-claimed", "a model's size is stated", size_claimed},
  };
  return kRules;
}

std::vector<std::string> stated_parameters(const std::string& law) {
  if (law == "power") return {"E", "A", "alpha"};
  if (law == "chinchilla") return {"E", "A", "B", "alpha", "beta"};
  return {};
}

std::vector<ClaimVerdict> check_claims(const ReportInput& input, const Analysis& analysis) {
  Verdicts out;
  for (const Claim& claim : input.claims)
    for (const ClaimRule& rule : claim_rules()) rule.check(input, analysis, claim, out);
  return out;
}

std::vector<Block> claims_section(const Analysis& analysis) {
  if (analysis.verdicts.empty()) return {};
  Table t{{{"claim"}, {"rule"}, {"verdict"}, {"what the runs say"}}, {}};
  for (const ClaimVerdict& v : analysis.verdicts)
    t.rows.push_back({v.claim, v.rule, !v.holds ? "cannot be checked" : *v.holds ? "holds" : "does not hold", v.text});
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
                                {"message", v.text},
                                {"figures", std::move(figures)}});
  }
  return list;
}

}  // namespace bitsweep
