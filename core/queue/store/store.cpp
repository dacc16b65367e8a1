// Opening and reading.
#include "store/store.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "store/history.h"
#include "store/schema.h"

namespace bitsweep::store {
namespace {

fs::path prepared_root(const fs::path& root, StoreMode mode) {
  refuse_network_filesystem(root);
  const RootPaths paths{root};
  if (!fs::exists(paths.database()) && history_has_rows(paths.history()))
    throw Error(
        ErrorKind::refused,
        fmt::format("'{}' has no database, but run folders and their history: 'bitsweep rebuild --root {}' makes "
                    "the database again. To begin anew instead, move '{}' away",
                    root.string(), root.string(), paths.runs().string()));
  if (mode == StoreMode::create) make_folder(root);
  return root;
}

constexpr const char* kRunColumns =
    "run.id, sweep.name, run.state, exit_cause, message, plugin, spec, axes, seed, params, tokens, steps, flops, "
    "init_from, device, slots, threads, memory_bytes, timeout_s, retries, priority, paused, request, not_before, "
    "run.position, attempts, faults, step, best_val_bpc, last_val_bpc, tokens_per_s, wall_s";

json::object object_of(std::string_view text) {
  auto value = try_parse_json(text);
  return value && value->is_object() ? std::move(value->get_object()) : json::object{};
}

RunState state_of(std::string_view text) { return run_state_from(text).value_or(RunState::failed); }
ExitCause cause_of(std::string_view text) { return exit_cause_from(text).value_or(ExitCause::none); }

RunRecord read_run(const Statement& row) {
  RunRecord run;
  int c = 0;
  run.id = row.text(c++);
  run.sweep = row.text(c++);
  run.state = state_of(row.text_view(c++));
  run.cause = cause_of(row.text_view(c++));
  run.message = row.text(c++);
  run.plugin = row.text(c++);
  run.spec = object_of(row.text_view(c++));
  run.axes = object_of(row.text_view(c++));
  for (int64_t* value : {&run.seed, &run.params, &run.tokens, &run.steps}) *value = row.integer(c++);
  run.flops = row.real(c++);
  run.init_from = row.text(c++);
  run.resources.device = row.text(c++);
  for (int64_t* value : {&run.resources.slots, &run.resources.threads, &run.resources.memory_bytes})
    *value = row.integer(c++);
  run.resources.timeout_s = row.real(c++);
  run.retries = row.integer(c++);
  run.priority = row.integer(c++);
  run.paused = row.integer(c++) != 0;
  run.request = row.text(c++);
  run.not_before = row.real(c++);
  for (int64_t* value : {&run.position, &run.attempts, &run.faults, &run.step}) *value = row.integer(c++);
  run.best_val_bpc = row.optional_real(c++);
  run.last_val_bpc = row.optional_real(c++);
  run.tokens_per_s = row.optional_real(c++);
  run.wall_s = row.real(c++);
  return run;
}

constexpr const char* kAttemptColumns =
    "run, attempt, state, exit_cause, message, device, slots, threads, exit_code, signal, started, ended, "
    "events_offset, "
    "events_file";

AttemptRecord read_attempt(const Statement& row) {
  AttemptRecord attempt;
  int c = 0;
  attempt.run = row.text(c++);
  attempt.attempt = row.integer(c++);
  attempt.state = state_of(row.text_view(c++));
  attempt.cause = cause_of(row.text_view(c++));
  attempt.message = row.text(c++);
  attempt.device = row.text(c++);
  attempt.slots = row.integer(c++);
  attempt.threads = row.integer(c++);
  attempt.exit_code = row.optional_integer(c++);
  attempt.signal = row.optional_integer(c++);
  attempt.started = row.optional_real(c++);
  attempt.ended = row.optional_real(c++);
  attempt.events_offset = static_cast<uint64_t>(row.integer(c++));
  attempt.events_file = static_cast<uint64_t>(row.integer(c++));
  return attempt;
}

std::vector<AttemptRecord> read_attempts(Statement statement) {
  std::vector<AttemptRecord> attempts;
  while (statement.step()) attempts.push_back(read_attempt(statement));
  return attempts;
}

// A list of names as one bound value, for "IN (SELECT value FROM json_each(?))"; null for no restriction.
std::optional<std::string> names_json(std::span<const std::string> names) {
  if (names.empty()) return std::nullopt;
  return json::serialize(json::array(names.begin(), names.end()));
}

constexpr const char* kInSweeps =
    "(?1 IS NULL OR run.id IN (SELECT sweep_run.run FROM sweep_run JOIN sweep ON sweep.id = sweep_run.sweep "
    "WHERE active AND sweep.name IN (SELECT value FROM json_each(?1))))";

}  // namespace

Store::Store(const fs::path& root, StoreMode mode, Clock& clock)
    : paths_{prepared_root(root, mode)}, clock_(clock), database_(paths_.database(), mode) {
  if (mode == StoreMode::read_only) {
    require_current(database_);
    return;
  }
  migrate(database_);
  history_ = std::make_unique<History>(database_, paths_.history());
}

Store::~Store() = default;

bool Store::exists(const fs::path& root) { return fs::exists(RootPaths{root}.database()); }

Statement& Store::sql(const char* text) {
  const auto known = statements_.find(text);
  if (known != statements_.end()) return known->second;
  return statements_.emplace(text, database_.prepare(text)).first->second;
}

std::optional<RunRecord> Store::run(std::string_view id) {
  static const std::string kText =
      fmt::format("SELECT {} FROM run JOIN sweep ON sweep.id = run.sweep WHERE run.id = ?", kRunColumns);
  Statement& row = sql(kText.c_str()).bind(id);
  if (!row.step()) return std::nullopt;
  RunRecord run = read_run(row);
  row.reset();
  return run;
}

std::optional<RunState> Store::state(std::string_view id) {
  Statement& row = sql("SELECT state FROM run WHERE id = ?").bind(id);
  if (!row.step()) return std::nullopt;
  const RunState state = state_of(row.text_view(0));
  row.reset();
  return state;
}

std::string Store::resolve_run(std::string_view prefix) {
  // Ids are hex digits: the first one that does not begin so is beyond prefix + 'g'.
  Statement& row = sql("SELECT id FROM run WHERE id >= ?1 AND id < ?1 || 'g' ORDER BY id LIMIT 5").bind(prefix);
  std::vector<std::string> found;
  while (row.step()) found.push_back(row.text(0));
  if (found.size() == 1 && !prefix.empty()) return found[0];
  if (found.empty()) throw Error(ErrorKind::input, fmt::format("no run '{}'; 'bitsweep runs' lists them", prefix));
  if (found[0] == prefix) return found[0];
  throw Error(ErrorKind::input, fmt::format("'{}' begins several runs: {}", prefix, fmt::join(found, ", ")));
}

std::vector<QueueEntry> Store::queue(std::span<const std::string> sweeps, int64_t most) {
  Statement row = database_.prepare(fmt::format(
      "SELECT run.id, sweep.name, run.priority, run.position, run.device, run.slots, run.threads, run.memory_bytes, "
      "run.not_before, run.paused, run.init_from, base.state, run.flops, run.plugin, run.attempts > 0 AND EXISTS "
      "(SELECT 1 FROM attempt WHERE attempt.run = run.id AND attempt.exit_cause = 'oom') "
      "FROM run JOIN sweep ON sweep.id = run.sweep LEFT JOIN run AS base ON base.id = run.init_from "
      "WHERE run.state = 'queued' AND {} "
      "ORDER BY run.priority DESC, run.position LIMIT ?2",
      kInSweeps));
  row.bind(names_json(sweeps), most);
  std::vector<QueueEntry> queue;
  while (row.step()) {
    QueueEntry entry{.id = row.text(0),
                     .sweep = row.text(1),
                     .plugin = row.text(13),
                     .priority = row.integer(2),
                     .position = row.integer(3),
                     .device = row.text(4),
                     .slots = row.integer(5),
                     .threads = row.integer(6),
                     .memory_bytes = row.integer(7),
                     .ran_out_of_memory = row.integer(14) != 0,
                     .flops = row.real(12),
                     .not_before = row.real(8),
                     .paused = row.integer(9) != 0,
                     .init_from = row.text(10),
                     .init_from_state = std::nullopt};
    if (!row.is_null(11)) entry.init_from_state = state_of(row.text_view(11));
    queue.push_back(std::move(entry));
  }
  return queue;
}

std::map<RunState, int64_t> Store::counts(std::span<const std::string> sweeps) {
  // Each state's stretch of the index is counted by itself, which is faster than to group them.
  Statement row = database_.prepare(
      sweeps.empty() ? "WITH s (state) AS (VALUES ('queued'), ('starting'), ('running'), ('done'), ('failed'), "
                       "('stopped'), ('cancelled')) "
                       "SELECT s.state, (SELECT count(*) FROM run WHERE run.state = s.state) FROM s"
                     : fmt::format("SELECT state, count(*) FROM run WHERE {} GROUP BY state", kInSweeps));
  if (!sweeps.empty()) row.bind(names_json(sweeps));
  std::map<RunState, int64_t> counts;
  while (row.step())
    if (const int64_t count = row.integer(1); count > 0) counts[state_of(row.text_view(0))] = count;
  return counts;
}

std::vector<AttemptRecord> Store::live_attempts() {
  return read_attempts(database_.prepare(fmt::format(
      "SELECT {} FROM attempt WHERE state IN ('starting', 'running') ORDER BY run, attempt", kAttemptColumns)));
}

std::vector<AttemptRecord> Store::attempts(std::string_view run) {
  Statement statement =
      database_.prepare(fmt::format("SELECT {} FROM attempt WHERE run = ? ORDER BY attempt", kAttemptColumns));
  statement.bind(run);
  return read_attempts(std::move(statement));
}

std::optional<AttemptRecord> Store::attempt(std::string_view run, int64_t attempt) {
  static const std::string kText =
      fmt::format("SELECT {} FROM attempt WHERE run = ? AND attempt = ?", kAttemptColumns);
  Statement& row = sql(kText.c_str()).bind(run, attempt);
  if (!row.step()) return std::nullopt;
  AttemptRecord record = read_attempt(row);
  row.reset();
  return record;
}

std::vector<RunRecord> Store::runs_of(std::string_view sweep) {
  if (!sweep_settings(sweep))
    throw Error(ErrorKind::input, fmt::format("no sweep '{}'{}", sweep, did_you_mean(sweep, sweep_names())));
  Statement row = database_.prepare(fmt::format(
      "SELECT {} FROM run JOIN sweep_run ON sweep_run.run = run.id AND sweep_run.active JOIN sweep AS held ON "
      "held.id = sweep_run.sweep JOIN sweep ON sweep.id = run.sweep WHERE held.name = ? ORDER BY sweep_run.position",
      std::string(kRunColumns).replace(std::string_view(kRunColumns).find(" axes"), 5, " sweep_run.axes")));
  row.bind(sweep);
  std::vector<RunRecord> runs;
  while (row.step()) runs.push_back(read_run(row));
  return runs;
}

std::vector<std::string> Store::asked_to_cancel() {
  Statement& row = sql("SELECT id FROM run WHERE state IN ('starting', 'running') AND request = 'cancel'").bind();
  std::vector<std::string> runs;
  while (row.step()) runs.push_back(row.text(0));
  return runs;
}

std::vector<std::string> Store::sweep_names() {
  Statement& row = sql("SELECT name FROM sweep ORDER BY name").bind();
  std::vector<std::string> names;
  while (row.step()) names.push_back(row.text(0));
  return names;
}

std::string Store::sweep_source(std::string_view name) {
  Statement& row = sql("SELECT source FROM sweep WHERE name = ?").bind(name);
  std::string source = row.step() ? row.text(0) : "";
  row.reset();
  return source;
}

int64_t Store::run_count() { return database_.integer("SELECT count(*) FROM run"); }

std::optional<json::object> Store::sweep_settings(std::string_view sweep) {
  Statement& row = sql("SELECT settings FROM sweep WHERE name = ?").bind(sweep);
  if (!row.step()) return std::nullopt;
  json::object settings = object_of(row.text_view(0));
  row.reset();
  return settings;
}

int64_t Store::data_version() {
  Statement& row = sql("PRAGMA data_version").bind();
  const int64_t version = row.step() ? row.integer(0) : 0;
  row.reset();
  return version;
}

}  // namespace bitsweep::store
