#include "data/token_pieces.h"

#include <algorithm>

namespace bitsweep::data {
namespace {

std::string_view text_of(const TextDocuments& documents, uint64_t begin, uint64_t end) {
  return {reinterpret_cast<const char*>(documents.text.data()) + begin, end - begin};
}

// The largest end of a character in (begin, limit]; limit where the bytes before it are no UTF-8.
uint64_t character_end(const TextDocuments& documents, uint64_t begin, uint64_t limit) {
  for (uint64_t at = limit; at > begin && limit - at < 4; --at)
    if (at == documents.text.size() || (documents.text[at] & 0xC0) != 0x80) return at;
  return limit;
}

// Behind the last newline in (begin, limit], else the end of a character.
uint64_t line_end(const TextDocuments& documents, uint64_t begin, uint64_t limit) {
  const size_t newline = text_of(documents, begin, limit).rfind('\n');
  return newline == std::string_view::npos ? character_end(documents, begin, limit) : begin + newline + 1;
}

// The last end of a document in (begin, limit]; begin when there is none.
uint64_t document_end(const TextDocuments& documents, uint64_t begin, uint64_t limit) {
  const auto after = std::upper_bound(documents.ends.begin(), documents.ends.end(), limit);
  return after == documents.ends.begin() ? begin : std::max(begin, *(after - 1));
}

}  // namespace

std::vector<Segment> cut_pieces(const TextDocuments& documents, const std::vector<Segment>& segments) {
  std::vector<Segment> pieces;
  for (const Segment& segment : segments) {
    for (uint64_t begin = segment.begin; begin < segment.end;) {
      uint64_t end = segment.end;
      if (segment.end - begin > piece_bytes) {
        end = document_end(documents, begin, begin + piece_bytes);
        if (end == begin) end = line_end(documents, begin, begin + piece_bytes);
      }
      pieces.push_back({begin, end});
      begin = end;
    }
  }
  return pieces;
}

void each_part(const TextDocuments& documents, const Segment& piece,
               const std::function<void(const DocumentPart&)>& take) {
  const auto& ends = documents.ends;
  auto next = std::upper_bound(ends.begin(), ends.end(), piece.begin);
  uint64_t document_begin = next == ends.begin() ? 0 : *(next - 1);
  for (uint64_t begin = piece.begin; begin < piece.end;) {
    const uint64_t document_end = next == ends.end() ? documents.text.size() : *next++;
    const uint64_t end = std::min(document_end, piece.end);
    while (begin < end) {
      const uint64_t cut =
          end - begin <= longest_document_bytes ? end : line_end(documents, begin, begin + longest_document_bytes);
      take({text_of(documents, begin, cut), begin == document_begin, cut == document_end});
      begin = cut;
    }
    document_begin = document_end;
  }
}

}  // namespace bitsweep::data
