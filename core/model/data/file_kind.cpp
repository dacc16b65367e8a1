#include "data/file_kind.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/file_sign.h"
#include "base/little_endian.h"
#include "base/units.h"
#include "data/shard_file.h"

namespace bitsweep::data {
namespace {

using Family = FileSign::Family;

FileKind refused(std::string_view what, std::string_view advice) {
  return {FileKind::Way::refused, std::string(what), std::string(advice)};
}

std::string advice_on(const FileSign& sign) {
  switch (sign.family) {
    case Family::gzip:
    case Family::zstd:
    case Family::parquet:
      return "";
    case Family::compressed:
      return fmt::format("unpack it{}, or compress its content by gzip or zstd instead",
                         sign.way.empty() ? "" : fmt::format(" ({})", sign.way));
    case Family::archive:
      return "unpack it and name the folder with its texts";
    case Family::table:
      return "write its text column out as JSON lines (they may be compressed by gzip or zstd) and name the key in "
             "data.field";
    case Family::array:
      return "bring the text that its numbers were made from";
    case Family::document:
      return sign.way.empty() ? "write what it says out as text" : std::string(sign.way);
    case Family::no_text:
      return "take it out of the corpus, or choose the texts by data.glob";
    case Family::stand_in:
      return std::string(sign.way);
  }
  return "";
}

FileKind::Way way_of(Family family) {
  switch (family) {
    case Family::gzip:
      return FileKind::Way::gzip;
    case Family::zstd:
      return FileKind::Way::zstd;
    case Family::parquet:
      return FileKind::Way::parquet;
    default:
      return FileKind::Way::refused;
  }
}

// The shards that llm.c and what came after it read: 256 int32 (magic, version, tokens, …), then the tokens.
std::optional<FileKind> token_shard(std::string_view head, uint64_t bytes) {
  const auto form = shard_form({reinterpret_cast<const uint8_t*>(head.data()), head.size()});
  if (!form) return std::nullopt;
  std::string what = fmt::format("a shard of {} tokens of {} bits (llm.c {}, version {})",
                                 format_thousands(static_cast<int64_t>(form->tokens)), form->width * 8,
                                 little_endian<uint32_t>(head), little_endian<uint32_t>(head, 4));
  if (bytes != 0 && bytes != form->file_bytes())
    what += fmt::format(", cut off or padded: {} bytes instead of {}", format_thousands(static_cast<int64_t>(bytes)),
                        format_thousands(static_cast<int64_t>(form->file_bytes())));
  return refused(what,
                 "name shards to train on and shards to validate on, data.corpus: { train: GLOB, val: GLOB }, and the "
                 "tokenizer that made them in data.tokenizer");
}

}  // namespace

FileKind file_kind_of(std::span<const uint8_t> head, uint64_t bytes) {
  const std::string_view begin(reinterpret_cast<const char*>(head.data()), std::min(head.size(), file_head_bytes));
  if (auto kind = token_shard(begin, bytes)) return *kind;
  if (const auto sign = file_sign_of(begin)) return {way_of(sign->family), std::string(sign->is), advice_on(*sign)};
  if (const std::string_view encoding = wide_encoding_of(begin); !encoding.empty())
    return refused(fmt::format("{} text", encoding), fmt::format("write it as UTF-8 (iconv -f {} -t UTF-8)", encoding));
  return {};
}

}  // namespace bitsweep::data
