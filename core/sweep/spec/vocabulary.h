// How many tokens a tokenizer knows.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace bitsweep {

// V; nothing for a tokenizer that is none of ours.
inline std::optional<int64_t> vocabulary_of(std::string_view tokenizer) {
  if (tokenizer == "ascii128") return 128;
  if (tokenizer == "bytes256") return 256;
  return std::nullopt;
}

}  // namespace bitsweep
