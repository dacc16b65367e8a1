#include <algorithm>
#include <cmath>
#include <fstream>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/rng.h"
#include "event/event.h"

namespace bitsweep::event {
namespace {

fs::path fresh_file() {
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  const fs::path path = fs::path(testing::TempDir()) / (std::string("events-") + info->name() + ".jsonl");
  fs::remove_all(path);
  return path;
}

void append(const fs::path& path, std::string_view text) {
  std::ofstream(path, std::ios::app | std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
}

const char* kLine = R"({"event":"eval","run":"0123456789ab","attempt":1,"seq":4,"step":200,"time":1.5,"val_bpc":3.25})";

TEST(Event, LineReadsBackEqual) {
  const Event event{"eval", "0123456789ab", 2, 7, 200, 1.5, {{"val_bpc", 3.25}, {"tokens", 51200}, {"note", "a\"\n"}}};
  const std::string line = to_line(event);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  const auto back = parse_event(line);
  ASSERT_TRUE(back);
  EXPECT_EQ(to_line(*back), line);
  EXPECT_EQ(back->step, 200);
  EXPECT_EQ(integer_or(back->fields, "tokens", 0), 51200);
}

TEST(Event, NonFiniteFieldsAreNull) {
  const std::string line = to_line({"eval", "r", 1, 1, 1, 1, {{"val_bpc", NAN}, {"train_bpc", INFINITY}}});
  EXPECT_NE(line.find("\"val_bpc\":null"), std::string::npos);
  EXPECT_NE(line.find("\"train_bpc\":null"), std::string::npos);
}

TEST(Event, ForeignLinesAreNone) {
  for (const char* line : {"", "{}", "[]", "hello", "{\"event\":\"eval\"}", "null", "{\"event\":1,\"run\":\"x\"}",
                           R"({"event":"eval","run":"x","attempt":0,"seq":1,"step":1,"time":1})",
                           R"({"event":"eval","run":"x","attempt":"1","seq":1,"step":1,"time":1})"})
    EXPECT_FALSE(parse_event(line)) << line;
  EXPECT_TRUE(parse_event(kLine));
}

// The short way through a line that to_line() wrote must find what the parser of JSON finds, and leave it all others.
TEST(Event, AnyWayOfWritingALineIsTheSameEvent) {
  const auto event = parse_event(kLine);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->text, R"({"val_bpc":3.25})");
  EXPECT_EQ(parse_event(std::string(kLine) + " \r\n")->text, event->text);
  EXPECT_EQ(parse_event(R"({"event":"end","run":"r","attempt":1,"seq":4,"step":0,"time":2})")->text, "{}");
  for (const char* line :
       {R"({"run":"0123456789ab","event":"eval","attempt":1,"seq":4,"step":200,"time":1.5,"val_bpc":3.25})",
        R"({"event":"eval","run":"0123456789ab","attempt":1,"seq":4,"step":200,"val_bpc":3.25,"time":1.5})",
        R"({"event": "eval","run":"0123456789ab","attempt":1,"seq":4,"step":200,"time":1.5,"val_bpc":3.25})",
        R"({"event":"\u0065val","run":"0123456789ab","attempt":1,"seq":4,"step":200,"time":1.5,"val_bpc":3.25})",
        R"({"event":"eval","run":"0123456789ab","attempt":1.0,"seq":4,"step":2e2,"time":15e-1,"val_bpc":3.25})",
        R"({"event":"eval","run":"0123456789ab","attempt":1,"seq":9,"step":200,"time":1.5,"val_bpc":3.25,"seq":4})"}) {
    const auto other = parse_event(line);
    ASSERT_TRUE(other) << line;
    EXPECT_EQ(other->text, "") << line;
    EXPECT_EQ(to_line(*other), to_line(*event)) << line;
  }
}

TEST(Event, WhatIsNearlyALineIsNone) {
  for (const char* line : {R"({"event":"eval","run":"r","attempt":1,"seq":04,"step":200,"time":1.5,"val_bpc":3.25})",
                           R"({"event":"eval","run":"r","attempt":1,"seq":4,"step":200,"time":1.,"val_bpc":3.25})",
                           R"({"event":"eval","run":"r","attempt":1,"seq":4,"step":200,"time":inf,"val_bpc":3.25})",
                           R"({"event":"eval","run":"r","attempt":1,"seq":4,"step":200,"time":1.5,"val_bpc":3.25)",
                           R"({"event":"eval","run":"r","attempt":1,"seq":4,"step":200,"time":1.5,"val_bpc":3.25}})",
                           R"({"event":"eval","run":"r","attempt":1,"seq":4,"step":200,"time":1.5 "val_bpc":3.25})",
                           R"({"event":"eval","run":"r","attempt":1,"seq":4,"step":200,"time":1.5,})",
                           R"({"event":"eval","run":"r","attempt":1,"seq":0,"step":200,"time":1.5})"})
    EXPECT_FALSE(parse_event(line)) << line;
}

TEST(EventWriter, NumbersFromOneAndGoesOnAfterRestart) {
  const fs::path path = fresh_file();
  {
    EventWriter writer(path, "r", 1);
    writer.write("start", 0, {});
    writer.write("eval", 10, {{"val_bpc", 3.0}});
    writer.sync();
  }
  EventWriter(path, "r", 1).write("end", 20, {});
  const EventChunk chunk = read_events(path, 0);
  ASSERT_EQ(chunk.events.size(), 3u);
  EXPECT_EQ(chunk.events[2].seq, 3);
  EXPECT_EQ(chunk.events[2].kind, "end");
  EXPECT_EQ(chunk.next_offset, fs::file_size(path));
}

TEST(EventWriter, CutsATornTail) {
  const fs::path path = fresh_file();
  EventWriter(path, "r", 1).write("start", 0, {});
  const auto whole = fs::file_size(path);
  append(path, R"({"event":"eval","run":"r","att)");
  EventWriter writer(path, "r", 1);
  EXPECT_EQ(fs::file_size(path), whole);
  writer.write("eval", 5, {});
  const EventChunk chunk = read_events(path, 0);
  EXPECT_EQ(chunk.events.size(), 2u);
  EXPECT_EQ(chunk.foreign_lines, 0);
}

TEST(EventWriter, AFullDiskThrows) {
  EventWriter* writer = nullptr;
  EXPECT_THROW(writer = new EventWriter("/dev/full", "r", 1); writer->write("start", 0, {}), Error);
  delete writer;
}

TEST(EventWriter, AMissingFolderThrows) { EXPECT_THROW(EventWriter("/nonexistent/dir/events.jsonl", "r", 1), Error); }

TEST(EventReader, AMissingFileIsEmpty) {
  const EventChunk chunk = read_events(fresh_file(), 0);
  EXPECT_TRUE(chunk.events.empty());
  EXPECT_FALSE(chunk.truncated);
}

TEST(EventReader, StopsBeforeATornLineAndGoesOnWhenItIsWhole) {
  const fs::path path = fresh_file();
  const std::string line = std::string(kLine) + "\n";
  append(path, line + line.substr(0, 30));
  const EventChunk first = read_events(path, 0);
  EXPECT_EQ(first.events.size(), 1u);
  EXPECT_EQ(first.next_offset, line.size());
  append(path, line.substr(30));
  const EventChunk second = read_events(path, first.next_offset);
  EXPECT_EQ(second.events.size(), 1u);
  EXPECT_EQ(second.next_offset, 2 * line.size());
}

TEST(EventReader, PassesOverForeignLinesAndNulBytes) {
  const fs::path path = fresh_file();
  append(path, std::string("garbage\n\0\0\0\n\n", 13) + kLine + "\n");
  const EventChunk chunk = read_events(path, 0);
  EXPECT_EQ(chunk.events.size(), 1u);
  EXPECT_EQ(chunk.foreign_lines, 3);
}

TEST(EventReader, SaysWhenTheFileGotShorter) {
  const fs::path path = fresh_file();
  append(path, std::string(kLine) + "\n");
  EXPECT_TRUE(read_events(path, 10'000).truncated);
}

TEST(EventReader, ReadsInPiecesAndLinesLongerThanThem) {
  const fs::path path = fresh_file();
  const std::string huge = to_line({"note", "r", 1, 1, 1, 1, {{"text", std::string(5000, 'x')}}});
  for (int i = 0; i < 3; ++i) append(path, huge);
  uint64_t offset = 0;
  size_t events = 0;
  for (int i = 0; i < 10; ++i) {
    const EventChunk chunk = read_events(path, offset, 1000);
    events += chunk.events.size();
    offset = chunk.next_offset;
  }
  EXPECT_EQ(events, 3u);
  EXPECT_EQ(offset, fs::file_size(path));
}

TEST(EventFuzz, MutatedLinesNeverCrash) {
  const std::string line = kLine;
  int parsed = 0;
  for (uint64_t i = 0; i < 20000; ++i) {
    std::string mutated = line;
    for (uint64_t k = 0; k < 1 + i % 4; ++k)
      mutated[random_below(i, 1, 2 * k, mutated.size())] = static_cast<char>(random_below(i, 2, 2 * k + 1, 256));
    const auto event = parse_event(mutated);
    if (event) ++parsed;
    ASSERT_TRUE(!event || !to_line(*event).empty());
  }
  EXPECT_GT(parsed, 0);      // some mutations stay events,
  EXPECT_LT(parsed, 20000);  // and some do not
}

}  // namespace
}  // namespace bitsweep::event
