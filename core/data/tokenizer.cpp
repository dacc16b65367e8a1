#include "data/tokenizer.h"

#include <cstring>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"

namespace bitsweep {

const std::vector<std::string>& Tokenizer::names() {
  static const std::vector<std::string> names{"ascii128", "bytes256"};
  return names;
}

Tokenizer::Tokenizer(std::string_view name) : name_(name), vocab_(name == "ascii128" ? 128 : 256) {
  if (name != "ascii128" && name != "bytes256")
    throw Error(ErrorKind::input, fmt::format("unknown tokenizer '{}'{}", name, did_you_mean(name, names())));
}

void Tokenizer::encode(std::span<const uint8_t> bytes, uint8_t* out) const {
  if (bytes.empty()) return;
  if (vocab_ == 256) {
    std::memcpy(out, bytes.data(), bytes.size());
    return;
  }
  const uint8_t* in = bytes.data();
  for (size_t i = 0; i < bytes.size(); ++i) {
    // All ones where the byte is outside ASCII: no branch, so whole vectors at a time.
    const uint8_t outside = static_cast<uint8_t>(static_cast<int8_t>(in[i]) >> 7);
    out[i] = static_cast<uint8_t>((in[i] & ~outside) | (unknown_token & outside));
  }
}

}  // namespace bitsweep
