// Tokenizers trained on a text, by SentencePiece.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spec/tokenizers.h"

namespace bitsweep::tokenize {

// What names the tokenizer that a recipe gives on a text: 64 hex digits over the recipe, `text` (which says what text)
// and the library, whose versions may learn otherwise. Nothing need be trained to know it.
std::string trained_name(const spec::TokenizerRecipe& recipe, std::string_view text);

// The bytes of a .model: lossless (identity normalizer, no white space removed, no dummy prefix, bytes for what no
// piece holds), one thread, so that the same texts give the same model. `texts` are cut into lines. Throws Error{input}
// when they give no vocabulary of that size, saying what they do give.
std::string train_sentence_piece(const spec::TokenizerRecipe& recipe, const std::vector<std::string_view>& texts);

}  // namespace bitsweep::tokenize
