#include "analysis/setting_place.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace bitsweep::analysis {
namespace {

// How far about the best a quadratic is believed: beyond, losses rise as no parabola does.
const double kNearRates = std::log(4.2), kNearBatches = std::log(4.2);
constexpr double kNearLoss = 0.06;  // of log loss above the lowest: beyond, a run is on its way to diverging
constexpr size_t kJointRuns = 9;    // for the six coefficients of a joint quadratic
constexpr double kSeen = 2;         // a bend is seen at so many of its standard errors
constexpr double kOutside = 0.35;   // log, by which an optimum may leave the values that were tried

struct Tried {
  double lr = 0, batch = 0, log_loss = 0;  // logarithms
};

// The lowest of each pair of rate and batch: other settings are at their best.
std::vector<Tried> lowest(const std::vector<SettingRun>& runs) {
  std::map<std::pair<double, double>, double> losses;
  for (const SettingRun& run : runs) {
    const auto [at, fresh] = losses.emplace(std::pair(run.lr, run.batch), run.loss);
    if (!fresh) at->second = std::min(at->second, run.loss);
  }
  std::vector<Tried> tried;
  for (const auto& [setting, loss] : losses)
    tried.push_back({std::log(setting.first), setting.second > 0 ? std::log(setting.second) : 0, std::log(loss)});
  return tried;
}

const Tried& best_of(const std::vector<Tried>& tried) {
  return *std::min_element(tried.begin(), tried.end(),
                           [](const Tried& a, const Tried& b) { return a.log_loss < b.log_loss; });
}

using Setting = double Tried::*;

Tuning tuning_of(const std::vector<Tried>& tried, Setting along) {
  std::set<double> values;
  for (const Tried& t : tried) values.insert(t.*along);
  if (values.size() < 3) return values.size() == 2 ? Tuning::pair : Tuning::none;
  const double at = best_of(tried).*along;
  return at <= *values.begin() ? Tuning::low_end : at >= *values.rbegin() ? Tuning::high_end : Tuning::found;
}

// Of one setting. The next value on either side is always among them.
std::optional<SettingQuadratic> along_one(const std::vector<Tried>& tried, Setting along, double near) {
  const Tried& best = best_of(tried);
  double below = HUGE_VAL, above = HUGE_VAL;
  for (const Tried& t : tried) {
    const double x = t.*along - best.*along;
    if (x < 0) below = std::min(below, -x);
    if (x > 0) above = std::min(above, x);
  }
  std::vector<std::vector<double>> rows;
  std::vector<double> y;
  for (const Tried& t : tried) {
    const double x = t.*along - best.*along;
    const bool next = x == 0 || x == -below || x == above;
    if (!next && (std::abs(x) > near || t.log_loss > best.log_loss + kNearLoss)) continue;
    rows.push_back({1, x, x * x});
    y.push_back(t.log_loss);
  }
  auto fit = least_squares(rows, y, std::vector<double>(y.size(), 1));
  if (!fit) return std::nullopt;
  return SettingQuadratic{std::move(*fit), best.lr, best.batch, false};
}

// Of both, where runs lie about the best on every side.
std::optional<SettingQuadratic> along_both(const std::vector<Tried>& tried) {
  const Tried& best = best_of(tried);
  std::vector<std::vector<double>> rows;
  std::vector<double> y;
  std::set<double> rates, batches;
  for (const Tried& t : tried) {
    const double u = t.lr - best.lr, v = t.batch - best.batch;
    if (std::abs(u) > kNearRates || std::abs(v) > kNearBatches || t.log_loss > best.log_loss + kNearLoss) continue;
    rows.push_back({1, u, v, u * u, v * v, u * v});
    y.push_back(t.log_loss);
    rates.insert(u), batches.insert(v);
  }
  if (rows.size() < kJointRuns || rates.size() < 3 || batches.size() < 3) return std::nullopt;
  auto fit = least_squares(rows, y, std::vector<double>(y.size(), 1));
  if (!fit) return std::nullopt;
  const auto& c = fit->coefficients;
  if (!(c[3] > 0) || !(c[4] > 0) || !(4 * c[3] * c[4] > c[5] * c[5])) return std::nullopt;
  return SettingQuadratic{std::move(*fit), best.lr, best.batch, true};
}

// Where the joint quadratic is lowest.
std::pair<double, double> lowest_of(const std::vector<double>& c) {
  const double determinant = 4 * c[3] * c[4] - c[5] * c[5];
  return {(c[5] * c[2] - 2 * c[4] * c[1]) / determinant, (c[5] * c[1] - 2 * c[3] * c[2]) / determinant};
}

// The errors of both coordinates, by differences of the coefficients.
std::pair<double, double> joint_errors(const LeastSquares& fit, double noise) {
  std::vector<double> of_lr, of_batch;
  for (size_t k = 0; k < fit.coefficients.size(); ++k) {
    std::vector<double> high = fit.coefficients, low = high;
    const double step = 1e-4 * std::max(1e-3, std::abs(high[k]));
    high[k] += step, low[k] -= step;
    const auto a = lowest_of(high), b = lowest_of(low);
    of_lr.push_back((a.first - b.first) / (2 * step)), of_batch.push_back((a.second - b.second) / (2 * step));
  }
  return {noise * std::sqrt(quadratic_form(fit.covariance, of_lr)),
          noise * std::sqrt(quadratic_form(fit.covariance, of_batch))};
}

// The ends of what was tried, from the origin; an optimum beyond them by more than a little is none.
void take_one(const SettingQuadratic& q, double origin, double noise, std::optional<SettingOptimum>& out,
              Tuning& tuning) {
  const auto& c = q.fit.coefficients;
  const double bend_error = noise * std::sqrt(q.fit.covariance[2][2]);
  if (!(c[2] > kSeen * bend_error)) {
    tuning = Tuning::flat;
    return;
  }
  const double at = -c[1] / (2 * c[2]);
  const std::vector<double> g{0, -1 / (2 * c[2]), c[1] / (2 * c[2] * c[2])};
  out = SettingOptimum{origin + at, noise * std::sqrt(quadratic_form(q.fit.covariance, g)), 2 * c[2]};
}

}  // namespace

PlaceQuadratics place_quadratics(const std::vector<SettingRun>& runs) {
  PlaceQuadratics q;
  SettingPlace& place = q.place;
  const SettingRun& best = *std::min_element(runs.begin(), runs.end(),
                                             [](const SettingRun& a, const SettingRun& b) { return a.loss < b.loss; });
  place.size_class = best.size_class, place.budget_class = best.budget_class;
  place.params = best.params, place.tokens = best.tokens;
  place.best_lr = best.lr, place.best_batch = best.batch;
  place.runs = runs.size();
  const std::vector<Tried> all = lowest(runs);
  std::map<double, std::vector<Tried>> by_batch;
  for (const Tried& t : all) by_batch[t.batch].push_back(t);
  const std::vector<Tried>& ladder = by_batch.at(best_of(all).batch);
  place.rates = ladder.size();
  place.batches = best.batch > 0 ? by_batch.size() : 0;
  place.lr_tuning = tuning_of(ladder, &Tried::lr);
  // A batch is as good as its best rate: of two rates or more.
  std::vector<Tried> profile;
  for (const auto& [batch, tried] : by_batch)
    if (tried.size() > 1) profile.push_back(best_of(tried));
  if (place.batches > 0 && !profile.empty()) place.batch_tuning = tuning_of(profile, &Tried::batch);
  if (place.lr_tuning == Tuning::found && place.batch_tuning == Tuning::found) {
    q.joint = along_both(all);
    if (q.joint) {
      const auto [u, v] = lowest_of(q.joint->fit.coefficients);
      if (std::abs(u) > kNearRates + kOutside || std::abs(v) > kNearBatches + kOutside) q.joint.reset();
    }
  }
  if (!q.joint && place.lr_tuning == Tuning::found) q.lr = along_one(ladder, &Tried::lr, kNearRates);
  if (!q.joint && place.batch_tuning == Tuning::found) q.batch = along_one(profile, &Tried::batch, kNearBatches);
  return q;
}

SettingPlace with_optima(const PlaceQuadratics& q, double noise) {
  SettingPlace place = q.place;
  if (q.joint) {
    const auto& c = q.joint->fit.coefficients;
    const auto [u, v] = lowest_of(c);
    const auto [lr_sd, batch_sd] = joint_errors(q.joint->fit, noise);
    // The bend along one with the other at its best.
    place.lr = SettingOptimum{q.joint->log_lr + u, lr_sd, 2 * c[3] - c[5] * c[5] / (2 * c[4])};
    place.batch = SettingOptimum{q.joint->log_batch + v, batch_sd, 2 * c[4] - c[5] * c[5] / (2 * c[3])};
    return place;
  }
  if (q.lr) take_one(*q.lr, q.lr->log_lr, noise, place.lr, place.lr_tuning);
  if (q.batch) take_one(*q.batch, q.batch->log_batch, noise, place.batch, place.batch_tuning);
  return place;
}

}  // namespace bitsweep::analysis
