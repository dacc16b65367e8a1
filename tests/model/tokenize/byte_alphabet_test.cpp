#include "tokenize/byte_alphabet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace bitsweep::tokenize {
namespace {

using ::testing::HasSubstr;

std::vector<uint8_t> every_byte(size_t repeats) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < 256 * repeats; ++i) bytes.push_back(static_cast<uint8_t>(i));
  return bytes;
}

TEST(ByteAlphabet, bytes256_is_the_identity) {
  const ByteAlphabet alphabet("bytes256");
  const auto bytes = every_byte(1);
  std::vector<uint8_t> ids(bytes.size());
  alphabet.encode(bytes, ids.data());
  EXPECT_EQ(ids, bytes);
  EXPECT_EQ(alphabet.vocab(), 256);
}

TEST(ByteAlphabet, ascii128_maps_what_it_lacks_to_one_token) {
  const ByteAlphabet alphabet("ascii128");
  EXPECT_EQ(alphabet.vocab(), 128);
  const auto bytes = every_byte(3);
  for (size_t length = 0; length < 80; ++length) {  // lengths around the width of vectors
    std::vector<uint8_t> ids(length + 1, 0xEE);
    alphabet.encode(std::span(bytes).subspan(100, length), ids.data());
    for (size_t i = 0; i < length; ++i) {
      const uint8_t byte = bytes[100 + i];
      EXPECT_EQ(ids[i], byte < 128 ? byte : unknown_token);
      EXPECT_EQ(ids[i], alphabet.encode(byte));
    }
    EXPECT_EQ(ids[length], 0xEE);  // nothing beyond the end
  }
}

TEST(ByteAlphabet, names_the_nearest_known_one) {
  try {
    ByteAlphabet("ascii127");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(error.what(), HasSubstr("unknown tokenizer 'ascii127'; did you mean 'ascii128'?"));
  }
}

}  // namespace
}  // namespace bitsweep::tokenize
