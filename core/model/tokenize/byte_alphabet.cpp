#include "tokenize/byte_alphabet.h"

#include <cstring>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "spec/tokenizers.h"

namespace bitsweep::tokenize {

ByteAlphabet::ByteAlphabet(std::string_view name) : name_(name) {
  const auto vocab = spec::vocabulary_of(name);
  if (!vocab)
    throw Error(ErrorKind::input,
                fmt::format("unknown tokenizer '{}'{}", name, did_you_mean(name, spec::tokenizer_names())));
  vocab_ = *vocab;
}

void ByteAlphabet::encode(std::span<const uint8_t> bytes, uint8_t* out) const {
  if (bytes.empty()) return;
  if (vocab_ == 256) {
    std::memcpy(out, bytes.data(), bytes.size());
    return;
  }
  // No branch and no alias, so that the compiler takes whole vectors at a time; a byte ≥ 128 is a negative int8_t.
  const auto* __restrict in = reinterpret_cast<const int8_t*>(bytes.data());
  auto* __restrict ids = reinterpret_cast<int8_t*>(out);
  for (size_t i = 0; i < bytes.size(); ++i) ids[i] = in[i] < 0 ? int8_t{unknown_token} : in[i];
}

}  // namespace bitsweep::tokenize
