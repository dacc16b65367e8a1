#include "tokenize/splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace bitsweep::tokenize {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> pieces(const std::string& expression, const std::string& text) {
  std::vector<std::string> found;
  std::vector<size_t> ends;
  Splitter(Pattern(expression)).split(text, ends);
  size_t begin = 0;
  for (const size_t end : ends) {
    found.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  EXPECT_EQ(begin, text.size());
  return found;
}

std::string utf8_character(uint32_t c) {
  if (c < 0x80) return {static_cast<char>(c)};
  std::string text;
  const int following = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  for (int i = following; i >= 0; --i) text += static_cast<char>(0x80 | (c >> 6 * i & 0x3F));
  text[0] = static_cast<char>((0xF0 << (3 - following) & 0xFF) | c >> 6 * following);
  return text;
}

TEST(Splitter, cuts_words_as_gpt2_does) {
  EXPECT_THAT(pieces(kGpt2Pattern, "it's 12  new\n\nlines"),
              ElementsAre("it", "'s", " 12", " ", " new", "\n", "\n", "lines"));
}

TEST(Splitter, keeps_what_lies_between_matches) {
  EXPECT_THAT(pieces("[0-9]", "ab12c"), ElementsAre("ab", "1", "2", "c"));
  EXPECT_THAT(pieces("x*", "ab"), ElementsAre("ab"));  // matches of nothing cut nothing
  EXPECT_THAT(pieces("[0-9]", ""), ElementsAre());
}

TEST(Splitter, takes_bytes_that_are_no_utf8) {
  const std::string text = "a\xff\xfe b\xc3";
  std::string joined;
  for (const std::string& piece : pieces(kGpt2Pattern, text)) joined += piece;
  EXPECT_EQ(joined, text);
  EXPECT_THAT(pieces(kGpt2Pattern, std::string("a\0b", 3)), ElementsAre("a", std::string("\0", 1), "b"));
}

TEST(Splitter, takes_a_long_run_of_spaces) {
  EXPECT_THAT(pieces(kGpt2Pattern, std::string(1 << 20, ' ') + "x"), testing::SizeIs(2));
}

// The characters of the first plane that an expression matches one by one, with `between` around each, which it must
// not match.
std::set<std::string> matched(const char* expression, char between) {
  std::string text(1, between);
  for (uint32_t c = 1; c < 0x10000; c = c == 0xD7FF ? 0xE000 : c + 1)
    if (c != static_cast<uint32_t>(between)) text += utf8_character(c) + between;
  std::set<std::string> found;
  for (const std::string& piece : pieces(expression, text))
    if (piece.front() != between) found.insert(piece);
  return found;
}

// However an expression asks for it. PCRE2 alone takes U+180E for white space.
TEST(Splitter, white_space_is_that_of_the_reference) {
  const fs::path file = fs::path(BITSWEEP_SOURCE_DIR) / "tests/model/tokenize/goldens/ids.json";
  const json::value goldens = parse_json(read_file(file), "ids.json");
  std::set<std::string> spaces, others;
  for (const json::value& range : goldens.at("spaces").as_array())
    for (auto c = range.at(0).to_number<uint32_t>(); c <= range.at(1).to_number<uint32_t>(); ++c)
      spaces.insert(utf8_character(c));
  EXPECT_EQ(spaces.size(), 25u);
  for (uint32_t c = 1; c < 0x10000; c = c == 0xD7FF ? 0xE000 : c + 1)
    if (!spaces.contains(utf8_character(c))) others.insert(utf8_character(c));
  for (const char* expression : {R"(\s)", R"([\s])", R"([^\S])", R"([[:space:]])", R"((?i:[^[:^space:]]))"})
    EXPECT_TRUE(matched(expression, '\x01') == spaces) << expression;
  for (const char* expression : {R"(\S)", R"([\S])", R"([^\s])"})
    EXPECT_TRUE(matched(expression, ' ') == others) << expression;
}

TEST(Splitter, what_is_no_white_space_stays_as_it_is_written) {
  EXPECT_THAT(pieces(R"(\\s)", R"(a\sb s)"), ElementsAre("a", R"(\s)", "b s"));
  EXPECT_THAT(pieces(R"(\Q\s\E\s)", R"(a\s b)"), ElementsAre("a", R"(\s )", "b"));
  EXPECT_THAT(pieces(R"([^]\s]+)", "a]b c"), ElementsAre("a", "]", "b", " ", "c"));
  EXPECT_THAT(pieces(R"([[:digit:]\s])", "a1: b"), ElementsAre("a", "1", ":", " ", "b"));
}

// The reference has a class in a class, its \h is a hexadecimal digit, and its words hold marks.
TEST(Splitter, refuses_what_means_something_else_to_the_reference) {
  for (const char* expression : {R"(\w+)", R"(a\b)", R"([\h])", R"([a-c[de]])", R"([a-z&&[aeiou]])"}) try {
      Pattern{expression};
      ADD_FAILURE() << expression;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_THAT(error.what(), HasSubstr("in a regular expression is not read")) << expression;
    }
}

TEST(Splitter, says_where_an_expression_is_wrong) {
  try {
    Pattern("a(b");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(error.what(), HasSubstr("'a(b' is wrong at character 4"));
  }
}

}  // namespace
}  // namespace bitsweep::tokenize
