#include "store/rebuild.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/error.h"
#include "store/history.h"
#include "store/schema.h"
#include "store/tail.h"

namespace bitsweep::store {
namespace {

constexpr size_t kAttemptsInCommit = 256;

void rename_or_throw(const fs::path& from, const fs::path& to) {
  std::error_code code;
  fs::rename(from, to, code);
  if (code)
    throw Error(ErrorKind::environment,
                fmt::format("cannot move '{}' to '{}': {}", from.string(), to.string(), code.message()));
}

// FILE.kept-1 …, the first that is free.
fs::path free_name(const fs::path& folder, const std::string& begin, const std::string& end) {
  for (int n = 1;; ++n)
    if (fs::path name = folder / fmt::format("{}{}{}", begin, n, end); !fs::exists(name)) return name;
}

// Everything of it in one file, and nobody else at it; a damaged one is left as it is.
void close_log(const fs::path& file) {
  try {
    Database database(file, Database::Mode::create);
    database.execute("PRAGMA journal_mode = DELETE");
  } catch (const Error& error) {
    const bool in_use = std::string_view(error.what()).find("in use") != std::string_view::npos;
    if (error.kind() == ErrorKind::refused && in_use) throw;
  }
}

}  // namespace

bool is_sound(Database& database) {
  Statement check = database.prepare("PRAGMA quick_check(1)");
  return check.step() && check.text_view(0) == "ok";
}

bool has_sweeps(Database& database) { return database.integer("SELECT count(*) FROM sweep") > 0; }

Rebuild::Rebuild(const fs::path& root, const fs::path& scratch) : root_{root}, scratch_{scratch} {
  std::error_code code;
  fs::remove_all(scratch, code);
}

Rebuild::~Rebuild() {
  store_.reset();
  std::error_code code;
  fs::remove_all(scratch_.root, code);
}

// Before the store is there, so that its own history begins with these rows as a whole.
void Rebuild::replay() {
  make_folder(scratch_.root);
  if (history_has_rows(root_.history())) {
    Database database(scratch_.database(), Database::Mode::create);
    // Its rows are as they were then; what came later is done to them as to any older database.
    std::span<const Migration> steps = migrations();
    while (steps.size() > 1 && steps.back().version > history_schema(root_.history()))
      steps = steps.first(steps.size() - 1);
    migrate(database, steps);
    Replayed found = replay_history(root_.history(), database);
    result_.rows = found.rows;
    result_.problems = std::move(found.problems);
    metrics_ = std::move(found.metrics);
    metric_kinds_ = std::move(found.metric_kinds);
  }
  store_ = std::make_unique<Store>(scratch_.root, StoreMode::create, clock_);
}

void Rebuild::read_events_of(const std::string& run, int64_t attempt) {
  const fs::path file = root_.attempt(run, attempt) / "events.jsonl";
  ++result_.attempts;
  EventTail tail(file, 0, 0);
  for (;;) {
    const EventTail::Chunk chunk = tail.read();
    if (chunk.next_offset == 0) break;
    const Store::Batch batch{run, attempt, chunk.events, chunk.next_offset, chunk.file};
    result_.events += store_->ingest({&batch, 1}).stored;
    const bool more = !chunk.events.empty() || chunk.foreign_lines > 0;
    tail.advance(chunk);
    if (!more) break;
  }
}

void Rebuild::was_imported(const std::string& run) {
  store_->database().prepare("UPDATE run SET imported = 1 WHERE id = ?").run(run);
}

void Rebuild::make_claimable(const std::string& run, int64_t attempt) {
  store_->database()
      .prepare(
          "UPDATE run SET state = 'queued', ended = NULL, paused = 0, attempts = min(attempts, ?2 - 1) WHERE id = ?1")
      .run(run, attempt);
}

void Rebuild::read_events() {
  Statement rows = store_->database().prepare("SELECT run, attempt, events_offset FROM attempt ORDER BY run, attempt");
  struct Known {
    std::string run;
    int64_t attempt = 0, offset = 0;
  };
  std::vector<Known> attempts;
  while (rows.step()) attempts.push_back({rows.text(0), rows.integer(1), rows.integer(2)});
  rows.reset();
  for (size_t i = 0; i < attempts.size();) {
    Transaction transaction(store_->database());
    for (const size_t end = std::min(attempts.size(), i + kAttemptsInCommit); i < end; ++i) {
      const auto& [run, attempt, offset] = attempts[i];
      if (offset > 0 && !fs::exists(root_.attempt(run, attempt) / "events.jsonl")) ++result_.without_events;
      read_events_of(run, attempt);
    }
    transaction.commit();
  }
  Transaction transaction(store_->database());
  for (const json::object& row : metrics_) {
    const std::string run = string_or(row, "run", "");
    if (!store_->state(run)) continue;
    const double value = number_or(row, "value", std::numeric_limits<double>::quiet_NaN());
    const std::pair<std::string, double> metric(string_or(row, "name", ""), value);
    store_->put_metrics(run, integer_or(row, "attempt", 0), integer_or(row, "step", 0), {&metric, 1});
  }
  for (const json::object& row : metric_kinds_)
    if (const auto kind = metric_kind_from(row)) store_->put_metric_kinds({&*kind, 1}, number_or(row, "told", 0));
  transaction.commit();
}

std::vector<fs::path> Rebuild::take_over() {
  store_.reset();  // its log becomes part of its file
  std::vector<fs::path> kept;
  if (fs::exists(root_.database())) {
    close_log(root_.database());
    const fs::path aside = free_name(root_.root, "bitsweep.db.kept-", "");
    for (const char* beside : {"-wal", "-shm"})
      if (const fs::path file = root_.database().string() + beside; fs::exists(file))
        rename_or_throw(file, aside.string() + beside);
    rename_or_throw(root_.database(), aside);
    kept.push_back(aside);
  }
  make_folder(root_.runs());
  if (fs::exists(root_.history())) {
    // A second name for it, so that at no moment there is neither the old nor the new one.
    const fs::path aside = free_name(root_.runs(), "history.kept-", ".jsonl");
    std::error_code code;
    fs::create_hard_link(root_.history(), aside, code);
    if (code) fs::copy_file(root_.history(), aside);
    kept.push_back(aside);
  }
  rename_or_throw(scratch_.history(), root_.history());
  rename_or_throw(scratch_.database(), root_.database());
  sync_folder(root_.runs());
  sync_folder(root_.root);
  return kept;
}

}  // namespace bitsweep::store
