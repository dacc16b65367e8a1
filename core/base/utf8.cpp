#include "base/utf8.h"

#include <cstring>

namespace bitsweep {
namespace {

// Bytes of the sequence that begins at `at`, a byte ≥ 128; 0 when there is none.
size_t sequence_bytes(std::span<const uint8_t> bytes, size_t at) {
  const uint8_t lead = bytes[at];
  const size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                        : lead >= 0xE0 && lead <= 0xEF ? 3
                        : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                       : 0;
  if (length == 0 || bytes.size() - at < length) return 0;
  const uint8_t least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const uint8_t most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (bytes[at + 1] < least || bytes[at + 1] > most) return 0;
  for (size_t i = 2; i < length; ++i)
    if (bytes[at + i] >> 6 != 2) return 0;
  return length;
}

}  // namespace

size_t utf8_prefix(std::span<const uint8_t> bytes) {
  for (size_t at = 0; at < bytes.size();) {
    uint64_t eight = 0;
    if (at + 8 <= bytes.size()) {
      std::memcpy(&eight, bytes.data() + at, 8);
      if ((eight & 0x8080808080808080u) == 0) {
        at += 8;
        continue;
      }
    }
    if (bytes[at] < 0x80) {
      ++at;
      continue;
    }
    const size_t length = sequence_bytes(bytes, at);
    if (length == 0) return at;
    at += length;
  }
  return bytes.size();
}

}  // namespace bitsweep
