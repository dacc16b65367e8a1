#include "store/schema.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"

namespace bitsweep::store {
namespace {

// "bswp", in the file's header (PRAGMA application_id): this database is ours.
constexpr int64_t kApplicationId = 0x62737770;

[[noreturn]] void refuse_foreign(const Database& database) {
  throw Error(
      ErrorKind::refused,
      fmt::format("'{}' is a SQLite database, but not one of bitsweep's; nothing was changed. Name another folder "
                  "with --root",
                  database.file().string()));
}

// Only after the look at whose database it is, because it changes the file's header. The change takes the whole file
// for a moment without waiting for others, so two processes that create one database may have to take turns.
void use_write_ahead_log(Database& database) {
  for (int tries = 0;; ++tries) {
    try {
      return database.execute("PRAGMA journal_mode = WAL");
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::refused || tries == 100) throw;
      system_clock().sleep_s(0.02);
    }
  }
}

// The database's version; 0 for an empty one. Throws for what is not ours or newer.
int64_t checked_version(Database& database, std::span<const Migration> steps) {
  const int64_t version = database.integer("PRAGMA user_version");
  const int64_t application = database.integer("PRAGMA application_id");
  const bool empty = database.integer("SELECT count(*) FROM sqlite_schema") == 0;
  if (application != kApplicationId && !(empty && version == 0 && application == 0)) refuse_foreign(database);
  const int64_t newest = steps.back().version;
  if (version > newest)
    throw Error(
        ErrorKind::refused,
        fmt::format("'{}' was made by a newer bitsweep (schema {}, this one knows up to {}); use that one, or name "
                    "another folder with --root",
                    database.file().string(), version, newest));
  return version;
}

// What is committed, whole, under a name that is free: an earlier copy may be all that is left of something. REQUIRES
// the write lock; SQLite copies only through a connection that does not hold it.
void keep_copy(const fs::path& file, int64_t version) {
  fs::path copy = fmt::format("{}.v{}.backup", file.string(), version);
  for (int n = 2; fs::exists(copy); ++n) copy = fmt::format("{}.v{}.backup-{}", file.string(), version, n);
  const fs::path unfinished = copy.string() + ".tmp";
  std::error_code code;
  fs::remove(unfinished, code);
  Database(file, Database::Mode::read_only).copy_to(unfinished);
  fs::rename(unfinished, copy, code);
  if (code) throw Error(ErrorKind::environment, fmt::format("cannot write '{}': {}", copy.string(), code.message()));
}

}  // namespace

void migrate(Database& database, std::span<const Migration> steps) {
  const int64_t before = checked_version(database, steps);
  use_write_ahead_log(database);
  if (before == steps.back().version) return;
  Transaction transaction(database);
  // Another process may have done it between the look and the lock.
  const int64_t version = checked_version(database, steps);
  if (version == steps.back().version) return;
  if (version > 0) keep_copy(database.file(), version);
  for (const Migration& step : steps)
    if (step.version > version) database.execute(step.sql);
  database.execute(
      fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplicationId, steps.back().version));
  transaction.commit();
}

void require_current(Database& database, std::span<const Migration> steps) {
  const int64_t version = checked_version(database, steps);
  if (version == steps.back().version) return;
  const fs::path root = database.file().parent_path();
  throw Error(ErrorKind::refused,
              fmt::format("'{}' was made by an older bitsweep (schema {}, this one has {}); 'bitsweep doctor --migrate "
                          "--root {}' brings it forward and keeps a copy, '{}.v{}.backup'",
                          database.file().string(), version, steps.back().version, root.string(),
                          database.file().filename().string(), version));
}

}  // namespace bitsweep::store
