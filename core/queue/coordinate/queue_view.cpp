#include "coordinate/queue_view.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <fmt/format.h>

#include "coordinate/disk_room.h"
#include "coordinate/machine_memory.h"
#include "coordinate/sweep_rules.h"
#include "store/control.h"

namespace bitsweep::coordinate {
namespace {

constexpr const char* kLiveStates = "state IN ('starting', 'running')";

// Whether somebody holds the lock, without touching it: /proc/locks names files by device and inode.
bool is_locked(const fs::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return false;
  const std::string wanted = fmt::format("{:02x}:{:02x}:{}", major(info.st_dev), minor(info.st_dev), info.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    const bool waits = line.find(" -> ") != std::string::npos;
    for (std::string word; !waits && words >> word;)
      if (word == wanted) return true;
  }
  return false;
}

std::string listed_ids(const std::vector<std::string>& ids) {
  std::string list;
  for (const std::string& id : ids) list += fmt::format("{}'{}'", list.empty() ? "" : ", ", id);
  return fmt::format("id IN ({})", list);
}

std::optional<double> flops_per_s_of(const query::RunRow& run) {
  if (!run.tokens_per_s || !run.flops || run.tokens <= 0) return std::nullopt;
  return *run.tokens_per_s * *run.flops / static_cast<double>(run.tokens);
}

double part_left(const query::RunRow& run) {
  return run.steps > 0 ? std::max(0.0, 1 - static_cast<double>(run.step) / static_cast<double>(run.steps)) : 1.0;
}

std::optional<double> left_of(const query::RunRow& run) {
  const auto rate = flops_per_s_of(run);
  if (!rate || *rate <= 0) return std::nullopt;
  return *run.flops * part_left(run) / *rate;
}

// Why nothing at all is started: everything is paused, or the disk is full.
std::string reason_to_hold(store::Store& store, const std::optional<store::CoordinatorStatus>& status) {
  if (read_control(store).paused) return "all of the queue is paused: 'bitsweep resume --all' ends that";
  const int64_t floor = status ? status->disk_floor_bytes : 0;
  const uint64_t free = free_bytes(store.paths().root);
  if (disk_room(free, floor, DiskRoom::enough) == DiskRoom::enough) return "";
  return disk_words(store.paths().root, free, floor);
}

// All that is live in the root, as the scheduler sees it, and where it runs.
struct LiveAttempts {
  std::vector<schedule::RunningRun> running;
  std::map<std::string, std::string> devices;  // by run
  std::map<std::string, store::RunRecord> runs;
};

LiveAttempts live_attempts(const query::Query& query, store::Store& store) {
  LiveAttempts all;
  for (const store::AttemptRecord& attempt : store.live_attempts()) {
    if (const auto rows = query.attempts(attempt.run); !rows.empty()) all.devices[attempt.run] = rows.back().device;
    auto run = store.run(attempt.run);
    all.running.push_back(
        {attempt.run, attempt.device, attempt.slots, run ? run->resources.memory_bytes : INT64_C(0)});
    if (run) all.runs.emplace(attempt.run, std::move(*run));
  }
  return all;
}

// The devices of the coordinator at work; else those that are in use.
std::vector<schedule::DeviceSlots> devices_of(const LiveAttempts& live, bool coordinator,
                                              const std::optional<store::CoordinatorStatus>& status) {
  if (coordinator && status && !status->devices.empty())
    return with_memory(schedule::parse_devices(status->devices, status->slots_per_device));
  std::vector<schedule::DeviceSlots> devices;
  for (const auto& [id, name] : live.devices) {
    const auto found =
        std::find_if(devices.begin(), devices.end(), [&](const schedule::DeviceSlots& d) { return d.name == name; });
    if (found == devices.end())
      devices.push_back({name, 1, 0});
    else
      ++found->slots;
  }
  if (devices.empty()) devices.push_back({"cpu", 1, 0});
  return devices;
}

bool is_far_off(QueueMaker& maker, const query::RunRow& row, const std::map<std::string, store::RunRecord>& runs) {
  const auto run = runs.find(row.id);
  if (run == runs.end() || !row.last_val_bpc) return false;
  schedule::DivergenceWatch watch(divergence_rule(maker.rules(run->second.sweep), run->second));
  return watch.take(row.step, *row.last_val_bpc) != schedule::DivergenceWatch::Verdict::fine;
}

void show_live(QueueView& view, const query::Query& query, store::Store& store, const LiveAttempts& live,
               const std::vector<std::string>& sweeps) {
  QueueMaker maker(store);
  const auto take = [&](std::vector<query::RunRow> rows) {
    for (query::RunRow& row : rows) {
      const auto device = live.devices.find(row.id);
      QueueView::Live& shown = view.live.emplace_back();
      shown.run = std::move(row);
      if (device != live.devices.end()) shown.device = device->second;
      shown.eta_s = left_of(shown.run);
      shown.diverging = is_far_off(maker, shown.run, live.runs);
    }
  };
  if (sweeps.empty()) take(query.runs({}, kLiveStates));
  for (const std::string& sweep : sweeps) take(query.runs(sweep, kLiveStates));
}

// What the scheduler would say of the first runs of the queue.
void explain_waiting(QueueView& view, const query::Query& query, store::Store& store, const LiveAttempts& live,
                     const std::vector<store::QueueEntry>& head, const std::vector<schedule::DeviceSlots>& devices,
                     double now) {
  if (head.empty()) return;
  QueueMaker maker(store);
  schedule::RunQueue queue;
  std::vector<std::string> ids;
  for (const store::QueueEntry& entry : head) {
    ids.push_back(entry.id);
    // A clock that was set back since makes no pause longer than there are.
    queue.put(maker.queued_run(entry, std::min(entry.not_before, now + schedule::longest_delay_s())));
    queue.hold(entry.sweep, waits_for(store, maker.rules(entry.sweep)));
  }
  queue.advance(now);
  std::map<std::string, query::RunRow> rows;
  for (query::RunRow& row : query.runs({}, listed_ids(ids))) rows.emplace(row.id, std::move(row));
  const schedule::ScheduleInput input{.now = now, .devices = devices, .running = live.running, .queue = &queue};
  for (const store::QueueEntry& entry : head) {
    const schedule::QueuedRun& run = *queue.find(entry.id);
    const schedule::Explanation why = explain(input, run);
    const bool its_own = why.wait == schedule::Wait::paused || why.wait == schedule::Wait::held ||
                         why.wait == schedule::Wait::dependency || why.wait == schedule::Wait::dependency_failed ||
                         why.wait == schedule::Wait::back_off;
    std::string words = why.text;
    if (!its_own && !view.held.empty()) words = view.held;
    if (!its_own && !view.coordinator) words = "nobody works on this queue; start 'bitsweep work'";
    view.waiting.push_back({rows[run.id], std::move(words)});
  }
}

}  // namespace

int64_t QueueView::count(RunState state) const {
  const auto found = counts.find(state);
  return found == counts.end() ? 0 : found->second;
}

int64_t QueueView::runs() const {
  int64_t sum = 0;
  for (const auto& [state, count] : counts) sum += count;
  return sum;
}

QueueView view_queue(const query::Query& query, store::Store& store, const std::vector<std::string>& sweeps,
                     int64_t most, Clock& clock) {
  QueueView view;
  view.counts = store.counts(sweeps);
  view.coordinator = is_locked(store.paths().coordinator_lock());
  const auto status = read_coordinator_status(store);
  view.held = reason_to_hold(store, status);
  const LiveAttempts live = live_attempts(query, store);
  show_live(view, query, store, live, sweeps);
  const std::vector<schedule::DeviceSlots> devices = devices_of(live, view.coordinator, status);
  explain_waiting(view, query, store, live, store.queue(sweeps, most), devices, clock.unix_s());
  if (view.is_over()) return view;
  std::vector<LiveRate> rates;
  for (const QueueView::Live& one : view.live)
    rates.push_back({one.run.plugin, one.run.flops.value_or(0) * part_left(one.run), flops_per_s_of(one.run)});
  int64_t slots = 0;
  for (const schedule::DeviceSlots& device : devices) slots += device.slots;
  const std::vector<store::Ahead> ahead = what_is_ahead(store, sweeps);
  view.eta_s = remaining_seconds(store, ahead, rates, slots);
  view.checkpoint_bytes = predicted_checkpoint_bytes(store, ahead);
  return view;
}

}  // namespace bitsweep::coordinate
