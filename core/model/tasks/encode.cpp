#include "tasks/encode.h"

#include <algorithm>

namespace bitsweep::tasks {
namespace {

// Puts a token before every text.
class BeginningEncoder : public tokenize::Encoder {
 public:
  BeginningEncoder(std::unique_ptr<tokenize::Encoder> encoder, TokenId begin)
      : encoder_(std::move(encoder)), begin_(begin) {}
  void encode(std::string_view text, std::vector<TokenId>& ids) override {
    ids.push_back(begin_);
    encoder_->encode(text, ids);
  }

 private:
  std::unique_ptr<tokenize::Encoder> encoder_;
  TokenId begin_;
};

std::vector<TokenId> encoded(tokenize::Encoder& encoder, std::string_view text) {
  std::vector<TokenId> ids;
  encoder.encode(text, ids);
  return ids;
}

// What stands in for a text before a text's first token.
std::vector<TokenId> beginning(tokenize::Encoder& encoder, const tokenize::Tokenizer& tokenizer) {
  if (tokenizer.facts().bos) return {*tokenizer.facts().bos};
  return encoded(encoder, "\n");
}

}  // namespace

std::unique_ptr<tokenize::Encoder> prompt_encoder(const tokenize::Tokenizer& tokenizer, std::optional<TokenId> begin) {
  std::unique_ptr<tokenize::Encoder> encoder = tokenizer.make_encoder();
  if (!begin) return encoder;
  return std::make_unique<BeginningEncoder>(std::move(encoder), *begin);
}

size_t reply_room(int64_t max_tokens, size_t context) {
  return std::max<size_t>(1, std::min(static_cast<size_t>(max_tokens), context / 2));
}

Pair encode_pair(tokenize::Encoder& encoder, const tokenize::Tokenizer& tokenizer, std::string_view context,
                 std::string_view continuation) {
  const size_t end = context.find_last_not_of(" \t\n\v\f\r") + 1;
  std::string whole(context);
  whole += continuation;
  Pair pair;
  pair.tokens = encoded(encoder, whole);
  std::vector<TokenId> before = encoded(encoder, context.substr(0, end));
  const size_t cut = std::min(before.size(), pair.tokens.size());
  pair.continuation = pair.tokens.size() - cut;
  pair.bytes = whole.size() - end;
  if (cut == 0) {
    const std::vector<TokenId> first = beginning(encoder, tokenizer);
    pair.tokens.insert(pair.tokens.begin(), first.begin(), first.end());
  }
  return pair;
}

bool cut_left(Pair& pair, size_t context) {
  if (pair.tokens.size() <= context + 1) return false;
  pair.tokens.erase(pair.tokens.begin(), pair.tokens.end() - static_cast<std::ptrdiff_t>(context + 1));
  pair.continuation = std::min(pair.continuation, context);
  return true;
}

Prompt encode_prompt(tokenize::Encoder& encoder, const tokenize::Tokenizer& tokenizer, const Question& question,
                     size_t room) {
  Prompt prompt;
  for (prompt.shots = question.shots.size();; --prompt.shots) {
    prompt.tokens = encoded(encoder, question.text(prompt.shots));
    if (prompt.tokens.size() <= room || prompt.shots == 0) break;
  }
  if (prompt.tokens.empty()) prompt.tokens = beginning(encoder, tokenizer);
  prompt.cut = prompt.tokens.size() > room;
  if (prompt.cut) prompt.tokens.erase(prompt.tokens.begin(), prompt.tokens.end() - static_cast<std::ptrdiff_t>(room));
  return prompt;
}

size_t shots_that_fit(tokenize::Encoder& encoder, const tokenize::Tokenizer& tokenizer, const Question& question,
                      size_t context) {
  size_t shots = question.shots.size();
  for (const std::string& continuation : question.continuations)
    while (shots > 0 && encode_pair(encoder, tokenizer, question.text(shots), continuation).tokens.size() > context + 1)
      --shots;
  return shots;
}

}  // namespace bitsweep::tasks
