// What a file is, by its first bytes and never by its name: text, text compressed in a way that is read as it lies
// (gzip, zstd), a table whose column is (Parquet), or something else, told in words with what to do about it. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace bitsweep::data {

struct FileKind {
  enum class Way { text, gzip, zstd, parquet, refused };
  Way way = Way::text;
  std::string what;    // "xz-compressed data"; of what is not text
  std::string advice;  // what to do with it, as an imperative; of what is refused
};

// More of a file's begin does not tell more.
inline constexpr size_t file_head_bytes = 4096;

// `head`: the first file_head_bytes, or all there is; `bytes`: of the whole file, 0 when it is not known.
// Bytes that nothing is known of are text: a byte tokenizer takes them all.
FileKind file_kind_of(std::span<const uint8_t> head, uint64_t bytes);

}  // namespace bitsweep::data
