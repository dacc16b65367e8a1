// `bitsweep status`: what is done, what runs where and how fast, why the rest waits.
#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli/options.h"
#include "coordinate/disk_room.h"
#include "coordinate/machine_memory.h"
#include "coordinate/sweep_rules.h"
#include "query/query.h"
#include "query/run_columns.h"
#include "render/format.h"
#include "report/run_table.h"
#include "schedule/schedule.h"
#include "spec/sweep.h"
#include "store/control.h"

namespace bitsweep {
namespace {

constexpr std::array kStates = {"queued", "starting", "running", "done", "failed", "stopped", "cancelled"};
constexpr int64_t kMostRunsListed = 20;  // queued runs told one by one …
constexpr int64_t kMostTold = 1000;      // … and in JSON

struct Waiting {
  RunRow run;
  std::string why;
};

struct Snapshot {
  std::map<RunState, int64_t> counts;  // in scope
  std::vector<RunRow> live;
  std::map<std::string, AttemptRow> attempts;  // of the live ones, by run
  std::vector<RunningRun> running;             // the same, as the scheduler sees them
  std::vector<Waiting> waiting;                // the first of the queue, in its order
  bool coordinator = false;                    // a `work` or `run` holds this root
  std::string held;                            // why nothing at all is started; ""
  double checkpoint_bytes = 0;                 // that what is ahead will leave
  std::optional<double> eta_s;

  int64_t count(RunState state) const {
    const auto found = counts.find(state);
    return found == counts.end() ? 0 : found->second;
  }
  int64_t runs() const {
    int64_t sum = 0;
    for (const auto& [state, count] : counts) sum += count;
    return sum;
  }
  bool is_over() const { return live.empty() && count(RunState::queued) == 0; }
};

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

// The devices of the coordinator at work; else those that are in use.
std::vector<DeviceSlots> devices_of(const Snapshot& snapshot, const std::optional<CoordinatorWord>& word) {
  if (snapshot.coordinator && word && !word->devices.empty())
    return with_memory(parse_devices(word->devices, word->slots_per_device));
  std::vector<DeviceSlots> devices;
  for (const auto& [id, attempt] : snapshot.attempts) {
    const auto same = [&](const DeviceSlots& d) { return d.name == attempt.device; };
    const auto found = std::find_if(devices.begin(), devices.end(), same);
    if (found == devices.end())
      devices.push_back({attempt.device, 1, 0});
    else
      ++found->slots;
  }
  if (devices.empty()) devices.push_back({"cpu", 1, 0});
  return devices;
}

// What the scheduler would say of the first runs of the queue.
void explain_waiting(Snapshot& snapshot, const Query& query, Store& store, const std::vector<QueueEntry>& head,
                     const std::vector<DeviceSlots>& devices) {
  if (head.empty()) return;
  const double now = system_clock().unix_s();
  QueueMaker maker(store);
  RunQueue queue;
  std::vector<std::string> ids;
  for (const QueueEntry& entry : head) {
    ids.push_back(entry.id);
    // A clock that was set back since makes no pause longer than there are.
    queue.put(maker.queued_run(entry, std::min(entry.not_before, now + longest_delay_s())));
    queue.hold(entry.sweep, waits_for(store, maker.rules(entry.sweep)));
  }
  queue.advance(now);
  std::map<std::string, RunRow> rows;
  for (RunRow& row : query.runs({}, listed_ids(ids))) rows.emplace(row.id, std::move(row));
  const ScheduleInput input{.now = now, .devices = devices, .running = snapshot.running, .queue = &queue};
  for (const QueueEntry& entry : head) {
    const QueuedRun& run = *queue.find(entry.id);
    const Explanation why = explain(input, run);
    const bool its_own = why.wait == Wait::paused || why.wait == Wait::held || why.wait == Wait::dependency ||
                         why.wait == Wait::dependency_failed || why.wait == Wait::back_off;
    std::string words = why.text;
    if (!its_own && !snapshot.held.empty()) words = snapshot.held;
    if (!its_own && !snapshot.coordinator) words = "nobody works on this queue; start 'bitsweep work'";
    snapshot.waiting.push_back({rows[run.id], std::move(words)});
  }
}

std::optional<double> flops_per_s(const RunRow& run) {
  if (!run.tokens_per_s || !run.flops || run.tokens <= 0) return std::nullopt;
  return *run.tokens_per_s * *run.flops / static_cast<double>(run.tokens);
}

double part_left(const RunRow& run) {
  return run.steps > 0 ? std::max(0.0, 1 - static_cast<double>(run.step) / static_cast<double>(run.steps)) : 1.0;
}

std::optional<double> left_of(const RunRow& run) {
  const auto rate = flops_per_s(run);
  if (!rate || *rate <= 0) return std::nullopt;
  return *run.flops * part_left(run) / *rate;
}

// Why nothing at all is started: everything is paused, or the disk is full.
std::string reason_to_hold(Store& store, const std::optional<CoordinatorWord>& word) {
  if (read_control(store).paused) return "all of the queue is paused: 'bitsweep resume --all' ends that";
  const int64_t floor = word ? word->disk_floor_bytes : 0;
  const uint64_t free = free_bytes(store.paths().root);
  if (disk_room(free, floor, DiskRoom::enough) == DiskRoom::enough) return "";
  return disk_words(store.paths().root, free, floor);
}

// `most`: of the queue.
Snapshot look(const Query& query, Store& store, const std::vector<std::string>& sweeps, int64_t most) {
  Snapshot snapshot;
  snapshot.counts = store.counts(sweeps);
  snapshot.coordinator = is_locked(query.root() / "coord.lock");
  const auto word = read_word(store);
  snapshot.held = reason_to_hold(store, word);
  constexpr const char* kLive = "state IN ('starting', 'running')";
  if (sweeps.empty()) snapshot.live = query.runs({}, kLive);
  for (const std::string& sweep : sweeps)
    for (RunRow& run : query.runs(sweep, kLive)) snapshot.live.push_back(std::move(run));
  for (const AttemptRecord& attempt : store.live_attempts()) {
    const auto rows = query.attempts(attempt.run);
    if (!rows.empty()) snapshot.attempts[attempt.run] = rows.back();
    const auto run = store.run(attempt.run);
    snapshot.running.push_back(
        {attempt.run, attempt.device, attempt.slots, run ? run->resources.memory_bytes : INT64_C(0)});
  }
  const std::vector<DeviceSlots> devices = devices_of(snapshot, word);
  explain_waiting(snapshot, query, store, store.queue(sweeps, most), devices);
  if (snapshot.is_over()) return snapshot;
  std::vector<LiveRate> rates;
  for (const RunRow& run : snapshot.live)
    rates.push_back({run.plugin, run.flops.value_or(0) * part_left(run), flops_per_s(run)});
  int64_t slots = 0;
  for (const DeviceSlots& device : devices) slots += device.slots;
  const std::vector<Ahead> ahead = what_is_ahead(store, sweeps);
  snapshot.eta_s = remaining_seconds(store, ahead, rates, slots);
  snapshot.checkpoint_bytes = predicted_checkpoint_bytes(store, ahead);
  return snapshot;
}

std::string device_of(const Snapshot& snapshot, const RunRow& run) {
  const auto found = snapshot.attempts.find(run.id);
  return found == snapshot.attempts.end() ? "" : found->second.device;
}

std::string live_table(const Snapshot& snapshot) {
  Table table{{{"running"},
               {"plugin"},
               {"params", Align::right},
               {"what"},
               {"device"},
               {"step", Align::right},
               {"val_bpc", Align::right},
               {"tok/s", Align::right},
               {"left", Align::right}},
              {}};
  for (const RunRow& run : snapshot.live) {
    const auto left = left_of(run);
    table.rows.push_back(
        {run.id, run.plugin, format_count(static_cast<double>(run.params)), short_point_text(run.axes, run.seed),
         device_of(snapshot, run), fmt::format("{}/{}", run.step, run.steps),
         run.last_val_bpc ? fmt::format("{:.4f}", *run.last_val_bpc) : "-",
         run.tokens_per_s ? format_count(*run.tokens_per_s) : "-", left ? format_duration(*left) : "?"});
  }
  return terminal_table(table);
}

std::string text_of(const Snapshot& snapshot) {
  std::string text = plural(snapshot.runs(), "run", "runs") + ":";
  for (const char* state : kStates)
    if (const int64_t n = snapshot.count(*run_state_from(state)); n > 0) text += fmt::format("  {} {}", n, state);
  const bool left = !snapshot.is_over();
  if (left)
    text +=
        snapshot.eta_s ? fmt::format("  about {} left", format_duration(*snapshot.eta_s)) : "  time left not known yet";
  text += "\n";
  if (left) text += fmt::format("checkpoints of these will take about {}\n", format_bytes(snapshot.checkpoint_bytes));
  if (left && !snapshot.coordinator) text += "no 'bitsweep work' or 'run' holds this root now\n";
  if (left && !snapshot.held.empty()) text += snapshot.held + "\n";
  if (!snapshot.live.empty()) text += "\n" + live_table(snapshot);
  if (snapshot.waiting.empty()) return text;
  Table table{{{"queued"}, {"plugin"}, {"params", Align::right}, {"what"}, {"why it waits"}}, {}};
  for (const Waiting& w : snapshot.waiting)
    table.rows.push_back({w.run.id, w.run.plugin, format_count(static_cast<double>(w.run.params)),
                          short_point_text(w.run.axes, w.run.seed), w.why});
  text += "\n" + terminal_table(table);
  const int64_t more = snapshot.count(RunState::queued) - static_cast<int64_t>(snapshot.waiting.size());
  if (more > 0) text += fmt::format("… and {} more\n", more);
  return text;
}

json::object json_of(const Snapshot& snapshot) {
  json::object counts;
  for (const char* state : kStates) counts[state] = snapshot.count(*run_state_from(state));
  json::array running, queued;
  for (const RunRow& run : snapshot.live) {
    json::object object = run_json(run);
    object["step"] = run.step;
    object["device"] = device_of(snapshot, run);
    const auto left = left_of(run);
    object["eta_s"] = left ? json::value(*left) : json::value(nullptr);
    running.push_back(std::move(object));
  }
  for (const Waiting& w : snapshot.waiting) queued.push_back(json::object{{"id", w.run.id}, {"why", w.why}});
  return {{"counts", std::move(counts)},
          {"working", snapshot.coordinator},
          {"held", snapshot.held},
          {"running", std::move(running)},
          {"queued", std::move(queued)},
          {"checkpoint_bytes", snapshot.checkpoint_bytes},
          {"eta_s", snapshot.eta_s ? json::value(*snapshot.eta_s) : json::value(nullptr)}};
}

// Until nothing is queued or live: again after every commit, and every few seconds for the times.
int watch(const Query& query, Store& store, const std::vector<std::string>& sweeps) {
  for (;;) {
    const Snapshot snapshot = look(query, store, sweeps, kMostRunsListed);
    print((stdout_is_terminal() ? "\x1b[H\x1b[2J" : "") + text_of(snapshot));
    if (snapshot.is_over()) return 0;
    const int64_t seen = query.data_version();
    for (int i = 0; i < 10; ++i) {
      system_clock().sleep_s(0.5);
      if (query.data_version() != seen) break;
    }
  }
}

int do_status(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.flag("watch", "again and again, until nothing is queued or running")
      .flag("json", "one JSON document")
      .root_option();
  if (!line.parse(args)) return 0;
  const Query query(line.root());
  std::vector<std::string> sweeps;
  for (const std::string& name : line.positional()) sweeps.push_back(query.sweep_name(name));
  Store store(line.root(), StoreMode::read_only);
  if (line.has("watch")) return watch(query, store, sweeps);
  const Snapshot snapshot = look(query, store, sweeps, line.has("json") ? kMostTold : kMostRunsListed);
  print(line.has("json") ? pretty_json(json_of(snapshot)) + "\n" : text_of(snapshot));
  return 0;
}

}  // namespace

const Verb kStatusVerb{"status", "Counts by state, what runs where and how fast, why the rest waits", "[SWEEP…]",
                       "bitsweep status --watch", do_status};

}  // namespace bitsweep
