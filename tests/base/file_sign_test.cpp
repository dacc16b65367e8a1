// One list of signs serves corpora (data/file_kind.h) and tables (base/csv.h); each says what to do in its own words.
#include <gmock/gmock.h>

#include "base/csv.h"
#include "base/file_sign.h"
#include "base/little_endian.h"

namespace bitsweep {
namespace {

using namespace std::string_view_literals;

TEST(FileSign, FirstBytesSayWhatAFileIs) {
  const auto is = [](std::string_view head) { return file_sign_of(head).value_or(FileSign{}).is; };
  EXPECT_EQ(is("\x1F\x8B\x08\0"sv), "gzip-compressed data");
  EXPECT_EQ(is("\x28\xB5\x2F\xFD...."), "zstd-compressed data");
  EXPECT_EQ(is("PAR1...."), "a Parquet table");
  EXPECT_EQ(is(std::string(257, '\0') + std::string("ustar\0", 6)), "a tar archive");
  EXPECT_EQ(is("PK\x03\x04 [Content_Types].xml"), "an Office document");
  const std::string piece = "\n\x0E\n\x05<unk>\x15" + std::string(4, '\0') + "\x18\x02", next = "\n\x0C\n\x03<s>";
  EXPECT_EQ(is(piece + next), "a SentencePiece model");
  EXPECT_EQ(is(piece), "");
  EXPECT_EQ(is("\n\x0E\n\x05 lines of a text\n"), "");
  for (const std::string_view text : {""sv, "PAR"sv, "params,tokens\n1,2\n"sv, "\x1F\x8B"sv, "BZhang"sv})
    EXPECT_FALSE(file_sign_of(text)) << text;
}

TEST(FileSign, WideTextIsKnownByItsMarkOrItsZeros) {
  EXPECT_EQ(wide_encoding_of("\xFF\xFEs\0"sv), "UTF-16LE");
  EXPECT_EQ(wide_encoding_of("\0\0\xFE\xFF\0\0\0s"sv), "UTF-32BE");
  EXPECT_EQ(wide_encoding_of("\0p\0a\0r\0a\0m\0s\0,\0t\0"sv), "UTF-16BE");
  EXPECT_EQ(wide_encoding_of("params,tokens,loss"), "");
  EXPECT_EQ(wide_encoding_of("\xFF"), "");
}

TEST(FileSign, OfWhatShouldBeATableSayHowToMakeItOne) {
  for (const auto& [bytes, told] : std::vector<std::pair<std::string_view, std::string>>{
           {"\x1F\x8B\x08\0"sv, "gzip-compressed data; unpack it first: gunzip FILE"},
           {"BZh91AY&SY"sv, "bzip2-compressed data; unpack it first: bzip2 -d FILE"},
           {"\xFF\x06\0\0sNaPpY"sv, "snappy-compressed data; unpack it first"},
           {"PK\x03\x04"sv, "a zip archive (a spreadsheet of .xlsx or .ods is one, too); export it as CSV"},
           {"PAR1"sv, "a Parquet table; export it as CSV"},
           {"SQLite format 3\0"sv, "an SQLite database; export it as CSV"},
           {"GIF89a"sv, "a GIF image"},
           {"version https://git-lfs.github.com/spec/v1"sv,
            "the pointer of Git LFS to a file, not the file; fetch the file itself (git lfs pull)"},
           {"\xFE\xFF\0s"sv, "UTF-16BE; write it as UTF-8: iconv -f UTF-16BE -t UTF-8 FILE"},
           {"params,tokens,loss\n"sv, ""}})
    EXPECT_EQ(not_text(bytes), told);
}

TEST(LittleEndian, TheLowByteComesFirst) {
  EXPECT_EQ(little_endian<uint32_t>("\x01\x02\x03\x04"), 0x04030201u);
  EXPECT_EQ(little_endian<uint16_t>("\x01\xFF\xFE", 1), 0xFEFF);
  EXPECT_EQ(little_endian<uint64_t>("\xFF\xFF"), 0xFFFFu);
  std::string bytes = "x";
  append_little_endian(bytes, uint32_t{0x80000001});
  EXPECT_EQ(bytes, "x\x01\0\0\x80"sv);
  EXPECT_EQ(little_endian<uint32_t>(bytes, 1), 0x80000001u);
}

}  // namespace
}  // namespace bitsweep
