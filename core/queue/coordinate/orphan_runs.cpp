#include "coordinate/orphan_runs.h"

#include <algorithm>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include "base/error.h"
#include "coordinate/attempt_files.h"
#include "coordinate/live_attempt.h"
#include "execute/records.h"
#include "spec/run_spec.h"

namespace bitsweep::coordinate {
namespace {

constexpr uint64_t kLargestSpec_bytes = 16 << 20;

struct Folder {
  std::string run;
  std::vector<int64_t> attempts;  // ascending
};

std::vector<Folder> folders_of(const fs::path& runs) {
  std::vector<Folder> folders;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(runs, code)) {
    if (!entry.is_directory(code)) continue;
    Folder folder{.run = entry.path().filename().string(), .attempts = {}};
    for (int64_t k = 1, last = highest_attempt(entry.path()); k <= last; ++k)
      if (fs::exists(entry.path() / fmt::format("attempt-{}", k), code)) folder.attempts.push_back(k);
    if (!folder.attempts.empty()) folders.push_back(std::move(folder));
  }
  std::sort(folders.begin(), folders.end(), [](const Folder& a, const Folder& b) { return a.run < b.run; });
  return folders;
}

std::optional<json::object> object_in(const fs::path& file) {
  try {
    auto value = try_parse_json(read_file(file, kLargestSpec_bytes));
    if (value && value->is_object()) return std::move(value->get_object());
  } catch (const Error&) {
    // Not there or not readable: it tells nothing.
  }
  return std::nullopt;
}

std::optional<event::Event> start_event(const fs::path& attempt_folder) {
  for (event::Event& event : event::read_events(attempt_folder / "events.jsonl", 0).events)
    if (event.kind == "start") return std::move(event);
  return std::nullopt;
}

double modified_unix_s(const fs::path& file, double otherwise) {
  struct stat info {};
  return ::stat(file.c_str(), &info) == 0 ? static_cast<double>(info.st_mtime) : otherwise;
}

// What the planner said of the run, as far as its spec and its start tell it. Nothing without a readable spec.
std::optional<store::NewRun> run_from(const fs::path& run_folder, const Folder& folder) {
  const fs::path newest = run_folder / fmt::format("attempt-{}", folder.attempts.back());
  auto spec = object_in(newest / "spec.json");
  if (!spec) return std::nullopt;
  store::NewRun run;
  run.id = folder.run;
  run.seed = integer_or(*spec, "seed", 0);
  run.axes = {{"run", folder.run}};
  if (const auto start = start_event(newest)) {
    run.params = integer_or(start->fields, "params", 0);
    run.params_extra = integer_or(start->fields, "params_extra", 0);
  }
  try {
    const spec::RunSpec full = spec::run_spec_from_json(*spec);
    run.plugin = full.model.plugin;
    run.tokens = full.tokens();
    run.steps = full.train.steps;
    run.init_from = full.train.init_from;
    if (!full.data.sha256.empty()) run.dataset = dataset_id(full.data);
  } catch (const Error&) {
    const json::value* model = spec->if_contains("model");
    run.plugin = model != nullptr && model->is_object() ? string_or(model->get_object(), "plugin", "") : "";
    run.steps = integer_or(*spec, "steps", 0);
  }
  run.spec = std::move(*spec);
  return run;
}

// Nothing holds the run's lock: nothing of it is alive.
bool is_over(const fs::path& run_folder) {
  const Fd lock(::open((run_folder / "lock").c_str(), O_RDONLY | O_CLOEXEC));
  return !lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0;
}

std::string word_after(const std::vector<std::string>& words, std::string_view option, std::string otherwise) {
  const auto at = std::find(words.begin(), words.end(), option);
  return at != words.end() && at + 1 != words.end() ? *(at + 1) : otherwise;
}

class Adoption {
 public:
  Adoption(const store::RootPaths& paths, store::Rebuild& rebuild)
      : paths_(paths), rebuild_(rebuild), store_(rebuild.store()) {}

  OrphanRuns run() {
    const std::vector<Folder> folders = folders_of(paths_.runs());
    submit_unknown(folders);
    for (const Folder& folder : folders) {
      if (!store_.state(folder.run)) continue;
      std::vector<int64_t> unknown;
      for (const int64_t k : folder.attempts)
        if (!store_.attempt(folder.run, k)) unknown.push_back(k);
      for (const int64_t k : unknown) adopt(folder.run, k, k == unknown.back());
      if (store_.run(folder.run)->spec.contains("import"))
        rebuild_.was_imported(folder.run);
    }
    return found_;
  }

 private:
  void submit_unknown(const std::vector<Folder>& folders) {
    store::NewSweep sweep{.name = kRecoveredSweep, .file = "", .source = "", .settings = {}, .runs = {}};
    double first = 0;
    for (const Folder& folder : folders) {
      if (store_.state(folder.run)) continue;
      const fs::path run_folder = paths_.run(folder.run);
      auto run = run_from(run_folder, folder);
      if (!run) {
        rebuild_.result().problems.push_back(
            fmt::format("{}: has no readable spec.json; passed over", run_folder.string()));
        continue;
      }
      const double begun = modified_unix_s(
          run_folder / fmt::format("attempt-{}", folder.attempts.front()) / "spec.json", system_clock().unix_s());
      first = first == 0 ? begun : std::min(first, begun);
      sweep.runs.push_back(std::move(*run));
    }
    found_.runs = static_cast<int64_t>(sweep.runs.size());
    if (sweep.runs.empty()) return;
    rebuild_.clock().unix = first;
    store_.submit(sweep);
  }

  void adopt(const std::string& run, int64_t attempt, bool newest) {
    const fs::path folder = paths_.attempt(run, attempt);
    const auto intent = execute::read_intent(folder);
    const auto processes = execute::read_process(folder);
    const auto exit = execute::read_exit(folder);
    const auto start = start_event(folder);
    const json::object facts = start ? start->fields : json::object();
    const std::vector<std::string> words = intent ? intent->command : std::vector<std::string>{};
    const std::string device = string_or(facts, "device", word_after(words, "--device", "cpu"));
    rebuild_.clock().unix = exit ? exit->started : start ? start->time : modified_unix_s(folder / "intent.json", 0);
    // It was claimed, whatever the history knows of the run up to then.
    const bool paused = store_.run(run)->paused;
    rebuild_.make_claimable(run, attempt);
    if (!store_.claim(run, device, 1, integer_or(facts, "threads", 1), attempt)) return;
    store_.set_paused(run, paused);
    ++found_.attempts;
    if (processes) store_.mark_running(run, attempt, processes->worker.pid);
    rebuild_.read_events_of(run, attempt);
    if (newest && !is_over(paths_.run(run))) return;
    end(run, attempt, newest, intent.has_value(), exit);
  }

  void end(const std::string& run, int64_t attempt, bool newest, bool had_intent,
           const std::optional<execute::ExitRecord>& exit) {
    const execute::Liveness liveness = exit         ? execute::Liveness::ended
                                       : had_intent ? execute::Liveness::lost
                                                    : execute::Liveness::never_began;
    const execute::Outcome outcome = judge({.poll = {.liveness = liveness, .exit = exit},
                                            .end = store_.end_event(run, attempt).value_or(store::Store::EndEvent{}),
                                            .stop = StopReason::none});
    const store::AttemptEnd end = end_of(outcome, exit, rebuild_.clock().unix);
    const store::RunRecord record = store_.run(run).value();
    const schedule::AfterAttempt after = schedule::after_attempt(outcome.cause, record.faults, record.retries);
    if (!newest || after.run == RunState::queued)
      store_.requeue(run, attempt, end, after.fault, end.ended);
    else
      store_.finish(run, attempt, end);
  }

  const store::RootPaths& paths_;
  store::Rebuild& rebuild_;
  store::Store& store_;
  OrphanRuns found_;
};

}  // namespace

OrphanRuns adopt_orphan_runs(const store::RootPaths& paths, store::Rebuild& rebuild) {
  return Adoption(paths, rebuild).run();
}

}  // namespace bitsweep::coordinate
