#include "store/control.h"

#include <fmt/format.h>

namespace bitsweep::store {
namespace {

std::optional<std::string> value_of(Store& store, std::string_view name) {
  Statement row = store.database().prepare("SELECT value FROM control WHERE name = ?");
  row.bind(name);
  if (!row.step()) return std::nullopt;
  return row.text(0);
}

void put_value(Store& store, std::string_view name, const std::string& value) {
  if (value_of(store, name) == value) return;
  store.database()
      .prepare("INSERT INTO control (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2")
      .run(name, value);
}

json::object object_of(Store& store, std::string_view name) {
  const auto text = value_of(store, name);
  auto value = text ? try_parse_json(*text) : std::nullopt;
  return value && value->is_object() ? std::move(value->get_object()) : json::object();
}

std::string names_json(const std::vector<std::string>& names) {
  return json::serialize(json::array(names.begin(), names.end()));
}

}  // namespace

Control read_control(Store& store) {
  const json::object devices = object_of(store, "devices");
  return {.paused = value_of(store, "paused") == "1",
          .devices = string_or(devices, "devices", ""),
          .slots_per_device = integer_or(devices, "slots_per_device", 1)};
}

void set_all_paused(Store& store, bool paused) { put_value(store, "paused", paused ? "1" : "0"); }

void set_devices(Store& store, std::string_view devices, int64_t slots_per_device) {
  put_value(store, "devices", compact_json({{"devices", devices}, {"slots_per_device", slots_per_device}}));
}

void put_coordinator_status(Store& store, const CoordinatorStatus& word) {
  put_value(store, "coordinator",
            compact_json({{"devices", word.devices},
                          {"slots_per_device", word.slots_per_device},
                          {"disk_floor_bytes", word.disk_floor_bytes}}));
}

std::optional<CoordinatorStatus> read_coordinator_status(Store& store) {
  const json::object word = object_of(store, "coordinator");
  if (word.empty()) return std::nullopt;
  return CoordinatorStatus{.devices = string_or(word, "devices", ""),
                         .slots_per_device = integer_or(word, "slots_per_device", 1),
                         .disk_floor_bytes = integer_or(word, "disk_floor_bytes", 0)};
}

namespace {

std::vector<std::string> ids_of(Store& store, const char* sql) {
  Statement row = store.database().prepare(sql);
  std::vector<std::string> runs;
  while (row.step()) runs.push_back(row.text(0));
  return runs;
}

}  // namespace

std::vector<std::string> asked_to_pause(Store& store) {
  return ids_of(store, "SELECT id FROM run WHERE state IN ('starting', 'running') AND paused");
}

std::vector<std::string> paused_runs(Store& store) {
  return ids_of(store, "SELECT id FROM run WHERE state IN ('queued', 'starting', 'running') AND paused");
}

int64_t foremost_priority(Store& store) {
  return store.database().integer("SELECT coalesce(max(priority), 0) + 1 FROM run WHERE state = 'queued'");
}

std::vector<Ahead> what_is_ahead(Store& store, const std::vector<std::string>& sweeps) {
  // Without a sweep the index run_ahead answers alone; a hundred thousand rows of the table would be read otherwise.
  const std::string of_sweeps =
      sweeps.empty() ? ""
                     : "AND id IN (SELECT sweep_run.run FROM sweep_run JOIN sweep ON sweep.id = sweep_run.sweep "
                       "WHERE active AND sweep.name IN (SELECT value FROM json_each(?1)))";
  Statement row = store.database().prepare(
      fmt::format("SELECT plugin, state <> 'queued', count(*), sum(params), sum(coalesce(flops, 0)) FROM run "
                  "WHERE state IN ('queued', 'starting', 'running') {} GROUP BY state, plugin",
                  of_sweeps));
  if (!sweeps.empty()) row.bind(names_json(sweeps));
  std::vector<Ahead> ahead;
  while (row.step()) ahead.push_back({row.text(0), row.integer(1) != 0, row.integer(2), row.real(3), row.real(4)});
  return ahead;
}

std::optional<double> measured_flops_per_s(Store& store, std::string_view plugin) {
  Statement row = store.database().prepare(
      "SELECT avg(tokens_per_s * flops / tokens) FROM (SELECT tokens_per_s, flops, tokens FROM run WHERE state = "
      "'done' AND plugin = ? AND tokens_per_s > 0 AND tokens > 0 AND NOT imported ORDER BY flops DESC LIMIT 20)");
  row.bind(plugin);
  if (!row.step()) return std::nullopt;
  return row.optional_real(0);
}

std::vector<PastStart> last_starts(Store& store, int64_t most) {
  Statement row = store.database().prepare(
      "SELECT sweep.name, last.slots, run.flops, run.plugin FROM "
      "(SELECT run, attempt, slots, started FROM attempt ORDER BY started DESC LIMIT ?1) AS last "
      "JOIN run ON run.id = last.run JOIN sweep ON sweep.id = run.sweep ORDER BY last.started, run.position");
  std::vector<PastStart> starts;
  for (row.bind(most); row.step();)
    starts.push_back({.sweep = row.text(0), .plugin = row.text(3), .slots = row.integer(1), .flops = row.real(2)});
  return starts;
}

CheckpointsAhead checkpoints_ahead(Store& store, const std::vector<std::string>& sweeps) {
  Statement row = store.database().prepare(
      "SELECT id, params, attempts > 0 FROM run WHERE state IN ('queued', 'starting', 'running') AND "
      "coalesce(json_extract(spec, '$.checkpoint.keep'), '') <> '[]' AND (?1 IS NULL OR id IN (SELECT sweep_run.run "
      "FROM sweep_run JOIN sweep ON sweep.id = sweep_run.sweep WHERE active AND sweep.name IN "
      "(SELECT value FROM json_each(?1))))");
  row.bind(sweeps.empty() ? std::nullopt : std::optional(names_json(sweeps)));
  CheckpointsAhead ahead;
  while (row.step()) {
    if (row.integer(2) != 0)
      ahead.begun.push_back({row.text(0), row.integer(1)});
    else
      ahead.params += row.real(1);
  }
  return ahead;
}

std::vector<KnownRun> known_runs(Store& store) {
  Statement rows = store.database().prepare("SELECT id, state, ended, init_from FROM run ORDER BY position");
  std::vector<KnownRun> runs;
  while (rows.step())
    runs.push_back({.id = rows.text(0),
                    .init_from = rows.text(3),
                    .state = run_state_from(rows.text_view(1)).value_or(RunState::running),
                    .ended = rows.real(2)});
  return runs;
}

std::vector<std::pair<std::string, int64_t>> finished_runs(Store& store, std::string_view plugin, int64_t most) {
  Statement row = store.database().prepare(
      "SELECT id, params FROM run WHERE state = 'done' AND plugin = ? AND params > 0 AND NOT imported LIMIT ?");
  row.bind(plugin, most);
  std::vector<std::pair<std::string, int64_t>> runs;
  while (row.step()) runs.emplace_back(row.text(0), row.integer(1));
  return runs;
}

}  // namespace bitsweep::store
