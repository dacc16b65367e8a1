// Ids of odd texts as the reference libraries give them (goldens/make.py).
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/json.h"
#include "tokenize/open.h"

namespace bitsweep::tokenize {
namespace {

const fs::path kFolder = fs::path(BITSWEEP_SOURCE_DIR) / "tests/model/tokenize/goldens";

std::string from_base64(std::string_view text) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<uint32_t>(kLetters.find(c));
    if ((count += 6) >= 8) bytes += static_cast<char>(bits >> (count -= 8) & 0xFF);
  }
  return bytes;
}

const json::object& goldens() {
  static const json::value document = parse_json(read_file(kFolder / "ids.json"), "ids.json");
  return document.get_object();
}

std::string text_of(std::string_view name) { return from_base64(goldens().at("texts").at(name).as_string()); }

class Golden : public testing::TestWithParam<const char*> {};

TEST_P(Golden, ids_are_those_of_the_reference) {
  const auto tokenizer = open_tokenizer((kFolder / GetParam()).string());
  size_t texts = 0;
  for (const auto& [name, ids] : goldens().at("ids").at(GetParam()).as_object()) {
    std::vector<TokenId> expected;
    for (const json::value& id : ids.as_array()) expected.push_back(id.to_number<TokenId>());
    EXPECT_EQ(tokenizer->encode(text_of(name)), expected) << std::string_view(name);
    ++texts;
  }
  EXPECT_GE(texts, 30u);
}

// One encoder for all texts: what it remembers of one must not change another.
TEST_P(Golden, ids_do_not_depend_on_what_came_before) {
  const auto tokenizer = open_tokenizer((kFolder / GetParam()).string());
  const auto encoder = tokenizer->make_encoder();
  for (int round = 0; round < 2; ++round)
    for (const auto& text : goldens().at("texts").as_object()) {
      std::vector<TokenId> ids;
      encoder->encode(text_of(text.key()), ids);
      EXPECT_EQ(ids, tokenizer->encode(text_of(text.key()))) << std::string_view(text.key());
    }
}

TEST_P(Golden, bytes_are_those_of_the_decoded_text) {
  const auto tokenizer = open_tokenizer((kFolder / GetParam()).string());
  const ByteCounter counter(*tokenizer);
  for (const auto& text : goldens().at("texts").as_object()) {
    const std::vector<TokenId> ids = tokenizer->encode(text_of(text.key()));
    // A control token in front, so that a dummy prefix is known as such.
    const auto before = tokenizer->facts().bos ? tokenizer->facts().bos : tokenizer->facts().eos;
    EXPECT_EQ(counter.count(std::span<const TokenId>(ids), before), tokenizer->decode(ids).size())
        << std::string_view(text.key());
  }
}

TEST_P(Golden, a_lossless_tokenizer_gives_the_text_back) {
  const auto tokenizer = open_tokenizer((kFolder / GetParam()).string());
  if (!tokenizer->facts().lossless) {
    EXPECT_NE(tokenizer->facts().loss, "");
    return;
  }
  for (const auto& text : goldens().at("texts").as_object()) {
    if (text.key() == "block") continue;  // its ▁ is SentencePiece's space
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(text_of(text.key()))), text_of(text.key()))
        << std::string_view(text.key());
  }
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, Golden,
                         testing::Values("gpt2.json", "llama3.json", "qwen.json", "neox.json", "bpe.model",
                                         "unigram.model"));

TEST(GoldenTokenizers, say_what_they_are) {
  const auto facts = [](const char* name) { return open_tokenizer((kFolder / name).string())->facts(); };
  EXPECT_EQ(facts("gpt2.json").name, "goldens/gpt2.json");
  EXPECT_EQ(facts("gpt2.json").kind, "byte-level BPE");
  EXPECT_EQ(facts("gpt2.json").vocab, 384);
  EXPECT_EQ(facts("gpt2.json").bos, 0u);
  EXPECT_EQ(facts("gpt2.json").eos, 0u);
  EXPECT_EQ(facts("llama3.json").bos, 0u);
  EXPECT_EQ(facts("llama3.json").eos, 1u);
  EXPECT_EQ(facts("llama3.json").vocab, 387);
  EXPECT_TRUE(facts("gpt2.json").lossless);
  EXPECT_TRUE(facts("bpe.model").lossless);
  EXPECT_EQ(facts("qwen.json").loss, "it composes text (NFC)");
  EXPECT_EQ(facts("neox.json").loss, "15 bytes have no token, and are left out");
  EXPECT_EQ(facts("bpe.model").kind, "SentencePiece BPE");
  EXPECT_EQ(facts("unigram.model").kind, "SentencePiece unigram");
  EXPECT_EQ(facts("unigram.model").loss, "it removes repeated spaces; what no piece holds becomes one unknown token");
  EXPECT_TRUE(facts("unigram.model").dummy_prefix);
  EXPECT_EQ(facts("bpe.model").bos, 1u);
  EXPECT_EQ(facts("bpe.model").eos, 2u);
}

TEST(GoldenTokenizers, bytes_that_are_no_utf8_survive_byte_level_bpe) {
  const std::string text = "a\xff\xfe b\xc3(\xe2\x82 \xed\xa0\x80 c";
  const auto tokenizer = open_tokenizer((kFolder / "gpt2.json").string());
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
  const auto composing = open_tokenizer((kFolder / "qwen.json").string());
  EXPECT_EQ(composing->decode(composing->encode(text)), text);
  const auto pieces = open_tokenizer((kFolder / "bpe.model").string());  // U+FFFD in their place, as the library has it
  EXPECT_NE(pieces->decode(pieces->encode(text)), text);
}

TEST(GoldenTokenizers, text_never_yields_a_control_token) {
  for (const char* name : {"gpt2.json", "llama3.json", "qwen.json", "bpe.model", "unigram.model"}) {
    const auto tokenizer = open_tokenizer((kFolder / name).string());
    const std::string text = "<|endoftext|><|begin_of_text|><|im_end|><s></s>";
    for (const TokenId id : tokenizer->encode(text)) {
      EXPECT_NE(id, tokenizer->facts().bos) << name;
      EXPECT_NE(id, tokenizer->facts().eos) << name;
    }
  }
}

}  // namespace
}  // namespace bitsweep::tokenize
