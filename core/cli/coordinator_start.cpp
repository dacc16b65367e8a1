// The queue as the scheduler sees it, and what begins.
#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/attempt_files.h"
#include "cli/coordinator_loop.h"

namespace bitsweep {
namespace {

constexpr double kProgress_s = 0.25;  // between two pictures of the queue
constexpr double kRefused_s = 1.0;    // before a start is tried again that was refused

// A clock that was set back makes no back-off longer than the longest one there is, `latest`.
QueuedRun to_queued(const QueueEntry& entry, int64_t passed_over, double latest) {
  return {.id = entry.id,
          .priority = entry.priority,
          .position = entry.position,
          .device = entry.device,
          .slots = entry.slots,
          .memory_bytes = entry.memory_bytes,
          .not_before = std::min(entry.not_before, latest),
          .paused = entry.paused,
          .init_from = entry.init_from,
          .init_from_state = entry.init_from_state,
          .passed_over = passed_over};
}

}  // namespace

void Coordinator::refresh_queue() {
  if (!queue_stale_) return;
  entries_ = store_.queue(options_.sweeps);
  std::map<std::string, bool> halted;
  for (const auto& [sweep, failed] : failed_of_) {
    const auto settings = store_.sweep_settings(sweep);
    const int64_t limit = settings ? integer_or(*settings, "stop_after", 0) : 0;
    halted[sweep] = stops_starting(limit > 0 ? std::optional(limit) : std::nullopt, failed);
  }
  std::erase_if(entries_,
                [&](const QueueEntry& entry) { return halted.contains(entry.sweep) && halted.at(entry.sweep); });
  queued_.clear();
  const double latest = clock_.unix_s() + longest_delay_s(options_.first_retry_s);
  for (const QueueEntry& entry : entries_) {
    const auto passed = passed_over_.find(entry.id);
    queued_.push_back(to_queued(entry, passed == passed_over_.end() ? 0 : passed->second, latest));
  }
  front_ = 0;
  counts_ = store_.counts(options_.sweeps);
  queue_stale_ = false;
}

World Coordinator::world() const {
  return {.now = clock_.unix_s(),
          .devices = options_.devices,
          .running = running_,
          .queued = std::span(queued_).subspan(front_)};
}

// False when nothing could be started now, nor will be without someone's help.
bool Coordinator::start_runs() {
  refresh_queue();
  if (is_held()) return front_ < entries_.size();
  if (wake_at_ && clock_.unix_s() >= *wake_at_) decide_ = true;
  if (!decide_) return wake_at_.has_value();
  decide_ = false;
  const Decision decision = decide(world());
  wake_at_ = decision.wake_at;
  for (const PassedOver& run : decision.passed_over) passed_over_[run.run] += run.times;
  for (const Start& next : decision.starts) {
    start(take_from_queue(next.run), next.device);
  }
  return !decision.starts.empty() || wake_at_.has_value() || decide_;
}

// What is taken is near the front: only what lies before it moves, and the front passes over it.
QueueEntry Coordinator::take_from_queue(const std::string& run) {
  const auto front = static_cast<std::ptrdiff_t>(front_);
  const auto entry =
      std::find_if(entries_.begin() + front, entries_.end(), [&](const QueueEntry& e) { return e.id == run; });
  const auto queued = queued_.begin() + (entry - entries_.begin());
  std::rotate(queued_.begin() + front, queued, queued + 1);
  std::rotate(entries_.begin() + front, entry, entry + 1);
  return entries_[front_++];
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
  const auto number =
      store_.claim(entry.id, device, entry.slots, threads_for(entry, device), highest_attempt(paths.run(entry.id)) + 1);
  if (!number) {  // someone was quicker: cancelled or paused meanwhile
    queue_stale_ = decide_ = true;
    return;
  }
  auto run = store_.run(entry.id);
  auto attempt = store_.attempt(entry.id, *number);
  LiveAttempt live =
      make_live(std::move(*run), std::move(*attempt), paths.attempt(entry.id, *number), clock_.monotonic_s());
  --counts_[RunState::queued];
  ++counts_[RunState::starting];
  try {
    launch(live);
  } catch (const Error& error) {
    const bool fault = error.kind() == ErrorKind::environment;
    AfterAttempt after = after_attempt(fault ? ExitCause::cannot_start : ExitCause::bad_input, live.run.faults,
                                       live.run.retries, options_.first_retry_s);
    disk_seen_ = -1;
    watch_disk(clock_.monotonic_s());
    if (fault && disk_ != DiskRoom::enough) after = {.run = RunState::queued};  // a full disk is no fault of the run
    const AttemptEnd end{.state = RunState::failed,
                         .cause = fault ? ExitCause::cannot_start : ExitCause::bad_input,
                         .message = error.what(),
                         .exit_code = {},
                         .signal = {},
                         .peak_rss_bytes = {},
                         .ended = clock_.unix_s()};
    if (after.run == RunState::queued)
      store_.requeue(entry.id, *number, end, after.fault, clock_.unix_s() + after.delay_s);
    else
      store_.finish(entry.id, *number, end);
    const RunRecord record = store_.run(entry.id).value_or(live.run);
    note_ended(record, false);
    ended_.emplace_back(live.progress, record);
  }
}

void Coordinator::launch(LiveAttempt& live) {
  const RootPaths& paths = store_.paths();
  const std::string& id = live.run.id;
  WorkerCall call{.worker_program = options_.worker_program,
                  .plugin_folder = options_.plugin_folder,
                  .cache = paths.cache(),
                  .run = id,
                  .attempt = live.attempt.attempt,
                  .attempt_folder = paths.attempt(id, live.attempt.attempt),
                  .device = live.attempt.device,
                  .threads = live.attempt.threads,
                  .resume = resume_candidates(paths.run(id)),
                  .init = {}};
  if (!live.run.init_from.empty()) {
    call.init = best_checkpoint(paths.run(live.run.init_from));
    if (!call.init)
      throw Error(ErrorKind::input, fmt::format("run {} left no checkpoint to start from", live.run.init_from));
  }
  const StartResult result = executor_.start({.run = id,
                                              .attempt = live.attempt.attempt,
                                              .run_folder = paths.run(id),
                                              .command = worker_command(call),
                                              .environment = {},
                                              .spec = live.run.spec,
                                              .device = live.attempt.device,
                                              .threads = live.attempt.threads});
  if (result == StartResult::busy) {
    const AttemptEnd end{.state = RunState::stopped,
                         .cause = ExitCause::cannot_start,
                         .message = "something of an earlier attempt is still alive",
                         .exit_code = {},
                         .signal = {},
                         .peak_rss_bytes = {},
                         .ended = clock_.unix_s()};
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
  if (paused_) picture.held = "paused";
  if (disk_ != DiskRoom::enough) picture.held = "waiting for room on the disk";
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
  for (size_t i = front_; i < entries_.size(); ++i) left += entries_[i].flops;
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
    if (run->message.empty()) run->message = explain(world(), to_queued(entry, 0, entry.not_before)).text;
    result_.waiting.push_back(std::move(*run));
  }
  const auto known = [&](const RunRecord& run) {
    return std::any_of(result_.failed.begin(), result_.failed.end(),
                       [&](const RunRecord& r) { return r.id == run.id; });
  };
  for (const std::string& sweep : options_.sweeps)
    for (RunRecord& run : store_.runs_of(sweep))
      if (run.state == RunState::failed && !known(run)) result_.failed.push_back(std::move(run));
}

}  // namespace bitsweep
