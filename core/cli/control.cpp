// `bitsweep retry` and `bitsweep cancel`: a person's word on runs or whole sweeps, through the database, whether or not
// a coordinator is at work.
#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "cli/options.h"
#include "store/store.h"

namespace bitsweep {
namespace {

Store open_existing(const fs::path& root) {
  if (!Store::exists(root)) Store(root, StoreMode::read_only);  // throws, naming what makes one
  return Store(root, StoreMode::create);
}

// Runs by id, prefix, or sweep; each once, in the order given.
std::vector<RunRecord> runs_named(Store& store, const std::vector<std::string>& names) {
  const std::vector<std::string> sweeps = store.sweep_names();
  std::vector<RunRecord> runs;
  const auto add = [&](RunRecord run) {
    const bool known = std::any_of(runs.begin(), runs.end(), [&](const RunRecord& r) { return r.id == run.id; });
    if (!known) runs.push_back(std::move(run));
  };
  for (const std::string& name : names) {
    if (std::find(sweeps.begin(), sweeps.end(), name) == sweeps.end())
      add(store.run(store.resolve_run(name)).value());
    else
      for (RunRecord& run : store.runs_of(name)) add(std::move(run));
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
  Store store = open_existing(line.root());
  Transaction transaction(store.database());
  int64_t count = 0;
  for (const RunRecord& run : runs_named(store, line.positional().empty() ? store.sweep_names() : line.positional()))
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
  Store store = open_existing(line.root());
  Transaction transaction(store.database());
  int64_t count = 0;
  for (const RunRecord& run : runs_named(store, line.positional())) count += store.cancel(run.id);
  transaction.commit();
  print(fmt::format("{} run{} cancelled\n", count, count == 1 ? "" : "s"));
  return 0;
}

}  // namespace

const Verb kRetryVerb{"retry", "Queue runs again that failed, stopped or were cancelled",
                      "[RUN|SWEEP…] [--state failed]", "bitsweep retry --state failed", retry};
const Verb kCancelVerb{"cancel", "Give up runs: queued ones at once, running ones after a graceful stop", "RUN|SWEEP…",
                       "bitsweep cancel 0123abcd", cancel};

}  // namespace bitsweep
