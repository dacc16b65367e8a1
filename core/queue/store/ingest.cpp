// Events into the database. (run, attempt, seq) makes a line that is read twice one row; the byte offset is committed
// with the rows, so a reader that is killed anywhere goes on exactly where the database is.
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "base/error.h"
#include "store/history.h"
#include "store/store.h"

namespace bitsweep::store {
namespace {

// Fields of an eval event that are columns of `eval`; other numbers go to `metric`.
enum Column { kValBpc, kTrainBpc, kTokens, kLr, kGradNorm, kTokensPerS, kElapsedS, kPeakRssBytes, kBest };
constexpr std::array<std::string_view, 9> kColumns = {"val_bpc",      "train_bpc", "tokens",         "lr",  "grad_norm",
                                                      "tokens_per_s", "elapsed_s", "peak_rss_bytes", "best"};

std::optional<double> number_of(const json::value& value) {
  if (!value.is_number()) return std::nullopt;
  const double number = value.to_number<double>();
  if (!std::isfinite(number)) return std::nullopt;
  return number;
}

size_t column_of(std::string_view name) {
  return static_cast<size_t>(std::find(kColumns.begin(), kColumns.end(), name) - kColumns.begin());
}

}  // namespace

// What an event's fields say of the columns, found in one pass: a look for each would cost more than the insert.
class Store::Numbers {
 public:
  explicit Numbers(const json::object& fields) {
    for (const auto& field : fields)
      if (const size_t column = column_of(field.key()); column < kColumns.size()) {
        said_[column] = true;
        numbers_[column] = number_of(field.value());
      } else {
        others_ = true;
      }
  }
  const std::optional<double>& operator[](Column column) const { return numbers_[column]; }
  std::optional<int64_t> integer(Column column) const {
    const auto& number = numbers_[column];
    if (!number || std::abs(*number) > 9e15) return std::nullopt;
    return static_cast<int64_t>(*number);
  }
  // There are fields that are no columns.
  bool others() const { return others_; }
  // Said, but not as a finite number.
  bool lost(Column column) const { return said_[column] && !numbers_[column]; }

 private:
  std::array<bool, kColumns.size()> said_{};
  bool others_ = false;
  std::array<std::optional<double>, kColumns.size()> numbers_;
};

// What a batch says of the attempt as a whole.
struct Store::Digest {
  std::optional<int64_t> step, resumed_step, peak;
  std::optional<double> elapsed, rate;
  bool evals = false;

  // The lowest loss of the evaluations that are new, and whether one took the place of an earlier attempt's, after
  // which the lowest of all must be looked for.
  std::optional<double> best;
  int64_t best_step = 0;
  bool replaced = false;

  void add(const event::Event& event, const Numbers& numbers) {
    step = event.step;
    if (event.kind == "resume") resumed_step = event.step;
    if (const auto& now = numbers[kTokensPerS]) rate = now;
    if (const auto& now = numbers[kElapsedS]) elapsed = std::max(elapsed.value_or(0), *now);
    if (const auto now = numbers.integer(kPeakRssBytes)) peak = std::max(peak.value_or(0), *now);
  }
  void add_eval(const event::Event& event, const Numbers& numbers, bool is_new) {
    evals = true;
    replaced |= !is_new;
    const auto& loss = numbers[kValBpc];
    if (!loss || (best && std::pair(*best, best_step) < std::pair(*loss, event.step))) return;
    best = loss;
    best_step = event.step;
  }
};

// True: no attempt had reached the step before.
bool Store::put_eval(const event::Event& event, const Numbers& numbers) {
  const bool finite = !numbers.lost(kValBpc) && !numbers.lost(kTrainBpc);
  const auto run = [&](Statement& statement) {
    statement.run(event.run, event.step, event.attempt, numbers.integer(kTokens), numbers[kValBpc], numbers[kTrainBpc],
                  numbers[kLr], numbers[kGradNorm], numbers[kTokensPerS], numbers[kElapsedS],
                  numbers.integer(kPeakRssBytes), finite);
    return database_.changes() > 0;
  };
  const bool is_new = run(
      sql("INSERT OR IGNORE INTO eval (run, step, attempt, tokens, val_bpc, train_bpc, lr, grad_norm, tokens_per_s, "
          "elapsed_s, peak_rss_bytes, finite) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"));
  if (!is_new)
    run(
        sql("UPDATE eval SET attempt = ?3, tokens = ?4, val_bpc = ?5, train_bpc = ?6, lr = ?7, grad_norm = ?8, "
            "tokens_per_s = ?9, elapsed_s = ?10, peak_rss_bytes = ?11, finite = ?12 WHERE run = ?1 AND step = ?2 AND "
            "attempt <= ?3"));
  if (!numbers.others()) return is_new;
  for (const auto& field : event.fields) {
    if (column_of(field.key()) < kColumns.size() || !(field.value().is_number() || field.value().is_null())) continue;
    put_metric(event.run, field.key(), event.step, event.attempt, number_of(field.value()));
  }
  return is_new;
}

void Store::put_metric(std::string_view run, std::string_view name, int64_t step, int64_t attempt,
                       std::optional<double> value) {
  sql("INSERT INTO metric (run, name, step, attempt, value, finite) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT "
      "(run, name, step) DO UPDATE SET attempt = ?4, value = ?5, finite = ?6 WHERE ?4 >= attempt")
      .run(run, name, step, attempt, value, value.has_value());
}

void Store::put_metrics(std::string_view run, int64_t attempt, int64_t step,
                        std::span<const std::pair<std::string, double>> metrics) {
  Transaction transaction(database_);
  if (!state(run)) throw Error(ErrorKind::input, fmt::format("there is no run '{}'", run));
  if (is_set_aside(run, attempt)) return;
  for (const auto& [name, value] : metrics) {
    const bool finite = std::isfinite(value);
    put_metric(run, name, step, attempt, finite ? std::optional(value) : std::nullopt);
    history_->note("metric", {{"run", run},
                              {"name", name},
                              {"step", step},
                              {"attempt", attempt},
                              {"value", finite_or_null(value)},
                              {"finite", finite ? 1 : 0}});
  }
  transaction.commit();
}

void Store::update_summaries(const Batch& batch, const Digest& digest) {
  sql("UPDATE attempt SET events_offset = ?3, events_file = ?4, step = coalesce(?5, step), "
      "resumed_step = coalesce(?6, resumed_step), elapsed_s = coalesce(max(elapsed_s, ?7), elapsed_s, ?7), "
      "peak_rss_bytes = coalesce(max(peak_rss_bytes, ?8), peak_rss_bytes, ?8) WHERE run = ?1 AND attempt = ?2")
      .run(batch.run, batch.attempt, batch.next_offset, batch.file, digest.step, digest.resumed_step, digest.elapsed,
           digest.peak);
  if (database_.changes() == 0)
    throw Error(ErrorKind::input, fmt::format("run {} has no attempt {}", batch.run, batch.attempt));
  // The step and the rate are the latest attempt's; time and memory are of all. One statement for all of it: this is
  // done for every run in every turn of the coordinator.
  sql("UPDATE run SET step = coalesce(iif(attempts = ?2, ?3, NULL), step), "
      "tokens_per_s = coalesce(iif(attempts = ?2, ?4, NULL), tokens_per_s), "
      "wall_s = (SELECT sum(elapsed_s) FROM attempt WHERE run = ?1), "
      "peak_rss_bytes = coalesce(max(peak_rss_bytes, ?5), peak_rss_bytes, ?5), "
      "last_val_bpc = iif(?6, (SELECT val_bpc FROM eval WHERE run = ?1 ORDER BY step DESC LIMIT 1), last_val_bpc), "
      "best_step = iif(?7 IS NOT NULL AND (best_val_bpc IS NULL OR (?7, ?8) < (best_val_bpc, best_step)), ?8, "
      "best_step), best_val_bpc = coalesce(min(best_val_bpc, ?7), best_val_bpc, ?7) WHERE id = ?1")
      .run(batch.run, batch.attempt, digest.step, digest.rate, digest.peak, digest.evals, digest.best,
           digest.best_step);
  if (digest.replaced)
    sql("UPDATE run SET (best_val_bpc, best_step) = (SELECT val_bpc, step FROM eval WHERE run = ?1 AND val_bpc IS NOT "
        "NULL ORDER BY val_bpc, step LIMIT 1) WHERE id = ?1")
        .run(batch.run);
}

void Store::ingest_batch(const Batch& batch, Ingested& count) {
  Digest digest;
  for (const event::Event& event : batch.events) {
    if (event.run != batch.run || event.attempt != batch.attempt) {
      ++count.foreign;
      continue;
    }
    sql("INSERT OR IGNORE INTO event (run, attempt, seq, event, step, time, fields) VALUES (?, ?, ?, ?, ?, ?, ?)")
        .run(event.run, event.attempt, event.seq, event.kind, event.step, event.time,
             event.text.empty() ? json::serialize(event.fields) : event.text);
    if (database_.changes() == 0) {
      ++count.repeated;
      continue;
    }
    ++count.stored;
    if (event.kind == "start" && event.attempt > 1) set_aside_finished(event);
    if (event.kind == "start") take_metric_kinds(event);
    const Numbers numbers(event.fields);
    digest.add(event, numbers);
    if (event.kind == "eval") digest.add_eval(event, numbers, put_eval(event, numbers));
  }
  update_summaries(batch, digest);
}

Store::Ingested Store::ingest(std::span<const Batch> batches) {
  Transaction transaction(database_);
  Ingested count;
  for (const Batch& batch : batches) ingest_batch(batch, count);
  transaction.commit();
  return count;
}

std::optional<Store::EndEvent> Store::end_event(std::string_view run, int64_t attempt) {
  Statement& row =
      sql("SELECT fields, step FROM event WHERE run = ? AND attempt = ? AND event = 'end' ORDER BY seq DESC LIMIT 1")
          .bind(run, attempt);
  if (!row.step()) return std::nullopt;
  const auto fields = try_parse_json(row.text_view(0));
  EndEvent end{.status = "", .message = "", .step = row.integer(1)};
  row.reset();
  if (fields && fields->is_object()) {
    end.status = string_or(fields->get_object(), "status", "");
    end.message = string_or(fields->get_object(), "message", "");
  }
  return end;
}

}  // namespace bitsweep::store
