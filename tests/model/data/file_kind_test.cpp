#include "data/file_kind.h"

#include <gmock/gmock.h>

#include "compressed.h"
#include "temp_folder.h"

namespace bitsweep::data {
namespace {

using testing::HasSubstr;
using Way = FileKind::Way;

FileKind kind(std::string_view bytes, uint64_t size = 0) { return file_kind_of(bytes_of(bytes), size); }

std::string words(uint32_t a, uint32_t b, uint32_t c) {
  std::string out;
  for (const uint32_t word : {a, b, c})
    for (int i = 0; i < 4; ++i) out += static_cast<char>(word >> (8 * i));
  return out;
}

std::string wide(std::string_view text, size_t before, size_t after) {
  std::string out;
  for (const char c : text) out += std::string(before, '\0') + c + std::string(after, '\0');
  return out;
}

TEST(FileKind, text_is_text_whatever_its_language) {
  for (const std::string& text :
       {std::string(), std::string("a"), numbered_text(5000), std::string("\xEF\xBB\xBFtext"), std::string("PARENTS"),
        std::string("BZhang"), std::string("PK"), std::string("GIF is an image"), std::string(5000, '\0'),
        std::string("\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82"), std::string("\x1F"), std::string("{\"a\":1}"),
        std::string("\xFF is one byte of Latin 1"), std::string("\x80 too"), std::string("GGUF is a format")})
    EXPECT_EQ(kind(text).way, Way::text) << text.substr(0, 20);
  std::string every;
  for (int i = 0; i < 4096; ++i) every += static_cast<char>(i * 7 + 1);
  EXPECT_EQ(kind(every).way, Way::text);
}

TEST(FileKind, compressed_text_is_known_by_its_first_bytes) {
  EXPECT_EQ(kind(gzip("text")).way, Way::gzip);
  EXPECT_EQ(kind(zstd("text")).way, Way::zstd);
  EXPECT_EQ(kind(std::string("\x50\x2A\x4D\x18\x03\0\0\0abc", 11)).way, Way::zstd);
}

TEST(FileKind, a_parquet_table_is_read_in_a_way_of_its_own) {
  EXPECT_EQ(kind("PAR1\x15\x04").way, Way::parquet);
  EXPECT_EQ(kind("PAR1\x15\x04").what, "a Parquet table");
  EXPECT_EQ(kind("PAR").way, Way::text);
}

TEST(FileKind, what_is_no_text_is_named_with_what_to_do) {
  const auto with_zeros = [](std::string_view sign, size_t offset = 0) {
    return std::string(offset, '\0') + std::string(sign) + std::string(600, '\0');
  };
  const std::tuple<std::string, const char*, const char*> cases[] = {
      {with_zeros(std::string_view("\xFD"
                                   "7zXZ\0",
                                   6)),
       "xz-compressed", "xz -d"},
      {with_zeros("BZh91AY&SY"), "bzip2-compressed", "bzip2 -d"},
      {with_zeros("\x04\x22\x4D\x18"), "lz4-compressed", "lz4 -d"},
      {with_zeros("PK\x03\x04...weights.npy"), "npz", "text"},
      {with_zeros("PK\x03\x04...a.txt"), "a zip archive", "unpack"},
      {with_zeros("ustar", 257), "a tar archive", "unpack"},
      {with_zeros("ARROW1"), "Arrow (Feather)", "data.field"},
      {words(0xFFFFFFFF, 1200, 16) + std::string(600, '\1'), "an Arrow stream", "data.field"},
      {with_zeros("FEA1"), "a Feather table", "data.field"},
      {with_zeros("\x93NUMPY"), "a NumPy array", "text"},
      {with_zeros("SQLite format 3"), "an SQLite database", "data.field"},
      {"%PDF-1.7\n...", "a PDF document", "pdftotext"},
      {with_zeros("\x7F"
                  "ELF"),
       "ELF", "data.glob"},
      {with_zeros("\x89PNG\r\n\x1A\n"), "a PNG image", "data.glob"},
      {"\x80\x04\x95" + std::string(600, '\1'), "a Python pickle", "text"},
      {words(500, 0, 0x656D227B) + "ta\":{}}", "a safetensors file", "data.glob"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "Git LFS", "git lfs pull"},
  };
  for (const auto& [bytes, what, advice] : cases) {
    const FileKind found = kind(bytes);
    EXPECT_EQ(found.way, Way::refused) << what;
    EXPECT_THAT(found.what, HasSubstr(what));
    EXPECT_THAT(found.advice, HasSubstr(advice)) << what;
  }
}

TEST(FileKind, token_shards_say_how_many_tokens_of_which_width) {
  EXPECT_EQ(kind(words(20240520, 1, 100'000), 1024 + 200'000).what,
            "a shard of 100,000 tokens of 16 bits (llm.c 20240520, version 1)");
  EXPECT_EQ(kind(words(20240801, 7, 3), 1024 + 12).what, "a shard of 3 tokens of 32 bits (llm.c 20240801, version 7)");
  EXPECT_THAT(kind(words(20240520, 1, 100'000), 5000).what,
              HasSubstr("cut off or padded: 5,000 bytes instead of 201,024"));
  EXPECT_EQ(kind(words(20240520, 9, 1)).way, Way::text);
}

TEST(FileKind, wide_encodings_are_known_with_and_without_a_mark) {
  const std::string text = "Plain English text,\nin two lines.";
  const std::tuple<std::string, const char*> cases[] = {
      {"\xFF\xFE" + wide(text, 0, 1), "UTF-16LE"},
      {"\xFE\xFF" + wide(text, 1, 0), "UTF-16BE"},
      {std::string("\xFF\xFE\0\0", 4) + wide(text, 0, 3), "UTF-32LE"},
      {std::string("\0\0\xFE\xFF", 4) + wide(text, 3, 0), "UTF-32BE"},
      {wide(text, 0, 1), "UTF-16LE"},
      {wide(text, 1, 0), "UTF-16BE"},
      {wide(text, 0, 3), "UTF-32LE"},
      {wide(text, 3, 0), "UTF-32BE"},
  };
  for (const auto& [bytes, name] : cases) {
    EXPECT_THAT(kind(bytes).what, HasSubstr(name));
    EXPECT_THAT(kind(bytes).advice, HasSubstr(std::string("iconv -f ") + name));
  }
  // Numbers in two bytes each are no such text: their low bytes are no characters.
  std::string numbers;
  for (int i = 0; i < 2000; ++i) numbers += {static_cast<char>(i % 60), '\0'};
  EXPECT_EQ(kind(numbers).way, Way::text);
}

}  // namespace
}  // namespace bitsweep::data
