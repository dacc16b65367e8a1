// The tables, their views and how an older database becomes a newer one. The text of the schema, with what each column
// means, is in migrations.cpp; README.md lists the views that other people's SQL may rely on.
//
// Tables are named in the singular (run, attempt, event …); the views in the plural (runs, attempts, events …) are the
// stable surface: their names and columns stay, whatever happens to the tables underneath.
#pragma once

#include <cstdint>
#include <span>

#include "store/database.h"

namespace bitsweep::store {

// Brings a database from version - 1 to `version` (PRAGMA user_version). Only ever appended to.
struct Migration {
  int64_t version;
  const char* sql;
};

std::span<const Migration> migrations();

// For a Database::Mode::create: makes the schema, or brings an older one forward after saving a whole copy as
// FILE.v<old>.backup (or .backup-2 …: no earlier copy is overwritten). One transaction: it is done entirely or not at
// all. Throws Error{refused} for a newer database or one that is not bitsweep's; nothing is changed or deleted then.
void migrate(Database& database, std::span<const Migration> steps = migrations());

// For Database::Mode::read_only: throws Error{refused} unless the version is exactly the newest one.
void require_current(Database& database, std::span<const Migration> steps = migrations());

}  // namespace bitsweep::store
