// How a text is cut into pieces that are encoded each for itself. Pure: it depends on the text, its documents and its
// split, never on how many threads there are.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "data/split.h"
#include "tokenize/tokenizer.h"

namespace bitsweep::data {

inline constexpr uint64_t piece_bytes = UINT64_C(64) << 20;
inline constexpr uint64_t longest_document_bytes = UINT64_C(1) << 20;  // in one; SentencePiece slows down with length

// `ends`: the ends of the text's documents, ascending, the last the text's end; none: the text is one document.
struct TextDocuments {
  std::span<const uint8_t> text;
  std::span<const uint64_t> ends;
};

// What stands at the ends of documents.
struct DocumentTokens {
  std::optional<tokenize::TokenId> before, behind;
};

// Segments cut at the last end of a document, else at the last newline, else at a character, that lies within
// piece_bytes.
std::vector<Segment> cut_pieces(const TextDocuments& documents, const std::vector<Segment>& segments);

// A document, or a part of one, that is encoded as a text of its own.
struct DocumentPart {
  std::string_view text;
  bool begins = false, ends = false;  // whether the document does, there
};

// The parts of a piece in order: what of each document lies in it, cut at newlines, else at characters, where it is
// longer than longest_document_bytes.
void each_part(const TextDocuments& documents, const Segment& piece,
               const std::function<void(const DocumentPart&)>& take);

}  // namespace bitsweep::data
