// Seeded mutations of a good file: each gives points or an Error, never anything else.
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/rng.h"
#include "fit/points_csv.h"
#include "fit/results_table.h"

namespace bitsweep::fit {
namespace {

std::string mutated(std::string text, uint64_t seed) {
  static constexpr char kBytes[] = "\0\",;\t\n\r#=-+.eEMBnaif0123\xEF\xBB\xBF\xFF ";
  static constexpr std::string_view bytes(kBytes, sizeof kBytes - 1);
  const uint64_t edits = 1 + random_below(seed, 1, 0, 4);
  for (uint64_t i = 1; i <= edits; ++i) {
    const size_t at = random_below(seed, 2, i, text.size() + 1);
    const char byte = bytes[random_below(seed, 3, i, bytes.size())];
    switch (random_below(seed, 4, i, 4)) {
      case 0:
        text.insert(at, 1, byte);
        break;
      case 1:
        text.erase(at, random_below(seed, 5, i, 12));
        break;
      case 2:
        text.insert(at, text.substr(random_below(seed, 6, i, text.size() + 1), 20));
        break;
      default:
        if (at < text.size()) text[at] = byte;
    }
  }
  return text;
}

TEST(CsvFuzz, PointsOrAnError) {
  const std::string good =
      "\"params\",tokens,loss,variant,seed\n5.5M,1B,2.25,\"a,b\",1\n4e7,1B,1.75,c,2\n# end\n1,2,3,,\n";
  int read = 0, refused = 0;
  for (uint64_t seed = 0; seed < 10000; ++seed) {
    try {
      for (const Point& p : read_points_csv(mutated(good, seed), "f.csv")) {
        ASSERT_TRUE(p.params > 0 && p.tokens > 0 && p.loss > 0) << seed;
        ASSERT_TRUE(std::isfinite(p.params + p.tokens + p.loss)) << seed;
      }
      ++read;
    } catch (const Error& error) {
      ASSERT_FALSE(error.diagnostics().empty());
      ++refused;
    }
  }
  EXPECT_GT(read, 200);
  EXPECT_GT(refused, 1000);
}

// JSON lines, a list, a table of results, states and checkpoints, torn at any place.
TEST(CsvFuzz, OtherFormsAndTheirTables) {
  const std::vector<std::string> goods = {
      "{\"params\": 5.5e6, \"tokens\": 1e9, \"loss\": 2.25, \"config\": {\"lr\": [1, 2]}}\n"
      "{\"params\": 4e7, \"tokens\": 1e9, \"loss\": NaN}\n",
      "[{\"params\": 1, \"tokens\": 2, \"loss\": 3, \"status\": \"crashed\"}, {\"params\": 1, \"tokens\": 3, \"loss\": "
      "4}]",
      "{\"row\": \"A0\", \"seed\": 1337.0, \"bpb\": 1.3275, \"config\": {\"x\": null}}\n{\"row\": \"A6\", \"bpb\": "
      "1.2}",
      "run,params,tokens,loss,state\nr,\"1,000\",1,3,done\nr,\"1,000\",2,2,KILLED\ns,7,1,N/A,\n"};
  int read = 0, refused = 0;
  for (uint64_t seed = 0; seed < 8000; ++seed) {
    const std::string text = mutated(goods[seed % goods.size()], seed);
    try {
      for (const PointRow& row : read_point_table(text, "f").rows) {
        ASSERT_TRUE(!row.counts() || (row.point.params > 0 && row.point.tokens > 0)) << text;
        ASSERT_TRUE(std::isfinite(row.point.params + row.point.tokens + row.point.loss)) << text;
      }
      ++read;
    } catch (const Error& error) {
      ASSERT_FALSE(error.diagnostics().empty());
      ++refused;
    }
    try {
      const auto table = read_results_table(text, "f", {});
      if (!table) continue;
      ASSERT_LT(choose_baseline(*table, "").group, table->groups.size());
    } catch (const Error& error) {
      ASSERT_FALSE(error.diagnostics().empty());
    }
  }
  EXPECT_GT(read, 200);
  EXPECT_GT(refused, 200);
}

}  // namespace
}  // namespace bitsweep::fit
