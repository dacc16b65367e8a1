#include <gmock/gmock.h>

#include "data/text_stats.h"
#include "temp_folder.h"

namespace bitsweep::data {
namespace {

std::vector<uint8_t> every_byte(size_t repeats) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < 256 * repeats; ++i) bytes.push_back(static_cast<uint8_t>(i));
  return bytes;
}

TEST(TextStats, counts_by_kind) {
  TextStats stats;
  stats.add(bytes_of("a\tb\n\r\f\x01\x7f\x80\xff"));
  EXPECT_EQ(stats.bytes, 10u);
  EXPECT_EQ(stats.control_bytes, 2u);
  EXPECT_EQ(stats.high_bytes, 2u);
}

TEST(TextStats, is_the_same_in_pieces_and_beyond_a_block) {
  const auto bytes = every_byte(300);
  TextStats whole, pieces;
  whole.add(bytes);
  for (size_t at = 0; at < bytes.size(); at += 777)
    pieces.add(std::span(bytes).subspan(at, std::min<size_t>(777, bytes.size() - at)));
  EXPECT_EQ(whole, pieces);
  EXPECT_EQ(whole.high_bytes, 300u * 128);
  EXPECT_EQ(whole.control_bytes, 300u * 29);
}

TEST(TextStats, tells_binary_from_text) {
  TextStats text, zeros, utf8;
  text.add(bytes_of("int main() {}\n"));
  utf8.add(bytes_of("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f"));
  zeros.add(std::vector<uint8_t>(100));
  EXPECT_FALSE(text.looks_binary());
  EXPECT_FALSE(utf8.looks_binary());
  EXPECT_TRUE(zeros.looks_binary());
  EXPECT_FALSE(TextStats{}.looks_binary());
}

}  // namespace
}  // namespace bitsweep::data
