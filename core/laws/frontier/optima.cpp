#include "frontier/optima.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "fit/adequacy.h"
#include "fit/distributions.h"
#include "fit/surface.h"

namespace bitsweep::frontier {
namespace {

// κ of the runs of the largest models, the middle of them.
double flops_per_nd_of(const std::vector<Place>& places) {
  double largest = 0;
  for (const Place& p : places) largest = std::max(largest, p.params);
  std::vector<double> values;
  for (const Place& p : places)
    if (p.params > largest / 1.02) values.push_back(p.flops / (p.params * p.tokens));
  if (values.empty()) return 6;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

double apart(double a, double b) { return std::abs(std::log(a / b)); }

class Dividing {
 public:
  Dividing(const std::vector<fit::Point>& points, const fit::FitResult& fit, const Approaches& approaches, double limit)
      : points_(points), fit_(fit), approaches_(approaches), limit_(limit), places_(places_of(points)) {
    out_.flops_per_nd = flops_per_nd_of(places_);
    for (const Minimum& m : approaches.minima.all)
      if (m.inside()) inside_.push_back(&m);
    if (fit.has_params() && fit.a_opt && fit.at_bound.empty()) law_ = joint_law(fit.params);
  }

  Optima run(const std::vector<double>& budgets) {
    for (const double flops : budgets) out_.rows.push_back(row_of(flops));
    return std::move(out_);
  }

 private:
  Optimum row_of(double flops) const {
    Optimum row;
    row.flops = flops;
    if (law_) row.law = law_->divide(flops, out_.flops_per_nd);
    row.measured = best_at(flops);
    if (row.measured && at_minimum(row)) return finished(std::move(row));
    const bool placed = between(row) || extended(row) || by_law(row);
    if (placed && row.measured && !surely_better(row, row.measured->loss)) repeat(row);
    if (!placed && row.measured) repeat(row);
    if (!placed && !row.measured)
      row.refused = "no runs of that budget, and " +
                    (fit_.refused.empty() ? std::string("nothing that extends those of others") : fit_.refused[0]);
    return finished(std::move(row));
  }

  Optimum finished(Optimum row) const {
    if (!row.refused.empty()) return row;
    const fit::Target at = target_of(row);
    row.beyond = fit::beyond(points_, at);
    row.refused = fit::too_far(row.beyond, limit_);
    if (row.refused.empty()) forecast_loss(row, at);
    return row;
  }

  fit::Target target_of(const Optimum& row) const {
    fit::Target at;
    at.params = row.best.params, at.tokens = row.best.tokens;
    if (!points_.empty()) at.variant = points_[0].variant, at.dataset = points_[0].dataset;
    return at;
  }

  // Whether a run there ends below this loss in nine of ten draws.
  bool surely_better(const Optimum& row, double loss) const {
    if (!fit_.surface) return false;
    const Eigen::VectorXd losses = fit_.surface->predict({target_of(row)}).col(0);
    return (losses.array() < loss).count() >= 0.9 * static_cast<double>(losses.size());
  }

  std::optional<Place> best_at(double flops) const {
    const Place* best = nullptr;
    for (const Place& p : places_)
      if (apart(p.flops, flops) <= kSameCompute && (best == nullptr || p.loss < best->loss)) best = &p;
    return best == nullptr ? std::nullopt : std::optional<Place>(*best);
  }

  // Of a ladder near this budget, or of a slice through the lengths on both sides of it.
  std::optional<Minimum> minimum_at(double flops) const {
    const Minimum* nearest = nullptr;
    for (const Minimum* m : inside_)
      if (apart(m->flops, flops) <= kSameCompute &&
          (nearest == nullptr || apart(m->flops, flops) < apart(nearest->flops, flops)))
        nearest = m;
    if (nearest != nullptr) return *nearest;
    const Slice slice = slice_at(places_, flops);
    if (slice.points.size() < 3) return std::nullopt;
    Minimum m = minima_of({slice}).all[0];
    return m.inside() ? std::optional<Minimum>(std::move(m)) : std::nullopt;
  }

  void set_size(Optimum& row, double params) const {
    row.best.params = params;
    row.best.tokens = row.flops / (out_.flops_per_nd * params);
  }

  void params_within(Optimum& row, double log_sd) const {
    if (!(log_sd > 0)) return;
    const double z = fit::normal_quantile(0.975);
    row.params_interval = {row.best.params * std::exp(-z * log_sd), row.best.params * std::exp(z * log_sd)};
  }

  // The bottom of the parabola through runs of the budget, or the best of them where that promises less.
  bool at_minimum(Optimum& row) const {
    const std::optional<Minimum> m = minimum_at(row.flops);
    if (!m) return false;
    if (m->loss > row.measured->loss) {
      repeat(row);
    } else {
      set_size(row, m->params);
      row.best.loss = m->loss;
      row.basis = Basis::isoflop;
    }
    params_within(row, m->log_params_sd);
    return true;
  }

  void repeat(Optimum& row) const {
    row.best = {row.measured->params, row.measured->tokens, row.measured->loss};
    row.params_interval.reset();
    row.note.clear();
    row.basis = Basis::measured;
  }

  // Between two budgets with a minimum each: on the line between them in the logarithms.
  bool between(Optimum& row) const {
    const Minimum *below = nullptr, *above = nullptr;
    for (const Minimum* m : inside_) {
      if (m->flops <= row.flops && (below == nullptr || m->flops > below->flops)) below = m;
      if (m->flops >= row.flops && (above == nullptr || m->flops < above->flops)) above = m;
    }
    if (below == nullptr || above == nullptr) return false;
    const double t = below == above ? 0 : std::log(row.flops / below->flops) / std::log(above->flops / below->flops);
    const auto along = [&](double a, double b) { return std::exp(std::log(a) + t * std::log(b / a)); };
    set_size(row, along(below->params, above->params));
    row.best.loss = along(below->loss, above->loss);
    params_within(row, std::hypot((1 - t) * below->log_params_sd, t * above->log_params_sd));
    row.basis = Basis::isoflop;
    return true;
  }

  // Beyond the budgets that were run: from the outermost minimum, as the law's division grows; where the law does not
  // say, as the minima do.
  bool extended(Optimum& row) const {
    const Minimum* anchor = nullptr;
    for (const Minimum* m : inside_)
      if (anchor == nullptr || apart(m->flops, row.flops) < apart(anchor->flops, row.flops)) anchor = m;
    if (anchor == nullptr) return false;
    if (!law_ && !fit_.surface) return false;
    const double step = std::log(row.flops / anchor->flops);
    const Growth growth = growth_of(row);
    set_size(row, anchor->params * std::exp(growth.value * step));
    params_within(row, std::hypot(anchor->log_params_sd, growth.sd * step));
    if (law_) row.best.loss = law_->loss(row.best.params, row.best.tokens);
    return true;
  }

  struct Growth {
    double value = kUsualGrowth, sd = kUsualGrowthSd;  // d log N / d log C
  };

  Growth growth_of(Optimum& row) const {
    const auto told = [](const Approach& a) -> std::optional<Growth> {
      if (!a.a_opt || !a.interval) return std::nullopt;
      return Growth{*a.a_opt, (a.interval->second - a.interval->first) / (2 * fit::normal_quantile(0.975))};
    };
    const auto sure = [](const std::optional<Growth>& g) {
      return g && g->sd * fit::normal_quantile(0.975) <= fit::kDeterminedAOpt;
    };
    const std::optional<Growth> joint = told(approaches_.joint), isoflop = told(approaches_.isoflop);
    row.basis = Basis::law;
    if (law_ && sure(joint)) return *joint;
    if (sure(isoflop)) {
      row.basis = Basis::isoflop;
      return *isoflop;
    }
    row.note = fmt::format(
        "how sizes grow with compute is not determined by these runs; it leans on published laws "
        "(a_opt {:.2f} ± {:.2f})",
        kUsualGrowth, kUsualGrowthSd);
    const std::optional<Growth>& known = joint ? joint : isoflop;
    if (!known || !(known->sd > 0)) return {};
    const double a = 1 / (known->sd * known->sd), b = 1 / (kUsualGrowthSd * kUsualGrowthSd);
    return {(a * known->value + b * kUsualGrowth) / (a + b), std::sqrt(1 / (a + b))};
  }

  bool by_law(Optimum& row) const {
    if (!row.law) return false;
    row.best = *row.law;
    row.basis = Basis::law;
    return true;
  }

  // What a run there will measure: the law with what it misses nearby is the better figure where no run is.
  void forecast_loss(Optimum& row, const fit::Target& at) const {
    if (row.basis == Basis::measured) {
      const double noise =
          fit_.surface ? fit_.surface->noise().square().mean() : std::pow(approaches_.minima.scatter, 2);
      const double half = fit::normal_quantile(0.5 + fit_.confidence / 2) * std::sqrt(2 * noise);
      if (half > 0) row.loss_interval = {row.best.loss * std::exp(-half), row.best.loss * std::exp(half)};
    } else if (fit_.surface) {
      const fit::RunForecast run = forecast(*fit_.surface, {at}, fit_.confidence)[0];
      row.loss_interval = run.interval;
      if (!row.measured || row.basis == Basis::law) row.best.loss = run.expected;
    } else if (const std::optional<Minimum> m = minimum_at(row.flops); m && approaches_.minima.freedom >= 1) {
      const double half = fit::student_quantile(0.5 + fit_.confidence / 2, approaches_.minima.freedom) *
                          std::hypot(m->loss_sd, approaches_.minima.scatter);
      row.loss_interval = {row.best.loss * std::exp(-half), row.best.loss * std::exp(half)};
    }
  }

  const std::vector<fit::Point>& points_;
  const fit::FitResult& fit_;
  const Approaches& approaches_;
  double limit_;
  std::vector<Place> places_;
  std::vector<const Minimum*> inside_;
  std::optional<JointLaw> law_;
  Optima out_;
};

}  // namespace

const char* basis_name(Basis basis) {
  return basis == Basis::measured ? "measured" : basis == Basis::isoflop ? "isoflop" : "law";
}

Optima optima(const std::vector<fit::Point>& points, const fit::FitResult& fit, const Approaches& approaches,
              const std::vector<double>& budgets, double extrapolation_limit) {
  return Dividing(points, fit, approaches, extrapolation_limit).run(budgets);
}

json::array optima_json(const Optima& optima) {
  json::array rows;
  for (const Optimum& row : optima.rows) {
    if (!row.refused.empty()) continue;
    json::object object{{"flops", row.flops},
                        {"params", finite_or_null(row.best.params)},
                        {"tokens", finite_or_null(row.best.tokens)},
                        {"loss", finite_or_null(row.best.loss)},
                        {"interval", interval_json(row.loss_interval)},
                        {"params_interval", interval_json(row.params_interval)},
                        {"basis", basis_name(row.basis)},
                        {"beyond", beyond_json(row.beyond)},
                        {"note", row.note.empty() ? json::value(nullptr) : json::value(row.note)}};
    object["measured"] = nullptr;
    if (row.measured)
      object["measured"] = json::object{
          {"params", row.measured->params}, {"tokens", row.measured->tokens}, {"loss", row.measured->loss}};
    object["law"] = nullptr;
    if (row.law)
      object["law"] = json::object{{"params", finite_or_null(row.law->params)},
                                   {"tokens", finite_or_null(row.law->tokens)},
                                   {"loss", finite_or_null(row.law->loss)}};
    rows.push_back(std::move(object));
  }
  return rows;
}

std::vector<std::string> refusals(const Optima& optima) {
  std::vector<std::string> words;
  for (const Optimum& row : optima.rows)
    if (!row.refused.empty()) words.push_back(fmt::format("{:.3g} FLOPs: {}", row.flops, row.refused));
  return words;
}

}  // namespace bitsweep::frontier
