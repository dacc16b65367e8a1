// Runs that are made again because the code has changed: what their earlier, finished attempts still count for.
//
// Everything follows from the attempts' states and their start events, so a database that is rebuilt says the same.
#include "store/store.h"

namespace bitsweep::store {

bool Store::make_anew(std::string_view run) {
  sql("UPDATE run SET state = 'queued', exit_cause = NULL, message = NULL, faults = 0, not_before = 0, ended = NULL, "
      "request = NULL WHERE id = ? AND state = 'done' AND NOT imported")
      .run(run);
  return database_.changes() == 1;
}

int64_t Store::last_finished(std::string_view run, int64_t before) {
  if (before <= 1) return 0;
  Statement& row =
      sql("SELECT coalesce(max(attempt), 0) FROM attempt WHERE run = ?1 AND attempt < ?2 AND state = 'done'")
          .bind(run, before);
  row.step();
  const int64_t attempt = row.integer(0);
  row.reset();
  return attempt;
}

CodeBuild Store::latest_build(std::string_view run) {
  Statement& row = sql("SELECT coalesce(json_extract(fields, '$.plugin_build'), ''), coalesce(json_extract(fields, "
                       "'$.nn_build'), '') FROM event WHERE run = ?1 AND attempt = (SELECT max(attempt) FROM event "
                       "WHERE run = ?1) AND event = 'start' ORDER BY seq LIMIT 1")
                       .bind(run);
  CodeBuild build;
  if (row.step()) build = {row.text(0), row.text(1)};
  row.reset();
  return build;
}

// An attempt begins after another one of its run was done: what that one and those before it measured is theirs, and no
// longer the run's.
void Store::set_aside_finished(const event::Event& start) {
  sql("DELETE FROM metric WHERE run = ?1 AND attempt <= (SELECT max(attempt) FROM attempt WHERE run = ?1 AND attempt < "
      "?2 AND state = 'done')")
      .run(start.run, start.attempt);
  sql("DELETE FROM eval WHERE run = ?1 AND attempt <= (SELECT max(attempt) FROM attempt WHERE run = ?1 AND attempt < "
      "?2 AND state = 'done')")
      .run(start.run, start.attempt);
  if (database_.changes() == 0) return;
  sql("UPDATE run SET best_val_bpc = NULL, best_step = NULL, last_val_bpc = NULL WHERE id = ?").run(start.run);
}

bool Store::is_set_aside(std::string_view run, int64_t attempt) {
  Statement& row =
      sql("SELECT 1 FROM attempt AS finished WHERE run = ?1 AND state = 'done' AND attempt >= ?2 AND EXISTS (SELECT 1 "
          "FROM event WHERE run = ?1 AND attempt > finished.attempt AND event = 'start') LIMIT 1")
          .bind(run, attempt);
  const bool found = row.step();
  row.reset();
  return found;
}

}  // namespace bitsweep::store
