// Compressed data, decompressed as it is read, in bounded memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/file_kind.h"
#include "data/text_sink.h"

namespace bitsweep::data {

// Passes what `compressed` holds to `sink`, a MiB at a time: every member of a gzip file, every frame of a zstd file,
// one after the other; zeros behind the last member, as tapes leave them, are passed over. Memory is what the format's
// window asks for: 32 KiB of gzip, as much as the file says of zstd (8 MiB at its usual levels, at most 2 GiB). Throws
// Error{input} "FILE: … at byte N", counted from the begin of the compressed file, for what is damaged, cut off, or no
// compressed data behind the last member.
void decompress(FileKind::Way way, std::span<const uint8_t> compressed, const std::string& file, const TextSink& sink);

}  // namespace bitsweep::data
