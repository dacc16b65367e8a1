#include <array>
#include <fstream>

#include "base/sha256.h"
#include "store/schema.h"
#include "store_fixture.h"

namespace bitsweep {
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

}  // namespace
}  // namespace bitsweep
