#include "columns/frames.h"

#include <fmt/format.h>

#include "base/little_endian.h"

namespace bitsweep::columns {

void FrameReader::add(std::string_view part) {
  while (wrong_.empty() && !part.empty()) {
    if (next_ == Next::nothing) {
      wrong_ = fmt::format("byte {}: more follows the end", at_);
      return;
    }
    const size_t missing = wanted_bytes_ - begun_.size();
    if (part.size() < missing) {
      begun_ += part;
      return;
    }
    const std::string_view rest = part.substr(0, missing);
    part.remove_prefix(missing);
    if (begun_.empty()) {
      take(rest);
    } else {
      const std::string piece = std::move(begun_ += rest);
      begun_.clear();
      take(piece);
    }
  }
}

void FrameReader::expect(Next next, size_t bytes) {
  next_ = next;
  wanted_bytes_ = bytes;
}

void FrameReader::take(std::string_view piece) {
  const uint64_t begin = at_;
  at_ += piece.size();
  switch (next_) {
    case Next::begin:
      if (piece != stream_begin) wrong_ = fmt::format("byte 0: it does not begin with {}", stream_begin);
      return expect(Next::length, sizeof(uint32_t));
    case Next::length:
      return take_length(little_endian<uint32_t>(piece));
    case Next::value:
      return pass(piece);
    case Next::count:
      if (little_endian<uint64_t>(piece) != values_)
        wrong_ =
            fmt::format("byte {}: {} values are told, and {} came", begin, little_endian<uint64_t>(piece), values_);
      return expect(Next::nothing, 0);
    case Next::nothing:
      return;
  }
}

void FrameReader::take_length(uint32_t length) {
  if (length == end_length) return expect(Next::count, sizeof(uint64_t));
  if (length == null_length) return pass(std::nullopt);
  if (length == 0) return pass("");
  if (length > longest_value_bytes)
    wrong_ = fmt::format("byte {}: a value of {} bytes", at_ - sizeof(uint32_t), length);
  expect(Next::value, length);
}

void FrameReader::pass(std::optional<std::string_view> value) {
  ++values_;
  expect(Next::length, sizeof(uint32_t));
  sink_(value);
}

}  // namespace bitsweep::columns
