// What a scan over bytes finds: enough to say whether they are text and which tokenizer fits, without reading them
// again.
#pragma once

#include <cstdint>
#include <span>

namespace bitsweep::data {

struct TextStats {
  uint64_t bytes = 0;
  uint64_t high_bytes = 0;     // ≥ 128: outside ASCII
  uint64_t control_bytes = 0;  // < 32 other than tab, newline, form feed, carriage return; and 127

  void add(std::span<const uint8_t> text);
  // More than a tenth are control bytes: no text in any common encoding.
  bool looks_binary() const { return control_bytes * 10 > bytes; }
  bool operator==(const TextStats&) const = default;
};

}  // namespace bitsweep::data
