#include "analysis/analysis.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace bitsweep::analysis {
namespace {

constexpr double kLonger[] = {2, 4};        // times the tokens of a target
constexpr double kSameTargetBudget = 0.02;  // of a logarithm
constexpr size_t kMostInFull = 3;           // variants; of more, laws of one axis are only told where there is no other

// The runs a law may see (law_points.h), of one variant.
LawFit law_of(const ReportInput& input, const GroupAnalysis& g, const std::string& variant,
              std::optional<size_t> size_class = {}, std::optional<size_t> budget_class = {}) {
  LawPoints law = points_of(input.runs, g, variant, {.size_class = size_class, .budget_class = budget_class});
  LawFit fit;
  fit.variant = variant;
  fit.size_class = size_class;
  fit.budget_class = budget_class;
  fit.points = std::move(law.points);
  fit.runs = std::move(law.runs);
  return fit;
}

// Of each variant that was run on several texts, all its points together.
std::vector<TextLaw> text_laws(const ReportInput& input, const std::vector<GroupAnalysis>& groups) {
  std::vector<TextLaw> laws;
  std::vector<bool> seen(groups.size(), false);
  for (size_t g = 0; g < groups.size(); ++g) {
    if (seen[g]) continue;
    std::map<std::string, TextLaw> of_variant;
    std::map<std::string, std::vector<fit::Point>> points_of_variant;
    for (size_t h = g; h < groups.size(); ++h) {
      if (h != g && !differ_by_text_alone(groups[g].group, groups[h].group)) continue;
      seen[h] = true;
      for (const std::string& variant : groups[h].table.variants) {
        const LawFit fit = law_of(input, groups[h], variant);
        if (fit.points.empty()) continue;
        std::vector<fit::Point>& points = points_of_variant[variant];
        points.insert(points.end(), fit.points.begin(), fit.points.end());
        of_variant[variant].groups.push_back(h);
      }
    }
    for (auto& [variant, law] : of_variant) {
      if (law.groups.size() < 2) continue;
      law.variant = variant;
      law.runs = points_of_variant[variant].size();
      fit::FitOptions options;
      options.group = "dataset";
      law.test = compare_grouping(points_of_variant[variant], options);
      laws.push_back(std::move(law));
    }
  }
  return laws;
}

void run_fit(LawFit& fit, const ReportInput& input, const std::string& law, const std::vector<fit::Target>& targets,
             const std::string& axis = "") {
  fit::FitOptions options;
  options.law = law;
  options.axis = axis;
  options.second_opinions = false;
  options.extrapolation_limit = input.extrapolation_limit;
  options.targets = targets;
  for (fit::Target& target : options.targets) {
    target.variant = fit.variant;
    target.dataset = fit.points[0].dataset;
  }
  fit.law = law;
  const size_t asked = options.targets.size();
  for (size_t t = 0; axis.empty() && t < asked; ++t) {
    for (const double factor : kLonger) {
      fit::Target longer = options.targets[t];
      longer.tokens *= factor;
      if (longer.params > 0 && longer.tokens > 0) options.targets.push_back(longer);
    }
  }
  fit.result = fit_law(fit.points, options);
  std::vector<fit::Prediction>& told = fit.result.predictions;
  if (told.size() > asked) {
    fit.longer.assign(told.begin() + static_cast<ptrdiff_t>(asked), told.end());
    told.resize(asked);
  }
  options.targets.resize(asked);
  fit.verdict = frontier::judge(fit.points, options, fit.result, {});
  fit.robustness = robustness(fit, input);
}

// The law of one axis, at each budget (or size) at which there are three values along the axis.
void add_simple_law(const ReportInput& input, const GroupAnalysis& g, const std::string& variant, Along along,
                    std::vector<LawFit>& fits) {
  const bool params = along == Along::params;
  const size_t fixed_values = params ? g.table.budgets.size() : g.table.sizes.size();
  const size_t moving_values = params ? g.table.sizes.size() : g.table.budgets.size();
  for (size_t fixed = 0; fixed < fixed_values; ++fixed) {
    size_t there = 0;
    for (size_t moving = 0; moving < moving_values; ++moving)
      there += params ? g.table.at(variant, moving, fixed).has_value() : g.table.at(variant, fixed, moving).has_value();
    if (there < 3) continue;
    LawFit fit =
        law_of(input, g, variant, params ? std::optional<size_t>() : fixed, params ? fixed : std::optional<size_t>());
    // Targets at other budgets (or sizes) are none of this law's.
    std::vector<fit::Target> targets;
    const double here = params ? fit.points.front().tokens : fit.points.front().params;
    for (const fit::Target& t : input.targets) {
      const double other = params ? t.tokens : t.params;
      if ((params ? t.params : t.tokens) > 0 && (!(other > 0) || std::abs(std::log(other / here)) < kSameTargetBudget))
        targets.push_back(t);
    }
    run_fit(fit, input, "power", targets, params ? "params" : "tokens");
    if (fit.drawable()) fits.push_back(std::move(fit));
  }
}

std::vector<LawFit> fits_of(const ReportInput& input, const GroupAnalysis& g) {
  std::vector<LawFit> fits;
  for (const std::string& variant : g.table.variants) {
    const LawFit base = law_of(input, g, variant);
    if (base.points.empty()) continue;
    for (const std::string& law : input.laws.empty() ? std::vector<std::string>{"chinchilla"} : input.laws) {
      fits.push_back(base);
      run_fit(fits.back(), input, law, input.targets);
    }
    // Where the runs do not determine the law of both axes, one axis may still carry the simple one.
    const LawFit& last = fits.back();
    const bool few = g.table.variants.size() <= kMostInFull;
    if (last.law != "power" && (!last.drawable() || (few && !last.result.identified))) {
      add_simple_law(input, g, variant, Along::params, fits);
      add_simple_law(input, g, variant, Along::tokens, fits);
    }
  }
  return fits;
}

}  // namespace

std::vector<double> LawFit::losses(const std::vector<fit::Target>& at) const {
  std::vector<double> values;
  for (const fit::NamedValue& value : result.params) values.push_back(value.value);
  fit::FitOptions options;
  options.law = law;
  options.axis = result.axis;
  options.targets = at;
  // The points give a law of one variant nothing but the origin of its axes: one of them does.
  if (law == "chinchilla" || law == "power") return evaluate_law({points.front()}, values, options).predictions;
  return evaluate_law(points, values, options).predictions;
}

std::optional<double> amplitude_in_millions(const fit::FitResult& fit) {
  const auto a = fit.param("A"), alpha = fit.param("alpha");
  if (!a || !alpha || fit.axis == "tokens" || fit.formula.find("N^alpha") == std::string::npos) return std::nullopt;
  return *a / std::pow(1e6, *alpha);
}

double training_flops(const ReportCell& cell) {
  return cell.flops && *cell.flops > 0 ? *cell.flops : 6 * cell.params * cell.tokens;
}

bool kept_for_later(const LawFit& fit) { return !fit.points.empty() && !fit.budget_class && !fit.size_class; }

int highest_order_beaten(double bits_per_byte, const std::vector<double>& yardsticks) {
  int order = -1;
  for (size_t k = 0; k < yardsticks.size(); ++k)
    if (bits_per_byte < yardsticks[k]) order = static_cast<int>(k);
  return order;
}

Analysis analyse(const ReportInput& input) {
  Analysis analysis;
  for (RunGroup& group : group_runs(input.runs, input.datasets)) {
    GroupAnalysis& g = analysis.groups.emplace_back();
    static_cast<RunGroup&>(g) = std::move(group);
    analysis.finished += static_cast<int64_t>(g.usable.size());
    analysis.excluded += static_cast<int64_t>(g.group.runs.size() - g.usable.size());
    g.token_steps = steps_along(input, g.table, Along::tokens);
    g.param_steps = steps_along(input, g.table, Along::params);
    g.setting_steps = setting_steps(input, g.table);
    g.ablations = ablations(input, g.table);
    g.variant_comparisons = variant_comparisons(input, g.table);
    g.fits = fits_of(input, g);
    for (const LawFit& fit : g.fits)
      if (auto optimum = compute_optimum(fit, g, input)) g.optima.push_back(std::move(*optimum));
    g.parameter_value = parameter_value(input, g);
    g.before_after = before_after(input, g.table);
    for (const std::string& variant : g.table.variants)
      if (SettingLaw law = setting_law(g.table, variant); !law.places.empty()) g.setting_laws.push_back(std::move(law));
  }
  analysis.offsets = text_offsets(input, analysis.groups);
  analysis.text_laws = text_laws(input, analysis.groups);
  analysis.verdicts = check_claims(input, analysis);
  return analysis;
}

}  // namespace bitsweep::analysis
