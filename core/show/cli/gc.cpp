// `bitsweep gc`: deletes checkpoints that nobody needs any more; says which before it does.
#include <algorithm>
#include <map>

#include <sys/stat.h>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/units.h"
#include "cli/options.h"
#include "coordinate/checkpoint_policy.h"
#include "execute/process_identity.h"
#include "execute/records.h"
#include "render/table.h"
#include "store/control.h"

namespace bitsweep::cli {
namespace {

constexpr size_t kMostListed = 30;

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

coordinate::CheckpointPolicy policy_of(const CommandLine& line) {
  coordinate::CheckpointPolicy policy;
  std::vector<Diagnostic> wrong;
  const auto complain = [&](std::string message) { wrong.push_back({"", 0, 0, "bitsweep gc: " + std::move(message)}); };
  if (const auto keep = line.get("keep")) {
    policy.keep.clear();
    for (const std::string& word : words_of(*keep))
      if (word == "best" || word == "last")
        policy.keep.insert(word);
      else if (word != "none")
        complain(fmt::format("--keep '{}': expected best, last, both with a comma, or none{}", word,
                             did_you_mean(word, {"best", "last", "none"})));
  }
  if (const auto states = line.get("state")) {
    policy.states.clear();
    for (const std::string& word : words_of(*states))
      if (const auto state = run_state_from(word); state && is_terminal(*state))
        policy.states.insert(*state);
      else
        complain(fmt::format("--state '{}': expected done, failed, stopped or cancelled{}", word,
                             did_you_mean(word, {"done", "failed", "stopped", "cancelled"})));
  }
  if (const auto age = line.get("older-than")) {
    policy.older_than_s = parse_duration_s(*age);
    if (!policy.older_than_s) complain(fmt::format("--older-than '{}': expected a time like 30d or 12h", *age));
  }
  if (const auto size = line.get("max-size")) {
    policy.most_bytes = parse_size(*size);
    if (!policy.most_bytes || !(*policy.most_bytes >= 0))
      complain(fmt::format("--max-size '{}': expected a size like 20B (20 GB) or 500M", *size));
  }
  if (!wrong.empty()) throw Error(ErrorKind::input, std::move(wrong));
  return policy;
}

// Runs by name of a sweep or prefix of an id; of all when none is named.
std::set<std::string> named_run_ids(store::Store& store, const std::vector<std::string>& names) {
  const std::vector<std::string> sweeps = store.sweep_names();
  std::set<std::string> ids;
  for (const std::string& name : names) {
    if (std::find(sweeps.begin(), sweeps.end(), name) == sweeps.end())
      ids.insert(store.resolve_run(name));
    else
      for (const store::RunRecord& run : store.runs_of(name)) ids.insert(run.id);
  }
  return ids;
}

void add_files(const store::RootPaths& paths, const store::KnownRun& run, const std::string& needed_by,
               std::vector<coordinate::StoredCheckpoint>& all) {
  std::error_code code;
  for (const auto& attempt : fs::directory_iterator(paths.run(run.id), code)) {
    // Of this boot the kernel counts the time, whatever the clock was set to meanwhile.
    const auto processes = execute::read_process(attempt.path());
    const auto age = processes ? age_of(processes->shim) : std::nullopt;
    const auto most_age_s = age ? std::optional(age->most_s) : std::nullopt;
    for (const auto& entry : fs::directory_iterator(attempt.path() / "checkpoints", code)) {
      struct stat info {};
      if (::lstat(entry.path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
      const bool whole = entry.path().extension() == ".safetensors";
      all.push_back({.run = run.id,
                     .state = run.state,
                     .kind = whole ? entry.path().stem().string() : "half-written",
                     .file = entry.path(),
                     .bytes = static_cast<uint64_t>(info.st_size),
                     .since = run.ended > 0 ? run.ended : static_cast<double>(info.st_mtime),
                     .needed_by = needed_by,
                     .most_age_s = most_age_s});
    }
  }
}

// What lies there, and what of it somebody needs: a run that is queued or live goes on from its own checkpoints, and
// begins with those of the run it is made from.
std::vector<coordinate::StoredCheckpoint> checkpoints(store::Store& store, const std::set<std::string>& named) {
  const std::vector<store::KnownRun> runs = known_runs(store);
  std::map<std::string, std::string> needed_by;
  for (const store::KnownRun& run : runs) {
    if (is_terminal(run.state)) continue;
    needed_by[run.id] = fmt::format("it is {}", to_text(run.state));
    if (!run.init_from.empty()) needed_by[run.init_from] = fmt::format("run {} begins with it", run.id);
  }
  std::vector<coordinate::StoredCheckpoint> all;
  for (const store::KnownRun& run : runs) {
    if (!named.empty() && !named.contains(run.id)) continue;
    const auto need = needed_by.find(run.id);
    add_files(store.paths(), run, need == needed_by.end() ? "" : need->second, all);
  }
  return all;
}

struct Collected {
  std::vector<coordinate::StoredCheckpoint> all;
  std::vector<size_t> chosen;
  std::vector<std::string> failed;  // what could not be deleted, and why
  double freed_bytes = 0, all_bytes = 0;
};

Collected collect(store::Store& store, const CommandLine& line, const coordinate::CheckpointPolicy& policy,
                  bool really) {
  // With the write lock held no run is queued, retried or claimed between the look and the deletion.
  std::optional<store::Transaction> lock;
  if (really) lock.emplace(store.database());
  Collected found;
  const std::set<std::string> named = named_run_ids(store, line.positional());
  found.all = checkpoints(store, named);
  found.chosen = to_delete(found.all, policy, system_clock().unix_s());
  for (const coordinate::StoredCheckpoint& one : found.all) found.all_bytes += static_cast<double>(one.bytes);
  for (const size_t i : found.chosen) {
    const coordinate::StoredCheckpoint& one = found.all[i];
    std::error_code code;
    if (really) fs::remove(one.file, code);
    if (code)
      found.failed.push_back(fmt::format("cannot delete '{}': {}", one.file.string(), code.message()));
    else
      found.freed_bytes += static_cast<double>(one.bytes);
  }
  return found;
}

std::string words(const Collected& found, bool really) {
  render::Table table{.columns = {{"run", render::Align::left},
                                  {"state", render::Align::left},
                                  {"checkpoint", render::Align::left},
                                  {"size", render::Align::right},
                                  {"age", render::Align::right}},
                      .rows = {}};
  const double now = system_clock().unix_s();
  for (const size_t i : found.chosen) {
    if (table.rows.size() == kMostListed) break;
    const coordinate::StoredCheckpoint& one = found.all[i];
    table.rows.push_back({one.run, std::string(to_text(one.state)), one.kind,
                          format_bytes(static_cast<double>(one.bytes)),
                          format_duration(age_s(one, now))});
  }
  std::string text = table.empty() ? "" : terminal_table(table);
  if (found.chosen.size() > kMostListed) text += fmt::format("and {} more\n", found.chosen.size() - kMostListed);
  const auto needed =
      std::count_if(found.all.begin(), found.all.end(), [](const auto& one) { return !one.needed_by.empty(); });
  text += fmt::format("{} {} of {} in {} of {} checkpoints", really ? "freed" : "would free",
                      format_bytes(found.freed_bytes), format_bytes(found.all_bytes),
                      found.chosen.size() - found.failed.size(), found.all.size());
  if (needed > 0) text += fmt::format("; {} needed by queued or running runs", needed);
  return text + (really || found.chosen.empty() ? "\n" : "; --yes deletes them\n");
}

json::object document(const Collected& found, bool really) {
  json::array files;
  for (const size_t i : found.chosen) {
    const coordinate::StoredCheckpoint& one = found.all[i];
    files.push_back(json::object{{"run", one.run},
                                 {"state", to_text(one.state)},
                                 {"checkpoint", one.kind},
                                 {"bytes", one.bytes},
                                 {"path", one.file.string()}});
  }
  return {{"deleted", really},
          {"bytes", found.freed_bytes},
          {"bytes_before", found.all_bytes},
          {"files", std::move(files)}};
}

int do_gc(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.value("keep", "kinds that stay: best (the default), last, \"best,last\" or none; a run without best keeps last")
      .value("state",
             "of runs in these states: done (the default), failed, stopped, cancelled; one that failed or "
             "stopped can then no longer go on from there")
      .value("older-than", "only of runs that ended so long ago: 30d")
      .value("max-size", "the oldest first, until the checkpoints take no more than this: 500M, 20B for 20 GB")
      .flag("yes,y", "delete them; without it nothing is deleted")
      .flag("json", "one JSON document")
      .root_option();
  if (!line.parse(args, 0, 100'000)) return 0;
  const coordinate::CheckpointPolicy policy = policy_of(line);
  const bool really = line.has("yes");
  if (!store::Store::exists(line.root()))
    store::Store(line.root(), store::StoreMode::read_only);  // throws, naming what makes one
  store::Store store(line.root(), really ? store::StoreMode::create : store::StoreMode::read_only);
  const Collected found = collect(store, line, policy, really);
  print(line.has("json") ? pretty_json(document(found, really)) + "\n" : words(found, really));
  for (const std::string& failure : found.failed) print_error(failure);
  return found.failed.empty() ? 0 : static_cast<int>(ErrorKind::failed);
}

}  // namespace

const Verb kGcVerb{"gc", "Delete checkpoints that nobody needs any more; says which before it does",
                   "[SWEEP|RUN…] [--keep best] [--older-than 30d] [--max-size 20B] [--yes]",
                   "bitsweep gc quickstart --older-than 7d", do_gc};

}  // namespace bitsweep::cli
