// What ends: an attempt judged by its evidence, and what becomes of its run. The loop: coordinator.cpp.
#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "coordinate/attempt_files.h"
#include "coordinate/coordinator_loop.h"

namespace bitsweep::coordinate {

execute::Outcome Coordinator::judge_attempt(const LiveAttempt& live, const execute::Poll& poll) {
  return judge({.poll = poll,
                .end = store_.end_event(live.run.id, live.attempt.attempt).value_or(store::Store::EndEvent{}),
                .stop = live.stop,
                .stop_words = live.stop_words});
}

// Whether it ended by a fault because nothing could be written: by the system's words, or because nothing can be
// written now, whatever became of the worker then.
bool Coordinator::met_full_disk(const std::string& run, int64_t attempt, const execute::Outcome& outcome) const {
  if (!schedule::is_fault(outcome.cause)) return false;
  const bool missed_something =
      outcome.cause == ExitCause::environment || outcome.cause == ExitCause::cannot_start;
  if (missed_something && disk_.room() != DiskRoom::enough) return true;
  return tells_of_full_disk(outcome.message) || disk_.is_full() ||
         tells_of_full_disk(log_tail(store_.paths().attempt(run, attempt)));
}

// A full disk is no fault of the run: it goes back to the queue at no charge, and waits with all others for room. Where
// the root has room it was another disk, of which nothing tells when to try again.
schedule::AfterAttempt Coordinator::after_full_disk(const store::RunRecord& run) {
  const int64_t needed = checkpoint_bytes(store_.paths().run(run.id), run.params);
  if (const std::string words = disk_.met_full(needed); !words.empty()) progress_.message(words);
  const int64_t before = full_disks_[run.id]++;
  schedule::AfterAttempt after{.run = RunState::queued};
  if (disk_.room() == DiskRoom::enough)
    after.delay_s = schedule::after_attempt(ExitCause::environment, before, before + 1, options_.first_retry_s).delay_s;
  return after;
}

schedule::AfterAttempt Coordinator::after(const LiveAttempt& live, const execute::Outcome& outcome, int64_t faults) {
  if (outcome.cause == ExitCause::oom && after_oom(live))
    return {.run = RunState::queued, .delay_s = options_.first_retry_s};
  // Given up for good: it keeps its checkpoint, and is not taken for a finished one.
  if (live.stop == StopReason::rule && outcome.cause == ExitCause::stopped) return {.run = RunState::stopped};
  return schedule::after_attempt(outcome.cause, faults, live.run.retries, options_.first_retry_s);
}

// The attempt is over. Its last events are read first: with the lock free nobody writes any more.
void Coordinator::conclude(LiveAttempt& live, const execute::Poll& poll) {
  LiveAttempt* const alone[] = {&live};  // not of all that live: many end in one turn
  for (uint64_t before = ~UINT64_C(0); before != live.attempt.events_offset;) {
    before = live.attempt.events_offset;
    read_events_of(alone);
  }
  execute::Outcome outcome = judge_attempt(live, poll);
  if (poll.exit) {
    const double took_s = clock_.monotonic_s() - live.since;
    run_s_ = run_s_ ? 0.7 * *run_s_ + 0.3 * took_s : took_s;
  }
  const std::string id = live.run.id;
  const store::RunRecord asked = store_.run(id).value_or(live.run);
  schedule::AfterAttempt next;
  const bool met_before = live.disk_was_full && schedule::is_fault(outcome.cause);
  if (met_before || met_full_disk(id, live.attempt.attempt, outcome)) {
    next = after_full_disk(live.run);
    outcome = {RunState::stopped, ExitCause::stopped, "the disk is full; it goes on when there is room"};
  } else {
    next = after(live, outcome, asked.faults);
    full_disks_.erase(id);
  }
  store::AttemptEnd end = end_of(outcome, poll.exit, clock_.unix_s());
  if (next.run == RunState::queued && asked.request == "cancel") {
    next.run = RunState::cancelled;
    end.state = RunState::cancelled;
    end.cause = ExitCause::cancelled;
  }
  const fs::path folder = store_.paths().run(id);
  drop_superseded_checkpoints(folder, live.attempt.attempt, store_.last_finished(id, live.attempt.attempt));
  if (next.run == RunState::done) apply_retention(folder, live.run.spec);
  if (next.run == RunState::queued)
    store_.requeue(id, live.attempt.attempt, end, next.fault, clock_.unix_s() + next.delay_s);
  else
    store_.finish(id, live.attempt.attempt, end);
  const store::RunRecord record = store_.run(id).value_or(live.run);
  note_ended(record, live.marked_running);
  ended_.emplace_back(live.progress, record);
}

// The queue in memory follows without being read again: a hundred thousand rows for each run that ends would cost more
// than the run.
void Coordinator::note_ended(const store::RunRecord& record, bool was_running) {
  decide_ = true;
  --counts_[was_running ? RunState::running : RunState::starting];
  ++counts_[record.state];
  if (record.state == RunState::queued) return put_back(record);
  early_stop_.ended(record);
  if (record.state == RunState::done) ++result_.done;
  queue_.base_is(record.id, record.state);
  if (record.state != RunState::failed) return;
  result_.failed.push_back(record);
  const int64_t failed = ++failed_of_[record.sweep];
  const int64_t limit = maker_.rules(record.sweep).stop_after;
  if (limit > 0 && schedule::stops_starting(limit, failed)) hold_sweeps();
}

}  // namespace bitsweep::coordinate
