// Whether bytes are UTF-8.
#pragma once

#include <cstdint>
#include <span>

namespace bitsweep::data {

// Well-formed as Unicode 15 has it in table 3-7: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool is_utf8(std::span<const uint8_t> bytes);

}  // namespace bitsweep::data
