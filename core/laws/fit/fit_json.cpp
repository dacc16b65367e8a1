#include "fit/fit.h"

namespace bitsweep::fit {
namespace {

json::object named_object(const std::vector<NamedValue>& values) {
  json::object object;
  for (const NamedValue& v : values) object[v.name] = finite_or_null(v.value);
  return object;
}

json::object interval_object(const std::map<std::string, Interval>& intervals) {
  json::object object;
  for (const auto& [name, interval] : intervals) object[name] = interval_json(interval);
  return object;
}

json::object prediction_object(const Prediction& prediction) {
  const Target& t = prediction.target;
  json::object target;
  target["params"] = t.params > 0 ? finite_or_null(t.params) : json::value(nullptr);
  target["tokens"] = t.tokens > 0 ? finite_or_null(t.tokens) : json::value(nullptr);
  if (!t.variant.empty()) target["variant"] = t.variant;
  if (!t.dataset.empty()) target["dataset"] = t.dataset;
  return {{"target", target},
          {"loss", finite_or_null(prediction.loss)},
          {"expected", finite_or_null(prediction.expected)},
          {"interval", interval_json(prediction.interval)},
          {"feasible", interval_json(prediction.feasible)},
          {"extrapolation", finite_or_null(prediction.beyond.stretch)},
          {"beyond", beyond_json(prediction.beyond)},
          {"refused", prediction.refused.empty() ? json::value(nullptr) : json::value(prediction.refused)}};
}

}  // namespace

json::object fit_json(const FitResult& result) {
  json::object document;
  document["law"] = result.law;
  document["formula"] = result.formula;
  if (!result.axis.empty()) document["axis"] = result.axis;
  document["points"] = result.points;
  document["configurations"] = result.groups;
  document["params"] = result.has_params() ? json::value(named_object(result.params)) : json::value(nullptr);
  document["objective"] = result.has_params() ? finite_or_null(result.objective) : json::value(nullptr);
  document["delta"] = finite_or_null(result.delta);
  document["starts"] = result.starts;
  document["starts_at_best"] = result.starts_at_best;
  document["second_basin"] = nullptr;
  if (result.second_basin)
    document["second_basin"] = json::object{{"objective", finite_or_null(result.second_basin->objective)},
                                            {"params", named_object(result.second_basin->params)},
                                            {"starts", result.second_basin->starts}};
  document["at_bound"] = strings_json(result.at_bound);
  document["identified"] = result.identified;
  document["refused"] = strings_json(result.refused);
  document["warnings"] = strings_json(result.warnings);
  document["intervals"] = interval_object(result.intervals);
  document["interval_method"] = result.interval_method;
  document["bootstrap"] = interval_object(result.bootstrap);
  document["profile"] = interval_object(result.profile);
  document["confidence"] = result.confidence;
  document["resamples"] = result.resamples;
  document["a_opt"] = finite_or_null(result.a_opt);
  document["aicc"] = finite_or_null(result.aicc);
  document["residual_sd"] = finite_or_null(result.residual_sd);
  document["noise_sd"] = finite_or_null(result.noise_sd);
  document["noise_assumed"] = finite_or_null(result.noise);
  document["condition"] = finite_or_null(result.condition);
  document["check"] = json::object{{"projected", finite_or_null(result.projected_objective)},
                                   {"descended", finite_or_null(result.descended_objective)}};
  json::array residuals;
  for (const PointFit& fit : result.fits)
    residuals.push_back(
        json::object{{"fitted", finite_or_null(fit.fitted)}, {"residual", finite_or_null(fit.residual)}});
  document["residuals"] = residuals;
  json::array predictions;
  for (const Prediction& prediction : result.predictions) predictions.push_back(prediction_object(prediction));
  document["predictions"] = predictions;
  return document;
}

}  // namespace bitsweep::fit
