// SentencePiece models (Kudo and Richardson 2018, arXiv 1808.06226), by its own library.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tokenize/tokenizer.h"

namespace bitsweep::tokenize {

// `model`: the bytes of a .model file. Lossless where its normalizer is the identity, no white space is removed and
// bytes that no piece holds have pieces of their own (a literal ▁ aside, which becomes a space). Throws Error{input}
// for what is no such model, and for white space behind words.
std::shared_ptr<const Tokenizer> read_sentence_piece(std::string_view model, const std::string& name);

// Of the library in use, "0.1.97"; models that it trains may differ between versions.
std::string sentence_piece_version();

}  // namespace bitsweep::tokenize
