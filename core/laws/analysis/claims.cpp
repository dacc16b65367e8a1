#include "analysis/claims.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/analysis.h"
#include "analysis/confounds.h"
#include "fit/fit.h"

namespace bitsweep::analysis {
namespace {

using Verdicts = std::vector<ClaimVerdict>;

bool agrees(const StatedFigure& stated, double found) {
  return std::abs(found - stated.value) <= stated.tolerance * (1 + 1e-9) + 1e-12;
}

std::optional<size_t> find_run(const ReportInput& input, const std::string& name) {
  for (size_t r = 0; r < input.runs.size(); ++r)
    if (input.runs[r].row.id == name) return r;
  return std::nullopt;
}

// Of a run that has a loss: its group and cell.
struct RunPlace {
  size_t run = 0, group = 0;
  const ReportCell* cell = nullptr;
};

std::optional<RunPlace> place_of_run(const ReportInput& input, const Analysis& analysis, const std::string& name) {
  const auto run = find_run(input, name);
  for (size_t g = 0; run && g < analysis.groups.size(); ++g)
    for (const ReportCell& cell : analysis.groups[g].table.cells)
      if (std::find(cell.runs.begin(), cell.runs.end(), *run) != cell.runs.end()) return RunPlace{*run, g, &cell};
  return std::nullopt;
}

// Nothing where one has no loss, or is not there.
std::optional<std::vector<fit::Point>> points_of(const ReportInput& input, const Analysis& analysis,
                                                 const Claim& claim) {
  std::vector<fit::Point> points;
  for (const std::string& name : claim.runs) {
    const auto place = place_of_run(input, analysis, name);
    if (!place) return std::nullopt;
    points.push_back(point_of(input.runs, analysis.groups[place->group], *place->cell, place->run));
  }
  return points;
}

fit::FitOptions options_of(const Claim& claim) {
  fit::FitOptions options;
  options.law = claim.law;
  if (claim.law == "power") options.axis = claim.axis;
  options.noise = claim.noise;
  options.resamples = 0;
  options.second_opinions = false;
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

void law_residuals(const ReportInput& input, const Analysis& analysis, const Claim& claim, Verdicts& out) {
  if (!has_law(claim) || claim.runs.empty()) return;
  const auto points = points_of(input, analysis, claim);
  if (!points)
    return out.push_back({claim.name, "stated-law-residuals", {}, NotChecked{"a run of it has no final loss"}, {}});
  const fit::Evaluation at = evaluate_law(*points, values_of(claim), options_of(claim));
  ClaimVerdict verdict{claim.name, "stated-law-residuals", true, NotChecked{}, {}};
  ResidualsFound found;
  double largest = 0;
  for (size_t k = 0; k < points->size(); ++k) {
    const double residual = at.fits[k].residual;
    largest = std::max(largest, std::abs(residual));
    found.of_runs.emplace_back((*points)[k].run, residual);
    verdict.figures.emplace_back("residual " + (*points)[k].run, residual);
  }
  if (claim.residuals) verdict.holds = largest <= claim.residuals->value * (1 + 1e-9);
  verdict.found = std::move(found);
  out.push_back(std::move(verdict));
}

void law_value(const ReportInput& input, const Analysis& analysis, const Claim& claim, Verdicts& out) {
  if (!has_law(claim) || !claim.target || !claim.value) return;
  std::vector<fit::Point> points = points_of(input, analysis, claim).value_or(std::vector<fit::Point>());
  if (points.empty()) points = {point_at(*claim.target)};
  const double found = evaluate_law(points, values_of(claim), options_of(claim)).predictions.at(0);
  out.push_back({claim.name,
                 "stated-law-value",
                 agrees(*claim.value, found),
                 LawValueFound{found, claim.value->value},
                 {{"law_value", found}, {"stated", claim.value->value}}});
}

// What the runs alone allow at the target, under the stated kind of law, against the stated width.
void range_against_runs(const ReportInput& input, const Analysis& analysis, const Claim& claim, Verdicts& out) {
  if (claim.law.empty() || claim.runs.empty() || !claim.target) return;
  const auto points = points_of(input, analysis, claim);
  if (!points) return;
  const fit::FitResult fit = fit_law(*points, options_of(claim));
  ClaimVerdict verdict{claim.name, "range-against-runs", {}, NotChecked{}, {}};
  RangeFound found;
  for (const fit::NamedValue& v : fit.params) {
    const bool amplitude = v.name == "A" || v.name == "B";
    const double unit = v.name == "B" || fit.axis == "tokens" ? claim.tokens_unit : claim.params_unit;
    const auto exponent = fit.param(v.name == "B" ? "beta" : "alpha");
    const double value = amplitude && exponent ? v.value / std::pow(unit, *exponent) : v.value;
    found.law.push_back({v.name, value});
    verdict.figures.emplace_back(v.name, value);
  }
  const fit::Prediction& p = fit.predictions.at(0);
  found.loss = p.loss;
  if (p.loss) verdict.figures.emplace_back("fitted_value", *p.loss);
  found.allowed = p.interval ? p.interval : p.feasible;
  found.at_95_percent = p.interval.has_value();
  found.runs = points->size();
  found.noise = claim.noise;
  if (!found.allowed) {
    found.refused = fit.refused.empty() ? std::vector<std::string>{p.refused} : fit.refused;
  } else {
    const auto [low, high] = *found.allowed;
    verdict.figures.insert(verdict.figures.end(), {{"low", low}, {"high", high}, {"half_width", (high - low) / 2}});
    found.stated = claim.range;
    if (claim.range) {
      verdict.holds = claim.range->first <= low && claim.range->second >= high;
      verdict.figures.emplace_back("stated_half_width", (claim.range->second - claim.range->first) / 2);
    }
  }
  verdict.found = std::move(found);
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
         RangesFound{claim.of, other->name, *here, *there},
         {{"low", here->first}, {"high", here->second}, {"other_low", there->first}, {"other_high", there->second}}});
  }
}

// The two that a claim compares.
struct Pair {
  RunPlace first, second;
};

std::optional<Pair> pair_of(const ReportInput& input, const Analysis& analysis, const Claim& claim) {
  if (claim.compare.size() != 2) return std::nullopt;
  const auto first = place_of_run(input, analysis, claim.compare[0]);
  const auto second = place_of_run(input, analysis, claim.compare[1]);
  return first && second ? std::optional(Pair{*first, *second}) : std::nullopt;
}

std::vector<std::string> factors_between(const Analysis& analysis, const Pair& pair) {
  std::vector<std::string> factors = all_differences(*pair.first.cell, *pair.second.cell);
  const auto& a = analysis.groups[pair.first.group].group.values;
  const auto& b = analysis.groups[pair.second.group].group.values;
  for (size_t k = 0; k < query::comparability_rules().size(); ++k)
    if (a[k] != b[k])
      factors.push_back(fmt::format("{} {} → {}", query::comparability_rules()[k].name,
                                    a[k].empty() ? "not known" : a[k], b[k].empty() ? "not known" : b[k]));
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
  if (!pair)
    return out.push_back({claim.name, "factors-compared", {}, NotChecked{"one of the two has no final loss"}, {}});
  const std::vector<std::string> factors = factors_between(analysis, *pair);
  const auto meant = [&](const std::string& factor) {
    return std::any_of(claim.differ_only.begin(), claim.differ_only.end(),
                       [&](const std::string& name) { return is_factor(factor, name); });
  };
  std::vector<std::string> besides;
  for (const std::string& factor : factors)
    if (!meant(factor)) besides.push_back(factor);
  ClaimVerdict verdict{
      claim.name, "factors-compared", {}, NotChecked{}, {{"factors", static_cast<double>(factors.size())}}};
  verdict.holds = claim.differ_only.empty() ? factors.size() <= 1 : besides.empty();
  FactorsFound found{factors, {}};
  const ReportCell &a = *pair->first.cell, &b = *pair->second.cell;
  if (!*verdict.holds && pair->first.group == pair->second.group && !settings_of(a, b).empty())
    found.missing = missing_run(a, b);
  verdict.found = std::move(found);
  out.push_back(std::move(verdict));
}

void equal_claimed(const ReportInput& input, const Analysis& analysis, const Claim& claim, Verdicts& out) {
  const auto pair = pair_of(input, analysis, claim);
  if (!pair) return;
  for (const std::string& name : claim.equal) {
    const ReportCell &a = *pair->first.cell, &b = *pair->second.cell;
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
                     SettingFound{name, found == factors.end() ? "" : *found},
                     {}});
      continue;
    }
    out.push_back({claim.name,
                   "equal-claimed",
                   std::abs(std::log(ratio)) < 0.02,
                   RatioFound{name, ratio},
                   {{name + "_ratio", ratio}}});
  }
}

void change_claimed(const ReportInput& input, const Analysis& analysis, const Claim& claim, Verdicts& out) {
  const auto pair = pair_of(input, analysis, claim);
  if (!pair) return;
  const ReportCell &a = *pair->first.cell, &b = *pair->second.cell;
  if (claim.change) {
    const double found = b.final_bpc.mean - a.final_bpc.mean;
    out.push_back(
        {claim.name, "change-claimed", agrees(*claim.change, found), LossChangeFound{found}, {{"change", found}}});
  }
  if (!claim.wall_change) return;
  if (!a.wall_s || !b.wall_s || !(*a.wall_s > 0))
    return out.push_back({claim.name, "change-claimed", {}, NotChecked{"their wall-clock times are not known"}, {}});
  const double found = *b.wall_s / *a.wall_s - 1;
  out.push_back({claim.name,
                 "change-claimed",
                 agrees(*claim.wall_change, found),
                 WallChangeFound{found},
                 {{"wall_change", found}}});
}

void size_claimed(const ReportInput&, const Analysis&, const Claim& claim, Verdicts& out) {
  if (!claim.params) return;
  if (!claim.params_counted) return out.push_back({claim.name, "size-claimed", {}, NotChecked{claim.not_counted}, {}});
  const auto counted = static_cast<double>(*claim.params_counted);
  out.push_back({claim.name,
                 "size-claimed",
                 agrees(*claim.params, counted),
                 SizeFound{*claim.params_counted, claim.params->value},
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

}  // namespace bitsweep::analysis
