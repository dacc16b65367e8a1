#include "base/utf8.h"

#include <cstring>

namespace bitsweep {

size_t utf8_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(at);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                        : lead >= 0xE0 && lead <= 0xEF ? 3
                        : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                       : 0;
  if (length == 0 || text.size() - at < length) return 0;
  const uint8_t least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const uint8_t most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(at + 1) < least || byte(at + 1) > most) return 0;
  for (size_t i = 2; i < length; ++i)
    if (byte(at + i) >> 6 != 2) return 0;
  return length;
}

std::string valid_utf8(std::string_view text) {
  std::string valid;
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_length(text, at);
    valid += length > 0 ? text.substr(at, length) : std::string_view("\xEF\xBF\xBD");
    at += length > 0 ? length : 1;
  }
  return valid;
}

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
    const size_t length = utf8_length({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, at);
    if (length == 0) return at;
    at += length;
  }
  return bytes.size();
}

}  // namespace bitsweep
