// Hugging Face's tokenizer.json, as far as it is byte-level BPE.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tokenize/tokenizer.h"

namespace bitsweep::tokenize {

// Read are: models BPE of bytes; pre-tokenizers ByteLevel, Split by a pattern, Digits and sequences of them;
// normalizers NFC and none; added tokens, of which those that are special never match a text. BOS and EOS are special
// tokens of the names in use for them. Truncation, padding, post-processor and decoder have no say in what a text's ids
// are. Throws Error{input} with all that is not read, each by its name.
std::shared_ptr<const Tokenizer> read_tokenizer_json(std::string_view text, const std::string& name);

}  // namespace bitsweep::tokenize
