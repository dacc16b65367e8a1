// Alphabets: one token is one byte, so a loss per token is a loss per byte, and nothing need be encoded ahead.
//
//   bytes256  the 256 byte values; nothing is unknown.
//   ascii128  the 128 ASCII values (the seed's alphabet). A byte ≥ 128 becomes `unknown_token`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace bitsweep::tokenize {

// ASCII SUB (0x1A), "substitute": what stands for a byte outside ascii128.
inline constexpr uint8_t unknown_token = 0x1A;

class ByteAlphabet {
 public:
  // Throws Error{input} naming the nearest known tokenizer.
  explicit ByteAlphabet(std::string_view name);

  const std::string& name() const { return name_; }
  int64_t vocab() const { return vocab_; }
  // bytes -> token ids; out.size() == bytes.size().
  void encode(std::span<const uint8_t> bytes, uint8_t* out) const;
  uint8_t encode(uint8_t byte) const { return byte < vocab_ ? byte : unknown_token; }
  bool knows_high_bytes() const { return vocab_ > 128; }  // those ≥ 128

 private:
  std::string name_;
  int64_t vocab_;
};

}  // namespace bitsweep::tokenize
