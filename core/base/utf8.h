// UTF-8, as Unicode 15 has it in table 3-7: no overlong forms, no surrogates, nothing beyond U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace bitsweep {

// Bytes of the sequence that begins at `at`, 0 when there is none. REQUIRES at < text.size().
size_t utf8_length(std::string_view text, size_t at);

// The text with U+FFFD for each byte that belongs to no sequence.
std::string valid_utf8(std::string_view text);

// Bytes of the longest beginning that is well-formed.
size_t utf8_prefix(std::span<const uint8_t> bytes);

inline bool is_utf8(std::span<const uint8_t> bytes) { return utf8_prefix(bytes) == bytes.size(); }

}  // namespace bitsweep
