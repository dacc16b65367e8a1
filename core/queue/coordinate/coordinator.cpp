// The loop, and what is read. What begins: coordinator_start.cpp; what becomes of what ended: coordinator_end.cpp.
#include <algorithm>

#include <sys/stat.h>

#include <fmt/format.h>

#include "base/error.h"
#include "coordinate/attempt_files.h"
#include "coordinate/coordinator_loop.h"
#include "coordinate/machine_memory.h"
#include "coordinate/present_devices.h"

namespace bitsweep::coordinate {
namespace {

constexpr double kIdle_s = 0.2;   // submitted, or told to go on -> noticed, while nothing runs
constexpr double kDiskLook_s = 1.0;
constexpr double kSettle_s = 0.5;  // events in the database -> there through a loss of power
constexpr double kTroublePause_s = 1.0;  // while the database cannot be written …
constexpr double kTroubleMost_s = 300;   // … and for how long that is borne

uint64_t inode_of(const fs::path& file) {
  struct stat info {};
  return ::stat(file.c_str(), &info) == 0 ? static_cast<uint64_t>(info.st_ino) : 0;
}

}  // namespace

WorkResult Coordinator::run() {
  reconcile();
  announce();
  for (;;) {
    try {
      if (trouble_since_ >= 0) reconcile();  // a start may have been left half done
      if (!step()) break;
      trouble_since_ = -1;
      trouble_was_full_disk_ = false;
    } catch (const Error& error) {
      if (!bear_trouble(error)) throw;
      executor_.wait(kTroublePause_s, interrupts_.wake_fd());
    }
  }
  settle(true);
  find_left();
  show(true);
  return result_;
}

// A full disk or a database that a stranger holds: workers go on under their shims, and nothing is forgotten because
// the offsets in the database did not move. It may pass; people are told at once. A disk may stay full for days.
bool Coordinator::bear_trouble(const Error& error) {
  const bool passing = error.kind() == ErrorKind::environment || error.kind() == ErrorKind::refused;
  if (!passing || interrupts_.count() > 0) return false;
  const double now = clock_.monotonic_s();
  if (trouble_since_ < 0) {
    progress_.message(error.what());
    trouble_since_ = now;
  }
  queue_stale_ = true;
  decide_ = true;
  // What ends meanwhile is recorded when there is room again: by then nothing else tells why it ended.
  const bool full = disk_.is_full();
  trouble_was_full_disk_ |= full;
  for (auto& [id, live] : live_) live.disk_was_full |= full;
  return now - trouble_since_ <= kTroubleMost_s || full;
}

// One turn; false when there is nothing left to do.
bool Coordinator::step() {
  read_events();
  poll_attempts();
  obey();
  const bool interrupted = interrupts_.count() > 0;
  bool more = true;
  if (!interrupted) more = start_runs();
  executor_.keep_warm(wanted_warm());
  settle(false);
  if (live_.empty() && (interrupted || (!more && !options_.forever))) return false;
  show(false);
  double pause = kTick_s;
  if (live_.empty() && !wake_at_) pause = kIdle_s;
  executor_.wait(pause, interrupts_.wake_fd());
  interrupts_.drain();
  return true;
}

// The disk has all that this turn has changed, in one wait; only now people hear of what ended. Events alone wait for
// company: lost with the machine, they are read again from their files.
void Coordinator::settle(bool at_once) {
  const double now = clock_.monotonic_s();
  if (!at_once && ended_.empty() && now - settled_ < kSettle_s) return;
  settled_ = now;
  store_.database().sync();
  for (const auto& [progress, record] : std::exchange(ended_, {})) progress_.ended(progress, record);
}

// What an earlier coordinator left: its workers are adopted, what ended meanwhile is recorded.
void Coordinator::reconcile() {
  for (store::AttemptRecord& attempt : store_.live_attempts()) {
    const std::string id = attempt.run;
    if (live_.contains(id)) continue;
    auto run = store_.run(id);
    if (!run) continue;
    const fs::path folder = store_.paths().attempt(id, attempt.attempt);
    const execute::Poll poll = executor_.adopt(id, attempt.attempt, store_.paths().run(id));
    // What the database says of its start is by a clock that may have been set since.
    const double begun = clock_.monotonic_s() - poll.age_s.value_or(0);
    LiveAttempt live = make_live(std::move(*run), std::move(attempt), folder, begun);
    live.divergence = schedule::DivergenceWatch(divergence_rule(maker_.rules(live.run.sweep), live.run));
    live.disk_was_full = trouble_was_full_disk_;  // its start may have been cut short by it
    LiveAttempt& kept = live_.emplace(id, std::move(live)).first->second;
    running_.push_back({id, kept.attempt.device, kept.attempt.slots, kept.run.resources.memory_bytes});
    if (poll.liveness == execute::Liveness::running)
      progress_.adopted(kept.progress);
    else
      kept.over = poll;  // concluded with the others
  }
}

// All that is new in the files of all attempts, in one commit.
void Coordinator::read_events() {
  events_read_ = clock_.monotonic_s();
  std::vector<LiveAttempt*> all;
  for (auto& [id, live] : live_) all.push_back(&live);
  read_events_of(all);
}

void Coordinator::read_events_of(std::span<LiveAttempt* const> attempts) {
  std::vector<std::pair<LiveAttempt*, store::EventTail::Chunk>> chunks;
  for (LiveAttempt* attempt : attempts) {
    LiveAttempt& live = *attempt;
    const std::string& id = live.run.id;
    store::EventTail::Chunk chunk = live.tail.read();
    if (chunk.restarted)
      progress_.message(fmt::format("{}: events.jsonl was cut or replaced; read again from its start", id));
    if (chunk.restarted || chunk.next_offset != live.attempt.events_offset)
      chunks.emplace_back(&live, std::move(chunk));
  }
  if (chunks.empty()) return;
  std::vector<store::Store::Batch> batches;
  for (const auto& [live, chunk] : chunks)
    batches.push_back({live->run.id, live->attempt.attempt, chunk.events, chunk.next_offset, chunk.file});
  store_.ingest(batches);
  for (auto& [live, chunk] : chunks) {
    live->tail.advance(chunk);
    live->attempt.events_offset = chunk.next_offset;
    const bool had_checkpoint = live->has_checkpoint;
    for (const event::Event& event : chunk.events) {
      live->learn(event, clock_.monotonic_s());
      if (event.kind == "eval") look_at(*live, event);
    }
    if (live->has_checkpoint && !had_checkpoint)
      drop_superseded_checkpoints(store_.paths().run(live->run.id), live->attempt.attempt,
                                  store_.last_finished(live->run.id, live->attempt.attempt));
  }
}

// An evaluation: told to people, and to the rule that may give the run up.
void Coordinator::look_at(LiveAttempt& live, const event::Event& event) {
  judge_loss(live, event);
  progress_.evaluated(live.progress, event);
  std::string why = early_stop_.evaluated(live.run, event, maker_.rules(live.run.sweep));
  if (why.empty() || live.stop != StopReason::none || live.over) return;
  live.stop_words = std::move(why);
  stop(live, StopReason::rule);
}

// A loss far above that of a model that knows nothing is told when it is first seen, and ends the run when it stays.
void Coordinator::judge_loss(LiveAttempt& live, const event::Event& event) {
  const json::value* loss = event.fields.if_contains("val_bpc");
  if (loss == nullptr || !loss->is_number() || live.stop != StopReason::none) return;
  const auto verdict = live.divergence.take(event.step, loss->to_number<double>());
  const bool told = std::exchange(live.progress.diverging, verdict != schedule::DivergenceWatch::Verdict::fine);
  if (verdict == schedule::DivergenceWatch::Verdict::suspected && !told)
    progress_.message(fmt::format("{} {} is {}; it is ended as diverged if it stays there", live.run.id,
                                  live.run.plugin, live.divergence.words()));
  if (verdict != schedule::DivergenceWatch::Verdict::diverged) return;
  live.stop_words = live.divergence.words();
  if (live.over)
    live.stop = StopReason::diverged;
  else
    stop(live, StopReason::diverged);
}

void Coordinator::poll_attempts() {
  for (auto it = live_.begin(); it != live_.end();) {
    LiveAttempt& live = it->second;
    // The executor says once that an attempt is over; should recording it fail, it is tried again with the same words.
    execute::Poll poll = live.over ? *live.over : executor_.poll(live.run.id);
    if (poll.liveness != execute::Liveness::running) {
      live.over = poll;
      conclude(live, poll);
      std::erase_if(running_, [&](const schedule::RunningRun& run) { return run.id == it->first; });
      it = live_.erase(it);
      continue;
    }
    if (!live.marked_running && poll.worker) {
      store_.mark_running(live.run.id, live.attempt.attempt, poll.worker->pid);
      live.marked_running = true;
      --counts_[RunState::starting];
      ++counts_[RunState::running];
    }
    ++it;
  }
}

void Coordinator::stop(LiveAttempt& live, StopReason reason) {
  live.stop = reason;
  live.stop_since = clock_.monotonic_s();
  executor_.stop(live.run.id, execute::StopMode::graceful);
}

// What people ask for: interrupts, cancellations, pauses, time limits; and KILL for those that take too long to obey.
void Coordinator::obey() {
  const int interrupts = interrupts_.count();
  if (interrupts > 0 && !result_.interrupted) {
    result_.interrupted = true;
    if (!live_.empty())
      progress_.message(fmt::format("stopping {} run{} after a checkpoint; once more to kill", live_.size(),
                                    live_.size() == 1 ? "" : "s"));
  }
  if (const int64_t version = store_.data_version(); version != seen_version_) {
    seen_version_ = version;
    read_requests();
  }
  const double now = clock_.monotonic_s();
  watch_disk();
  watch_database(now);
  for (auto& [id, live] : live_) {
    if (live.over) continue;
    if (live.stop == StopReason::none)
      if (const StopReason reason = reason_to_stop(live, now); reason != StopReason::none) stop(live, reason);
    const bool late = live.stop != StopReason::none && now - live.stop_since > options_.grace_s;
    if (!live.killed && (late || interrupts > 1)) {
      executor_.stop(id, execute::StopMode::kill);
      live.killed = true;
    }
  }
}

StopReason Coordinator::reason_to_stop(LiveAttempt& live, double now) {
  const double limit = live.run.resources.timeout_s;
  if (interrupts_.count() > 0) return StopReason::interrupt;
  if (paused_) return StopReason::pause;
  if (disk_.room() == DiskRoom::gone) return StopReason::disk;
  if (limit > 0 && now - live.since > limit) return StopReason::timeout;
  return live.is_hung(now, options_.hung_after_s, executor_) ? StopReason::hung : StopReason::none;
}

// Another process has written: perhaps runs were submitted, perhaps someone has asked for something.
void Coordinator::read_requests() {
  queue_stale_ = decide_ = true;
  maker_.forget();
  const auto stop_those = [&](const std::vector<std::string>& runs, StopReason reason) {
    for (const std::string& id : runs)
      if (const auto live = live_.find(id); live != live_.end() && live->second.stop == StopReason::none)
        stop(live->second, reason);
  };
  stop_those(store_.asked_to_cancel(), StopReason::cancel);
  stop_those(asked_to_pause(store_), StopReason::pause);
  const store::Control control = read_control(store_);
  if (control.paused != paused_)
    progress_.message(control.paused ? "paused: nothing is started until 'bitsweep resume --all'" : "going on");
  paused_ = control.paused;
  take_devices(control);
}

// Runs that are at work stay where they are; what no longer fits is not started any more.
void Coordinator::take_devices(const store::Control& control) {
  const std::string asked = fmt::format("{} {}", control.devices, control.slots_per_device);
  if (control.devices.empty() || asked == devices_asked_) return;
  devices_asked_ = asked;
  options_.slots_per_device = control.slots_per_device;
  PresentDevices devices =
      present_devices(schedule::parse_devices(control.devices, control.slots_per_device), gpus_of_this_machine());
  for (const std::string& sentence : devices.missing) progress_.message(sentence + "; nothing is started there");
  if (devices.present.empty()) return;
  options_.devices = with_memory(std::move(devices.present));
  progress_.message(fmt::format("devices: {}", control.devices));
  announce();
}

// What this coordinator works with, for `status`.
void Coordinator::announce() {
  std::string devices;
  for (const schedule::DeviceSlots& device : options_.devices) {
    if (!devices.empty()) devices += ',';
    devices += device.name == "cpu" ? fmt::format("cpu:{}", device.slots) : device.name;
  }
  put_coordinator_status(store_, {.devices = devices,
                    .slots_per_device = options_.slots_per_device,
                    .disk_floor_bytes = options_.disk_floor_bytes});
}

// Another database in its place, or none: what is written goes to a file that nobody will ever read.
void Coordinator::watch_database(double now) {
  if (now - database_seen_ < kDiskLook_s) return;
  database_seen_ = now;
  const uint64_t inode = inode_of(store_.paths().database());
  if (database_inode_ == 0) database_inode_ = inode;
  if (inode == database_inode_) return;
  throw Error(ErrorKind::failed,
              fmt::format("'{}' was removed or replaced while it was worked on; what runs goes on by itself. 'bitsweep "
                          "rebuild --root {}' makes the database again from the run folders, and the next 'bitsweep "
                          "work' adopts what runs",
                          store_.paths().database().string(), store_.paths().root.string()));
}

void Coordinator::watch_disk() {
  const std::string words = disk_.look(clock_.monotonic_s());
  if (words.empty()) return;
  progress_.message(words);
  decide_ = true;
}

WorkResult work(store::Store& store, const CoordinatorLock&, execute::Executor& executor, Clock& clock,
                const WorkOptions& options, Progress& progress) {
  return Coordinator(store, executor, clock, options, progress).run();
}

}  // namespace bitsweep::coordinate
