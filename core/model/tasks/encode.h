// Questions as tokens that fit a model's context.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "tasks/questions.h"
#include "tokenize/tokenizer.h"

namespace bitsweep::tasks {

using tokenize::TokenId;

// Encodes texts with `begin` in front of each, where there is one.
std::unique_ptr<tokenize::Encoder> prompt_encoder(const tokenize::Tokenizer& tokenizer, std::optional<TokenId> begin);

// Tokens that a reply may have: at most half of the context, at least one.
size_t reply_room(int64_t max_tokens, size_t context);

// A context and what may follow it, as lm-evaluation-harness's _encode_pair cuts them: white space at the context's end
// belongs to the continuation, the two are encoded as one text, and as many of its tokens are the context's as that
// alone has. A context without tokens is BOS, or a newline where the tokenizer has none.
struct Pair {
  std::vector<TokenId> tokens;  // of both
  size_t continuation = 0;      // how many of them, from the end
  uint64_t bytes = 0;           // of text that these stand for
};
Pair encode_pair(tokenize::Encoder& encoder, const tokenize::Tokenizer& tokenizer, std::string_view context,
                 std::string_view continuation);

// Drops the left of what is longer than a model of `context` tokens reads and is scored on, which is one more. True:
// something was cut.
bool cut_left(Pair& pair, size_t context);

// What a question is read as, with as many of its examples as fit.
struct Prompt {
  std::vector<TokenId> tokens;  // never none
  size_t shots = 0;
  bool cut = false;  // the question itself is longer than there is room for, and lost its left
};
// `room`: the most tokens it may have.
Prompt encode_prompt(tokenize::Encoder& encoder, const tokenize::Tokenizer& tokenizer, const Question& question,
                     size_t room);

// The most examples, from the last, with which every one of the continuations fits whole into `context` + 1 tokens.
size_t shots_that_fit(tokenize::Encoder& encoder, const tokenize::Tokenizer& tokenizer, const Question& question,
                      size_t context);

}  // namespace bitsweep::tasks
