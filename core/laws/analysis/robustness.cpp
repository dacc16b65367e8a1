#include "analysis/robustness.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "analysis/analysis.h"
#include "base/units.h"
#include "fit/likelihood.h"
#include "frontier/joint_law.h"

namespace bitsweep::analysis {
namespace {

constexpr double kWiderDelta = 1e-2;
constexpr size_t kMostRefitted = 300;  // configurations; of more every so many, in each row alike
constexpr double kBeyond = 10;     // times the largest run's compute, where no target is asked for
constexpr double kCounted = 1e-3;  // of a factor: otherwise counted sizes and lengths that are the same

fit::Target place_of(const LawFit& fit, const ReportInput& input) {
  for (const fit::Target& t : input.targets)
    if (t.params > 0 && t.tokens > 0) return t;
  fit::Target at;
  double most = 0, params = 0;
  for (const fit::Point& p : fit.points)
    if (compute_of(p) > most) most = compute_of(p), params = p.params, at.params = p.params, at.tokens = p.tokens;
  const auto best = frontier::joint_law(fit.result.params).divide(kBeyond * most, most / (params * at.tokens));
  if (best) at.params = best->params, at.tokens = best->tokens;
  return at;
}

class Varying {
 public:
  Varying(const LawFit& fit, const ReportInput& input) : fit_(fit), input_(input) {
    out_.at = place_of(fit, input);
    out_.at.variant = fit.variant, out_.at.dataset = fit.points[0].dataset;
  }

  Robustness run() {
    as_fitted();
    outliers();
    add(fmt::format("δ {:g} instead of {:g}", kWiderDelta, fit_.result.delta), fit_.points, kWiderDelta);
    add("least squares", fit_.points, HUGE_VAL);
    smallest();
    counted("tokens from C = 6 N D, C the counted FLOPs", [](size_t, fit::Point& p) {
      if (p.flops > 0) p.tokens = p.flops / (6 * p.params);
    });
    counted("parameters without embeddings", [&](size_t i, fit::Point& p) {
      const query::RunRow& row = input_.runs[fit_.runs[i]].row;
      if (row.params_nonembedding > 0) p.params = static_cast<double>(row.params_nonembedding);
    });
    counted("the best loss instead of the final one", [&](size_t i, fit::Point& p) {
      const query::RunRow& row = input_.runs[fit_.runs[i]].row;
      if (row.best_val_bpc && *row.best_val_bpc > 0) p.loss = *row.best_val_bpc;
    });
    range(out_.a_opt, &Variation::a_opt), range(out_.E, &Variation::E), range(out_.prediction, &Variation::prediction);
    return std::move(out_);
  }

 private:
  // Of more points than are fitted again, a fit of those, so that all rows are of the same.
  void as_fitted() {
    if (fit_.points.size() > kMostRefitted) return add("as fitted", fit_.points);
    take("as fitted", fit_.result);
  }

  void add(std::string choice, const std::vector<fit::Point>& points, std::optional<double> delta = {}) {
    fit::FitOptions options;
    options.law = fit_.law;
    options.delta = delta.value_or(fit_.result.delta);
    take(std::move(choice), fit_law(thinned(points, kMostRefitted), parameters_alone(options)));
  }

  void take(std::string choice, const fit::FitResult& result) {
    Variation row;
    row.choice = std::move(choice);
    row.configurations = result.groups;
    if (result.has_params()) {
      row.a_opt = result.a_opt, row.E = result.param("E");
      row.prediction = frontier::joint_law(result.params).loss(out_.at.params, out_.at.tokens);
    } else {
      row.refused = result.refused.empty() ? "no fit" : result.refused[0];
    }
    out_.rows.push_back(std::move(row));
  }

  void outliers() {
    const auto law = fit::make_law(fit_.law, fit_.points, {});
    const fit::FarObservations seen = far_observations(*law, fit_.points, fit_.result.log_fitted());
    if (seen.far.empty()) return;
    std::vector<fit::Point> rest = fit_.points;
    std::erase_if(rest, [&](const fit::Point& p) {
      return std::any_of(seen.far.begin(), seen.far.end(),
                         [&](const auto& far) { return same_configuration(far.point, p); });
    });
    add(fmt::format("without the {} configuration{} far from the law", seen.far.size(),
                    seen.far.size() == 1 ? "" : "s"),
        rest);
  }

  void smallest() {
    double least = HUGE_VAL;
    for (const fit::Point& p : fit_.points) least = std::min(least, p.params);
    std::vector<fit::Point> rest = fit_.points;
    std::erase_if(rest, [&](const fit::Point& p) { return p.params < kSameSize * least; });
    add(fmt::format("without the smallest size ({})", format_count(least)), rest);
  }

  // Every point counted otherwise, where that makes a difference.
  void counted(const char* choice, const std::function<void(size_t, fit::Point&)>& count) {
    std::vector<fit::Point> points = fit_.points;
    double most = 0;
    for (size_t i = 0; i < points.size(); ++i) {
      count(i, points[i]);
      most = std::max({most, std::abs(std::log(points[i].params / fit_.points[i].params)),
                       std::abs(std::log(points[i].tokens / fit_.points[i].tokens)),
                       std::abs(std::log(points[i].loss / fit_.points[i].loss))});
    }
    if (most > kCounted) add(choice, points);
  }

  void range(std::optional<fit::Interval>& into, std::optional<double> Variation::*of) const {
    for (const Variation& row : out_.rows) {
      if (!(row.*of)) continue;
      if (!into) into = fit::Interval{*(row.*of), *(row.*of)};
      into = fit::Interval{std::min(into->first, *(row.*of)), std::max(into->second, *(row.*of))};
    }
  }

  const LawFit& fit_;
  const ReportInput& input_;
  Robustness out_;
};

}  // namespace

std::optional<Robustness> robustness(const LawFit& fit, const ReportInput& input) {
  if (fit.law != "chinchilla" || !fit.result.has_params() || fit.runs.size() != fit.points.size() ||
      fit.result.fits.size() != fit.points.size())
    return std::nullopt;
  return Varying(fit, input).run();
}

json::object robustness_json(const Robustness& robustness) {
  json::array rows;
  for (const Variation& row : robustness.rows)
    rows.push_back(json::object{{"choice", row.choice},
                                {"configurations", row.configurations},
                                {"a_opt", finite_or_null(row.a_opt)},
                                {"E", finite_or_null(row.E)},
                                {"prediction", finite_or_null(row.prediction)},
                                {"refused", row.refused.empty() ? json::value(nullptr) : json::value(row.refused)}});
  return {{"target", json::object{{"params", finite_or_null(robustness.at.params)},
                                  {"tokens", finite_or_null(robustness.at.tokens)}}},
          {"rows", rows}};
}

}  // namespace bitsweep::analysis
