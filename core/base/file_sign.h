// What a file that is no text is, by its first bytes and never by its name: the one list of such signs. What to do
// about it depends on what the file was wanted for, and is said there (a corpus: data/file_kind.h, a table: csv.h).
// Pure.
#pragma once

#include <optional>
#include <string_view>

namespace bitsweep {

struct FileSign {
  enum class Family {
    gzip,
    zstd,
    compressed,  // in any other way
    archive,
    parquet,
    table,  // in any other way
    array,
    document,  // holds text, and is none
    no_text,
    stand_in,  // points to the data, or serves it
  };
  Family family;
  std::string_view is;   // "xz-compressed data"
  std::string_view way;  // to what is in it: of compressed data a command, "xz -d"; else an imperative; "" for none
};

// `head`: the begin of a file, 4096 bytes or all there is. Nothing for what may be text.
std::optional<FileSign> file_sign_of(std::string_view head);

// "UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE" of text in these, by a mark at its begin, or by its pattern of zeros
// where at least 16 bytes of it are there; else "". As iconv names them.
std::string_view wide_encoding_of(std::string_view head);

}  // namespace bitsweep
