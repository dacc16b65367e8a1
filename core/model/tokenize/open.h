// A tokenizer by its name: a byte alphabet, or a file, known by what is in it.
#pragma once

#include <memory>
#include <string>

#include "tokenize/tokenizer.h"

namespace bitsweep::tokenize {

// ascii128, bytes256; the path of a SentencePiece model or of a tokenizer.json. Throws Error{input}: unknown names
// (with the nearest), files that are neither, parts of a tokenizer.json that are not read (each by name).
std::shared_ptr<const Tokenizer> open_tokenizer(const std::string& name);

}  // namespace bitsweep::tokenize
