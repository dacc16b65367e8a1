#include "data/token_pieces.h"

#include <gmock/gmock.h>

#include "temp_folder.h"

namespace bitsweep::data {
namespace {

using testing::ElementsAre;

struct Part {
  std::string text;
  bool begins, ends;
  bool operator==(const Part&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Part& part) {
  return out << part.text.substr(0, 20) << (part.begins ? " begins" : "") << (part.ends ? " ends" : "");
}

std::vector<Part> parts(const TextDocuments& documents, const Segment& piece) {
  std::vector<Part> found;
  each_part(documents, piece, [&](const DocumentPart& part) {
    found.push_back({std::string(part.text), part.begins, part.ends});
  });
  return found;
}

TEST(TokenPieces, parts_are_documents_and_what_a_segment_holds_of_them) {
  const std::string text = "aa\nbbb\nc\n";
  const std::vector<uint64_t> ends{3, 7, 9};
  const TextDocuments documents{bytes_of(text), ends};
  EXPECT_THAT(parts(documents, {0, 9}),
              ElementsAre(Part{"aa\n", true, true}, Part{"bbb\n", true, true}, Part{"c\n", true, true}));
  EXPECT_THAT(parts(documents, {1, 5}), ElementsAre(Part{"a\n", false, true}, Part{"bb", true, false}));
  EXPECT_THAT(parts(documents, {3, 7}), ElementsAre(Part{"bbb\n", true, true}));
  EXPECT_THAT(parts(documents, {4, 6}), ElementsAre(Part{"bb", false, false}));
}

TEST(TokenPieces, a_text_without_documents_is_one) {
  const std::string text = "aa\nbb";
  EXPECT_THAT(parts({bytes_of(text), {}}, {0, 5}), ElementsAre(Part{"aa\nbb", true, true}));
  EXPECT_THAT(parts({bytes_of(text), {}}, {1, 4}), ElementsAre(Part{"a\nb", false, false}));
}

TEST(TokenPieces, long_documents_are_cut_at_lines_else_at_characters) {
  std::string lines;
  while (lines.size() < 3 * longest_document_bytes) lines += "a line of some length\n";
  std::string joined;
  const auto of_lines = parts({bytes_of(lines), {}}, {0, lines.size()});
  EXPECT_GT(of_lines.size(), 2u);
  for (const Part& part : of_lines) {
    EXPECT_LE(part.text.size(), longest_document_bytes);
    EXPECT_TRUE(part.text.ends_with('\n'));
    joined += part.text;
  }
  EXPECT_EQ(joined, lines);
  EXPECT_TRUE(of_lines.front().begins && !of_lines.front().ends);
  EXPECT_TRUE(of_lines.back().ends && !of_lines.back().begins);

  std::string euros;
  while (euros.size() < 2 * longest_document_bytes) euros += "\xE2\x82\xAC";
  joined.clear();
  for (const Part& part : parts({bytes_of(euros), {}}, {0, euros.size()})) {
    EXPECT_EQ(part.text.size() % 3, 0u);
    joined += part.text;
  }
  EXPECT_EQ(joined, euros);
}

TEST(TokenPieces, pieces_end_with_documents) {
  const std::string text(1000, 'x');
  std::vector<uint64_t> ends;
  for (uint64_t end = 300; end <= 900; end += 300) ends.push_back(end);
  ends.push_back(1000);
  EXPECT_THAT(cut_pieces({bytes_of(text), ends}, {{0, 400}, {500, 1000}}),
              ElementsAre(Segment{0, 400}, Segment{500, 1000}));
  // Of a text too large for a test to hold, by lines: every piece but the last is full, and none is longer.
  const std::string large(static_cast<size_t>(piece_bytes) + 5000, 'y');
  std::vector<uint64_t> whole{1000, piece_bytes - 10, piece_bytes + 3000, large.size()};
  EXPECT_THAT(cut_pieces({bytes_of(large), whole}, {{0, large.size()}}),
              ElementsAre(Segment{0, piece_bytes - 10}, Segment{piece_bytes - 10, large.size()}));
}

}  // namespace
}  // namespace bitsweep::data
