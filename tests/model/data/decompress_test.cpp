#include "data/decompress.h"

#include <gmock/gmock.h>

#include "compressed.h"
#include "temp_folder.h"

namespace bitsweep::data {
namespace {

using testing::HasSubstr;
using Way = FileKind::Way;

std::string unpacked(Way way, std::string_view data) {
  std::string text;
  decompress(way, bytes_of(data), "f", [&](std::span<const uint8_t> part) { text += text_of(part); });
  return text;
}

std::string refusal(Way way, std::string_view data) {
  const Error error = error_of([&] { unpacked(way, data); });
  EXPECT_EQ(error.kind(), ErrorKind::input);
  return error.what();
}

TEST(Decompress, every_member_and_every_frame_is_read) {
  const std::string text = numbered_text(5'000'000);  // more than one output buffer
  EXPECT_EQ(unpacked(Way::gzip, gzip(text)), text);
  EXPECT_EQ(unpacked(Way::zstd, zstd(text)), text);
  EXPECT_EQ(unpacked(Way::gzip, gzip("one ") + gzip("") + gzip(text) + gzip("two")), "one " + text + "two");
  EXPECT_EQ(unpacked(Way::zstd, zstd("one ") + zstd("") + zstd(text) + zstd("two")), "one " + text + "two");
}

TEST(Decompress, a_text_of_whole_buffers_ends_where_it_ends) {
  for (const size_t bytes : {size_t{1} << 20, (size_t{1} << 20) + 1, size_t{3} << 20}) {
    const std::string text(bytes, 'a');
    EXPECT_EQ(unpacked(Way::gzip, gzip(text)), text);
    EXPECT_EQ(unpacked(Way::zstd, zstd(text)), text);
  }
}

TEST(Decompress, padding_and_frames_to_skip_are_passed_over) {
  EXPECT_EQ(unpacked(Way::gzip, gzip("text") + std::string(1000, '\0')), "text");
  const std::string skipped("\x50\x2A\x4D\x18\x03\0\0\0abc", 11);
  EXPECT_EQ(unpacked(Way::zstd, skipped + zstd("text") + skipped), "text");
}

TEST(Decompress, nothing_compressed_is_no_text) {
  EXPECT_EQ(unpacked(Way::gzip, gzip("")), "");
  EXPECT_EQ(unpacked(Way::zstd, zstd("")), "");
}

TEST(Decompress, every_place_where_a_file_can_be_cut_off_is_told) {
  const std::string text = numbered_text(2000);
  for (const auto& [way, whole] : {std::pair(Way::gzip, gzip(text)), std::pair(Way::zstd, zstd(text))})
    for (size_t bytes = 4; bytes < whole.size(); bytes += 7)
      EXPECT_THAT(refusal(way, whole.substr(0, bytes)),
                  HasSubstr("the file ends at byte " + (bytes < 1000 ? std::to_string(bytes) : "")))
          << bytes;
}

TEST(Decompress, damage_is_told_with_its_place) {
  const std::string text = numbered_text(3'000'000);
  for (const auto& [way, whole, name] :
       {std::tuple(Way::gzip, gzip(text), "gzip"), std::tuple(Way::zstd, zstd(text), "zstd")}) {
    std::string broken = whole;
    for (size_t i = 0; i < 64; ++i) broken[whole.size() / 2 + i] = static_cast<char>(0xA5 ^ i);
    const std::string told = refusal(way, broken);
    EXPECT_THAT(told, HasSubstr(std::string("f: damaged ") + name + " data at byte "));
    EXPECT_THAT(refusal(way, whole + "and more"), HasSubstr(std::string("damaged ") + name + " data at byte "));
  }
  EXPECT_THAT(refusal(Way::gzip, gzip("text") + std::string(10, '\0') + "x"),
              HasSubstr("what follows the last member is no gzip data"));
}

}  // namespace
}  // namespace bitsweep::data
