#include <cmath>
#include <fstream>
#include <limits>

#include <sys/file.h>

#include "store_fixture.h"

namespace bitsweep::store {
namespace {

using testing::Test;

TEST(Database, BindsAndReadsEveryType) {
  Database database(fresh_folder("d") / "x.db", Database::Mode::create);
  Statement row = database.prepare("SELECT ?, ?, ?, ?, ?, ?");
  const std::string with_nul("a\0b", 3);
  row.bind(int64_t{-5}, 2.5, with_nul, nullptr, std::optional<int64_t>{}, true);
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.integer(0), -5);
  EXPECT_EQ(row.real(1), 2.5);
  EXPECT_EQ(row.text(2), with_nul);
  EXPECT_TRUE(row.is_null(3));
  EXPECT_FALSE(row.optional_integer(4).has_value());
  EXPECT_EQ(row.integer(5), 1);
  EXPECT_EQ(row.value(1), json::value(2.5));
  EXPECT_FALSE(row.step());
}

TEST(Database, WhatIsNotFiniteBecomesNull) {
  Database database(fresh_folder("d") / "x.db", Database::Mode::create);
  Statement row = database.prepare("SELECT ?, ?, ?");
  row.bind(std::nan(""), std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity());
  ASSERT_TRUE(row.step());
  for (int column : {0, 1, 2}) EXPECT_TRUE(row.is_null(column));
}

TEST(Database, EmptyTextIsNotNull) {
  Database database(fresh_folder("d") / "x.db", Database::Mode::create);
  Statement row = database.prepare("SELECT ?");
  row.bind(std::string_view());
  ASSERT_TRUE(row.step());
  EXPECT_FALSE(row.is_null(0));
}

TEST(Database, AStatementIsUsedManyTimes) {
  Database database(fresh_folder("d") / "x.db", Database::Mode::create);
  database.execute("CREATE TABLE t (a INTEGER)");
  Statement insert = database.prepare("INSERT INTO t VALUES (?)");
  for (int i = 0; i < 100; ++i) insert.run(i);
  EXPECT_EQ(database.integer("SELECT sum(a) FROM t"), 4950);
}

TEST(Database, ATransactionWithoutCommitLeavesNothing) {
  Database database(fresh_folder("d") / "x.db", Database::Mode::create);
  database.execute("CREATE TABLE t (a INTEGER)");
  {
    Transaction transaction(database);
    database.execute("INSERT INTO t VALUES (1)");
  }
  EXPECT_EQ(database.integer("SELECT count(*) FROM t"), 0);
}

TEST(Database, AnInnerTransactionIsDecidedByTheOuter) {
  Database database(fresh_folder("d") / "x.db", Database::Mode::create);
  database.execute("CREATE TABLE t (a INTEGER)");
  {
    Transaction outer(database);
    Transaction inner(database);
    database.execute("INSERT INTO t VALUES (1)");
    inner.commit();
    EXPECT_TRUE(database.in_transaction());
  }
  EXPECT_EQ(database.integer("SELECT count(*) FROM t"), 0);
}

TEST(Database, TwoStatementsAreRefused) {
  Database database(fresh_folder("d") / "x.db", Database::Mode::create);
  EXPECT_EQ(error_of([&] { database.prepare("SELECT 1; DROP TABLE t"); }).kind(), ErrorKind::input);
  EXPECT_NO_THROW(database.prepare("SELECT 1 ; \n"));
  EXPECT_EQ(error_of([&] { database.prepare("  "); }).kind(), ErrorKind::input);
  EXPECT_EQ(error_of([&] { database.prepare("SELEC 1"); }).kind(), ErrorKind::input);
}

TEST(Database, ReadingNeverCreates) {
  const fs::path file = fresh_folder("d") / "x.db";
  const Error error = error_of([&] { Database database(file, Database::Mode::read_only); });
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_NE(std::string(error.what()).find("bitsweep run"), std::string::npos);
  EXPECT_FALSE(fs::exists(file));
}

TEST(Database, ReadingNeverWrites) {
  const fs::path file = fresh_folder("d") / "x.db";
  Database(file, Database::Mode::create).execute("CREATE TABLE t (a INTEGER)");
  Database reader(file, Database::Mode::read_only);
  EXPECT_EQ(error_of([&] { reader.execute("INSERT INTO t VALUES (1)"); }).kind(), ErrorKind::input);
  EXPECT_FALSE(reader.prepare("INSERT INTO t VALUES (1)").reads_only());
  EXPECT_TRUE(reader.prepare("SELECT * FROM t").reads_only());
}

TEST(Database, AFolderInItsPlaceIsNamed) {
  const fs::path file = fresh_folder("d") / "x.db";
  fs::create_directory(file);
  const Error error = error_of([&] { Database database(file, Database::Mode::create); });
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_NE(std::string(error.what()).find(file.string()), std::string::npos);
}

TEST(Database, NamesWithSpacesQuotesAndPercentWork) {
  const fs::path file = fresh_folder("d") / "it's 100% a \"name\"?#.db";
  Database(file, Database::Mode::create).execute("CREATE TABLE t (a INTEGER)");
  EXPECT_TRUE(fs::exists(file));
  EXPECT_EQ(Database(file, Database::Mode::read_only).integer("SELECT count(*) FROM t"), 0);
}

TEST(Database, ASlowStatementIsGivenUp) {
  Database database(fresh_folder("d") / "x.db", Database::Mode::create);
  database.limit_time(0.02);
  const char* endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
  EXPECT_EQ(error_of([&] { database.integer(endless); }).kind(), ErrorKind::refused);
  database.limit_time(0);
  EXPECT_EQ(database.integer("SELECT 7"), 7);
}

TEST(Database, NetworkFilesystemsAreKnownByTheirMagic) {
  EXPECT_EQ(network_filesystem_name(0x6969), "NFS");
  EXPECT_EQ(network_filesystem_name(0x0bd00bd0), "Lustre");
  EXPECT_EQ(network_filesystem_name(0x47504653), "GPFS");
  EXPECT_EQ(network_filesystem_name(0xff534d42), "CIFS (SMB)");
  EXPECT_EQ(network_filesystem_name(0x65735546), "FUSE");
  for (const uint64_t local : {0xef53u, 0x9123683eu, 0x58465342u, 0x01021994u, 0x794c7630u})
    EXPECT_EQ(network_filesystem_name(local), "");
}

}  // namespace
}  // namespace bitsweep::store
