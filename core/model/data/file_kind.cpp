#include "data/file_kind.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/units.h"
#include "data/shard_file.h"

namespace bitsweep::data {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view unpack_advice = "unpack it and name the folder with its texts";
constexpr std::string_view table_advice =
    "write its text column out as JSON lines (they may be compressed by gzip or zstd) and name the key in data.field";
constexpr std::string_view array_advice = "bring the text that its numbers were made from";
constexpr std::string_view convert_advice = "write what it says out as text";
constexpr std::string_view no_text_advice = "take it out of the corpus, or choose the texts by data.glob";

struct Magic {
  size_t offset;
  std::string_view bytes;
  std::string_view what;
  std::string_view advice;
};

// A longer sign stands before a shorter one that it begins with.
constexpr Magic magics[] = {
    {0,
     "\xFD"
     "7zXZ\0"sv,
     "xz-compressed data", "unpack it (xz -d), or compress its content by gzip or zstd instead"},
    {0, "LZIP\x01", "lzip-compressed data", "unpack it (lzip -d), or compress its content by gzip or zstd instead"},
    {0, "\x04\x22\x4D\x18", "lz4-compressed data",
     "unpack it (lz4 -d), or compress its content by gzip or zstd instead"},
    {0, "\xFF\x06\0\0sNaPpY"sv, "snappy-compressed data", "unpack it, or compress its content by gzip or zstd instead"},
    {0, "\x1F\x9D", "data compressed by compress", "unpack it (uncompress), or compress its content by gzip or zstd"},
    {0, "\x37\xA4\x30\xEC", "a zstd dictionary", "bring the data that it was trained on"},
    {0, "PK\x05\x06", "an empty zip archive", unpack_advice},
    {0, "PK\x07\x08", "a zip archive in parts", unpack_advice},
    {0, "7z\xBC\xAF\x27\x1C", "a 7-Zip archive", unpack_advice},
    {0, "Rar!\x1A\x07", "a RAR archive", unpack_advice},
    {257, "ustar\0"sv, "a tar archive", unpack_advice},
    {257, "ustar  \0"sv, "a tar archive", unpack_advice},
    {0, "PAR1", "a Parquet table", table_advice},
    {0, "ARROW1\0\0"sv, "an Arrow (Feather) table", table_advice},
    {0, "FEA1", "a Feather table", table_advice},
    {0, "Obj\x01", "an Avro table", table_advice},
    {0, "SQLite format 3\0"sv, "an SQLite database", table_advice},
    {0, "\x89HDF\r\n\x1A\n", "an HDF5 file", table_advice},
    {0, "\x93NUMPY", "a NumPy array", array_advice},
    {0, "GGUF\x02\0\0\0"sv, "a GGUF model", no_text_advice},
    {0, "GGUF\x03\0\0\0"sv, "a GGUF model", no_text_advice},
    {0, "%PDF-", "a PDF document", "write its text out (pdftotext)"},
    {0, "{\\rtf1", "an RTF document", convert_advice},
    {0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "an Office document", convert_advice},
    {0,
     "\x7F"
     "ELF",
     "a program or library (ELF)", no_text_advice},
    {0, "\0asm"sv, "a WebAssembly module", no_text_advice},
    {0, "\x89PNG\r\n\x1A\n", "a PNG image", no_text_advice},
    {0, "\xFF\xD8\xFF", "a JPEG image", no_text_advice},
    {0, "GIF87a", "a GIF image", no_text_advice},
    {0, "GIF89a", "a GIF image", no_text_advice},
    {0, "OggS\0"sv, "an Ogg recording", no_text_advice},
    {0, "version https://git-lfs.github.com/spec/", "the pointer of Git LFS to a file, not the file",
     "fetch the file itself (git lfs pull)"},
};

class Head {
 public:
  explicit Head(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  std::span<const uint8_t> bytes() const { return bytes_; }
  bool has(std::string_view sign, size_t offset = 0) const {
    return bytes_.size() >= offset + sign.size() && std::memcmp(bytes_.data() + offset, sign.data(), sign.size()) == 0;
  }
  // Little-endian; 0 beyond the head.
  uint32_t word(size_t index) const {
    uint32_t value = 0;
    for (size_t i = 0; i < 4 && index * 4 + i < bytes_.size(); ++i)
      value |= static_cast<uint32_t>(bytes_[index * 4 + i]) << (8 * i);
    return value;
  }
  size_t size() const { return bytes_.size(); }
  uint8_t operator[](size_t i) const { return bytes_[i]; }
  std::string_view text() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }

 private:
  std::span<const uint8_t> bytes_;
};

FileKind refused(std::string_view what, std::string_view advice) {
  return {FileKind::Way::refused, std::string(what), std::string(advice)};
}

std::optional<FileKind> compressed(const Head& head) {
  if (head.has("\x1F\x8B\x08")) return FileKind{FileKind::Way::gzip, "gzip-compressed data", ""};
  // A frame, or one to be skipped, as parallel compressors put before theirs.
  const uint32_t first = head.word(0);
  if (head.size() >= 4 && (first == 0xFD2FB528u || first >> 4 == 0x184D2A5u))
    return FileKind{FileKind::Way::zstd, "zstd-compressed data", ""};
  return std::nullopt;
}

// The shards that llm.c and what came after it read: 256 int32 (magic, version, tokens, …), then the tokens.
std::optional<FileKind> token_shard(const Head& head, uint64_t bytes) {
  const auto form = shard_form(head.bytes());
  if (!form) return std::nullopt;
  std::string what =
      fmt::format("a shard of {} tokens of {} bits (llm.c {}, version {})",
                  format_thousands(static_cast<int64_t>(form->tokens)), form->width * 8, head.word(0), head.word(1));
  if (bytes != 0 && bytes != form->file_bytes())
    what += fmt::format(", cut off or padded: {} bytes instead of {}", format_thousands(static_cast<int64_t>(bytes)),
                        format_thousands(static_cast<int64_t>(form->file_bytes())));
  return refused(what,
                 "name shards to train on and shards to validate on, data.corpus: { train: GLOB, val: GLOB }, and the "
                 "tokenizer that made them in data.tokenizer");
}

std::optional<FileKind> wide_encoding(const Head& head) {
  const auto encoding = [](std::string_view name) {
    return refused(fmt::format("{} text", name), fmt::format("write it as UTF-8 (iconv -f {} -t UTF-8)", name));
  };
  if (head.has("\xFF\xFE\0\0"sv)) return encoding("UTF-32LE");
  if (head.has("\0\0\xFE\xFF"sv)) return encoding("UTF-32BE");
  if (head.has("\xFF\xFE")) return encoding("UTF-16LE");
  if (head.has("\xFE\xFF")) return encoding("UTF-16BE");
  // Without a mark: most characters of Western text are ASCII, whose other bytes are 0.
  constexpr size_t enough = 16;
  const size_t units = head.size() / 4;
  if (units * 4 < enough) return std::nullopt;
  size_t zeros[4] = {}, printable[4] = {};
  for (size_t i = 0; i < units * 4; ++i) {
    const uint8_t byte = head[i];
    zeros[i % 4] += byte == 0;
    printable[i % 4] += (byte >= 32 && byte != 127) || byte == '\t' || byte == '\n' || byte == '\r';
  }
  const auto shaped = [&](std::string_view pattern) {  // '0': nearly always 0, 'x': nearly always a character
    for (size_t i = 0; i < 4; ++i)
      if ((pattern[i] == '0' ? zeros[i] : printable[i]) * 20 < units * 19) return false;
    return true;
  };
  if (shaped("x000")) return encoding("UTF-32LE");
  if (shaped("000x")) return encoding("UTF-32BE");
  if (shaped("x0x0")) return encoding("UTF-16LE");
  if (shaped("0x0x")) return encoding("UTF-16BE");
  return std::nullopt;
}

// Formats whose sign is more than bytes at a place.
std::optional<FileKind> structured(const Head& head) {
  if (head.has("PK\x03\x04")) {
    const std::string_view start = head.text().substr(0, 256);
    if (start.find(".npy") != std::string_view::npos) return refused("NumPy arrays (npz)", array_advice);
    if (start.find("[Content_Types].xml") != std::string_view::npos)
      return refused("an Office document", convert_advice);
    return refused("a zip archive", unpack_advice);
  }
  if (head.has("BZh") && (head.has("1AY&SY", 4) || head.has("\x17\x72\x45\x38\x50\x90", 4)))
    return refused("bzip2-compressed data", "unpack it (bzip2 -d), or compress its content by gzip or zstd instead");
  if (head.has("\x5D\0\0"sv) && head.has("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 5))
    return refused("lzma-compressed data", "unpack it (xz -d), or compress its content by gzip or zstd instead");
  // A stream of Arrow: a mark, then the length of the schema, in whole words.
  if (head.has("\xFF\xFF\xFF\xFF") && head.size() >= 8 && head.word(1) % 8 == 0 && head.word(1) - 1 < (1u << 24))
    return refused("an Arrow stream", table_advice);
  // A pickle of protocol 2 or later opens with a frame, a container or a name.
  if (head.size() >= 3 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5 &&
      "\x95}](cX\x8A\x8E"sv.find(static_cast<char>(head[2])) != std::string_view::npos)
    return refused("a Python pickle", convert_advice);
  // A safetensors file: the length of its JSON in 8 bytes, then the JSON.
  if (head.has("{\"", 8) && head.word(1) == 0 && head.word(0) < (100u << 20))
    return refused("a safetensors file", no_text_advice);
  return std::nullopt;
}

}  // namespace

FileKind file_kind_of(std::span<const uint8_t> bytes_of_head, uint64_t bytes) {
  const Head head(bytes_of_head.first(std::min(bytes_of_head.size(), file_head_bytes)));
  if (auto kind = compressed(head)) return *kind;
  if (auto kind = token_shard(head, bytes)) return *kind;
  for (const Magic& magic : magics)
    if (head.has(magic.bytes, magic.offset)) return refused(magic.what, magic.advice);
  if (auto kind = structured(head)) return *kind;
  if (auto kind = wide_encoding(head)) return *kind;
  return {};
}

}  // namespace bitsweep::data
