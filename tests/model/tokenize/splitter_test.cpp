#include "tokenize/splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

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
