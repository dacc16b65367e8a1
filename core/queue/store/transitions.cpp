// The state machine: every change names the state it comes from, so that two that race cannot both happen.
#include "store/store.h"

namespace bitsweep::store {

std::optional<int64_t> Store::claim(std::string_view run, std::string_view device, int64_t slots, int64_t threads,
                                    int64_t least_number) {
  Transaction transaction(database_);
  const double now = clock_.unix_s();
  Statement& claimed = sql("UPDATE run SET state = 'starting', attempts = max(attempts + 1, ?2), exit_cause = NULL, "
                           "message = NULL, not_before = 0, started = coalesce(started, ?3) "
                           "WHERE id = ?1 AND state = 'queued' AND paused = 0 RETURNING attempts")
                           .bind(run, least_number, now);
  if (!claimed.step()) return std::nullopt;
  const int64_t attempt = claimed.integer(0);
  claimed.reset();
  sql("INSERT INTO attempt (run, attempt, state, device, slots, threads, started) VALUES (?, ?, 'starting', ?, ?, ?, "
      "?)")
      .run(run, attempt, device, slots, threads, now);
  transaction.commit();
  return attempt;
}

bool Store::mark_running(std::string_view run, int64_t attempt, int64_t pid) {
  Transaction transaction(database_);
  sql("UPDATE attempt SET state = 'running', pid = ?3 WHERE run = ?1 AND attempt = ?2 AND state = 'starting'")
      .run(run, attempt, pid);
  if (database_.changes() == 0) return false;
  sql("UPDATE run SET state = 'running' WHERE id = ?1 AND attempts = ?2 AND state = 'starting'").run(run, attempt);
  transaction.commit();
  return true;
}

bool Store::end_attempt(std::string_view run, int64_t attempt, const AttemptEnd& end) {
  const std::string_view cause = to_text(end.cause);
  sql("UPDATE attempt SET state = ?3, exit_cause = nullif(?4, ''), message = nullif(?5, ''), exit_code = ?6, signal = "
      "?7, peak_rss_bytes = coalesce(max(peak_rss_bytes, ?8), peak_rss_bytes, ?8), ended = ?9 WHERE run = ?1 AND "
      "attempt = ?2 AND state IN ('starting', 'running')")
      .run(run, attempt, to_text(end.state), cause, end.message, end.exit_code, end.signal, end.peak_rss_bytes,
           end.ended);
  return database_.changes() == 1;
}

bool Store::finish(std::string_view run, int64_t attempt, const AttemptEnd& end) {
  Transaction transaction(database_);
  if (!end_attempt(run, attempt, end)) return false;
  sql("UPDATE run SET state = ?3, exit_cause = nullif(?4, ''), message = nullif(?5, ''), request = NULL, ended = ?6, "
      "peak_rss_bytes = coalesce(max(peak_rss_bytes, ?7), peak_rss_bytes, ?7) "
      "WHERE id = ?1 AND attempts = ?2 AND state IN ('starting', 'running')")
      .run(run, attempt, to_text(end.state), to_text(end.cause), end.message, end.ended, end.peak_rss_bytes);
  transaction.commit();
  return true;
}

bool Store::requeue(std::string_view run, int64_t attempt, const AttemptEnd& end, bool fault, double not_before) {
  Transaction transaction(database_);
  if (!end_attempt(run, attempt, end)) return false;
  sql("UPDATE run SET state = 'queued', exit_cause = nullif(?3, ''), message = nullif(?4, ''), request = NULL, "
      "faults = faults + ?5, not_before = ?6 WHERE id = ?1 AND attempts = ?2 AND state IN ('starting', 'running')")
      .run(run, attempt, to_text(end.cause), end.message, fault, not_before);
  transaction.commit();
  return true;
}

bool Store::cancel(std::string_view run) {
  Transaction transaction(database_);
  sql("UPDATE run SET state = 'cancelled', exit_cause = 'cancelled', ended = ?2 WHERE id = ?1 AND state = 'queued'")
      .run(run, clock_.unix_s());
  bool accepted = database_.changes() == 1;
  if (!accepted) {
    sql("UPDATE run SET request = 'cancel' WHERE id = ? AND state IN ('starting', 'running')").run(run);
    accepted = database_.changes() == 1;
  }
  transaction.commit();
  return accepted;
}

bool Store::retry(std::string_view run) {
  sql("UPDATE run SET state = 'queued', exit_cause = NULL, message = NULL, faults = 0, not_before = 0, ended = NULL, "
      "request = NULL WHERE id = ? AND state IN ('failed', 'stopped', 'cancelled') AND NOT imported")
      .run(run);
  return database_.changes() == 1;
}

bool Store::set_paused(std::string_view run, bool paused) {
  sql("UPDATE run SET paused = ?2 WHERE id = ?1 AND paused <> ?2 AND state IN ('queued', 'starting', 'running')")
      .run(run, paused);
  return database_.changes() == 1;
}

bool Store::set_priority(std::string_view run, int64_t priority) {
  sql("UPDATE run SET priority = ?2 WHERE id = ?1 AND state IN ('queued', 'starting', 'running')").run(run, priority);
  return database_.changes() == 1;
}

}  // namespace bitsweep::store
