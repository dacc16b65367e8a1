// The alphabets of bytes as tokenizers, for what takes any of them.
#pragma once

#include <memory>
#include <string_view>

#include "tokenize/tokenizer.h"

namespace bitsweep::tokenize {

// `name` as ByteAlphabet takes it. Without BOS and EOS; ascii128 keeps the number of bytes, not which those ≥ 128 were.
std::shared_ptr<const Tokenizer> make_byte_tokenizer(std::string_view name);

}  // namespace bitsweep::tokenize
