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
#include "query/outlook.h"
#include "query/query.h"
#include "query/run_columns.h"
#include "report/format.h"
#include "report/run_table.h"
#include "schedule/schedule.h"
#include "spec/sweep.h"

namespace bitsweep {
namespace {

constexpr std::array kStates = {"queued", "starting", "running", "done", "failed", "stopped", "cancelled"};

struct Waiting {
  const RunRow* run;
  std::string why;
};

struct Snapshot {
  std::vector<RunRow> runs;  // in scope
  std::vector<const RunRow*> live;
  std::map<std::string, AttemptRow> attempts;  // of the live ones, by run
  std::vector<Waiting> waiting;
  bool coordinator = false;  // a `work` or `run` holds this root
  std::optional<double> eta_s;
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

QueuedRun queued_run(const RunRow& run, const std::vector<RunRow>& everything) {
  const QueueRow& q = run.queue;
  QueuedRun queued{run.id,       q.priority, q.position,  q.device, q.slots, q.memory_bytes,
                   q.not_before, q.paused,   q.init_from, {},       0};
  for (const RunRow& other : everything)
    if (other.id == q.init_from) queued.init_from_state = run_state_from(other.state);
  return queued;
}

// What the scheduler would say, had it the devices that are in use now; the coordinator knows its own.
void explain_waiting(Snapshot& snapshot, const std::vector<RunRow>& everything) {
  std::vector<DeviceSlots> devices;
  std::vector<RunningRun> running;
  for (const auto& [id, attempt] : snapshot.attempts) {
    const auto same = [&](const DeviceSlots& d) { return d.name == attempt.device; };
    const auto found = std::find_if(devices.begin(), devices.end(), same);
    if (found == devices.end())
      devices.push_back({attempt.device, 1, 0});
    else
      ++found->slots;
    running.push_back({id, attempt.device, 1, 0});
  }
  if (devices.empty()) devices.push_back({"cpu", 1, 0});
  std::vector<QueuedRun> queued;
  for (const RunRow& run : everything)
    if (run.state == "queued") queued.push_back(queued_run(run, everything));
  const World world{system_clock().unix_s(), devices, running, queued};
  for (const RunRow& run : snapshot.runs) {
    if (run.state != "queued") continue;
    const Explanation why = explain(world, queued_run(run, everything));
    const bool held_up = why.wait == Wait::paused || why.wait == Wait::dependency ||
                         why.wait == Wait::dependency_failed || why.wait == Wait::back_off;
    snapshot.waiting.push_back(
        {&run, snapshot.coordinator || held_up ? why.text : "nobody works on this queue; start 'bitsweep work'"});
  }
}

Snapshot look(const Query& query, const std::vector<std::string>& sweeps) {
  Snapshot snapshot;
  const std::vector<RunRow> everything = query.runs();
  if (sweeps.empty()) snapshot.runs = everything;
  for (const std::string& sweep : sweeps)
    for (RunRow& run : query.runs(sweep)) snapshot.runs.push_back(std::move(run));
  snapshot.coordinator = is_locked(query.root() / "coord.lock");
  for (const RunRow& run : everything) {
    if (!is_live_state(run)) continue;
    const auto attempts = query.attempts(run.id);
    if (!attempts.empty()) snapshot.attempts[run.id] = attempts.back();
  }
  for (const RunRow& run : snapshot.runs)
    if (is_live_state(run)) snapshot.live.push_back(&run);
  explain_waiting(snapshot, everything);
  snapshot.eta_s = remaining_total_s(snapshot.runs, static_cast<int64_t>(snapshot.live.size()));
  return snapshot;
}

int64_t count(const Snapshot& snapshot, std::string_view state) {
  return std::count_if(snapshot.runs.begin(), snapshot.runs.end(),
                       [&](const RunRow& run) { return run.state == state; });
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
  for (const RunRow* run : snapshot.live) {
    const auto left = remaining_s(*run, snapshot.runs);
    table.rows.push_back(
        {run->id, run->plugin, format_count(static_cast<double>(run->params)), point_text(run->axes, run->seed),
         device_of(snapshot, *run), fmt::format("{}/{}", run->step, run->steps),
         run->last_val_bpc ? fmt::format("{:.4f}", *run->last_val_bpc) : "-",
         run->tokens_per_s ? format_count(*run->tokens_per_s) : "-", left ? format_duration(*left) : "?"});
  }
  return terminal_table(table);
}

std::string text_of(const Snapshot& snapshot) {
  std::string text = plural(static_cast<int64_t>(snapshot.runs.size()), "run", "runs") + ":";
  for (const char* state : kStates)
    if (const int64_t n = count(snapshot, state); n > 0) text += fmt::format("  {} {}", n, state);
  const bool left = !snapshot.live.empty() || !snapshot.waiting.empty();
  if (left)
    text +=
        snapshot.eta_s ? fmt::format("  about {} left", format_duration(*snapshot.eta_s)) : "  time left not known yet";
  text += "\n";
  if (left && !snapshot.coordinator) text += "no 'bitsweep work' or 'run' holds this root now\n";
  if (!snapshot.live.empty()) text += "\n" + live_table(snapshot);
  if (snapshot.waiting.empty()) return text;
  Table table{{{"queued"}, {"plugin"}, {"params", Align::right}, {"what"}, {"why it waits"}}, {}};
  for (const Waiting& w : snapshot.waiting)
    table.rows.push_back({w.run->id, w.run->plugin, format_count(static_cast<double>(w.run->params)),
                          point_text(w.run->axes, w.run->seed), w.why});
  return text + "\n" + terminal_table(table);
}

json::object json_of(const Snapshot& snapshot) {
  json::object counts;
  for (const char* state : kStates) counts[state] = count(snapshot, state);
  json::array running, queued;
  for (const RunRow* run : snapshot.live) {
    json::object object = run_json(*run);
    object["step"] = run->step;
    object["device"] = device_of(snapshot, *run);
    const auto left = remaining_s(*run, snapshot.runs);
    object["eta_s"] = left ? json::value(*left) : json::value(nullptr);
    running.push_back(std::move(object));
  }
  for (const Waiting& w : snapshot.waiting) queued.push_back(json::object{{"id", w.run->id}, {"why", w.why}});
  return {{"counts", std::move(counts)},
          {"working", snapshot.coordinator},
          {"running", std::move(running)},
          {"queued", std::move(queued)},
          {"eta_s", snapshot.eta_s ? json::value(*snapshot.eta_s) : json::value(nullptr)}};
}

// Until nothing is queued or live: again after every commit, and every few seconds for the times.
int watch(const Query& query, const std::vector<std::string>& sweeps) {
  for (;;) {
    const Snapshot snapshot = look(query, sweeps);
    print((stdout_is_terminal() ? "\x1b[H\x1b[2J" : "") + text_of(snapshot));
    if (snapshot.live.empty() && snapshot.waiting.empty()) return 0;
    const int64_t seen = query.data_version();
    for (int i = 0; i < 10; ++i) {
      system_clock().sleep_s(0.5);
      if (query.data_version() != seen) break;
    }
  }
}

int run(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.flag("watch", "again and again, until nothing is queued or running")
      .flag("json", "one JSON document")
      .root_option();
  if (!line.parse(args)) return 0;
  const Query query(line.root());
  std::vector<std::string> sweeps;
  for (const std::string& name : line.positional()) sweeps.push_back(query.sweep_name(name));
  if (line.has("watch")) return watch(query, sweeps);
  const Snapshot snapshot = look(query, sweeps);
  print(line.has("json") ? pretty_json(json_of(snapshot)) + "\n" : text_of(snapshot));
  return 0;
}

}  // namespace

const Verb kStatusVerb{"status", "Counts by state, what runs where and how fast, why the rest waits", "[SWEEP…]",
                       "bitsweep status --watch", run};

}  // namespace bitsweep
