// Events into the database. (run, attempt, seq) makes a line that is read twice one row; the byte offset is committed
// with the rows, so a reader that is killed anywhere goes on exactly where the database is.
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "base/error.h"
#include "store/history.h"
#include "store/store.h"

namespace bitsweep {
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

// What an event's fields say of the columns, found in one pass: a look for each would cost more than the insert.
class Numbers {
 public:
  explicit Numbers(const json::object& fields) {
    for (const auto& field : fields)
      if (const size_t column = column_of(field.key()); column < kColumns.size()) {
        said_[column] = true;
        numbers_[column] = number_of(field.value());
      }
  }
  const std::optional<double>& operator[](Column column) const { return numbers_[column]; }
  std::optional<int64_t> integer(Column column) const {
    const auto& number = numbers_[column];
    if (!number || std::abs(*number) > 9e15) return std::nullopt;
    return static_cast<int64_t>(*number);
  }
  // Said, but not as a finite number.
  bool lost(Column column) const { return said_[column] && !numbers_[column]; }

 private:
  std::array<bool, kColumns.size()> said_{};
  std::array<std::optional<double>, kColumns.size()> numbers_;
};

}  // namespace

// What a batch says of the attempt as a whole.
struct Store::Digest {
  std::optional<int64_t> step, resumed_step, peak;
  std::optional<double> elapsed, rate;
  bool evals = false;

  void add(const Event& event) {
    const Numbers numbers(event.fields);
    step = event.step;
    if (event.kind == "resume") resumed_step = event.step;
    if (event.kind == "eval") evals = true;
    if (const auto& now = numbers[kTokensPerS]) rate = now;
    if (const auto& now = numbers[kElapsedS]) elapsed = std::max(elapsed.value_or(0), *now);
    if (const auto now = numbers.integer(kPeakRssBytes)) peak = std::max(peak.value_or(0), *now);
  }
};

void Store::put_eval(const Event& event) {
  const Numbers numbers(event.fields);
  const bool finite = !numbers.lost(kValBpc) && !numbers.lost(kTrainBpc);
  sql("INSERT INTO eval (run, step, attempt, tokens, val_bpc, train_bpc, lr, grad_norm, tokens_per_s, elapsed_s, "
      "peak_rss_bytes, finite) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (run, step) DO "
      "UPDATE "
      "SET attempt = ?3, tokens = ?4, val_bpc = ?5, train_bpc = ?6, lr = ?7, grad_norm = ?8, tokens_per_s = ?9, "
      "elapsed_s = ?10, peak_rss_bytes = ?11, finite = ?12 WHERE ?3 >= attempt")
      .run(event.run, event.step, event.attempt, numbers.integer(kTokens), numbers[kValBpc], numbers[kTrainBpc],
           numbers[kLr], numbers[kGradNorm], numbers[kTokensPerS], numbers[kElapsedS], numbers.integer(kPeakRssBytes),
           finite);
  for (const auto& field : event.fields) {
    if (column_of(field.key()) < kColumns.size() || !(field.value().is_number() || field.value().is_null())) continue;
    put_metric(event.run, field.key(), event.step, event.attempt, number_of(field.value()));
  }
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
  // The step and the rate are the latest attempt's; time and memory are of all.
  sql("UPDATE run SET step = coalesce(iif(attempts = ?2, ?3, NULL), step), "
      "tokens_per_s = coalesce(iif(attempts = ?2, ?4, NULL), tokens_per_s), "
      "wall_s = (SELECT sum(elapsed_s) FROM attempt WHERE run = ?1), "
      "peak_rss_bytes = coalesce(max(peak_rss_bytes, ?5), peak_rss_bytes, ?5) WHERE id = ?1")
      .run(batch.run, batch.attempt, digest.step, digest.rate, digest.peak);
  if (!digest.evals) return;
  sql("UPDATE run SET (best_val_bpc, best_step) = (SELECT val_bpc, step FROM eval WHERE run = ?1 AND val_bpc IS NOT "
      "NULL "
      "ORDER BY val_bpc, step LIMIT 1), last_val_bpc = (SELECT val_bpc FROM eval WHERE run = ?1 ORDER BY step DESC "
      "LIMIT 1) "
      "WHERE id = ?1")
      .run(batch.run);
}

void Store::ingest_batch(const Batch& batch, Ingested& count) {
  Digest digest;
  for (const Event& event : batch.events) {
    if (event.run != batch.run || event.attempt != batch.attempt) {
      ++count.foreign;
      continue;
    }
    sql("INSERT OR IGNORE INTO event (run, attempt, seq, event, step, time, fields) VALUES (?, ?, ?, ?, ?, ?, ?)")
        .run(event.run, event.attempt, event.seq, event.kind, event.step, event.time, json::serialize(event.fields));
    if (database_.changes() == 0) {
      ++count.repeated;
      continue;
    }
    ++count.stored;
    digest.add(event);
    if (event.kind == "eval") put_eval(event);
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

}  // namespace bitsweep
