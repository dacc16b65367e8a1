// `retry`, `cancel`, `pause`, `resume`, `bump`, `devices`: a person's word on runs, whole sweeps or all of the queue,
// through the database, whether or not a coordinator is at work. One that is hears it within a fifth of a second.
#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "cli/options.h"
#include "schedule/schedule.h"
#include "store/control.h"

namespace bitsweep::cli {
namespace {

store::Store open_existing(const fs::path& root) {
  if (!store::Store::exists(root)) store::Store(root, store::StoreMode::read_only);  // throws, naming what makes one
  return store::Store(root, store::StoreMode::create);
}

// Runs by id, prefix, or sweep; each once, in the order given.
std::vector<store::RunRecord> runs_named(store::Store& store, const std::vector<std::string>& names) {
  const std::vector<std::string> sweeps = store.sweep_names();
  std::vector<store::RunRecord> runs;
  const auto add = [&](store::RunRecord run) {
    const bool known = std::any_of(runs.begin(), runs.end(), [&](const store::RunRecord& r) { return r.id == run.id; });
    if (!known) runs.push_back(std::move(run));
  };
  for (const std::string& name : names) {
    if (std::find(sweeps.begin(), sweeps.end(), name) == sweeps.end())
      add(store.run(store.resolve_run(name)).value());
    else
      for (store::RunRecord& run : store.runs_of(name)) add(std::move(run));
  }
  return runs;
}

int retry(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.root_option().value("state", "only runs in this state: failed, stopped or cancelled");
  if (!line.parse(args, 0, 100'000)) return 0;
  std::optional<RunState> only;
  if (const auto word = line.get("state")) {
    only = run_state_from(*word);
    if (!only || !is_terminal(*only) || *only == RunState::done)
      throw Error(ErrorKind::input, fmt::format("bitsweep retry: --state '{}': expected failed, stopped or cancelled{}",
                                                *word, did_you_mean(*word, {"failed", "stopped", "cancelled"})));
  }
  if (line.positional().empty() && !only)
    throw Error(ErrorKind::input, "bitsweep retry: expected runs or sweeps, or --state failed for all that failed");
  store::Store store = open_existing(line.root());
  store::Transaction transaction(store.database());
  int64_t count = 0;
  for (const store::RunRecord& run :
       runs_named(store, line.positional().empty() ? store.sweep_names() : line.positional()))
    if (!only || run.state == *only) count += store.retry(run.id);
  transaction.commit();
  print(fmt::format("{} run{} queued again; 'bitsweep work' goes on from the last checkpoints\n", count,
                    count == 1 ? "" : "s"));
  return 0;
}

int cancel(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.root_option();
  if (!line.parse(args, 1, 100'000)) return 0;
  store::Store store = open_existing(line.root());
  store::Transaction transaction(store.database());
  int64_t count = 0;
  for (const store::RunRecord& run : runs_named(store, line.positional())) count += store.cancel(run.id);
  transaction.commit();
  print(fmt::format("{} run{} cancelled\n", count, count == 1 ? "" : "s"));
  return 0;
}

std::string counted(int64_t count, const char* what) {
  return fmt::format("{} run{} {}\n", count, count == 1 ? "" : "s", what);
}

// Runs or sweeps, or --all, but not both and not neither.
bool all_of(const CommandLine& line, const Verb& verb) {
  if (line.has("all") == line.positional().empty()) return line.has("all");
  throw Error(ErrorKind::input,
              fmt::format("bitsweep {}: expected {}", verb.name,
                          line.has("all") ? "runs or sweeps, or --all, not both" : "runs or sweeps, or --all"));
}

int pause(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.root_option().flag("all", "the whole queue: nothing is started, whatever is submitted, until 'resume --all'");
  if (!line.parse(args, 0, 100'000)) return 0;
  const bool all = all_of(line, verb);
  store::Store store = open_existing(line.root());
  if (all) {
    set_all_paused(store, true);
    print("all paused; what runs stops after a checkpoint\n");
    return 0;
  }
  store::Transaction transaction(store.database());
  int64_t count = 0;
  for (const store::RunRecord& run : runs_named(store, line.positional())) count += store.set_paused(run.id, true);
  transaction.commit();
  print(counted(count, "paused; those that run stop after a checkpoint"));
  return 0;
}

int resume(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.root_option().flag("all", "the whole queue, and every run that was paused by itself");
  if (!line.parse(args, 0, 100'000)) return 0;
  const bool all = all_of(line, verb);
  store::Store store = open_existing(line.root());
  store::Transaction transaction(store.database());
  int64_t count = 0;
  for (const std::string& run : all ? paused_runs(store) : std::vector<std::string>())
    count += store.set_paused(run, false);
  if (all) set_all_paused(store, false);
  for (const store::RunRecord& run : runs_named(store, line.positional())) count += store.set_paused(run.id, false);
  const bool still = read_control(store).paused;
  transaction.commit();
  print(counted(count, "resumed") + (still ? "all of the queue is paused: 'bitsweep resume --all' ends that\n" : ""));
  return 0;
}

int bump(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.root_option().value("priority", "this priority instead of one above all others (higher goes first)");
  if (!line.parse(args, 1, 100'000)) return 0;
  const auto asked = line.number("priority", -1e6, 1e6);
  store::Store store = open_existing(line.root());
  store::Transaction transaction(store.database());
  const int64_t priority = asked ? static_cast<int64_t>(*asked) : foremost_priority(store);
  int64_t count = 0;
  for (const store::RunRecord& run : runs_named(store, line.positional()))
    count += store.set_priority(run.id, priority);
  transaction.commit();
  print(counted(count, fmt::format("at priority {}", priority).c_str()));
  return 0;
}

int devices(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.root_option().value("slots-per-device", "runs at once on each GPU (default 1)");
  if (!line.parse(args, 1, 1)) return 0;
  const auto slots = static_cast<int64_t>(line.number("slots-per-device", 1, 64).value_or(1));
  const std::string& list = line.positional()[0];
  const bool none = list == "auto";
  if (!none)
    schedule::parse_devices(list, slots);  // what is wrong with it is said here, not by a coordinator elsewhere
  store::Store store = open_existing(line.root());
  set_devices(store, none ? "" : list, slots);
  print(none ? "the next 'bitsweep work' finds its devices by itself\n"
             : fmt::format("{}: now, and for every 'bitsweep work' without --devices\n", list));
  return 0;
}

}  // namespace

const Verb kRetryVerb{"retry", "Queue runs again that failed, stopped or were cancelled",
                      "[RUN|SWEEP…] [--state failed]", "bitsweep retry --state failed", retry};
const Verb kCancelVerb{"cancel", "Give up runs: queued ones at once, running ones after a graceful stop", "RUN|SWEEP…",
                       "bitsweep cancel 0123abcd", cancel};

const Verb kPauseVerb{"pause", "Hold runs back; running ones stop after a checkpoint and keep their place",
                      "RUN|SWEEP…|--all", "bitsweep pause --all", pause};
const Verb kResumeVerb{"resume", "Let paused runs go on from their checkpoints", "RUN|SWEEP…|--all",
                       "bitsweep resume --all", resume};
const Verb kBumpVerb{"bump", "Put runs before all others in the queue", "RUN|SWEEP… [--priority N]",
                     "bitsweep bump 0123abcd", bump};
const Verb kDevicesVerb{"devices", "Change the devices and slots of the coordinator at work",
                        "LIST|auto [--slots-per-device N]", "bitsweep devices cpu:4,cuda:0", devices};

}  // namespace bitsweep::cli
