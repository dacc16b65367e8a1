// Runs that were trained elsewhere: finished from the start.
#include <sys/stat.h>

#include <fmt/format.h>

#include "base/error.h"
#include "store/imports.h"
#include "store/store.h"

namespace bitsweep::store {
namespace {

constexpr const char* kElsewhere = "elsewhere";  // the attempt's device

}  // namespace

void Store::check_import_sweep(std::string_view sweep) {
  const auto settings = sweep_settings(sweep);
  if (settings && !bool_or(*settings, "imported", false))
    throw Error(ErrorKind::input, fmt::format("the sweep '{}' was submitted; runs from elsewhere need a name of their "
                                              "own (--sweep)",
                                              sweep));
}

SubmitResult Store::compare_import(std::string_view sweep, std::span<const ImportedRun> runs) {
  check_import_sweep(sweep);
  NewSweep as_sweep{.name = std::string(sweep), .file = "", .source = "", .settings = {}, .runs = {}};
  for (const ImportedRun& imported : runs) as_sweep.runs.push_back(imported.run);
  SubmitResult result = compare(as_sweep);
  result.gone.clear();  // what was imported before stays
  return result;
}

SubmitResult Store::import_runs(std::string_view sweep, std::string_view file, std::span<const ImportedRun> runs) {
  Transaction transaction(database_);
  const SubmitResult result = compare_import(sweep, runs);
  sql("INSERT INTO sweep (name, file, source, settings, submitted) VALUES (?1, ?2, '', '{\"imported\":true}', ?3) "
      "ON CONFLICT (name) DO UPDATE SET file = ?2, submitted = ?3, version = version + 1 WHERE ?4")
      .run(sweep, file, clock_.unix_s(), !result.added.empty() || !result.changed.empty());
  Statement& row = sql("SELECT id, (SELECT coalesce(max(position), 0) FROM sweep_run WHERE sweep = sweep.id) FROM "
                       "sweep WHERE name = ?")
                       .bind(sweep);
  row.step();
  const int64_t id = row.integer(0);
  int64_t position = row.integer(1);
  row.reset();
  for (const ImportedRun& imported : runs) {
    const bool known = state(imported.run.id).has_value();
    Statement& held = sql("SELECT position FROM sweep_run WHERE sweep = ? AND run = ?").bind(id, imported.run.id);
    const int64_t place = held.step() ? held.integer(0) : ++position;
    held.reset();
    put_run(imported.run, id, place);
    if (!known) put_imported(imported);
  }
  for (const auto& changed : result.changed) withdraw(changed.before, id);
  transaction.commit();
  return result;
}

void Store::put_imported(const ImportedRun& imported) {
  const std::string& run = imported.run.id;
  const fs::path folder = paths_.attempt(run, 1), file = folder / "events.jsonl";
  make_folder(folder);
  write_file_atomic(folder / "spec.json", pretty_json(imported.run.spec) + "\n");
  std::string lines;
  for (const event::Event& event : imported.events) lines += to_line(event);
  write_file_atomic(file, lines);
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0)
    throw Error(ErrorKind::environment, fmt::format("cannot read '{}', which was just written", file.string()));
  claim(run, kElsewhere, 1, 1);
  // Elsewhere nobody counted these.
  sql("UPDATE run SET imported = 1, started = ?2, flops = NULL, epochs = NULL WHERE id = ?1")
      .run(run, imported.started);
  sql("UPDATE attempt SET started = ?2 WHERE run = ?1").run(run, imported.started);
  std::vector<event::Event> events;
  for (const event::Event& event : imported.events)  // as a reader of the file finds them
    if (auto parsed = event::parse_event(to_line(event))) events.push_back(std::move(*parsed));
  const Batch batch{run, 1, events, static_cast<uint64_t>(info.st_size), static_cast<uint64_t>(info.st_ino)};
  ingest({&batch, 1});
  finish(run, 1,
         {.state = imported.state,
          .cause = imported.state == RunState::done ? ExitCause::none : ExitCause::stopped,
          .message = imported.message,
          .exit_code = {},
          .signal = {},
          .peak_rss_bytes = {},
          .ended = imported.ended});
}

std::vector<KnownImport> known_imports(Store& store, std::string_view sweep) {
  Statement rows = store.database().prepare(
      "SELECT coalesce(m.axes ->> '$.run', ''), coalesce(e.fields ->> '$.file', ''), "
      "coalesce(run.spec ->> '$.data.corpus', ''), coalesce(run.spec ->> '$.data.tokenizer', ''), "
      "e.fields ->> '$.bytes_per_token' FROM sweep_run AS m JOIN run ON run.id = m.run JOIN event AS e ON e.run = "
      "m.run "
      "AND e.attempt = 1 AND e.seq = 1 WHERE m.sweep = (SELECT id FROM sweep WHERE name = ?1) AND m.active AND "
      "run.imported");
  rows.bind(sweep);
  std::vector<KnownImport> known;
  while (rows.step()) known.push_back({rows.text(0), rows.text(1), rows.text(2), rows.text(3), rows.optional_real(4)});
  return known;
}

std::optional<DatasetRecord> dataset_that_begins(Store& store, std::string_view prefix) {
  Statement rows = store.database().prepare("SELECT id FROM dataset WHERE id >= ?1 AND id < ?1 || 'g'");
  rows.bind(prefix);
  if (!rows.step()) return std::nullopt;
  const std::string id = rows.text(0);
  if (rows.step())
    throw Error(ErrorKind::input, fmt::format("'{}' begins the id of several data sets; give more digits", prefix));
  return store.dataset(id);
}

}  // namespace bitsweep::store
