#include "store_fixture.h"

namespace bitsweep::store {
namespace {

class SpeedsTest : public StoreTest {};
constexpr const char* kRun = "aaaaaaaaaaaa";

TEST_F(SpeedsTest, TheNewestOfASpecDeviceAndThreadsStays) {
  SpeedRecord speed{.spec = {{"seed", 1}}, .device = "cpu", .threads = 1, .flops_per_token = 6e6, .tokens_per_s = 10};
  store.put_speed(speed);
  speed.tokens_per_s = 20;
  store.put_speed(speed);
  speed.threads = 2;
  store.put_speed(speed);
  const std::vector<SpeedRecord> speeds = store.speeds();
  ASSERT_EQ(speeds.size(), 2u);
  EXPECT_EQ(speeds[0].tokens_per_s, 20);
  EXPECT_EQ(speeds[0].flops_per_token, 6e6);
  EXPECT_EQ(canonical_json(speeds[0].spec), R"({"seed":1})");
  EXPECT_EQ(speeds[1].threads, 2);
}

TEST_F(SpeedsTest, RunsThatAreDoneTellTheirs) {
  const int64_t attempt = claimed(kRun);
  const std::vector<event::Event> events{eval_of(kRun, attempt, 1, 50, 4.0)};
  const std::vector<Store::Batch> batches{{.run = kRun, .attempt = attempt, .events = events, .next_offset = 1}};
  store.ingest(batches);
  EXPECT_TRUE(store.speeds().empty());
  store.finish(kRun, attempt, end(RunState::done));
  const std::vector<SpeedRecord> speeds = store.speeds();
  ASSERT_EQ(speeds.size(), 1u);
  EXPECT_EQ(speeds[0].device, "cpu");
  EXPECT_EQ(speeds[0].tokens_per_s, 5000);
  EXPECT_EQ(speeds[0].flops_per_token, 3.84e8 / 64000);
}

}  // namespace
}  // namespace bitsweep::store
