#include "predict/predictions.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/error.h"
#include "fit/data_hash.h"

namespace bitsweep::predict {
namespace {

std::vector<std::string> laws_to_try(const std::vector<std::string>& asked) {
  const std::vector<std::string> possible = fit::one_variant_law_names();
  const auto in = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::vector<std::string> laws;
  for (const std::vector<std::string>& list : {asked, std::vector<std::string>{"chinchilla", "power"}})
    for (const std::string& law : list)
      if (in(possible, law) && !in(laws, law)) laws.push_back(law);
  return laws;
}

// A law of one axis says nothing of a place that differs on the other.
bool on_the_axis(const fit::FitResult& fit, const std::vector<fit::Point>& points, const PredictionPlace& about) {
  const auto same = [](double a, double b) { return std::abs(a - b) <= 0.005 * std::abs(b); };
  if (fit.axis == "params") return same(about.tokens, points[0].tokens);
  if (fit.axis == "tokens") return same(about.params, points[0].params);
  return true;
}

fit::FitOptions options_for(const analysis::LawData& data, const std::vector<PredictionPlace>& about,
                            const std::string& law) {
  fit::FitOptions options;
  options.law = law;
  options.second_opinions = false;
  for (const PredictionPlace& one : about) {
    fit::Target target;
    target.params = one.params;
    target.tokens = one.tokens;
    target.variant = data.variant;
    target.dataset = data.label;
    if (!data.points.empty()) target.unique_tokens = data.points[0].unique_tokens;
    options.targets.push_back(std::move(target));
  }
  return options;
}

store::PredictionRecord record_of(const PredictionPlace& about, const fit::Prediction& prediction,
                                  const store::FitRecord& fit, double level, const analysis::LawData& data,
                                  std::string_view maker) {
  store::PredictionRecord record;
  record.run = about.run;
  record.law = fit.law;
  record.maker = maker;
  record.version = fit.version;
  record.data = fit.data;
  record.variant = data.plugin;
  record.dataset = fit.dataset;
  record.params = about.params;
  record.tokens = about.tokens;
  record.loss = *prediction.loss;
  record.lower = prediction.interval->first;
  record.upper = prediction.interval->second;
  record.level = level;
  record.extrapolation = prediction.beyond.stretch;
  return record;
}

// Names of laws that the sweeps' files ask for.
std::vector<std::string> laws_of(const query::Query& query, const std::vector<std::string>& sweeps) {
  std::vector<std::string> laws;
  for (const query::SweepRow& sweep : query.sweeps()) {
    if (std::find(sweeps.begin(), sweeps.end(), sweep.name) == sweeps.end()) continue;
    laws.insert(laws.end(), sweep.settings.laws.begin(), sweep.settings.laws.end());
  }
  return laws;
}

}  // namespace

store::FitRecord fit_record(const std::vector<std::string>& sweeps, const std::vector<fit::Point>& points,
                            std::string_view dataset, const fit::FitOptions& options, const fit::FitResult& result) {
  store::FitRecord record;
  record.sweep = fmt::format("{}", fmt::join(sweeps, ","));
  record.law = result.law;
  const bool one_variant =
      std::all_of(points.begin(), points.end(), [&](const fit::Point& p) { return p.variant == points[0].variant; });
  if (one_variant && !points.empty()) record.variant = points[0].variant;
  record.dataset = dataset;
  record.data = data_hash(points);
  for (const fit::Point& point : points)
    if (!point.run.empty()) record.points.push_back(point.run);
  std::sort(record.points.begin(), record.points.end());
  record.version = BITSWEEP_VERSION;
  record.settings = {{"law", options.law},
                     {"axis", result.axis},
                     {"delta", finite_or_null(options.delta)},
                     {"confidence", options.confidence},
                     {"resamples", options.resamples},
                     {"seed", options.seed},
                     {"noise", options.noise},
                     {"reference", options.reference},
                     {"group", options.group}};
  record.result = fit_json(result);
  record.result.erase("predictions");  // rows of their own
  return record;
}

std::optional<FitPredictions> predict(const analysis::LawData& data, const std::vector<std::string>& sweeps,
                                      const std::vector<PredictionPlace>& about, const std::vector<std::string>& laws,
                                      std::string_view maker, std::string& why) {
  if (data.points.empty()) {
    why = "no run of it is finished";
    return std::nullopt;
  }
  for (const std::string& law : laws_to_try(laws)) {
    const fit::FitOptions options = options_for(data, about, law);
    const fit::FitResult fit = fit_law(data.points, options);
    FitPredictions made{fit_record(sweeps, data.points, data.dataset, options, fit), {}};
    for (size_t i = 0; i < about.size() && fit.refused.empty(); ++i) {
      const fit::Prediction& prediction = fit.predictions.at(i);
      if (prediction.loss && prediction.interval && on_the_axis(fit, data.points, about[i]))
        made.predictions.push_back(record_of(about[i], prediction, made.fit, options.confidence, data, maker));
    }
    if (!made.predictions.empty()) return made;
    if (why.empty())
      why = fmt::format("{}: {}", law, fit.refused.empty() ? "no interval can be given there" : fit.refused[0]);
  }
  return std::nullopt;
}

WaitingPredictions predict_waiting(const query::Query& query, const std::vector<std::string>& asked,
                                   std::string_view maker) {
  WaitingPredictions all;
  std::vector<std::string> sweeps = asked;
  if (sweeps.empty())
    for (const query::SweepRow& sweep : query.sweeps()) sweeps.push_back(sweep.name);
  const analysis::SweepData data = analysis::law_data(query, sweeps);
  const std::vector<std::string> laws = laws_of(query, sweeps);
  for (const analysis::LawData& law : data.laws) {
    // Nothing measured yet is nothing to be told about.
    if (law.waiting.empty() || law.points.empty()) continue;
    std::vector<PredictionPlace> about;
    for (const size_t r : law.waiting)
      about.push_back(
          {data.runs[r].id, static_cast<double>(data.runs[r].params), static_cast<double>(data.runs[r].tokens)});
    std::string why;
    if (auto made = predict(law, sweeps, about, laws, maker, why))
      all.made.push_back(std::move(*made));
    else
      all.refused.push_back(
          fmt::format("{} ({}): {} waiting, nothing foretold: {}", law.variant, law.label,
                      law.waiting.size() == 1 ? "a run is" : fmt::format("{} runs are", law.waiting.size()), why));
  }
  return all;
}

store::StoredPredictions keep_predictions(store::Store& store, const WaitingPredictions& predictions) {
  store::StoredPredictions all;
  for (const FitPredictions& made : predictions.made) {
    store::Transaction transaction(store.database());
    std::vector<store::PredictionRecord> records = made.predictions;
    const int64_t fit = store.put_fit(made.fit);
    for (store::PredictionRecord& record : records) record.fit = fit;
    const store::StoredPredictions some = store.put_predictions(records);
    transaction.commit();
    all.stored += some.stored;
    all.repeated += some.repeated;
    all.begun.insert(all.begun.end(), some.begun.begin(), some.begun.end());
  }
  return all;
}

void store_predictions(store::Store& store, const std::vector<std::string>& sweeps, std::string_view maker,
                       Notes& notes) {
  try {
    const WaitingPredictions predictions = predict_waiting(query::Query(store.paths().root), sweeps, maker);
    const store::StoredPredictions kept = keep_predictions(store, predictions);
    if (kept.stored > 0)
      notes.progress(fmt::format("foretold {} run{} before {} begin{}: 'bitsweep calibration' tells how {} fare{}",
                                 kept.stored, kept.stored == 1 ? "" : "s", kept.stored == 1 ? "it" : "they",
                                 kept.stored == 1 ? "s" : "", kept.stored == 1 ? "it" : "they",
                                 kept.stored == 1 ? "s" : ""));
    for (const std::string& reason : predictions.refused) notes.note(reason);
  } catch (const Error& error) {
    notes.note(fmt::format("nothing was foretold: {}", error.what()));
  }
}

}  // namespace bitsweep::predict
