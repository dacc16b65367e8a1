#include "query/pointer_health.h"

#include "query/query_fixture.h"

namespace bitsweep::query {
namespace {

const std::vector<std::pair<std::string, double>> kMetrics = {
    {"ipmr.L0H0", 0.04},       {"ipmr.L1H1", 0.6},        {"ipmr.L1H0", 0.05},      {"ipmr_chance", 0.02},
    {"repeat_ipmr.L1H1", 0.9}, {"agreement.L0H0", 0.95},  {"agreement.L1H1", 0.2},  {"hdr.L0", 0.7},
    {"probe_windows", 16},     {"flips.layers.0.q", 0.1}, {"ipmr.L9999999H0", 0.5}, {"ipmr.LxH0", 0.5},
    {"answer_accuracy", 0.3}};

TEST(HeadName, GoesThereAndBack) {
  EXPECT_EQ(head_name(3, 11), "L3H11");
  const auto place = parse_head_name("L3H11");
  ASSERT_TRUE(place);
  EXPECT_EQ(place->layer, 3u);
  EXPECT_EQ(place->head, 11u);
  for (const char* wrong : {"", "L", "L3", "L3H", "LH", "3H1", "L3H1x", "L-1H0", "l0h0", "L99999999999999999999H0"})
    EXPECT_FALSE(parse_head_name(wrong)) << wrong;
}

TEST(PointerHealth, PutsNumbersIntoMatrices) {
  const auto health = pointer_health(400, kMetrics);
  ASSERT_TRUE(health);
  EXPECT_EQ(health->step, 400);
  const HeadMatrix& ipmr = health->map("ipmr");
  ASSERT_EQ(ipmr.size(), 2u);
  EXPECT_EQ(ipmr[0].size(), 1u);
  EXPECT_EQ(ipmr[1][1], 0.6);
  EXPECT_EQ(health->map("repeat_ipmr")[1][1], 0.9);
  EXPECT_FALSE(health->map("repeat_ipmr")[1][0]);  // not told
  EXPECT_TRUE(health->map("induction").empty());
  EXPECT_EQ(health->total("ipmr_chance"), 0.02);
  EXPECT_EQ(health->total("hdr.L0"), 0.7);
  EXPECT_FALSE(health->total("answer_accuracy"));
  EXPECT_EQ(to_json(*health).at("maps").at("ipmr").at(1).at(1), 0.6);
}

TEST(PointerHealth, IsNothingWithoutHeads) {
  EXPECT_FALSE(pointer_health(1, {}));
  EXPECT_FALSE(pointer_health(1, {{"in_context_bits", -0.1}, {"probe_windows", 16}}));
}

TEST(PointerHealth, NamesSpecialistsBestFirstAndSplitsHeads) {
  const auto health = pointer_health(1, kMetrics);
  ASSERT_EQ(specialists_of(*health, "ipmr").size(), 1u);  // of one query a window
  EXPECT_EQ(specialists_of(*health, "ipmr")[0].name, "L1H1");
  const HeadSplit split = split_of(health->map("agreement"));
  EXPECT_EQ(split.heads, 2);
  EXPECT_EQ(split.locked, 1);
  EXPECT_EQ(split.content, 1);
}

TEST(PointerHealth, SpecialistsAreAboveChanceWithConfidence) {
  const auto heads = [](double chance, double queries) {
    const auto health = pointer_health(1, {{"ipmr.L0H0", 0.07},
                                           {"ipmr.L0H1", 0.14},
                                           {"ipmr.L1H0", 0.3},
                                           {"ipmr_chance", chance},
                                           {"ipmr_queries", queries}});
    return specialists_of(*health, "ipmr").size();
  };
  EXPECT_EQ(heads(0.075, 10'000), 2u);  // 7 % is below chance, 14 % well above it
  EXPECT_EQ(heads(0.075, 200), 1u);     // 14 % of 200 may be 10 %
  EXPECT_EQ(heads(0.075, 5), 0u);
  EXPECT_EQ(heads(0.001, 10'000), 3u);
}

TEST(PointerHealth, OlderProbesTellTheirQueriesByChanceAndContext) {
  const std::vector<std::pair<std::string, double>> older = {
      {"ipmr.L0H0", 0.2}, {"ipmr_chance", 0.08}, {"induction_chance", 0.06}, {"probe_windows", 16}};
  EXPECT_EQ(pointer_health(1, older, 128)->total("ipmr_queries"), 16 * 128 * 0.75);
  EXPECT_EQ(pointer_health(1, older)->total("ipmr_queries"), 16);
}

TEST_F(QueryTest, PointerHealthIsTheNewestProbes) {
  EXPECT_FALSE(Query(root).pointer_health("aaaa00000001"));
  store.put_metrics("aaaa00000001", 1, 10, kMetrics);
  std::vector<std::pair<std::string, double>> later = {{"ipmr.L0H0", 0.5}, {"ipmr_chance", 0.03}};
  store.put_metrics("aaaa00000001", 1, 30, later);
  store.put_metrics("aaaa00000001", 1, 40, std::vector<std::pair<std::string, double>>{{"flips", 0.5}});
  const auto health = Query(root).pointer_health("aaaa00000001");
  ASSERT_TRUE(health);
  EXPECT_EQ(health->step, 30);
  EXPECT_EQ(health->map("ipmr"), (HeadMatrix{{0.5}}));
}

}  // namespace
}  // namespace bitsweep::query
