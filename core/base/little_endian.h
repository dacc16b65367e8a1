// Whole numbers as files and streams hold them: the low byte first.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bitsweep {

// The number at `offset`; bytes beyond the end count as 0.
template <std::unsigned_integral Number>
constexpr Number little_endian(std::string_view bytes, size_t offset = 0) {
  Number value = 0;
  for (size_t i = 0; i < sizeof(Number) && offset + i < bytes.size(); ++i)
    value = static_cast<Number>(value | Number{static_cast<uint8_t>(bytes[offset + i])} << (8 * i));
  return value;
}

template <std::unsigned_integral Number>
void append_little_endian(std::string& bytes, Number value) {
  for (size_t i = 0; i < sizeof(Number); ++i) bytes += static_cast<char>(value >> (8 * i));
}

}  // namespace bitsweep
