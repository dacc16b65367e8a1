#include <cmath>
#include <fstream>

#include "store/tail.h"
#include "store_fixture.h"

namespace bitsweep::store {
namespace {

constexpr const char* kRun = "aaaaaaaaaaaa";

class IngestTest : public StoreTest {
 protected:
  IngestTest() { claimed(kRun); }
  std::vector<event::Event> evals(int64_t first_seq, int64_t last_seq) {
    std::vector<event::Event> events;
    for (int64_t seq = first_seq; seq <= last_seq; ++seq)
      events.push_back(eval_of(kRun, 1, seq, seq * 10, 5.0 - 0.1 * static_cast<double>(seq)));
    return events;
  }
};

TEST_F(IngestTest, EventsEvalsOffsetAndSummaryComeTogether) {
  const auto got = ingest(kRun, 1, evals(1, 10), 1234);
  EXPECT_EQ(got.stored, 10);
  EXPECT_EQ(count("events"), 10);
  EXPECT_EQ(count("evals"), 10);
  EXPECT_EQ(store.attempt(kRun, 1)->events_offset, 1234u);
  const RunRecord run = *store.run(kRun);
  EXPECT_EQ(run.step, 100);
  EXPECT_DOUBLE_EQ(*run.best_val_bpc, 4.0);
  EXPECT_DOUBLE_EQ(*run.last_val_bpc, 4.0);
  EXPECT_EQ(run.tokens_per_s, 5000.0);
  EXPECT_EQ(run.wall_s, 100.0);
}

TEST_F(IngestTest, AnyOverlapMayBeRepeated) {
  ingest(kRun, 1, evals(1, 6), 600);
  const auto got = ingest(kRun, 1, evals(4, 10), 1000);
  EXPECT_EQ(got.stored, 4);
  EXPECT_EQ(got.repeated, 3);
  ingest(kRun, 1, evals(1, 10), 1000);
  EXPECT_EQ(count("events"), 10);
  EXPECT_EQ(store.database().integer("SELECT sum(seq) FROM events"), 55);
}

TEST_F(IngestTest, EventsOfOthersAreNotTaken) {
  std::vector<event::Event> events = evals(1, 2);
  events.push_back(eval_of("bbbbbbbbbbbb", 1, 3, 30, 1.0));
  events.push_back(eval_of(kRun, 2, 3, 30, 1.0));
  const auto got = ingest(kRun, 1, events, 10);
  EXPECT_EQ(got.stored, 2);
  EXPECT_EQ(got.foreign, 2);
  EXPECT_GT(*store.run(kRun)->best_val_bpc, 4.0);
}

TEST_F(IngestTest, ABatchOfAnUnknownAttemptStoresNothing) {
  EXPECT_THROW(ingest(kRun, 5, {eval_of(kRun, 5, 1, 10, 3.0)}, 10), Error);
  EXPECT_EQ(count("events"), 0);
}

TEST_F(IngestTest, SeveralRunsInOneCommit) {
  claimed("bbbbbbbbbbbb");
  const std::vector<event::Event> mine = evals(1, 3), other = {eval_of("bbbbbbbbbbbb", 1, 1, 10, 2.0)};
  const std::vector<Store::Batch> batches = {{kRun, 1, mine, 30, 1}, {"bbbbbbbbbbbb", 1, other, 10, 2}};
  EXPECT_EQ(store.ingest(batches).stored, 4);
  EXPECT_EQ(store.run("bbbbbbbbbbbb")->best_val_bpc, 2.0);
}

TEST_F(IngestTest, NumbersOfAProbeComeBesideThoseOfEvents) {
  event::Event eval = eval_of(kRun, 1, 1, 10, 3.0);
  eval.fields["ipmr.L0H0"] = 0.1;
  ingest(kRun, 1, {eval}, 1);
  const std::vector<std::pair<std::string, double>> found = {
      {"ipmr.L0H0", 0.25}, {"hdr", 0.5}, {"agreement.L0H0", std::nan("")}};
  store.put_metrics(kRun, 1, 10, found);
  EXPECT_EQ(count("metrics WHERE name = 'ipmr.L0H0' AND step = 10 AND value = 0.25"), 1);
  EXPECT_EQ(count("metrics WHERE name = 'hdr' AND value = 0.5 AND finite = 1"), 1);
  EXPECT_EQ(count("metrics WHERE name = 'agreement.L0H0' AND value IS NULL AND finite = 0"), 1);
  EXPECT_EQ(count("evals"), 1);
  EXPECT_THROW(store.put_metrics("cccccccccccc", 1, 10, found), Error);
}

TEST_F(IngestTest, WhatIsNotFiniteIsNullAndMarked) {
  event::Event bad = eval_of(kRun, 1, 1, 10, 3.0);
  bad.fields["val_bpc"] = nullptr;
  bad.fields["grad_norm"] = std::nan("");
  bad.fields["flip_rate"] = nullptr;
  ingest(kRun, 1, {bad, eval_of(kRun, 1, 2, 20, 2.5)}, 1);
  EXPECT_EQ(count("eval WHERE val_bpc IS NULL AND grad_norm IS NULL AND finite = 0"), 1);
  EXPECT_EQ(count("eval WHERE finite = 1"), 1);
  EXPECT_EQ(count("metrics WHERE name = 'flip_rate' AND value IS NULL AND finite = 0"), 1);
  EXPECT_EQ(store.run(kRun)->best_val_bpc, 2.5);
}

TEST_F(IngestTest, ADivergedLastEvalHasNoLastLoss) {
  event::Event bad = eval_of(kRun, 1, 2, 20, 0);
  bad.fields["val_bpc"] = nullptr;
  ingest(kRun, 1, {eval_of(kRun, 1, 1, 10, 2.5), bad}, 1);
  EXPECT_EQ(store.run(kRun)->best_val_bpc, 2.5);
  EXPECT_FALSE(store.run(kRun)->last_val_bpc.has_value());
}

TEST_F(IngestTest, OtherNumbersBecomeMetrics) {
  event::Event event = eval_of(kRun, 1, 1, 10, 3.0);
  event.fields["flip_rate"] = 0.25;
  event.fields["stored_bits"] = 12345;
  event.fields["note"] = "words are no metric";
  event.fields["nested"] = json::object{{"a", 1}};
  ingest(kRun, 1, {event}, 1);
  EXPECT_EQ(count("metrics"), 2);
  EXPECT_EQ(count("metrics WHERE name = 'flip_rate' AND value = 0.25 AND finite = 1"), 1);
}

TEST_F(IngestTest, TheLatestAttemptSpeaksForAStep) {
  ingest(kRun, 1, {eval_of(kRun, 1, 1, 10, 3.0), eval_of(kRun, 1, 2, 20, 2.0)}, 1);
  store.requeue(kRun, 1, end(RunState::failed, ExitCause::signal), true, 0);
  store.claim(kRun, "cpu", 1, 1);
  ingest(kRun, 2, {event_of(kRun, 2, 1, "resume", 10), eval_of(kRun, 2, 2, 20, 2.2)}, 1);
  EXPECT_EQ(count("evals"), 2);
  EXPECT_EQ(count("evals WHERE step = 20 AND val_bpc = 2.2"), 1);
  // The old one's words come late: they are kept as events, and change no step that the new one has reached.
  ingest(kRun, 1, {eval_of(kRun, 1, 3, 20, 9.0)}, 2);
  EXPECT_EQ(count("evals WHERE step = 20 AND val_bpc = 2.2"), 1);
  EXPECT_EQ(count("events"), 5);
  EXPECT_EQ(store.run(kRun)->step, 20);
  EXPECT_EQ(store.run(kRun)->wall_s, 40.0);  // 20 s in each attempt
  EXPECT_EQ(store.database().integer("SELECT resumed_step FROM attempt WHERE attempt = 2"), 10);
}

// A finished run made anew: the earlier attempt's numbers stand until the new one has begun, and none is mixed in.
TEST_F(IngestTest, AnAttemptAfterAFinishedOneBeginsAnew) {
  const auto start = [](int64_t attempt, const char* build) {
    return event_of(kRun, attempt, 1, "start", 0, {{"plugin_build", build}, {"nn_build", "n"}});
  };
  ingest(kRun, 1, {start(1, "a"), eval_of(kRun, 1, 2, 10, 3.0), eval_of(kRun, 1, 3, 20, 1.0)}, 1);
  EXPECT_FALSE(store.make_anew(kRun));  // it is not done
  store.mark_running(kRun, 1, 1);
  ASSERT_TRUE(store.finish(kRun, 1, end(RunState::done)));
  EXPECT_EQ(store.last_finished(kRun, 2), 1);
  EXPECT_EQ(store.last_finished(kRun, 1), 0);
  EXPECT_EQ(store.latest_build(kRun), (CodeBuild{"a", "n"}));
  store.put_metrics(kRun, 1, 20, {{{"ipmr_chance", 0.5}}});
  ASSERT_TRUE(store.make_anew(kRun));
  EXPECT_FALSE(store.make_anew(kRun));
  EXPECT_EQ(store.state(kRun), RunState::queued);
  EXPECT_EQ(store.run(kRun)->last_val_bpc, 1.0);
  ASSERT_EQ(store.claim(kRun, "cpu", 1, 1), 2);
  ingest(kRun, 2, {start(2, "b"), eval_of(kRun, 2, 2, 10, 4.0)}, 1);
  EXPECT_EQ(count("evals"), 1);
  EXPECT_EQ(count("metrics WHERE name = 'ipmr_chance'"), 0);
  EXPECT_EQ(store.run(kRun)->last_val_bpc, 4.0);
  EXPECT_EQ(store.run(kRun)->best_val_bpc, 4.0);
  EXPECT_EQ(count("events"), 5);
  EXPECT_EQ(store.latest_build(kRun), (CodeBuild{"b", "n"}));
  // A checkpoint of the earlier attempt that is probed now says nothing of the run.
  store.put_metrics(kRun, 1, 20, {{{"ipmr_chance", 0.5}}});
  EXPECT_EQ(count("metrics WHERE name = 'ipmr_chance'"), 0);
  store.put_metrics(kRun, 2, 10, {{{"ipmr_chance", 0.25}}});
  EXPECT_EQ(count("metrics WHERE name = 'ipmr_chance'"), 1);
}

TEST_F(IngestTest, AFailedAttemptLeavesItsNumbersToTheNext) {
  ingest(kRun, 1, {event_of(kRun, 1, 1, "start", 0), eval_of(kRun, 1, 2, 10, 3.0)}, 1);
  store.requeue(kRun, 1, end(RunState::failed, ExitCause::signal), true, 0);
  store.claim(kRun, "cpu", 1, 1);
  ingest(kRun, 2, {event_of(kRun, 2, 1, "start", 0)}, 1);
  EXPECT_EQ(count("evals"), 1);
  EXPECT_EQ(store.latest_build(kRun), CodeBuild{});
}

// The lowest loss is kept as evaluations come, and looked for again when one of them is replaced.
TEST_F(IngestTest, TheLowestLossIsThatOfTheEvaluationsThatStand) {
  ingest(kRun, 1, {eval_of(kRun, 1, 1, 10, 3.0), eval_of(kRun, 1, 2, 20, 2.0)}, 1);
  ingest(kRun, 1, {eval_of(kRun, 1, 3, 30, 2.0), eval_of(kRun, 1, 4, 40, NAN)}, 2);
  EXPECT_EQ(store.run(kRun)->best_val_bpc, 2.0);
  EXPECT_EQ(store.database().integer("SELECT best_step FROM run"), 20) << "the earlier of two equal ones";
  store.requeue(kRun, 1, end(RunState::failed, ExitCause::signal), true, 0);
  store.claim(kRun, "cpu", 1, 1);
  ingest(kRun, 2, {eval_of(kRun, 2, 1, 20, 2.6)}, 1);
  EXPECT_EQ(store.database().integer("SELECT best_step FROM run"), 30) << "what was lowest stands no more";
  ingest(kRun, 2, {eval_of(kRun, 2, 2, 30, 2.5)}, 2);
  EXPECT_EQ(store.run(kRun)->best_val_bpc, 2.5);
  ingest(kRun, 2, {eval_of(kRun, 2, 3, 50, 2.55), eval_of(kRun, 2, 4, 60, 2.4)}, 3);
  EXPECT_EQ(store.run(kRun)->best_val_bpc, 2.4);
}

TEST_F(IngestTest, TheOrderOfAttemptsDoesNotMatter) {
  store.requeue(kRun, 1, end(RunState::failed, ExitCause::signal), true, 0);
  store.claim(kRun, "cpu", 1, 1);
  ingest(kRun, 2, {eval_of(kRun, 2, 1, 20, 2.2)}, 1);
  ingest(kRun, 1, {eval_of(kRun, 1, 1, 20, 3.0), eval_of(kRun, 1, 2, 30, 1.5)}, 1);
  EXPECT_EQ(count("evals WHERE step = 20 AND val_bpc = 2.2"), 1);
  EXPECT_EQ(store.run(kRun)->best_val_bpc, 1.5);
}

TEST_F(IngestTest, TheLastWordOfAnAttempt) {
  EXPECT_FALSE(store.end_event(kRun, 1).has_value());
  ingest(kRun, 1,
         {event_of(kRun, 1, 1, "end", 90, {{"status", "diverged"}, {"message", "NaN loss"}, {"last_finite_step", 80}})},
         1);
  const auto last = store.end_event(kRun, 1);
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->status, "diverged");
  EXPECT_EQ(last->message, "NaN loss");
  EXPECT_EQ(last->step, 90);
}

TEST_F(IngestTest, FieldsSurviveWhatTheyHold) {
  json::object fields = {
      {"text", std::string("nul\0inside", 10)}, {"big", 9.5e15}, {"list", json::array{1, "x", nullptr}}};
  ingest(kRun, 1, {event_of(kRun, 1, 1, "note", 1, fields)}, 1);
  Statement row = store.database().prepare("SELECT fields FROM events");
  ASSERT_TRUE(row.step());
  EXPECT_EQ(parse_json(row.text(0), "fields").as_object(), fields);
}

// The whole way from a file to rows, with everything that can be wrong with a file.
class IngestFileTest : public IngestTest {
 protected:
  fs::path file() const { return root / "events.jsonl"; }
  void append(const std::string& text) { std::ofstream(file(), std::ios::app | std::ios::binary) << text; }
  void take() {
    for (;;) {
      const EventTail::Chunk chunk = tail.read();
      const uint64_t before = store.attempt(kRun, 1)->events_offset;
      if (!chunk.restarted && chunk.next_offset == before) return;
      const Store::Batch batch{kRun, 1, chunk.events, chunk.next_offset, chunk.file};
      store.ingest({&batch, 1});
      tail.advance(chunk);
    }
  }
  std::string lines(int64_t first, int64_t last) {
    std::string text;
    for (const event::Event& event : evals(first, last)) text += to_line(event);
    return text;
  }
  EventTail tail{file(), 0, 0};
};

TEST_F(IngestFileTest, ATornLineIsReadWhenItIsWhole) {
  const std::string text = lines(1, 3);
  append(text.substr(0, text.size() - 20));
  take();
  EXPECT_EQ(count("events"), 2);
  append(text.substr(text.size() - 20));
  take();
  EXPECT_EQ(count("events"), 3);
  EXPECT_EQ(store.attempt(kRun, 1)->events_offset, text.size());
}

TEST_F(IngestFileTest, ForeignLinesAndNulBytesArePassedOver) {
  append(lines(1, 1) + "hello\n" + std::string("\0\0\0\n", 4) + "{\"event\":\"eval\"}\n" + "\n" + lines(2, 2) +
         std::string(100, '\0'));
  take();
  EXPECT_EQ(count("events"), 2);
  EXPECT_EQ(store.run(kRun)->step, 20);
}

TEST_F(IngestFileTest, ATruncatedFileIsReadAgainWithoutDoubling) {
  append(lines(1, 5));
  take();
  fs::resize_file(file(), lines(1, 2).size());
  append(lines(3, 7));
  take();
  EXPECT_EQ(count("events"), 7);
}

TEST_F(IngestFileTest, AReplacedFileIsReadFromItsStart) {
  append(lines(1, 3));
  take();
  const fs::path other = root / "other.jsonl";
  std::ofstream(other) << lines(1, 9);
  fs::rename(other, file());
  take();
  EXPECT_EQ(count("events"), 9);
}

TEST_F(IngestFileTest, ADeletedFileLosesNothing) {
  append(lines(1, 3));
  take();
  fs::remove(file());
  take();
  append(lines(1, 4));
  take();
  EXPECT_EQ(count("events"), 4);
}

TEST_F(IngestFileTest, ANewReaderGoesOnWhereTheDatabaseIs) {
  append(lines(1, 3));
  take();
  const AttemptRecord attempt = *store.attempt(kRun, 1);
  append(lines(4, 6));
  tail = EventTail(file(), attempt.events_offset, attempt.events_file);
  const auto chunk = tail.read();
  EXPECT_FALSE(chunk.restarted);
  EXPECT_EQ(chunk.events.size(), 3u);
}

}  // namespace
}  // namespace bitsweep::store
