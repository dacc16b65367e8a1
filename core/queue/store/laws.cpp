// Fits and predictions.
#include <fmt/format.h>

#include "base/error.h"
#include "store/store.h"

namespace bitsweep::store {
namespace {

std::optional<std::string> or_null(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

}  // namespace

int64_t Store::put_fit(const FitRecord& fit) {
  Transaction transaction(database_);
  const std::string settings = canonical_json(fit.settings);
  if (!fit.data.empty()) {
    Statement& known = sql("SELECT id FROM fit WHERE data = ? AND sweep = ? AND law = ? AND settings = ? AND "
                           "coalesce(variant, '') = ? AND coalesce(dataset, '') = ? AND coalesce(version, '') = ?")
                           .bind(fit.data, fit.sweep, fit.law, settings, fit.variant, fit.dataset, fit.version);
    const std::optional<int64_t> id = known.step() ? std::optional(known.integer(0)) : std::nullopt;
    known.reset();
    if (id) return *id;
  }
  sql("INSERT INTO fit (sweep, law, made, settings, result, variant, dataset, data, points, version) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .run(fit.sweep, fit.law, clock_.unix_s(), settings, json::serialize(fit.result), or_null(fit.variant),
           or_null(fit.dataset), or_null(fit.data), canonical_json(json::array(fit.points.begin(), fit.points.end())),
           or_null(fit.version));
  const int64_t id = database_.last_row_id();
  transaction.commit();
  return id;
}

std::optional<ReportedFit> Store::last_reported_fit(std::string_view sweeps, std::string_view law,
                                                    std::string_view variant, std::string_view dataset,
                                                    std::string_view data) {
  Statement& row = sql("SELECT points, result FROM fit WHERE sweep = ? AND law = ? AND coalesce(variant, '') = ? AND "
                       "coalesce(dataset, '') = ? AND data <> ? AND json_extract(settings, '$.by') = 'report' "
                       "ORDER BY id DESC")
                       .bind(sweeps, law, variant, dataset, data);
  std::optional<ReportedFit> found;
  if (row.step()) {
    const auto result = try_parse_json(row.text_view(1));
    if (result && result->is_object()) found = ReportedFit{std::string(row.text_view(0)), result->get_object()};
  }
  row.reset();
  return found;
}

// A run that was cancelled or withdrawn before its first attempt has not begun.
bool Store::has_begun(const std::string& run) {
  Statement& row = sql("SELECT attempts > 0 OR state NOT IN ('queued', 'cancelled') FROM run WHERE id = ?").bind(run);
  const bool begun = row.step() && row.integer(0) != 0;
  row.reset();
  return begun;
}

// False when the same fit has spoken of the run before.
bool Store::insert_prediction(const PredictionRecord& p) {
  sql("INSERT INTO prediction (fit, run, law, made, params, tokens, loss, lower, upper, level, maker, version, data, "
      "variant, dataset, extrapolation) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (run, fit) WHERE run IS NOT NULL AND fit IS NOT NULL DO NOTHING")
      .run(p.fit, or_null(p.run), p.law, clock_.unix_s(), p.params, p.tokens, p.loss, p.lower, p.upper, p.level,
           or_null(p.maker), or_null(p.version), or_null(p.data), or_null(p.variant), or_null(p.dataset),
           p.extrapolation);
  return database_.changes() == 1;
}

int64_t Store::put_prediction(const PredictionRecord& p) {
  // The look and the row are one transaction: a coordinator cannot start the run in between.
  Transaction transaction(database_);
  if (!p.run.empty() && has_begun(p.run))
    throw Error(ErrorKind::refused,
                fmt::format("run {} has begun; a prediction is stored before that or not at all", p.run));
  int64_t id = 0;
  if (insert_prediction(p)) {
    id = database_.last_row_id();
  } else {
    Statement& known = sql("SELECT id FROM prediction WHERE run = ? AND fit = ?").bind(p.run, p.fit);
    if (known.step()) id = known.integer(0);
    known.reset();
  }
  transaction.commit();
  return id;
}

StoredPredictions Store::put_predictions(std::span<const PredictionRecord> predictions) {
  StoredPredictions result;
  Transaction transaction(database_);
  for (const PredictionRecord& p : predictions) {
    if (!p.run.empty() && has_begun(p.run))
      result.begun.push_back(p.run);
    else
      ++(insert_prediction(p) ? result.stored : result.repeated);
  }
  transaction.commit();
  return result;
}

}  // namespace bitsweep::store
