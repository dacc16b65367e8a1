#include "query/sql.h"

#include <set>

#include "query/query_fixture.h"

namespace bitsweep::query {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(QueryTest, SqlGivesTypedValues) {
  const SqlResult result = Query(root).sql("SELECT 1 AS i, 2.5 AS r, 'x' AS t, NULL AS n, x'00ff' AS b");
  EXPECT_THAT(result.columns, ElementsAre("i", "r", "t", "n", "b"));
  ASSERT_EQ(result.rows.size(), 1u);
  EXPECT_EQ(compact_json(to_json(result)), R"([{"i":1,"r":2.5,"t":"x","n":null,"b":"00ff"}])");
}

TEST_F(QueryTest, SqlColumnsOfOneNameAreToldApart) {
  const SqlResult result = Query(root).sql("SELECT 1 AS a, 2 AS a, 3 AS a");
  EXPECT_THAT(result.columns, ElementsAre("a", "a_2", "a_3"));
  EXPECT_EQ(to_json(result)[0].as_object().size(), 3u);
}

TEST_F(QueryTest, SqlTakesWhatReads) {
  const Query query(root);
  EXPECT_EQ(query.sql("  -- the best\n/* of all */ select id from runs where state = 'done';").rows.size(), 1u);
  EXPECT_EQ(query.sql("WITH a AS (SELECT 1 AS x) SELECT * FROM a").rows.size(), 1u);
  EXPECT_EQ(query.sql("VALUES (1), (2)").rows.size(), 2u);
  EXPECT_FALSE(query.sql("EXPLAIN QUERY PLAN SELECT * FROM runs").rows.empty());
  EXPECT_TRUE(query.sql("SELECT * FROM runs WHERE false").rows.empty());
}

TEST_F(QueryTest, SqlRefusesWhatWrites) {
  const Query query(root);
  const fs::path elsewhere = root / "other.db";
  for (const std::string& sql :
       std::vector<std::string>{"INSERT INTO fit (sweep, law, made, settings, result) VALUES ('a', 'b', 1, '{}', '{}')",
                                "DELETE FROM run",
                                "UPDATE run SET state = 'done'",
                                "DROP TABLE run",
                                "CREATE TABLE t (a)",
                                "CREATE TEMP TABLE t (a)",
                                "ATTACH '" + elsewhere.string() + "' AS other",
                                "DETACH main",
                                "PRAGMA journal_mode = DELETE",
                                "PRAGMA user_version = 9",
                                "PRAGMA writable_schema = 1",
                                "VACUUM",
                                "VACUUM INTO '" + elsewhere.string() + "'",
                                "BEGIN IMMEDIATE",
                                "REINDEX",
                                "ANALYZE",
                                "SAVEPOINT a",
                                "WITH a AS (SELECT 1) INSERT INTO sweep (name) SELECT * FROM a",
                                "WITH a AS (SELECT 1) DELETE FROM run",
                                "/* SELECT */ DELETE FROM run",
                                "-- SELECT\nDELETE FROM run",
                                "EXPLAIN_ DELETE FROM run",
                                "; DELETE FROM run"}) {
    EXPECT_THAT(thrown([&] { query.sql(sql); }), StartsWith("2: ")) << sql;
  }
  EXPECT_FALSE(fs::exists(elsewhere));
  EXPECT_EQ(store.database().integer("SELECT count(*) FROM run"), 4);
  EXPECT_EQ(store.database().integer("SELECT count(*) FROM run WHERE state = 'done'"), 1);
  EXPECT_NE(store.database().integer("PRAGMA user_version"), 9);
}

TEST_F(QueryTest, SqlCannotLoadCodeOrReadFiles) {
  const Query query(root);
  EXPECT_THAT(thrown([&] { query.sql("SELECT load_extension('/tmp/x.so')"); }), StartsWith("2: "));
  EXPECT_THAT(thrown([&] { query.sql("SELECT readfile('/etc/passwd')"); }), StartsWith("2: "));
}

TEST_F(QueryTest, SqlErrorsSayWhatIsWrong) {
  const Query query(root);
  EXPECT_THAT(thrown([&] { query.sql("SELECT * FROM rnus"); }), HasSubstr("no such table: rnus; did you mean 'runs'?"));
  EXPECT_THAT(thrown([&] { query.sql("SELECT"); }), StartsWith("2: SQL: "));
  EXPECT_THAT(thrown([&] { query.sql(""); }), StartsWith("2: "));
  EXPECT_THAT(thrown([&] { query.sql("   ;  -- nothing"); }), StartsWith("2: "));
  EXPECT_THAT(thrown([&] { query.sql("/* open"); }), StartsWith("2: "));
  EXPECT_THAT(thrown([&] { query.sql("SELECT 1; SELECT 2"); }), HasSubstr("one SQL statement"));
  EXPECT_THAT(thrown([&] { query.sql(std::string_view("SELECT 1\0, 2", 12)); }), HasSubstr("NUL"));
}

TEST_F(QueryTest, SqlStopsAtTheTimeLimit) {
  const Query query(root);
  SqlLimits limits;
  limits.timeout_s = 0.05;
  const char* endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";
  EXPECT_THAT(thrown([&] { query.sql(endless, limits); }), HasSubstr("took longer"));
  EXPECT_EQ(query.sql("SELECT 1").rows.size(), 1u);  // the connection is still good, and unlimited again
}

TEST_F(QueryTest, SqlStopsAtTheRowLimit) {
  const Query query(root);
  SqlLimits limits;
  limits.rows = 3;
  EXPECT_THAT(thrown([&] { query.sql("SELECT id FROM runs", limits); }), HasSubstr("more than 3 rows"));
  limits.rows = 4;
  EXPECT_EQ(query.sql("SELECT id FROM runs", limits).rows.size(), 4u);
}

// The documentation and the database say the same, column by column.
TEST_F(QueryTest, EveryDocumentedViewIsThere) {
  const Query query(root);
  std::set<std::string> documented;
  for (const View& view : documented_views()) {
    documented.insert(view.name);
    const SqlResult result = query.sql(std::string("SELECT * FROM ") + view.name + " LIMIT 1");
    std::vector<std::string> names;
    for (const ViewColumn& column : view.columns) names.emplace_back(column.name);
    EXPECT_EQ(result.columns, names) << view.name;
    EXPECT_STRNE(view.help, "") << view.name;
  }
  for (const auto& row : query.sql("SELECT name FROM sqlite_schema WHERE type = 'view'").rows)
    EXPECT_EQ(documented.count(std::string(row[0].as_string())), 1u) << row[0] << " is not documented";
}

}  // namespace
}  // namespace bitsweep::query
