#include "data/text_stats.h"

#include <algorithm>

namespace bitsweep::data {

void TextStats::add(std::span<const uint8_t> text) {
  // Blocks keep the counters narrow, which lets the compiler use whole vectors.
  constexpr size_t block_bytes = 1 << 14;
  for (size_t begin = 0; begin < text.size(); begin += block_bytes) {
    const auto block = text.subspan(begin, std::min(block_bytes, text.size() - begin));
    uint32_t high = 0, control = 0;
    for (const uint8_t byte : block) {
      high += byte >> 7;
      const bool space = byte == '\t' || byte == '\n' || byte == '\f' || byte == '\r';
      control += static_cast<uint32_t>(((byte < 32) & !space) | (byte == 127));
    }
    high_bytes += high;
    control_bytes += control;
  }
  bytes += text.size();
}

}  // namespace bitsweep::data
