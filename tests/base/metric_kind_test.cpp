#include "base/metric_kind.h"

#include <algorithm>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "base/task_metrics.h"

namespace bitsweep {
namespace {

TEST(LoggedMetrics, EachSpellingMeansOneOfThem) {
  std::set<std::string> seen;
  for (const LoggedMetric& metric : logged_metrics()) {
    EXPECT_TRUE(seen.insert(std::string(metric.name)).second) << metric.name;
    for (const std::string_view other : metric.also) EXPECT_TRUE(seen.insert(std::string(other)).second) << other;
  }
  EXPECT_TRUE(seen.contains("val_bpb"));
}

TEST(MetricKinds, TheKnownOnesAreNamedOnceAndToldInWords) {
  std::set<std::string> seen;
  for (const MetricKind& kind : known_metric_kinds()) {
    EXPECT_TRUE(seen.insert(kind.name).second) << kind.name;
    EXPECT_FALSE(kind.help.empty()) << kind.name;
  }
}

TEST(MetricKinds, WhatIsToldStandsOverWhatIsKnown) {
  MetricKinds kinds;
  EXPECT_EQ(kinds.find("val_bpc")->better, Better::lower);
  EXPECT_EQ(kinds.find("answer_accuracy")->better, Better::higher);
  EXPECT_EQ(kinds.find("repeat_ipmr.L0H11")->name, "repeat_ipmr");  // of its family
  EXPECT_EQ(kinds.find("squad.f1"), nullptr);
  kinds.put({"squad.f1", Better::higher, "fraction", 0.1, "words"});
  kinds.put({"val_bpc", Better::lower, "bits per token", {}, "loss"});
  EXPECT_EQ(kinds.find("squad.f1")->chance, 0.1);
  EXPECT_EQ(kinds.find("val_bpc")->unit, "bits per token");
}

TEST(MetricKinds, AreTheSameAfterTheirWayThroughJson) {
  for (const MetricKind& kind : task_metric_kinds("choice", "arc", 0.25)) {
    const MetricKind back = metric_kind_from(to_json(kind)).value();
    EXPECT_EQ(std::tie(back.name, back.better, back.unit, back.chance, back.help),
              std::tie(kind.name, kind.better, kind.unit, kind.chance, kind.help));
    EXPECT_EQ(kind.chance.has_value(), kind.name.starts_with("arc.acc") && kind.name != "arc.acc_se");
  }
  EXPECT_FALSE(metric_kind_from({{"name", "x"}, {"direction", "up"}}));
  EXPECT_FALSE(metric_kind_from({{"direction", "none"}}));
  EXPECT_TRUE(task_metric_kinds("chat", "x").empty());
  for (const std::string& kind : task_kinds()) {
    const std::vector<MetricKind> kinds = task_metric_kinds(kind, "x");
    EXPECT_TRUE(is_headline_metric(kinds.at(0).name)) << kind;  // the one that sums it up comes first
    EXPECT_EQ(std::count_if(kinds.begin(), kinds.end(), [](const auto& k) { return is_headline_metric(k.name); }), 1);
  }
}

TEST(LoggedMetrics, BytesATokenFollowFromTwoLosses) { EXPECT_NEAR(bytes_per_token(2.3, 1.35858), 2.4424, 1e-4); }

}  // namespace
}  // namespace bitsweep
