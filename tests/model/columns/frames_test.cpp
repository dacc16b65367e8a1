#include "columns/frames.h"

#include <vector>

#include <gmock/gmock.h>

#include "columns/stand_in.h"

namespace bitsweep::columns {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

struct Read {
  std::vector<std::string> values;
  std::string wrong;
  bool whole = false;
};

// `part_bytes` at a time.
Read read(std::string_view stream, size_t part_bytes = SIZE_MAX) {
  Read result;
  FrameReader reader([&](Value value) { result.values.emplace_back(value.value_or("null")); });
  for (; !stream.empty(); stream.remove_prefix(std::min(stream.size(), part_bytes)))
    reader.add(stream.substr(0, part_bytes));
  result.wrong = reader.wrong();
  result.whole = reader.whole();
  EXPECT_EQ(reader.values(), result.values.size());
  return result;
}

TEST(Frames, AreReadHoweverTheyAreCut) {
  const std::string long_value(1000, 'x');
  const std::string stream = stream_of({"one", std::nullopt, "", std::string_view("\0\xFF\n", 3), long_value});
  for (size_t part = 1; part <= stream.size(); ++part) {
    const Read result = read(stream, part);
    EXPECT_THAT(result.values, ElementsAre("one", "null", "", std::string("\0\xFF\n", 3), long_value)) << part;
    EXPECT_TRUE(result.whole) << part << result.wrong;
  }
}

TEST(Frames, OfNoValuesAreAWholeStream) {
  EXPECT_TRUE(read(stream_of({})).whole);
  EXPECT_FALSE(read("").whole);
}

TEST(Frames, TornAnywhereAreNotWholeAndPassNoHalfOfAValue) {
  const std::string stream = stream_of({"first", std::nullopt, "second"});
  for (size_t bytes = 0; bytes < stream.size(); ++bytes) {
    const Read result = read(stream.substr(0, bytes));
    EXPECT_FALSE(result.whole) << bytes;
    EXPECT_EQ(result.wrong, "") << bytes;
    for (const std::string& value : result.values) EXPECT_THAT(value, testing::AnyOf("first", "null", "second"));
  }
}

TEST(Frames, ThatAreNoneAreToldWithTheirByte) {
  const std::string begin(stream_begin);
  EXPECT_THAT(read("<html><body>").wrong, StartsWith("byte 0: it does not begin with BITSCOL1"));
  EXPECT_THAT(read("BITSCOL2" + frame("a") + stream_end(1)).wrong, StartsWith("byte 0"));
  EXPECT_THAT(read(begin + frame("abc") + "\xFF\xFF\xFF\x7F").wrong, StartsWith("byte 15: a value of 2147483647"));
  EXPECT_THAT(read(begin + frame("a") + stream_end(2)).wrong, StartsWith("byte 17: 2 values are told, and 1 came"));
  EXPECT_THAT(read(stream_of({"a"}) + "x").wrong, StartsWith("byte 25: more follows the end"));
  EXPECT_FALSE(read(stream_of({"a"}) + "x").whole);
  EXPECT_THAT(read(begin + frame("a") + stream_end(2) + frame("b")).values, ElementsAre("a"));
}

TEST(Frames, OfTheLongestValueAreTakenByTheirLength) {
  std::string header(stream_begin);
  append_little_endian(header, longest_value_bytes);
  EXPECT_EQ(read(header).wrong, "");
  std::string above(stream_begin);
  append_little_endian(above, longest_value_bytes + 1);
  EXPECT_THAT(read(above).wrong, HasSubstr("a value of 1073741825 bytes"));
}

}  // namespace
}  // namespace bitsweep::columns
