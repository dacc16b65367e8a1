// Whether bytes are UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace bitsweep {

// Bytes of the longest beginning that is well-formed as Unicode 15 has it in table 3-7: no overlong forms, no
// surrogates, nothing beyond U+10FFFF.
size_t utf8_prefix(std::span<const uint8_t> bytes);

inline bool is_utf8(std::span<const uint8_t> bytes) { return utf8_prefix(bytes) == bytes.size(); }

}  // namespace bitsweep
