// The loop, what is read and what ends. What begins: coordinator_start.cpp.
#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/attempt_files.h"
#include "cli/coordinator_loop.h"
#include "execute/process_identity.h"
#include "execute/records.h"

namespace bitsweep {
namespace {

constexpr double kTick_s = 0.05;         // event written -> in the database
constexpr double kTroublePause_s = 1.0;  // while the database cannot be written …
constexpr double kTroubleMost_s = 300;   // … and for how long that is borne

}  // namespace

WorkResult Coordinator::run() {
  reconcile();
  double trouble_since = -1;
  for (;;) {
    try {
      if (trouble_since >= 0) reconcile();  // a start may have been left half done
      if (!step()) break;
      trouble_since = -1;
    } catch (const Error& error) {
      // A full disk or a database that a stranger holds: workers go on under their shims, and nothing is forgotten
      // because the offsets in the database did not move. It may pass; people are told at once.
      const double now = clock_.monotonic_s();
      const bool passing = error.kind() == ErrorKind::environment || error.kind() == ErrorKind::refused;
      if (!passing || interrupts_.count() > 0) throw;
      if (trouble_since < 0) progress_.message(error.what());
      trouble_since = trouble_since < 0 ? now : trouble_since;
      if (now - trouble_since > kTroubleMost_s) throw;
      queue_stale_ = decide_ = true;
      executor_.wait(kTroublePause_s, interrupts_.wake_fd());
    }
  }
  find_left();
  show(true);
  return result_;
}

// One turn; false when there is nothing left to do.
bool Coordinator::step() {
  read_events();
  poll_attempts();
  obey();
  const bool interrupted = interrupts_.count() > 0;
  bool more = true;
  if (!interrupted) more = start_runs();
  if (live_.empty() && (interrupted || (!more && !options_.forever))) return false;
  show(false);
  double pause = kTick_s;
  if (live_.empty() && !wake_at_) pause = 0.5;
  executor_.wait(pause, interrupts_.wake_fd());
  interrupts_.drain();
  return true;
}

// What an earlier coordinator left: its workers are adopted, what ended meanwhile is recorded.
void Coordinator::reconcile() {
  for (AttemptRecord& attempt : store_.live_attempts()) {
    const std::string id = attempt.run;
    if (live_.contains(id)) continue;
    auto run = store_.run(id);
    if (!run) continue;
    const fs::path folder = store_.paths().attempt(id, attempt.attempt);
    const double begun =
        clock_.monotonic_s() - std::max(0.0, clock_.unix_s() - attempt.started.value_or(clock_.unix_s()));
    const Poll poll = executor_.adopt(id, attempt.attempt, store_.paths().run(id));
    LiveAttempt live = make_live(std::move(*run), std::move(attempt), folder, begun);
    LiveAttempt& kept = live_.emplace(id, std::move(live)).first->second;
    running_.push_back({id, kept.attempt.device, kept.attempt.slots, kept.run.resources.memory_bytes});
    if (poll.liveness == Liveness::running)
      progress_.adopted(kept.progress);
    else
      kept.over = poll;  // concluded with the others
  }
}

// All that is new in the files of all attempts, in one commit.
void Coordinator::read_events() {
  std::vector<std::pair<LiveAttempt*, EventTail::Chunk>> chunks;
  for (auto& [id, live] : live_) {
    EventTail::Chunk chunk = live.tail.read();
    if (chunk.restarted)
      progress_.message(fmt::format("{}: events.jsonl was cut or replaced; read again from its start", id));
    if (chunk.restarted || chunk.next_offset != live.attempt.events_offset)
      chunks.emplace_back(&live, std::move(chunk));
  }
  if (chunks.empty()) return;
  std::vector<Store::Batch> batches;
  for (const auto& [live, chunk] : chunks)
    batches.push_back({live->run.id, live->attempt.attempt, chunk.events, chunk.next_offset, chunk.file});
  store_.ingest(batches);
  for (auto& [live, chunk] : chunks) {
    live->tail.advance(chunk);
    live->attempt.events_offset = chunk.next_offset;
    const bool had_checkpoint = live->has_checkpoint;
    for (const Event& event : chunk.events) {
      live->learn(event, clock_.monotonic_s());
      if (event.kind == "eval") progress_.evaluated(live->progress, event);
    }
    if (live->has_checkpoint && !had_checkpoint)
      drop_superseded_checkpoints(store_.paths().run(live->run.id), live->attempt.attempt);
  }
}

void Coordinator::poll_attempts() {
  for (auto it = live_.begin(); it != live_.end();) {
    LiveAttempt& live = it->second;
    // The executor says once that an attempt is over; should recording it fail, it is tried again with the same words.
    Poll poll = live.over ? *live.over : executor_.poll(live.run.id);
    if (poll.liveness != Liveness::running) {
      live.over = poll;
      conclude(live, poll);
      std::erase_if(running_, [&](const RunningRun& run) { return run.id == it->first; });
      it = live_.erase(it);
      continue;
    }
    if (!live.marked_running && poll.worker) {
      store_.mark_running(live.run.id, live.attempt.attempt, poll.worker->pid);
      live.marked_running = true;
    }
    ++it;
  }
}

Outcome Coordinator::judge_attempt(const LiveAttempt& live, const Poll& poll) {
  const fs::path folder = store_.paths().attempt(live.run.id, live.attempt.attempt);
  const auto processes = read_process(folder);
  return judge({.poll = poll,
                .end = store_.end_event(live.run.id, live.attempt.attempt).value_or(Store::EndEvent{}),
                .stop = live.stop,
                .had_intent = fs::exists(folder / "intent.json"),
                .machine_restarted = processes && processes->shim.boot_id != current_boot_id()});
}

// The attempt is over. Its last events are read first: with the lock free nobody writes any more.
void Coordinator::conclude(LiveAttempt& live, const Poll& poll) {
  for (uint64_t before = ~UINT64_C(0); before != live.attempt.events_offset;) {
    before = live.attempt.events_offset;
    read_events();
  }
  const Outcome outcome = judge_attempt(live, poll);
  AttemptEnd end{.state = outcome.state,
                 .cause = outcome.cause,
                 .message = outcome.message,
                 .exit_code = {},
                 .signal = {},
                 .peak_rss_bytes = {},
                 .ended = clock_.unix_s()};
  if (poll.exit) {
    end.exit_code = poll.exit->exit_code;
    end.signal = poll.exit->signal;
    end.peak_rss_bytes = poll.exit->peak_rss_bytes;
    end.ended = poll.exit->ended;
  }
  const std::string id = live.run.id;
  const auto asked = store_.run(id);
  AfterAttempt after =
      after_attempt(outcome.cause, asked ? asked->faults : 0, live.run.retries, options_.first_retry_s);
  if (after.run == RunState::queued && asked && asked->request == "cancel") {
    after.run = end.state = RunState::cancelled;
    end.cause = ExitCause::cancelled;
  }
  const fs::path folder = store_.paths().run(id);
  drop_superseded_checkpoints(folder, live.attempt.attempt);
  if (after.run == RunState::done) apply_retention(folder, live.run.spec);
  if (after.run == RunState::queued)
    store_.requeue(id, live.attempt.attempt, end, after.fault, clock_.unix_s() + after.delay_s);
  else
    store_.finish(id, live.attempt.attempt, end);
  queue_stale_ = decide_ = true;
  const RunRecord record = store_.run(id).value_or(live.run);
  if (record.state == RunState::done) ++result_.done;
  if (record.state == RunState::failed) {
    result_.failed.push_back(record);
    ++failed_of_[record.sweep];
  }
  progress_.ended(live.progress, record);
}

void Coordinator::stop(LiveAttempt& live, StopReason reason) {
  live.stop = reason;
  live.stop_since = clock_.monotonic_s();
  executor_.stop(live.run.id, StopMode::graceful);
}

// What people ask for: interrupts, cancellations, time limits; and KILL for those that take too long to obey.
void Coordinator::obey() {
  const int interrupts = interrupts_.count();
  if (interrupts > 0 && !result_.interrupted) {
    result_.interrupted = true;
    if (!live_.empty())
      progress_.message(fmt::format("stopping {} run{} after a checkpoint; once more to kill", live_.size(),
                                    live_.size() == 1 ? "" : "s"));
  }
  const int64_t version = store_.data_version();
  if (version != seen_version_) {
    seen_version_ = version;
    queue_stale_ = decide_ = true;
    for (const std::string& id : store_.asked_to_cancel())
      if (const auto live = live_.find(id); live != live_.end() && live->second.stop == StopReason::none)
        stop(live->second, StopReason::cancel);
  }
  const double now = clock_.monotonic_s();
  for (auto& [id, live] : live_) {
    if (live.over) continue;
    const double limit = live.run.resources.timeout_s;
    if (live.stop == StopReason::none && interrupts > 0) stop(live, StopReason::interrupt);
    if (live.stop == StopReason::none && limit > 0 && now - live.since > limit) stop(live, StopReason::timeout);
    const bool late = live.stop != StopReason::none && now - live.stop_since > options_.grace_s;
    if (!live.killed && (late || interrupts > 1)) {
      executor_.stop(id, StopMode::kill);
      live.killed = true;
    }
  }
}

WorkResult work(Store& store, const CoordinatorLock&, Executor& executor, const WorkOptions& options,
                Progress& progress) {
  return Coordinator(store, executor, options, progress).run();
}

}  // namespace bitsweep
