// Where a text of context and continuation is cut into the two, and what fits.
#include "tasks/encode.h"

#include "tasks/made_items.h"
#include "tokenize/byte_tokenizer.h"
#include "tokenize/open.h"

namespace bitsweep::tasks {
namespace {

using testing::ElementsAre;

const std::string kGoldens = std::string(BITSWEEP_SOURCE_DIR) + "/tests/model/tokenize/goldens/";

TEST(EncodePair, SpacesAtTheContextsEndBelongToTheContinuation) {
  const auto bytes = tokenize::make_byte_tokenizer("bytes256");
  const auto encoder = bytes->make_encoder();
  const Pair pair = encode_pair(*encoder, *bytes, "ab \n", "cd");
  EXPECT_THAT(pair.tokens, ElementsAre('a', 'b', ' ', '\n', 'c', 'd'));
  EXPECT_EQ(pair.continuation, 4u);
  EXPECT_EQ(pair.bytes, 4u);
  EXPECT_EQ(encode_pair(*encoder, *bytes, "ab", " cd").continuation, 3u);
}

TEST(EncodePair, TheWholeIsEncodedAndTheContextAloneDecidesTheCut) {
  for (const char* file : {"gpt2.json", "bpe.model"}) {
    const auto tokenizer = tokenize::open_tokenizer(kGoldens + file);
    const auto encoder = tokenizer->make_encoder();
    const std::string context = "The quick brown fo", continuation = "x jumps over";
    const Pair pair = encode_pair(*encoder, *tokenizer, context + "  ", continuation);
    EXPECT_EQ(pair.tokens, tokenizer->encode(context + "  " + continuation));
    EXPECT_EQ(pair.tokens.size() - pair.continuation, tokenizer->encode(context).size());
    EXPECT_EQ(pair.bytes, continuation.size() + 2);
  }
}

TEST(EncodePair, WithoutAContextSomethingStandsBeforeTheFirstToken) {
  const auto bytes = tokenize::make_byte_tokenizer("ascii128");
  const auto encoder = bytes->make_encoder();
  const Pair pair = encode_pair(*encoder, *bytes, " ", "x");
  EXPECT_THAT(pair.tokens, ElementsAre('\n', ' ', 'x'));
  EXPECT_EQ(pair.continuation, 2u);
  const auto piece = tokenize::open_tokenizer(kGoldens + "bpe.model");
  ASSERT_TRUE(piece->facts().bos);
  EXPECT_EQ(encode_pair(*piece->make_encoder(), *piece, "", "x").tokens.at(0), *piece->facts().bos);
}

TEST(EncodePair, TheLeftIsCutAtTheContextsLength) {
  Pair pair{{1, 2, 3, 4, 5, 6}, 2, 2};
  EXPECT_FALSE(cut_left(pair, 5));
  EXPECT_TRUE(cut_left(pair, 3));
  EXPECT_THAT(pair.tokens, ElementsAre(3, 4, 5, 6));
  EXPECT_EQ(pair.continuation, 2u);
  EXPECT_TRUE(cut_left(pair, 1));  // the continuation itself is too long
  EXPECT_THAT(pair.tokens, ElementsAre(5, 6));
  EXPECT_EQ(pair.continuation, 1u);
}

TEST(EncodePrompt, ExamplesThatDoNotFitAreLeftOutFromTheFront) {
  const auto bytes = tokenize::make_byte_tokenizer("bytes256");
  const auto encoder = bytes->make_encoder();
  Question question;
  question.shots = {"one ", "two "};
  question.prompt = "three?";
  question.continuations = {" a", " bcd"};
  EXPECT_EQ(encode_prompt(*encoder, *bytes, question, 14).shots, 2u);
  const Prompt some = encode_prompt(*encoder, *bytes, question, 13);
  EXPECT_EQ(some.shots, 1u);
  EXPECT_EQ(bytes->decode(some.tokens), "two three?");
  EXPECT_FALSE(some.cut);
  const Prompt cut = encode_prompt(*encoder, *bytes, question, 4);
  EXPECT_EQ(bytes->decode(cut.tokens), "ree?");
  EXPECT_TRUE(cut.cut);
  EXPECT_EQ(shots_that_fit(*encoder, *bytes, question, 17), 2u);  // 14 + 4 tokens, of which the last is not read
  EXPECT_EQ(shots_that_fit(*encoder, *bytes, question, 16), 1u);
  EXPECT_EQ(shots_that_fit(*encoder, *bytes, question, 3), 0u);
}

}  // namespace
}  // namespace bitsweep::tasks
