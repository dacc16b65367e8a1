// How metrics are to be read, as start events and verbs tell it.
#include "store/curves.h"
#include "store_fixture.h"

namespace bitsweep::store {
namespace {

constexpr const char* kRun = "aaaaaaaaaaaa";

json::object kind_json(const char* name, const char* direction, double chance) {
  return {{"name", name}, {"direction", direction}, {"unit", "fraction"}, {"help", "right"}, {"chance", chance}};
}

class MetricKindsTest : public StoreTest {
 protected:
  MetricKindsTest() { claimed(kRun); }
  void start(int64_t seq, double time, json::array metrics) {
    event::Event event = event_of(kRun, 1, seq, "start", 0, {{"device", "cpu"}, {"metrics", std::move(metrics)}});
    event.time = time;
    ingest(kRun, 1, {event}, 10);
  }
};

TEST_F(MetricKindsTest, AreWhatStartEventsTell) {
  EXPECT_EQ(store.metric_kinds().find("arc.acc"), nullptr);
  start(1, 100, {kind_json("arc.acc", "higher", 0.25), "noise", json::object{{"name", "x"}}});
  const MetricKinds kinds = store.metric_kinds();
  EXPECT_EQ(kinds.find("arc.acc")->better, Better::higher);
  EXPECT_EQ(kinds.find("arc.acc")->chance, 0.25);
  EXPECT_EQ(kinds.find("val_bpc")->better, Better::lower);  // known without being told
  EXPECT_EQ(count("metric_kinds"), 1);
  EXPECT_EQ(count("metric_kinds WHERE name = 'arc.acc' AND direction = 'higher' AND chance = 0.25"), 1);
}

TEST_F(MetricKindsTest, TheNewestWordCountsInWhateverOrderTheyCome) {
  start(1, 200, {kind_json("arc.acc", "higher", 0.25)});
  start(2, 100, {kind_json("arc.acc", "none", 0.5)});
  EXPECT_EQ(store.metric_kinds().find("arc.acc")->better, Better::higher);
  start(3, 300, {kind_json("arc.acc", "lower", 0.5)});
  EXPECT_EQ(store.metric_kinds().find("arc.acc")->better, Better::lower);
  const MetricKind later{"arc.acc", Better::higher, "fraction", {}, "right"};
  store.put_metric_kinds({&later, 1}, 400);
  EXPECT_EQ(store.metric_kinds().find("arc.acc")->better, Better::higher);
  EXPECT_FALSE(store.metric_kinds().find("arc.acc")->chance);
  store.put_metric_kinds({&later, 1}, 350);
  EXPECT_EQ(count("metric_kind WHERE told = 400"), 1);
}

TEST_F(MetricKindsTest, AStartWithoutThemIsAnEventAsAnyOther) {
  ingest(kRun, 1, {event_of(kRun, 1, 1, "start", 0, {{"metrics", 7}}), event_of(kRun, 1, 2, "start", 0)}, 10);
  EXPECT_EQ(count("events"), 2);
  EXPECT_EQ(count("metric_kinds"), 0);
}

TEST_F(MetricKindsTest, CurvesAreOfAnyMetric) {
  event::Event first = eval_of(kRun, 1, 1, 10, 3.0), second = eval_of(kRun, 1, 2, 20, 2.5);
  first.fields["arc.acc"] = 0.3;
  second.fields["arc.acc"] = nullptr;
  ingest(kRun, 1, {first, second}, 10);
  const std::string sweep = store.run(kRun)->sweep;
  const std::vector<StoredCurve> accuracy = sweep_curves(store, sweep, "arc.acc");
  ASSERT_EQ(accuracy.size(), 1u);
  EXPECT_EQ(accuracy[0].losses, (std::vector<std::pair<int64_t, double>>{{10, 0.3}}));
  EXPECT_EQ(sweep_curves(store, sweep, "val_bpc").at(0).losses.size(), 2u);
  EXPECT_TRUE(sweep_curves(store, sweep, "squad.f1").empty());
}

}  // namespace
}  // namespace bitsweep::store
