// Fits and predictions.
#include <fmt/format.h>

#include "base/error.h"
#include "store/store.h"

namespace bitsweep {

int64_t Store::put_fit(const FitRecord& fit) {
  sql("INSERT INTO fit (sweep, law, made, settings, result) VALUES (?, ?, ?, ?, ?)")
      .run(fit.sweep, fit.law, clock_.unix_s(), canonical_json(fit.settings), json::serialize(fit.result));
  return database_.last_row_id();
}

int64_t Store::put_prediction(const PredictionRecord& p) {
  Transaction transaction(database_);
  if (!p.run.empty()) {
    Statement& row = sql("SELECT state, attempts FROM run WHERE id = ?").bind(p.run);
    const bool begun = row.step() && (row.text_view(0) != "queued" || row.integer(1) > 0);
    row.reset();
    if (begun)
      throw Error(ErrorKind::refused,
                  fmt::format("run {} has begun; a prediction is stored before that or not at all", p.run));
  }
  const std::optional<std::string> run = p.run.empty() ? std::nullopt : std::optional(p.run);
  sql("INSERT INTO prediction (fit, run, law, made, params, tokens, loss, lower, upper, level) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .run(p.fit, run, p.law, clock_.unix_s(), p.params, p.tokens, p.loss, p.lower, p.upper, p.level);
  const int64_t id = database_.last_row_id();
  transaction.commit();
  return id;
}

}  // namespace bitsweep
