// What bitsweep-parquet writes to its standard output: the values of a column, in order.
//
//   8 bytes    "BITSCOL1": what this is, and its version
//   a value    u32 length, then as many bytes
//   a null     u32 null_length
//   at last    u32 end_length, then u64: how many values there were
//
// Numbers are little-endian. A stream without its end is no shorter column: its program died. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace bitsweep::columns {

inline constexpr std::string_view stream_begin = "BITSCOL1";
inline constexpr uint32_t null_length = 0xFFFFFFFF, end_length = 0xFFFFFFFE;
// A longer value is none: as long as a line of JSON lines may be.
inline constexpr uint32_t longest_value_bytes = uint32_t{1} << 30;

// Exit codes of the program; what else it may end with is no word of its own.
enum class HelperExit : int { done = 0, unreadable = 2, no_column = 3, no_text = 4, damaged = 5, failed = 6 };

// A value of a column, valid during the call; nothing for null.
using ValueSink = std::function<void(std::optional<std::string_view>)>;

// Takes a stream apart. Memory is that of the longest value.
class FrameReader {
 public:
  explicit FrameReader(ValueSink sink) : sink_(std::move(sink)) {}

  // The next bytes of the stream, cut anywhere. After something wrong all else is passed over.
  void add(std::string_view part);

  // Why this is no such stream: "byte 12: …"; "" while nothing is wrong.
  const std::string& wrong() const { return wrong_; }
  // Whether it came to its end.
  bool whole() const { return next_ == Next::nothing && wrong_.empty(); }
  uint64_t values() const { return values_; }

 private:
  enum class Next { begin, length, value, count, nothing };

  void take(std::string_view piece);
  void take_length(uint32_t length);
  void pass(std::optional<std::string_view> value);
  void expect(Next next, size_t bytes);

  ValueSink sink_;
  Next next_ = Next::begin;
  size_t wanted_bytes_ = stream_begin.size();  // of the piece that comes next
  std::string begun_;                          // of it, so far
  uint64_t at_ = 0, values_ = 0;
  std::string wrong_;
};

}  // namespace bitsweep::columns
