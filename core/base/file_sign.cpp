#include "base/file_sign.h"

#include <cstddef>
#include <cstdint>

#include "base/little_endian.h"

namespace bitsweep {
namespace {

using namespace std::string_view_literals;
using Family = FileSign::Family;

struct Magic {
  size_t offset;
  std::string_view bytes;
  FileSign sign;
};

constexpr std::string_view lfs_begin = "version https://git-lfs.github.com/spec/";

// A longer sign stands before a shorter one that it begins with.
constexpr Magic magics[] = {
    {0, "\x1F\x8B\x08", {Family::gzip, "gzip-compressed data", "gunzip"}},
    {0,
     "\xFD"
     "7zXZ\0"sv,
     {Family::compressed, "xz-compressed data", "xz -d"}},
    {0, "LZIP\x01", {Family::compressed, "lzip-compressed data", "lzip -d"}},
    {0, "\x04\x22\x4D\x18", {Family::compressed, "lz4-compressed data", "lz4 -d"}},
    {0, "\xFF\x06\0\0sNaPpY"sv, {Family::compressed, "snappy-compressed data", ""}},
    {0, "\x1F\x9D", {Family::compressed, "data compressed by compress", "uncompress"}},
    {0, "\x37\xA4\x30\xEC", {Family::stand_in, "a zstd dictionary", "bring the data that it was trained on"}},
    {0, "PK\x05\x06", {Family::archive, "an empty zip archive", ""}},
    {0, "PK\x07\x08", {Family::archive, "a zip archive in parts", ""}},
    {0, "7z\xBC\xAF\x27\x1C", {Family::archive, "a 7-Zip archive", ""}},
    {0, "Rar!\x1A\x07", {Family::archive, "a RAR archive", ""}},
    {257, "ustar\0"sv, {Family::archive, "a tar archive", ""}},
    {257, "ustar  \0"sv, {Family::archive, "a tar archive", ""}},
    {0, "PAR1", {Family::parquet, "a Parquet table", ""}},
    {0, "ARROW1\0\0"sv, {Family::table, "an Arrow (Feather) table", ""}},
    {0, "FEA1", {Family::table, "a Feather table", ""}},
    {0, "Obj\x01", {Family::table, "an Avro table", ""}},
    {0, "SQLite format 3\0"sv, {Family::table, "an SQLite database", ""}},
    {0, "\x89HDF\r\n\x1A\n", {Family::table, "an HDF5 file", ""}},
    {0, "\x93NUMPY", {Family::array, "a NumPy array", ""}},
    {0, "GGUF\x02\0\0\0"sv, {Family::no_text, "a GGUF model", ""}},
    {0, "GGUF\x03\0\0\0"sv, {Family::no_text, "a GGUF model", ""}},
    {0, "%PDF-", {Family::document, "a PDF document", "write its text out (pdftotext)"}},
    {0, "{\\rtf1", {Family::document, "an RTF document", ""}},
    {0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", {Family::document, "an Office document", ""}},
    {0,
     "\x7F"
     "ELF",
     {Family::no_text, "a program or library (ELF)", ""}},
    {0, "\0asm"sv, {Family::no_text, "a WebAssembly module", ""}},
    {0, "\x89PNG\r\n\x1A\n", {Family::no_text, "a PNG image", ""}},
    {0, "\xFF\xD8\xFF", {Family::no_text, "a JPEG image", ""}},
    {0, "GIF87a", {Family::no_text, "a GIF image", ""}},
    {0, "GIF89a", {Family::no_text, "a GIF image", ""}},
    {0, "OggS\0"sv, {Family::no_text, "an Ogg recording", ""}},
    {0,
     lfs_begin,
     {Family::stand_in, "the pointer of Git LFS to a file, not the file", "fetch the file itself (git lfs pull)"}},
};

bool has(std::string_view head, std::string_view sign, size_t offset = 0) {
  return head.size() >= offset && head.substr(offset).starts_with(sign);
}

std::optional<FileSign> packed(std::string_view head) {
  // A frame, or one to be skipped, as parallel compressors put before theirs.
  const uint32_t first = little_endian<uint32_t>(head);
  if (head.size() >= 4 && (first == 0xFD2FB528u || first >> 4 == 0x184D2A5u))
    return FileSign{Family::zstd, "zstd-compressed data", "unzstd"};
  if (has(head, "PK\x03\x04")) {
    const std::string_view start = head.substr(0, 256);
    if (start.find(".npy") != std::string_view::npos) return FileSign{Family::array, "NumPy arrays (npz)", ""};
    if (start.find("[Content_Types].xml") != std::string_view::npos)
      return FileSign{Family::document, "an Office document", ""};
    return FileSign{Family::archive, "a zip archive", ""};
  }
  if (has(head, "BZh") && (has(head, "1AY&SY", 4) || has(head, "\x17\x72\x45\x38\x50\x90", 4)))
    return FileSign{Family::compressed, "bzip2-compressed data", "bzip2 -d"};
  if (has(head, "\x5D\0\0"sv) && has(head, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 5))
    return FileSign{Family::compressed, "lzma-compressed data", "xz -d"};
  return std::nullopt;
}

// Of protocol buffers: the first piece, which is a text, a score and, for most, a kind.
bool opens_sentence_piece(std::string_view head) {
  if (head.size() < 4 || head[0] != '\n' || head[2] != '\n') return false;
  const size_t whole = static_cast<uint8_t>(head[1]), text = static_cast<uint8_t>(head[3]);
  const bool fits = whole == text + 7 || whole == text + 9;
  return fits && whole < 128 && has(head, "\x15", 4 + text) && has(head, "\n", 2 + whole);
}

std::optional<FileSign> serialized(std::string_view head) {
  if (opens_sentence_piece(head)) return FileSign{Family::no_text, "a SentencePiece model", ""};
  // A stream of Arrow: a mark, then the length of the schema, in whole words.
  if (has(head, "\xFF\xFF\xFF\xFF") && head.size() >= 8 && little_endian<uint32_t>(head, 4) % 8 == 0 &&
      little_endian<uint32_t>(head, 4) - 1 < (1u << 24))
    return FileSign{Family::table, "an Arrow stream", ""};
  // A pickle of protocol 2 or later opens with a frame, a container or a name.
  if (head.size() >= 3 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5 &&
      "\x95}](cX\x8A\x8E"sv.find(head[2]) != std::string_view::npos)
    return FileSign{Family::document, "a Python pickle", ""};
  // A safetensors file: the length of its JSON in 8 bytes, then the JSON.
  if (has(head, "{\"", 8) && little_endian<uint32_t>(head, 4) == 0 && little_endian<uint32_t>(head) < (100u << 20))
    return FileSign{Family::no_text, "a safetensors file", ""};
  return std::nullopt;
}

}  // namespace

std::optional<FileSign> file_sign_of(std::string_view head) {
  for (const Magic& magic : magics)
    if (has(head, magic.bytes, magic.offset)) return magic.sign;
  if (auto sign = packed(head)) return sign;
  return serialized(head);
}

std::string_view wide_encoding_of(std::string_view head) {
  if (has(head, "\xFF\xFE\0\0"sv)) return "UTF-32LE";
  if (has(head, "\0\0\xFE\xFF"sv)) return "UTF-32BE";
  if (has(head, "\xFF\xFE")) return "UTF-16LE";
  if (has(head, "\xFE\xFF")) return "UTF-16BE";
  // Without a mark: most characters of Western text are ASCII, whose other bytes are 0.
  constexpr size_t enough = 16;
  const size_t units = head.size() / 4;
  if (units * 4 < enough) return "";
  size_t zeros[4] = {}, printable[4] = {};
  for (size_t i = 0; i < units * 4; ++i) {
    const auto byte = static_cast<uint8_t>(head[i]);
    zeros[i % 4] += byte == 0;
    printable[i % 4] += (byte >= 32 && byte != 127) || byte == '\t' || byte == '\n' || byte == '\r';
  }
  const auto shaped = [&](std::string_view pattern) {  // '0': nearly always 0, 'x': nearly always a character
    for (size_t i = 0; i < 4; ++i)
      if ((pattern[i] == '0' ? zeros[i] : printable[i]) * 20 < units * 19) return false;
    return true;
  };
  if (shaped("x000")) return "UTF-32LE";
  if (shaped("000x")) return "UTF-32BE";
  if (shaped("x0x0")) return "UTF-16LE";
  if (shaped("0x0x")) return "UTF-16BE";
  return "";
}

}  // namespace bitsweep
