// The text of a corpus's sources, read in bounded memory: plain or compressed files, whole or by the field of JSON
// lines; the column of Parquet files.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "data/sources.h"
#include "data/text_sink.h"

namespace bitsweep::data {

// The file, mapped, if it still is what the listing saw; else throws Error{input}.
MappedFile map_source(const SourceFile& file);

// Whether the corpus is one file whose bytes are its text, so that it need not be put together. Throws Error{input} for
// a file that is no text, in words that say what it is and what to do.
bool lies_in_place(const Sources& sources);

// Passes the whole text of the sources to `sink`, and tells `end` where each document of it ends: a file, a line's or a
// row's text. A generated text is one document. What was passed over or is odd becomes a sentence in `notes`. A file of
// a folder that is no text is left out and told, unless such files hold more bytes than the others. Throws Error{input}
// with all findings: lines that are no JSON, damaged compressed data, files that are no text or change meanwhile; and
// Error{environment} where the program that reads Parquet files is missing or dies.
void read_sources(const Sources& sources, const TextSink& sink, const DocumentEnd& end,
                  std::vector<std::string>& notes);

// Notes on the begin of a text that is taken as it stands: JSON lines without data.field, a byte-order mark.
std::vector<std::string> notes_on_plain_text(const std::string& name, std::span<const uint8_t> begin);

// Throws Error{input} if the file is no longer what the listing saw.
void check_unchanged(const SourceFile& file);

}  // namespace bitsweep::data
