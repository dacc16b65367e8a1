#include "analysis/setting_law.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/cells.h"
#include "analysis/setting_place.h"
#include "fit/distributions.h"

namespace bitsweep::analysis {
namespace {

constexpr double kLevel = 0.975;
constexpr size_t kFewestPlaces = 3;
constexpr double kAssumedNoise = 0.003;  // of log loss, where neither quadratics nor seeds tell
constexpr double kFewestToTell = 3;      // degrees of freedom, for the noise of the quadratics
constexpr double kOneValue = 0.2;        // sd of the logarithm below which an axis was not moved
constexpr double kTogether = 0.95;       // R² of log D on log N from which exponents are not told apart

// sd of log loss about the quadratics, else between seeds, else assumed.
double noise_of(const std::vector<PlaceQuadratics>& places, const std::vector<SettingRun>& runs, bool& assumed) {
  double squares = 0, freedom = 0;
  for (const PlaceQuadratics& place : places)
    for (const auto* q : {&place.joint, &place.lr, &place.batch})
      if (*q) squares += (*q)->fit.squares, freedom += (*q)->fit.freedom;
  assumed = false;
  if (freedom >= kFewestToTell && squares > 0) return std::sqrt(squares / freedom);
  squares = freedom = 0;
  for (const SettingRun& run : runs)
    if (run.seed_sd) squares += std::pow(*run.seed_sd / run.loss, 2), ++freedom;
  if (freedom > 0 && squares > 0) return std::sqrt(squares / freedom);
  assumed = true;
  return kAssumedNoise;
}

struct Found {
  double log_params = 0, log_tokens = 0;
  SettingOptimum optimum;
};

struct Middle {
  double mean = 0, sd = 0;
};
Middle middle_of(const std::vector<Found>& found, double Found::*axis) {
  Middle m;
  const auto n = static_cast<double>(found.size());
  for (const Found& f : found) m.mean += f.*axis / n;
  for (const Found& f : found) m.sd += std::pow(f.*axis - m.mean, 2) / n;
  m.sd = std::sqrt(m.sd);
  return m;
}

double correlation_squared(const std::vector<Found>& found, const Middle& n, const Middle& d) {
  double product = 0;
  for (const Found& f : found)
    product += (f.log_params - n.mean) * (f.log_tokens - d.mean) / static_cast<double>(found.size());
  return std::pow(product / (n.sd * d.sd), 2);
}

// Weighted by the places' own errors and what they scatter beside (Paule, Mandel 1982): the scatter at which the
// weighted squares are as many as the degrees of freedom.
std::optional<LeastSquares> with_scatter(const std::vector<std::vector<double>>& rows, const std::vector<Found>& found,
                                         double& between) {
  std::vector<double> y;
  for (const Found& f : found) y.push_back(f.optimum.log_value);
  const auto fit_at = [&](double variance) {
    std::vector<double> weights;
    for (const Found& f : found) weights.push_back(1 / (f.optimum.sd * f.optimum.sd + variance + 1e-12));
    return least_squares(rows, y, weights);
  };
  auto fit = fit_at(0);
  between = 0;
  if (!fit || fit->squares <= fit->freedom) return fit;
  double low = 0, high = 1;
  while (high < 1e6 && fit_at(high)->squares > fit->freedom) high *= 4;
  for (int k = 0; k < 60; ++k) {
    const double variance = (low + high) / 2;
    (fit_at(variance)->squares > fit->freedom ? low : high) = variance;
  }
  between = std::sqrt(high);
  return fit_at(high);
}

std::optional<SettingPower> power_of(const std::vector<Found>& found) {
  if (found.size() < kFewestPlaces) return std::nullopt;
  SettingPower power;
  power.places = found.size();
  const Middle n = middle_of(found, &Found::log_params), d = middle_of(found, &Found::log_tokens);
  power.log_params = n.mean, power.log_tokens = d.mean;
  bool params = n.sd > kOneValue, tokens = d.sd > kOneValue;
  if (params && tokens && correlation_squared(found, n, d) > kTogether) tokens = false, power.together = true;
  if (params && tokens && found.size() < kFewestPlaces + 1) tokens = false, power.few = true;
  std::vector<std::vector<double>> rows;
  for (const Found& f : found) {
    std::vector<double>& row = rows.emplace_back(1, 1.0);
    if (params) row.push_back(f.log_params - n.mean);
    if (tokens) row.push_back(f.log_tokens - d.mean);
  }
  auto fit = with_scatter(rows, found, power.between);
  if (!fit || !(fit->freedom > 0)) return std::nullopt;
  power.freedom = fit->freedom;
  power.middle = fit->coefficients[0];
  power.covariance = fit->covariance;
  const double t = fit::student_quantile(kLevel, power.freedom);
  size_t k = 1;
  for (const auto& [there, exponent, half] :
       {std::tuple(params, &power.params, &power.params_half), std::tuple(tokens, &power.tokens, &power.tokens_half)}) {
    if (!there) continue;
    *exponent = fit->coefficients[k];
    *half = t * std::sqrt(fit->covariance[k][k]);
    ++k;
  }
  return power;
}

std::optional<double> median(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void fit_powers(SettingLaw& law) {
  const auto fit = [&](std::optional<SettingOptimum> SettingPlace::*of, std::optional<SettingPower>& power,
                       std::optional<double>& curvature) {
    std::vector<Found> found;
    std::vector<double> curvatures;
    for (const SettingPlace& place : law.places) {
      if (!(place.*of)) continue;
      found.push_back({std::log(place.params), std::log(place.tokens), *(place.*of)});
      curvatures.push_back((place.*of)->curvature);
    }
    power = power_of(found);
    curvature = median(std::move(curvatures));
  };
  fit(&SettingPlace::lr, law.lr, law.lr_curvature);
  fit(&SettingPlace::batch, law.batch, law.batch_curvature);
}

}  // namespace

SettingValue SettingPower::at(double size, double length) const {
  std::vector<double> g{1};
  SettingValue out;
  out.log_value = middle;
  if (params) g.push_back(std::log(size) - log_params), out.log_value += *params * g.back();
  if (tokens) g.push_back(std::log(length) - log_tokens), out.log_value += *tokens * g.back();
  out.log_sd = std::sqrt(quadratic_form(covariance, g) + between * between);
  out.freedom = freedom;
  const double half = fit::student_quantile(kLevel, freedom) * out.log_sd;
  out.value = std::exp(out.log_value);
  out.interval = {std::exp(out.log_value - half), std::exp(out.log_value + half)};
  return out;
}

size_t SettingLaw::count(Tuning tuning) const {
  return static_cast<size_t>(
      std::count_if(places.begin(), places.end(), [&](const SettingPlace& p) { return p.lr_tuning == tuning; }));
}

const SettingPlace* SettingLaw::place(size_t size_class, size_t budget_class) const {
  for (const SettingPlace& p : places)
    if (p.size_class == size_class && p.budget_class == budget_class) return &p;
  return nullptr;
}

SettingLaw setting_law(const std::vector<SettingRun>& runs, std::string variant) {
  SettingLaw law;
  law.variant = std::move(variant);
  std::map<std::pair<size_t, size_t>, std::vector<SettingRun>> by_place;
  for (const SettingRun& run : runs)
    if (run.lr > 0 && run.params > 0 && run.tokens > 0 && run.loss > 0)
      by_place[{run.size_class, run.budget_class}].push_back(run);
  std::vector<PlaceQuadratics> places;
  for (const auto& [place, there] : by_place) places.push_back(place_quadratics(there));
  law.noise = noise_of(places, runs, law.noise_assumed);
  for (const PlaceQuadratics& q : places) law.places.push_back(with_optima(q, law.noise));
  fit_powers(law);
  return law;
}

SettingLaw setting_law(const CellTable& table, const std::string& variant) {
  std::vector<SettingRun> runs;
  for (const ReportCell& cell : table.cells) {
    if (cell.variant != variant || !cell.lr) continue;
    SettingRun& run = runs.emplace_back();
    run.size_class = cell.size_class, run.budget_class = cell.budget_class;
    run.params = cell.params, run.tokens = cell.tokens;
    run.lr = *cell.lr, run.batch = cell.batch.value_or(0);
    run.loss = cell.final_bpc.mean;
    run.seed_sd = cell.final_bpc.sd;
  }
  return setting_law(runs, variant);
}

SettingPenalty setting_penalty(const SettingValue& best, double used, double curvature) {
  const double distance = std::log(used) - best.log_value;
  const double half = fit::student_quantile(kLevel, best.freedom) * best.log_sd;
  const double near = std::max(0.0, std::abs(distance) - half), far = std::abs(distance) + half;
  SettingPenalty penalty;
  penalty.expected = curvature / 2 * (distance * distance + best.log_sd * best.log_sd);
  penalty.interval = {curvature / 2 * near * near, curvature / 2 * far * far};
  return penalty;
}

}  // namespace bitsweep::analysis
