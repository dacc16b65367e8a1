// The queue as the scheduler sees it, and what begins.
#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "coordinate/attempt_files.h"
#include "coordinate/coordinator_loop.h"

namespace bitsweep::coordinate {
namespace {

constexpr double kProgress_s = 0.25;  // between two pictures of the queue
constexpr double kRefused_s = 1.0;    // before a start is tried again that was refused

}  // namespace

void Coordinator::refresh_queue() {
  if (!queue_stale_) return;
  std::unordered_map<std::string, store::QueueEntry> entries;
  for (store::QueueEntry& entry : store_.queue(options_.sweeps)) {
    queue_.put(maker_.queued_run(entry, ready_at(entry.id, entry.not_before)));
    std::string id = entry.id;
    entries.emplace(std::move(id), std::move(entry));
  }
  for (const auto& [id, entry] : entries_)
    if (!entries.contains(id)) queue_.erase(id);
  if (!std::exchange(shares_known_, true)) maker_.recover_shares(queue_);
  flops_ahead_ = 0;
  for (const auto& [id, entry] : entries) flops_ahead_ += entry.flops;
  entries_ = std::move(entries);
  hold_sweeps();
  counts_ = store_.counts(options_.sweeps);
  queue_stale_ = false;
}

// Sweeps with too many failed runs, and those that come after others. What they come after may end at any time.
void Coordinator::hold_sweeps() {
  std::set<std::string> sweeps;
  for (const auto& [id, entry] : entries_) sweeps.insert(entry.sweep);
  holds_ = false;
  for (const std::string& sweep : sweeps) {
    const SweepRules& rules = maker_.rules(sweep);
    const auto failed = failed_of_.find(sweep);
    std::string why = waits_for(store_, rules);
    holds_ |= !rules.after.empty();
    if (failed != failed_of_.end() && rules.stop_after > 0 &&
        schedule::stops_starting(rules.stop_after, failed->second))
      why = fmt::format("its sweep starts no more: {} of its runs failed", failed->second);
    queue_.hold(sweep, std::move(why));
  }
}

// Attempts of a run that are recorded to have run out of memory.
int64_t Coordinator::out_of_memory(const std::string& run) {
  const std::vector<store::AttemptRecord> attempts = store_.attempts(run);
  return std::count_if(attempts.begin(), attempts.end(),
                       [](const store::AttemptRecord& attempt) { return attempt.cause == ExitCause::oom; });
}

// An attempt has ended, and its run waits again: the queue need not be read for that.
void Coordinator::put_back(const store::RunRecord& record) {
  store::QueueEntry entry{.id = record.id,
                          .sweep = record.sweep,
                          .plugin = record.plugin,
                          .priority = record.priority,
                          .position = record.position,
                          .device = record.resources.device,
                          .slots = record.resources.slots,
                          .threads = record.resources.threads,
                          .memory_bytes = record.resources.memory_bytes,
                          .ran_out_of_memory = record.cause == ExitCause::oom,
                          .flops = record.flops,
                          .not_before = record.not_before,
                          .paused = record.paused,
                          .init_from = record.init_from,
                          .init_from_state = record.init_from.empty() ? std::nullopt : store_.state(record.init_from)};
  if (!entry.ran_out_of_memory && record.attempts > 1) entry.ran_out_of_memory = out_of_memory(record.id) > 0;
  queue_.put(maker_.queued_run(entry, ready_at(entry.id, entry.not_before)));
  flops_ahead_ += entry.flops;
  entries_[record.id] = std::move(entry);
}

// How often it has run out of memory, this time counted, and what its sweep allows then.
std::optional<schedule::OomRetry> Coordinator::after_oom(const LiveAttempt& live) {
  const int64_t times = 1 + out_of_memory(live.run.id);
  const json::value* member = live.run.spec.if_contains("train");
  const json::object train = member != nullptr && member->is_object() ? member->get_object() : json::object();
  return after_memory_ran_out(maker_.rules(live.run.sweep).on_oom, times, integer_or(train, "batch", 1),
                              integer_or(train, "accumulate", 1));
}

// What the worker trains: after memory has run out, perhaps the same batch in smaller parts.
json::object Coordinator::spec_for(const LiveAttempt& live) {
  json::object spec = live.run.spec;
  if (maker_.rules(live.run.sweep).on_oom != schedule::OnOom::smaller_batch) return spec;
  if (out_of_memory(live.run.id) == 0) return spec;
  json::object& train = spec.at("train").as_object();
  train["accumulate"] = 2 * integer_or(train, "accumulate", 1);
  return spec;
}

// When a run may be tried again, by our own time. The database has it by the wall clock, which people set: that is
// believed once, and for no longer than the longest pause there is.
double Coordinator::ready_at(const std::string& run, double not_before_unix_s) {
  if (not_before_unix_s <= 0) return 0;
  const auto known = back_offs_.find(run);
  if (known != back_offs_.end() && known->second.unix_s == not_before_unix_s) return known->second.monotonic_s;
  const double pause_s =
      std::clamp(not_before_unix_s - clock_.unix_s(), 0.0, schedule::longest_delay_s(options_.first_retry_s));
  const double at = clock_.monotonic_s() + pause_s;
  back_offs_[run] = {not_before_unix_s, at};
  return at;
}

schedule::ScheduleInput Coordinator::schedule_input() const {
  return {.now = clock_.monotonic_s(), .devices = options_.devices, .running = running_, .queue = &queue_};
}

// False when nothing could be started now, nor will be without someone's help.
bool Coordinator::start_runs() {
  refresh_queue();
  if (is_held()) return !queue_.empty();
  if (wake_at_ && clock_.monotonic_s() >= *wake_at_) decide_ = true;
  if (!decide_) return wake_at_.has_value();
  decide_ = false;
  if (holds_) hold_sweeps();
  for (schedule::RunningRun& run : running_)  // a worker's own peak says nothing of a GPU's memory
    if (const auto live = live_.find(run.id); live != live_.end() && run.device == "cpu")
      run.memory_bytes = schedule::reserved_bytes(live->second.run.resources.memory_bytes, live->second.peak_bytes);
  queue_.advance(clock_.monotonic_s());
  schedule::Decision decision = decide(schedule_input());
  wake_at_ = decision.wake_at;
  const auto wanted = static_cast<int64_t>(decision.starts.size());
  if (const int64_t most = disk_.may_start(wanted, static_cast<int64_t>(live_.size())); most < wanted) {
    decision.starts.resize(static_cast<size_t>(most));  // the others when the disk has room for them beside these
    decide_ = true;
  }
  for (const schedule::PassedOver& run : decision.passed_over) queue_.pass_over(run.run, run.times);
  for (const schedule::Start& next : decision.starts) {
    if (clock_.monotonic_s() - events_read_ > kTick_s) read_events();  // many starts keep nobody's events waiting
    const auto entry = entries_.extract(next.run);
    const auto queued = queue_.start(next.run);
    back_offs_.erase(next.run);
    if (!queued || entry.empty()) continue;
    flops_ahead_ -= entry.mapped().flops;
    start(entry.mapped(), next.device, queued->alone);
  }
  return !decision.starts.empty() || wake_at_.has_value() || decide_;
}

// One for each slot of a device, as long as there are runs for them: where those are short, what a worker loads before
// its first step would be a good part of them.
std::vector<execute::WarmSlot> Coordinator::wanted_warm() const {
  std::vector<execute::WarmSlot> slots;
  if (result_.interrupted || is_held() || !run_s_ || *run_s_ >= options_.warm_below_s) return slots;
  size_t left = entries_.size();
  for (const schedule::DeviceSlots& device : options_.devices)
    for (int64_t i = 0; i < device.slots && left > 0; ++i, --left)
      slots.push_back({options_.worker_program, device.name, threads_for({}, device.name)});
  return slots;
}

int64_t Coordinator::threads_for(const store::QueueEntry& entry, const std::string& device) const {
  if (entry.threads > 0) return entry.threads;
  int64_t cpu_slots = 1;
  for (const schedule::DeviceSlots& d : options_.devices)
    if (d.name == "cpu") cpu_slots = d.slots;
  const int64_t cores = options_.threads;
  // A GPU's run needs the CPU only to feed it.
  if (device != "cpu") return std::clamp<int64_t>(cores / static_cast<int64_t>(options_.devices.size()), 1, 4);
  return std::max<int64_t>(1, cores * entry.slots / cpu_slots);
}

void Coordinator::start(const store::QueueEntry& entry, const std::string& device, bool alone) {
  const store::RootPaths& paths = store_.paths();
  int64_t slots = entry.slots;
  for (const schedule::DeviceSlots& d : options_.devices)
    if (alone && d.name == device) slots = d.slots;
  const auto number =
      store_.claim(entry.id, device, slots, threads_for(entry, device), highest_attempt(paths.run(entry.id)) + 1);
  if (!number) {  // someone was quicker: cancelled or paused meanwhile
    queue_stale_ = decide_ = true;
    return;
  }
  auto run = store_.run(entry.id);
  auto attempt = store_.attempt(entry.id, *number);
  LiveAttempt live =
      make_live(std::move(*run), std::move(*attempt), paths.attempt(entry.id, *number), clock_.monotonic_s());
  live.divergence = schedule::DivergenceWatch(divergence_rule(maker_.rules(live.run.sweep), live.run));
  --counts_[RunState::queued];
  ++counts_[RunState::starting];
  try {
    launch(live);
  } catch (const Error& error) {
    not_started(live, error);
  }
}

void Coordinator::not_started(const LiveAttempt& live, const Error& error) {
  const std::string& id = live.run.id;
  const int64_t number = live.attempt.attempt;
  const bool fault = error.kind() == ErrorKind::environment;
  execute::Outcome outcome{RunState::failed, fault ? ExitCause::cannot_start : ExitCause::bad_input, error.what()};
  schedule::AfterAttempt next;
  if (met_full_disk(id, number, outcome)) {
    next = after_full_disk(live.run);
    outcome = {RunState::stopped, ExitCause::stopped, "the disk is full; it starts when there is room"};
  } else {
    next = schedule::after_attempt(outcome.cause, live.run.faults, live.run.retries, options_.first_retry_s);
  }
  const store::AttemptEnd end = end_of(outcome, std::nullopt, clock_.unix_s());
  if (next.run == RunState::queued)
    store_.requeue(id, number, end, next.fault, clock_.unix_s() + next.delay_s);
  else
    store_.finish(id, number, end);
  const store::RunRecord record = store_.run(id).value_or(live.run);
  note_ended(record, false);
  ended_.emplace_back(live.progress, record);
}

void Coordinator::launch(LiveAttempt& live) {
  const store::RootPaths& paths = store_.paths();
  const std::string& id = live.run.id;
  WorkerCall call{.worker_program = options_.worker_program,
                  .plugin_folder = options_.plugin_folder,
                  .cache = paths.cache(),
                  .run = id,
                  .attempt = live.attempt.attempt,
                  .attempt_folder = paths.attempt(id, live.attempt.attempt),
                  .device = live.attempt.device,
                  .threads = live.attempt.threads,
                  .resume = resume_candidates(paths.run(id), store_.last_finished(id, live.attempt.attempt)),
                  .init = {}};
  if (!live.run.init_from.empty()) {
    call.init = best_checkpoint(paths.run(live.run.init_from));
    if (!call.init)
      throw Error(ErrorKind::input, fmt::format("run {} left no checkpoint to start from", live.run.init_from));
  }
  const execute::StartResult result = executor_.start({.run = id,
                                                       .attempt = live.attempt.attempt,
                                                       .run_folder = paths.run(id),
                                                       .command = worker_command(call),
                                                       .environment = {},
                                                       .spec = spec_for(live),
                                                       .device = live.attempt.device,
                                                       .threads = live.attempt.threads});
  if (result == execute::StartResult::busy) {
    const store::AttemptEnd end{.state = RunState::stopped,
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
  if (disk_.room() != DiskRoom::enough) picture.held = "waiting for room on the disk";
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
    if (const auto own = live.flops_per_s()) {
      rate += *own;
      ++measured;
    }
  }
  left += std::max(0.0, flops_ahead_);
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
  for (const store::QueueEntry& entry : store_.queue(options_.sweeps)) {
    if (entry.paused) continue;
    auto run = store_.run(entry.id);
    if (!run) continue;
    if (run->message.empty()) {
      const schedule::QueuedRun queued = maker_.queued_run(entry, ready_at(entry.id, entry.not_before));
      run->message = explain(schedule_input(), queued).text;
    }
    result_.waiting.push_back(std::move(*run));
  }
  const auto known = [&](const store::RunRecord& run) {
    return std::any_of(result_.failed.begin(), result_.failed.end(),
                       [&](const store::RunRecord& r) { return r.id == run.id; });
  };
  for (const std::string& sweep : options_.sweeps)
    for (store::RunRecord& run : store_.runs_of(sweep))
      if (run.state == RunState::failed && !known(run)) result_.failed.push_back(std::move(run));
}

}  // namespace bitsweep::coordinate
