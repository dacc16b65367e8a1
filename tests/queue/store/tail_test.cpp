#include "store/tail.h"

#include <fstream>

#include "store_fixture.h"

namespace bitsweep::store {
namespace {

std::string line(int64_t seq) { return to_line(event_of("aaaaaaaaaaaa", 1, seq, "note", seq)); }

TEST(EventTail, AMissingFileIsNothingNew) {
  EventTail tail(fresh_folder("d") / "events.jsonl", 0, 0);
  const auto chunk = tail.read();
  EXPECT_TRUE(chunk.events.empty());
  EXPECT_FALSE(chunk.restarted);
}

TEST(EventTail, WithoutAdvanceTheSameComesAgain) {
  const fs::path file = fresh_folder("d") / "events.jsonl";
  std::ofstream(file) << line(1) << line(2);
  EventTail tail(file, 0, 0);
  EXPECT_EQ(tail.read().events.size(), 2u);
  const auto chunk = tail.read();
  EXPECT_EQ(chunk.events.size(), 2u);
  tail.advance(chunk);
  EXPECT_TRUE(tail.read().events.empty());
}

TEST(EventTail, OtherBytesInTheSameFileAreNoticed) {
  const fs::path file = fresh_folder("d") / "events.jsonl";
  std::ofstream(file) << line(1);
  EventTail tail(file, 0, 0);
  tail.advance(tail.read());
  std::ofstream(file) << "longer than before, and no line ends at that place " << std::string(300, 'x') << "\n"
                      << line(2);
  const auto chunk = tail.read();
  EXPECT_TRUE(chunk.restarted);
  EXPECT_EQ(chunk.events.size(), 1u);
  EXPECT_EQ(chunk.foreign_lines, 1);
}

TEST(EventTail, AFolderInItsPlaceIsNothing) {
  const fs::path folder = fresh_folder("d") / "events.jsonl";
  fs::create_directory(folder);
  EventTail tail(folder, 0, 0);
  EXPECT_TRUE(tail.read().events.empty());
}

}  // namespace
}  // namespace bitsweep::store
