#include "base/metric.h"

#include <set>

#include <gtest/gtest.h>

namespace bitsweep {
namespace {

TEST(Metrics, EachSpellingMeansOneOfThem) {
  std::set<std::string> seen;
  for (const Metric& metric : metrics()) {
    EXPECT_TRUE(seen.insert(std::string(metric.name)).second) << metric.name;
    for (const std::string_view other : metric.also) EXPECT_TRUE(seen.insert(std::string(other)).second) << other;
    EXPECT_FALSE(metric.words.empty()) << metric.name;
  }
  EXPECT_EQ(find_metric("val_bpc")->better, Better::lower);
  EXPECT_EQ(find_metric("val_bpb"), nullptr);
}

TEST(Metrics, RulesStopByLossesInBitsPerByte) {
  EXPECT_EQ(stop_metrics(), (std::vector<std::string>{"val_bpc", "train_bpc"}));
}

TEST(Metrics, BytesATokenFollowFromTwoLosses) { EXPECT_NEAR(bytes_per_token(2.3, 1.35858), 2.4424, 1e-4); }

}  // namespace
}  // namespace bitsweep
