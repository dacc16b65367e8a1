#include <array>
#include <fstream>
#include <map>

#include <fmt/format.h>

#include "base/sha256.h"
#include "store/history.h"
#include "store/schema.h"
#include "store_fixture.h"

namespace bitsweep::store {
namespace {

std::string bytes_of(const fs::path& file) { return read_file(file); }

std::vector<std::string> columns_of(Database& database, const std::string& view) {
  Statement statement = database.prepare("SELECT * FROM " + view);
  std::vector<std::string> names;
  for (int i = 0; i < statement.columns(); ++i) names.push_back(statement.column_name(i));
  return names;
}

using Names = std::vector<std::string>;

class SchemaTest : public StoreTest {};

TEST_F(SchemaTest, TheViewsThatOthersRelyOn) {
  Database& db = store.database();
  EXPECT_EQ(columns_of(db, "runs"),
            (Names{"id", "sweep", "state", "exit_cause", "plugin", "axes", "seed", "params", "tokens", "steps",
                   "best_val_bpc", "last_val_bpc", "wall_s", "tokens_per_s", "attempts"}));
  EXPECT_EQ(columns_of(db, "evals"),
            (Names{"run", "step", "tokens", "val_bpc", "train_bpc", "lr", "grad_norm", "tokens_per_s"}));
  EXPECT_EQ(columns_of(db, "attempts"), (Names{"run", "attempt", "state", "exit_cause", "device", "started", "ended"}));
  EXPECT_EQ(columns_of(db, "events"), (Names{"run", "attempt", "seq", "event", "step", "time", "fields"}));
  EXPECT_EQ(columns_of(db, "sweep_runs"), (Names{"sweep", "run", "position", "axes"}));
  for (const char* view : {"sweeps", "metrics", "fits", "predictions", "datasets"})
    EXPECT_FALSE(columns_of(db, view).empty());
}

TEST(Schema, DurabilityIsSetUp) {
  Store store(fresh_folder("root"), StoreMode::create);
  Database& db = store.database();
  Statement mode = db.prepare("PRAGMA journal_mode");
  ASSERT_TRUE(mode.step());
  EXPECT_EQ(mode.text(0), "wal");
  EXPECT_EQ(db.integer("PRAGMA synchronous"), 2);  // FULL
  EXPECT_EQ(db.integer("PRAGMA foreign_keys"), 1);
}

TEST_F(SchemaTest, OpeningAgainKeepsEverything) {
  store.submit(new_sweep("s", {new_run("aaaaaaaaaaaa")}));
  Store again(root, StoreMode::create);
  EXPECT_TRUE(again.run("aaaaaaaaaaaa").has_value());
  EXPECT_FALSE(fs::exists(root / "bitsweep.db.v1.backup"));
}

TEST_F(SchemaTest, ANewerDatabaseIsRefusedAndLeftAlone) {
  store.database().execute("PRAGMA user_version = 99");
  for (const auto mode : {StoreMode::create, StoreMode::read_only}) {
    const Error error = error_of([&] { Store again(root, mode); });
    EXPECT_EQ(error.exit_code(), 4);
    EXPECT_NE(std::string(error.what()).find("newer"), std::string::npos);
  }
  EXPECT_EQ(store.database().integer("PRAGMA user_version"), 99);
}

TEST(Schema, AForeignDatabaseIsRefusedAndLeftAlone) {
  const fs::path root = fresh_folder("root");
  const fs::path file = root / "bitsweep.db";
  Database(file, Database::Mode::create).execute("CREATE TABLE mine (a INTEGER)");
  const std::string before = bytes_of(file);
  EXPECT_EQ(error_of([&] { Store store(root, StoreMode::create); }).exit_code(), 4);
  EXPECT_EQ(bytes_of(file), before);
}

TEST(Schema, GarbageIsRefusedAndLeftAlone) {
  const fs::path root = fresh_folder("root");
  const std::string garbage(5000, 'x');
  std::ofstream(root / "bitsweep.db") << garbage;
  for (const auto mode : {StoreMode::create, StoreMode::read_only}) {
    const Error error = error_of([&] { Store store(root, mode); });
    EXPECT_EQ(error.exit_code(), 4);
    EXPECT_NE(std::string(error.what()).find("bitsweep.db"), std::string::npos);
  }
  EXPECT_EQ(bytes_of(root / "bitsweep.db"), garbage);
}

TEST(Schema, ATruncatedDatabaseIsRefusedAndLeftAlone) {
  const fs::path root = fresh_folder("root");
  { Store store(root, StoreMode::create); }
  const fs::path file = root / "bitsweep.db";
  fs::resize_file(file, fs::file_size(file) / 2 / 4096 * 4096);
  const std::string before = bytes_of(file);
  const Error error = error_of([&] { Store store(root, StoreMode::create); });
  EXPECT_EQ(error.exit_code(), 4);
  EXPECT_NE(std::string(error.what()).find("recover"), std::string::npos);
  EXPECT_EQ(bytes_of(file), before);
}

TEST(Schema, AnEmptyFileBecomesADatabase) {
  const fs::path root = fresh_folder("root");
  std::ofstream(root / "bitsweep.db").flush();
  Store store(root, StoreMode::create);
  EXPECT_TRUE(store.queue().empty());
}

constexpr std::array<Migration, 1> kOld = {{{1, "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (42);"}}};
constexpr std::array<Migration, 2> kNew = {{kOld[0], {2, "ALTER TABLE t ADD COLUMN b INTEGER DEFAULT 7;"}}};
constexpr std::array<Migration, 2> kBroken = {
    {kOld[0], {2, "ALTER TABLE t ADD COLUMN b INTEGER; INSERT INTO nowhere VALUES (1);"}}};

TEST(Schema, AnOlderDatabaseIsBroughtForwardAfterABackup) {
  const fs::path file = fresh_folder("d") / "x.db";
  Database database(file, Database::Mode::create);
  migrate(database, kOld);
  migrate(database, kNew);
  EXPECT_EQ(database.integer("SELECT a + b FROM t"), 49);
  EXPECT_EQ(database.integer("PRAGMA user_version"), 2);
  Database backup(file.string() + ".v1.backup", Database::Mode::read_only);
  EXPECT_EQ(backup.integer("SELECT a FROM t"), 42);
  EXPECT_EQ(backup.integer("PRAGMA user_version"), 1);
}

TEST(Schema, NoEarlierCopyIsOverwritten) {
  const fs::path file = fresh_folder("d") / "x.db";
  std::ofstream(file.string() + ".v1.backup") << "mine";
  {
    Database database(file, Database::Mode::create);
    migrate(database, kOld);
    migrate(database, kNew);
  }
  EXPECT_EQ(bytes_of(file.string() + ".v1.backup"), "mine");
  EXPECT_EQ(Database(file.string() + ".v1.backup-2", Database::Mode::read_only).integer("SELECT a FROM t"), 42);
}

TEST(Schema, AMigrationThatFailsChangesNothing) {
  Database database(fresh_folder("d") / "x.db", Database::Mode::create);
  migrate(database, kOld);
  EXPECT_THROW(migrate(database, kBroken), Error);
  EXPECT_EQ(database.integer("PRAGMA user_version"), 1);
  EXPECT_EQ(database.integer("SELECT count(*) FROM pragma_table_info('t')"), 1);
}

TEST(Schema, ReadingAnOlderDatabaseSaysWhatBringsItForward) {
  const fs::path file = fresh_folder("d") / "x.db";
  Database database(file, Database::Mode::create);
  migrate(database, kOld);
  const Error error = error_of([&] { require_current(database, kNew); });
  EXPECT_EQ(error.exit_code(), 4);
  EXPECT_NE(std::string(error.what()).find("older"), std::string::npos);
}

// A root as the store of an earlier schema made it.
fs::path old_root(int64_t schema) {
  const fs::path root = fresh_folder("root");
  const fs::path dump = fs::path(__FILE__).parent_path() / "schemas" / fmt::format("schema{}.sql", schema);
  Database database(root / "bitsweep.db", Database::Mode::create);
  database.execute(read_file(dump));
  return root;
}

std::vector<std::string> all_rows(Database& database, const std::string& select) {
  Statement rows = database.prepare(select);
  std::vector<std::string> found;
  while (rows.step()) {
    std::string& row = found.emplace_back();
    for (int c = 0; c < rows.columns(); ++c) row += json::serialize(rows.value(c)) + "|";
  }
  return found;
}

class EarlierSchema : public testing::TestWithParam<int64_t> {};

TEST_P(EarlierSchema, KeepsEveryRowAndACopy) {
  const fs::path root = old_root(GetParam());
  std::map<std::string, std::vector<std::string>> before;
  {
    Database old(root / "bitsweep.db", Database::Mode::read_only);
    EXPECT_EQ(old.integer("PRAGMA user_version"), GetParam());
    for (const std::string& table : all_rows(old, "SELECT name FROM sqlite_schema WHERE type = 'table'")) {
      const std::string name = table.substr(1, table.size() - 3);
      if (name == "history") continue;  // tells of a file, which this root has not
      // Columns by name: a later version may add some.
      std::string columns;
      for (const std::string& column : columns_of(old, name)) columns += (columns.empty() ? "" : ", ") + column;
      before["SELECT " + columns + " FROM " + name] = {};
    }
    for (auto& [select, rows] : before) rows = all_rows(old, select);
  }
  EXPECT_EQ(error_of([&] { Store store(root, StoreMode::read_only); }).exit_code(), 4);  // reading changes nothing
  Store store(root, StoreMode::create);
  EXPECT_EQ(store.database().integer("PRAGMA user_version"), migrations().back().version);
  for (const auto& [select, rows] : before) EXPECT_EQ(all_rows(store.database(), select), rows) << select;
  EXPECT_EQ(store.database().integer("SELECT count(*) FROM pragma_foreign_key_check"), 0);
  Database copy(fmt::format("{}/bitsweep.db.v{}.backup", root.string(), GetParam()), Database::Mode::read_only);
  for (const auto& [select, rows] : before) EXPECT_EQ(all_rows(copy, select), rows) << select;
}

TEST_P(EarlierSchema, WorksOn) {
  Store store(old_root(GetParam()), StoreMode::create);
  EXPECT_EQ(store.runs_of("lrs").size(), 3u);
  EXPECT_EQ(store.run("aaaaaaaaaaaa")->best_val_bpc, 3.125);
  EXPECT_EQ(store.attempts("bbbbbbbbbbbb").at(0).signal, 9);
  EXPECT_TRUE(store.retry("bbbbbbbbbbbb"));
  EXPECT_EQ(store.claim("bbbbbbbbbbbb", "cpu", 1, 1), 3);
  const auto queue = store.queue();
  ASSERT_EQ(queue.size(), 1u);
  EXPECT_EQ(queue[0].init_from_state, RunState::done);
  EXPECT_TRUE(history_has_rows(store.paths().history()));
}

// A new migration comes with the dump of the schema before it.
INSTANTIATE_TEST_SUITE_P(All, EarlierSchema, testing::Range<int64_t>(1, migrations().back().version));

}  // namespace
}  // namespace bitsweep::store
