// A sample of a text that comes by once: blocks of 16 KiB, evenly spread whatever its length turns out to be.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bitsweep::data {

class TextSample {
 public:
  static constexpr size_t block_bytes = 16 << 10, most_blocks = 128;

  void add(std::span<const uint8_t> text);
  // From 64 to 128 blocks of a text that has so many, else all of it.
  std::vector<std::string> take() { return std::move(kept_); }

 private:
  void thin();

  std::vector<std::string> kept_;
  uint64_t block_ = 0, every_ = 1;  // of the text: the block that is being read, and which ones are kept
  size_t filled_ = 0;               // bytes of it so far
};

}  // namespace bitsweep::data
