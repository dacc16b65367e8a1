#include "cli/coordinator.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/attempt_files.h"
#include "cli/interrupts.h"
#include "cli/live_attempt.h"
#include "execute/process_identity.h"
#include "execute/records.h"

namespace bitsweep {
namespace {

constexpr double kTick_s = 0.05;        // event written -> in the database
constexpr double kProgress_s = 0.25;    // between two pictures of the queue
constexpr double kRefused_s = 1.0;      // before a start is tried again that was refused
constexpr double kTroublePause_s = 1.0; // while the database cannot be written …
constexpr double kTroubleMost_s = 300;  // … and for how long that is borne

QueuedRun to_queued(const QueueEntry& entry, int64_t passed_over) {
  return {.id = entry.id, .priority = entry.priority, .position = entry.position, .device = entry.device,
          .slots = entry.slots, .memory_bytes = entry.memory_bytes, .not_before = entry.not_before, .paused = entry.paused,
          .init_from = entry.init_from, .init_from_state = entry.init_from_state, .passed_over = passed_over};
}

class Coordinator {
 public:
  Coordinator(Store& store, Executor& executor, const WorkOptions& options, Progress& progress)
      : store_(store), executor_(executor), options_(options), progress_(progress), clock_(system_clock()) {
    if (options_.devices.empty()) options_.devices = {{"cpu", 1, 0}};
  }

  WorkResult run();

 private:
  void reconcile();
  bool step();
  void read_events();
  void poll_attempts();
  void conclude(LiveAttempt& live, const Poll& poll);
  Outcome judge_attempt(const LiveAttempt& live, const Poll& poll);
  void obey();
  void stop(LiveAttempt& live, StopReason reason);
  void refresh_queue();
  World world() const;
  bool start_runs();
  void start(const QueueEntry& entry, const std::string& device);
  void launch(LiveAttempt& live);
  int64_t threads_for(const QueueEntry& entry, const std::string& device) const;
  void show(bool always);
  QueueProgress picture();
  void find_left();

  Store& store_;
  Executor& executor_;
  WorkOptions options_;
  Progress& progress_;
  Clock& clock_;
  Interrupts interrupts_;
  WorkResult result_;

  std::map<std::string, LiveAttempt> live_;
  std::vector<RunningRun> running_;           // live_, as the scheduler sees it
  std::vector<QueueEntry> entries_;           // the queue in scope, as last read
  std::vector<QueuedRun> queued_;             // the same, as the scheduler sees it
  std::map<std::string, int64_t> passed_over_;
  std::map<std::string, int64_t> failed_of_;  // failed runs of a sweep, during this call
  std::map<RunState, int64_t> counts_;
  bool queue_stale_ = true;
  bool decide_ = true;
  std::optional<double> wake_at_;
  int64_t seen_version_ = -1;
  double shown_ = -1;
};

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
    const double begun = clock_.monotonic_s() - std::max(0.0, clock_.unix_s() - attempt.started.value_or(clock_.unix_s()));
    const Poll poll = executor_.adopt(id, attempt.attempt, store_.paths().run(id));
    LiveAttempt live = make_live(std::move(*run), std::move(attempt), folder, begun);
    LiveAttempt& kept = live_.emplace(id, std::move(live)).first->second;
    running_.push_back({id, kept.attempt.device, kept.attempt.slots, kept.run.resources.memory_bytes});
    if (poll.liveness == Liveness::running) progress_.adopted(kept.progress);
    else kept.over = poll;  // concluded with the others
  }
}

// All that is new in the files of all attempts, in one commit.
void Coordinator::read_events() {
  std::vector<std::pair<LiveAttempt*, EventTail::Chunk>> chunks;
  for (auto& [id, live] : live_) {
    EventTail::Chunk chunk = live.tail.read();
    if (chunk.restarted) progress_.message(fmt::format("{}: events.jsonl was cut or replaced; read again from its start", id));
    if (chunk.restarted || chunk.next_offset != live.attempt.events_offset) chunks.emplace_back(&live, std::move(chunk));
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
  AttemptEnd end{.state = outcome.state, .cause = outcome.cause, .message = outcome.message, .exit_code = {}, .signal = {},
                 .peak_rss_bytes = {}, .ended = clock_.unix_s()};
  if (poll.exit) {
    end.exit_code = poll.exit->exit_code;
    end.signal = poll.exit->signal;
    end.peak_rss_bytes = poll.exit->peak_rss_bytes;
    end.ended = poll.exit->ended;
  }
  const std::string id = live.run.id;
  const auto asked = store_.run(id);
  AfterAttempt after = after_attempt(outcome.cause, asked ? asked->faults : 0, live.run.retries, options_.first_retry_s);
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
      progress_.message(fmt::format("stopping {} run{} after a checkpoint; once more to kill", live_.size(), live_.size() == 1 ? "" : "s"));
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

void Coordinator::refresh_queue() {
  if (!queue_stale_) return;
  entries_ = store_.queue(options_.sweeps);
  std::map<std::string, bool> halted;
  for (const auto& [sweep, failed] : failed_of_) {
    const auto settings = store_.sweep_settings(sweep);
    const int64_t limit = settings ? integer_or(*settings, "stop_after", 0) : 0;
    halted[sweep] = stops_starting(limit > 0 ? std::optional(limit) : std::nullopt, failed);
  }
  std::erase_if(entries_, [&](const QueueEntry& entry) { return halted.contains(entry.sweep) && halted.at(entry.sweep); });
  queued_.clear();
  for (const QueueEntry& entry : entries_) {
    const auto passed = passed_over_.find(entry.id);
    queued_.push_back(to_queued(entry, passed == passed_over_.end() ? 0 : passed->second));
  }
  counts_ = store_.counts(options_.sweeps);
  queue_stale_ = false;
}

World Coordinator::world() const {
  return {.now = clock_.unix_s(), .devices = options_.devices, .running = running_, .queued = queued_};
}

// False when nothing could be started now, nor will be without someone's help.
bool Coordinator::start_runs() {
  refresh_queue();
  if (wake_at_ && clock_.unix_s() >= *wake_at_) decide_ = true;
  if (!decide_) return wake_at_.has_value();
  decide_ = false;
  const Decision decision = decide(world());
  wake_at_ = decision.wake_at;
  for (const PassedOver& run : decision.passed_over) passed_over_[run.run] += run.times;
  for (const Start& next : decision.starts) {
    const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const QueueEntry& e) { return e.id == next.run; });
    const QueueEntry taken = *entry;
    queued_.erase(queued_.begin() + (entry - entries_.begin()));
    entries_.erase(entry);
    start(taken, next.device);
  }
  return !decision.starts.empty() || wake_at_.has_value() || decide_;
}

int64_t Coordinator::threads_for(const QueueEntry& entry, const std::string& device) const {
  if (entry.threads > 0) return entry.threads;
  int64_t cpu_slots = 1;
  for (const DeviceSlots& d : options_.devices)
    if (d.name == "cpu") cpu_slots = d.slots;
  const int64_t cores = options_.threads;
  // A GPU's run needs the CPU only to feed it.
  if (device != "cpu") return std::clamp<int64_t>(cores / static_cast<int64_t>(options_.devices.size()), 1, 4);
  return std::max<int64_t>(1, cores * entry.slots / cpu_slots);
}

void Coordinator::start(const QueueEntry& entry, const std::string& device) {
  const RootPaths& paths = store_.paths();
  const auto number = store_.claim(entry.id, device, entry.slots, threads_for(entry, device),
                                   highest_attempt(paths.run(entry.id)) + 1);
  if (!number) {  // someone was quicker: cancelled or paused meanwhile
    queue_stale_ = decide_ = true;
    return;
  }
  auto run = store_.run(entry.id);
  auto attempt = store_.attempt(entry.id, *number);
  LiveAttempt live = make_live(std::move(*run), std::move(*attempt), paths.attempt(entry.id, *number), clock_.monotonic_s());
  --counts_[RunState::queued];
  ++counts_[RunState::starting];
  try {
    launch(live);
  } catch (const Error& error) {
    const bool fault = error.kind() == ErrorKind::environment;
    const AfterAttempt after = after_attempt(fault ? ExitCause::cannot_start : ExitCause::bad_input, live.run.faults, live.run.retries, options_.first_retry_s);
    const AttemptEnd end{.state = RunState::failed, .cause = fault ? ExitCause::cannot_start : ExitCause::bad_input,
                         .message = error.what(), .exit_code = {}, .signal = {}, .peak_rss_bytes = {}, .ended = clock_.unix_s()};
    if (after.run == RunState::queued) store_.requeue(entry.id, *number, end, true, clock_.unix_s() + after.delay_s);
    else store_.finish(entry.id, *number, end);
    const RunRecord record = store_.run(entry.id).value_or(live.run);
    if (record.state == RunState::failed) result_.failed.push_back(record), ++failed_of_[record.sweep];
    queue_stale_ = decide_ = true;
    progress_.ended(live.progress, record);
  }
}

void Coordinator::launch(LiveAttempt& live) {
  const RootPaths& paths = store_.paths();
  const std::string& id = live.run.id;
  WorkerCall call{.worker_program = options_.worker_program, .plugin_folder = options_.plugin_folder, .cache = paths.cache(),
                  .run = id, .attempt = live.attempt.attempt, .attempt_folder = paths.attempt(id, live.attempt.attempt),
                  .device = live.attempt.device, .threads = live.attempt.threads, .resume = resume_candidates(paths.run(id)),
                  .init = {}};
  if (!live.run.init_from.empty()) {
    call.init = best_checkpoint(paths.run(live.run.init_from));
    if (!call.init)
      throw Error(ErrorKind::input, fmt::format("run {} left no checkpoint to start from", live.run.init_from));
  }
  const StartResult result = executor_.start({.run = id, .attempt = live.attempt.attempt, .run_folder = paths.run(id),
                                              .command = worker_command(call), .environment = {}, .spec = live.run.spec,
                                              .device = live.attempt.device, .threads = live.attempt.threads});
  if (result == StartResult::busy) {
    const AttemptEnd end{.state = RunState::stopped, .cause = ExitCause::cannot_start,
                         .message = "something of an earlier attempt is still alive", .exit_code = {}, .signal = {},
                         .peak_rss_bytes = {}, .ended = clock_.unix_s()};
    store_.requeue(id, live.attempt.attempt, end, false, clock_.unix_s() + kRefused_s);
    queue_stale_ = decide_ = true;
    return;
  }
  running_.push_back({id, live.attempt.device, live.attempt.slots, live.run.resources.memory_bytes});
  progress_.started(live.progress);
  live_.emplace(id, std::move(live));
}

QueueProgress Coordinator::picture() {
  const double now = clock_.monotonic_s();
  QueueProgress picture;
  for (const auto& [state, count] : counts_)
    if (state != RunState::cancelled) picture.total += count;
  picture.queued = counts_[RunState::queued];
  picture.done = counts_[RunState::done];
  picture.failed = counts_[RunState::failed];
  picture.running = static_cast<int64_t>(live_.size());
  double rate = 0, left = 0;
  int64_t measured = 0;
  for (auto& [id, live] : live_) {
    live.progress.eta_s = live.eta_s(now);
    picture.runs.push_back(live.progress);
    left += live.flops_left();
    if (const auto own = live.flops_per_s()) rate += *own, ++measured;
  }
  for (const QueueEntry& entry : entries_) left += entry.flops;
  if (measured > 0) picture.eta_s = left / (rate / static_cast<double>(measured) * static_cast<double>(live_.size()));
  return picture;
}

void Coordinator::show(bool always) {
  const double now = clock_.monotonic_s();
  if (!always && now - shown_ < kProgress_s) return;
  shown_ = now;
  progress_.tick(picture());
}

// Runs that are left although nothing runs any more: their base failed, no device suits them, their sweep was stopped;
// and runs of the sweeps asked for that failed earlier, which nothing but a retry brings back.
void Coordinator::find_left() {
  if (result_.interrupted) return;
  for (const QueueEntry& entry : store_.queue(options_.sweeps)) {
    if (entry.paused) continue;
    auto run = store_.run(entry.id);
    if (!run) continue;
    if (run->message.empty()) run->message = explain(world(), to_queued(entry, 0)).text;
    result_.waiting.push_back(std::move(*run));
  }
  const auto known = [&](const RunRecord& run) {
    return std::any_of(result_.failed.begin(), result_.failed.end(), [&](const RunRecord& r) { return r.id == run.id; });
  };
  for (const std::string& sweep : options_.sweeps)
    for (RunRecord& run : store_.runs_of(sweep))
      if (run.state == RunState::failed && !known(run)) result_.failed.push_back(std::move(run));
}

}  // namespace

WorkResult work(Store& store, const CoordinatorLock&, Executor& executor, const WorkOptions& options, Progress& progress) {
  return Coordinator(store, executor, options, progress).run();
}

}  // namespace bitsweep
