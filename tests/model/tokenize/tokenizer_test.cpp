#include "tokenize/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "tokenize/model_proto.h"
#include "tokenize/open.h"

namespace bitsweep::tokenize {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const fs::path kFolder = fs::path(BITSWEEP_SOURCE_DIR) / "tests/model/tokenize/goldens";

std::string refusal(const std::string& name) {
  try {
    open_tokenizer(name);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "";
}

TEST(OpenTokenizer, knows_alphabets_by_name) {
  const auto bytes = open_tokenizer("bytes256");
  EXPECT_EQ(bytes->vocab(), 256);
  EXPECT_THAT(bytes->encode("a\xff"), ElementsAre(97, 255));
  EXPECT_EQ(bytes->decode(std::vector<TokenId>{97, 255}), "a\xff");
  const auto ascii = open_tokenizer("ascii128");
  EXPECT_THAT(ascii->encode("a\xff"), ElementsAre(97, 26));
  EXPECT_FALSE(ascii->facts().lossless);
  EXPECT_NE(ascii->facts().sha256, bytes->facts().sha256);
}

TEST(OpenTokenizer, says_what_is_wrong) {
  EXPECT_THAT(refusal("bytes265"), HasSubstr("did you mean 'bytes256'?"));
  EXPECT_THAT(refusal("./nowhere.model"), HasSubstr("nowhere.model"));
  EXPECT_THAT(refusal(kFolder.string()), HasSubstr("is a folder"));
  EXPECT_THAT(refusal((kFolder / "make.py").string()), HasSubstr("no SentencePiece model"));
  EXPECT_THAT(refusal((kFolder / "ids.json").string()), HasSubstr("'model' is not there"));
}

TEST(ByteCounter, does_not_count_a_dummy_prefix) {
  const auto tokenizer = open_tokenizer((kFolder / "unigram.model").string());
  const std::vector<TokenId> ids = tokenizer->encode("the the");
  const ByteCounter counter(*tokenizer);
  EXPECT_EQ(counter.count(std::span<const TokenId>(ids), tokenizer->facts().bos), 7u);
  EXPECT_EQ(counter.count(std::span<const TokenId>(ids), std::nullopt), 8u);  // it may be the middle of a text
  std::vector<TokenId> two = ids;
  two.push_back(*tokenizer->facts().eos);
  two.insert(two.end(), ids.begin(), ids.end());
  EXPECT_EQ(counter.count(std::span<const TokenId>(two), tokenizer->facts().bos), 14u);
  const std::vector<uint16_t> narrow(two.begin(), two.end());
  EXPECT_EQ(counter.count(std::span<const uint16_t>(narrow), tokenizer->facts().bos), 14u);
}

TEST(ModelSettings, are_read_from_the_wire) {
  const auto bpe = read_model_settings(read_file(kFolder / "bpe.model"));
  ASSERT_TRUE(bpe.has_value());
  EXPECT_EQ(bpe->normalizer, "identity");
  EXPECT_EQ(bpe->normalizer_map, "");
  EXPECT_FALSE(bpe->add_dummy_prefix);
  EXPECT_FALSE(bpe->remove_extra_whitespaces);
  EXPECT_TRUE(bpe->byte_fallback);
  EXPECT_EQ(bpe->model_type, 2);
  const auto unigram = read_model_settings(read_file(kFolder / "unigram.model"));
  ASSERT_TRUE(unigram.has_value());
  EXPECT_TRUE(unigram->add_dummy_prefix);
  EXPECT_TRUE(unigram->remove_extra_whitespaces);
  EXPECT_FALSE(unigram->byte_fallback);
  EXPECT_EQ(unigram->model_type, 1);
}

TEST(ModelSettings, refuse_what_is_cut_or_changed) {
  const std::string model = read_file(kFolder / "bpe.model");
  EXPECT_FALSE(read_model_settings(""));
  EXPECT_FALSE(read_model_settings("text"));
  for (size_t size = 1; size < model.size(); size += 97) {
    const auto settings = read_model_settings(model.substr(0, size));  // between two fields it is a shorter model
    if (settings) {
      EXPECT_GT(size, 10u);
    }
  }
  EXPECT_FALSE(read_model_settings(model + "\xff"));
}

}  // namespace
}  // namespace bitsweep::tokenize
