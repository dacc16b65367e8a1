#include <gmock/gmock.h>

#include "data/jsonl.h"
#include "temp_folder.h"

namespace bitsweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Result {
  std::string text;
  std::vector<std::string> wrong;
};

Result read(std::string_view lines, size_t max_wrong = 20) {
  Result result;
  std::vector<Diagnostic> wrong;
  read_json_lines(
      bytes_of(lines), "f.jsonl", "text", [&](std::span<const uint8_t> text) { result.text += text_of(text); }, wrong,
      max_wrong);
  for (const Diagnostic& diagnostic : wrong) result.wrong.push_back(diagnostic.to_string());
  return result;
}

TEST(JsonLines, joins_texts_by_newlines) {
  const Result result = read("{\"text\":\"one\"}\n{\"id\":[1,{}],\"text\":\"two\\n\"}\n{\"text\":\"three\"}");
  EXPECT_EQ(result.text, "one\ntwo\nthree\n");
  EXPECT_THAT(result.wrong, ElementsAre());
}

TEST(JsonLines, decodes_escapes_to_utf8) {
  EXPECT_EQ(read("{\"text\":\"\\u00e4\\ud83d\\ude00\\t\\\"\\u0000!\"}\n").text,
            std::string("\xc3\xa4\xf0\x9f\x98\x80\t\"\0!\n", 11));
}

TEST(JsonLines, passes_over_blank_lines_a_mark_and_carriage_returns) {
  const Result result = read("\xEF\xBB\xBF{\"text\":\"a\"}\r\n\r\n  \n{\"text\":\"b\"}\r\n");
  EXPECT_EQ(result.text, "a\nb\n");
  EXPECT_THAT(result.wrong, ElementsAre());
}

TEST(JsonLines, names_file_and_line_of_everything_wrong) {
  const Result result = read("{\"text\":\"ok\"}\n{\"texd\":\"x\"}\n\n[1]\n{\"text\":7}\nnonsense\n{\"text\":null}\n");
  EXPECT_EQ(result.text, "ok\n");
  EXPECT_THAT(result.wrong, ElementsAre("f.jsonl:2: no 'text'; did you mean 'texd'?",
                                        "f.jsonl:4: expected an object with 'text', found a list",
                                        "f.jsonl:5: 'text' is a number, not a string",
                                        HasSubstr("f.jsonl:6: no JSON: "), "f.jsonl:7: 'text' is null, not a string"));
}

TEST(JsonLines, tells_a_torn_last_line) {
  const Result result = read("{\"text\":\"whole\"}\n{\"text\":\"to");
  EXPECT_THAT(result.wrong, ElementsAre(HasSubstr("f.jsonl:2: the last line is no complete JSON")));
}

TEST(JsonLines, refuses_invalid_utf8_nul_bytes_and_deep_nesting) {
  EXPECT_EQ(read("{\"text\":\"\xff\xfe\"}\n").wrong.size(), 1u);
  EXPECT_EQ(read(std::string_view("{\"text\":\"a\"}\0\n", 14)).wrong.size(), 1u);
  EXPECT_EQ(read("{\"text\":\"a\",\"x\":" + std::string(100'000, '[') + "\n").wrong.size(), 1u);
}

TEST(JsonLines, stops_at_the_limit_of_findings) {
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "{}\n";
  EXPECT_EQ(read(lines, 20).wrong.size(), 20u);
}

TEST(JsonLines, empty_input_gives_nothing) {
  EXPECT_EQ(read("").text, "");
  EXPECT_EQ(read("\n\n").text, "");
}

}  // namespace
}  // namespace bitsweep
