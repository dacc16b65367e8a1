#include <fstream>

#include <unistd.h>

#include <gmock/gmock.h>

#include "data/jsonl.h"
#include "temp_folder.h"

namespace bitsweep::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Result {
  std::string text;
  std::vector<std::string> wrong, notes;
};

// `part_bytes` at a time.
Result read(std::string_view lines, size_t part_bytes = SIZE_MAX) {
  Result result;
  JsonLines reader("text", [&](std::span<const uint8_t> text) { result.text += text_of(text); });
  reader.begin_file("f.jsonl");
  for (std::string_view rest = lines; !rest.empty(); rest.remove_prefix(std::min(rest.size(), part_bytes)))
    reader.add(bytes_of(rest.substr(0, part_bytes)));
  reader.end_file();
  for (const Diagnostic& diagnostic : reader.wrong()) result.wrong.push_back(diagnostic.to_string());
  result.notes = reader.documents().notes();
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

TEST(JsonLines, a_part_may_end_anywhere) {
  const std::string lines =
      "\xEF\xBB\xBF{\"text\":\"a\\u00e4\\\\\"}\r\n\n{\"n\":[\"]\"],\"text\":\"b\"}\n{\"text\":\"c\"}";
  const Result whole = read(lines);
  EXPECT_EQ(whole.text, "a\xc3\xa4\\\nb\nc\n");
  for (size_t part = 1; part < lines.size(); ++part) {
    const Result cut = read(lines, part);
    EXPECT_EQ(cut.text, whole.text) << part;
    EXPECT_THAT(cut.wrong, IsEmpty()) << part;
  }
}

TEST(JsonLines, tell_one_message_a_kind_with_the_first_line_and_the_count) {
  const Result result = read(
      "{\"text\":\"ok\"}\n{\"texd\":\"x\",\"id\":1}\n\n[1]\n{\"text\":7}\nnonsense\n{\"text\":[]}\n{\"id\":1}\n{}\n");
  EXPECT_EQ(result.text, "ok\n");
  EXPECT_THAT(
      result.wrong,
      ElementsAre("f.jsonl:6:1: no JSON: expected '{'",
                  "f.jsonl:4: expected an object with 'text', found a list; "
                  "jq -c '.[]' makes JSON lines of one",
                  "f.jsonl:2: no 'text' among the keys 'texd', 'id'; did you mean 'texd'? (the first of 3 lines)",
                  "f.jsonl:5: 'text' is a number, not a string (the first of 2 lines)"));
}

TEST(JsonLines, null_and_empty_documents_are_counted_and_passed_over) {
  const Result result = read("{\"text\":null}\n{\"text\":\"a\"}\n{\"text\":\"\"}\n{\"text\":\"\"}\n{\"text\":NaN}\n");
  EXPECT_EQ(result.text, "a\n");
  EXPECT_THAT(result.wrong, IsEmpty());
  EXPECT_THAT(result.notes, ElementsAre("2 documents passed over: 'text' is null there (first at f.jsonl:1).",
                                        "2 documents passed over: 'text' is empty there (first at f.jsonl:3)."));
}

TEST(JsonLines, keys_that_nobody_reads_do_not_matter) {
  const Result result = read(
      "{\"score\":NaN,\"low\":-Infinity,\"text\":\"a\"}\n"
      "{\"meta\":{\"x\":[{},null,\"]}\\\"\"]},\"text\":\"b\",\"text2\":\"\\ud800\"}\n"
      "{\"bad\":\"\xff\",\"text\":\"c\",\"n\":12345678901234567890123456789e9999}\n"
      "{\"text\":\"old\",\"deep\":" +
      std::string(100'000, '[') + std::string(100'000, ']') + ",\"t\\u0065xt\":\"d\"}\n");
  EXPECT_EQ(result.text, "a\nb\nc\nd\n");
  EXPECT_THAT(result.wrong, IsEmpty());
  EXPECT_THAT(result.notes, IsEmpty());
}

TEST(JsonLines, half_a_surrogate_pair_becomes_a_replacement_with_a_count) {
  const Result result = read("{\"text\":\"ok\"}\n{\"text\":\"a\\ud800b\\udc00\\ud800\\ud83d\\ude00\\ud800\\u0041\"}\n");
  EXPECT_EQ(result.text,
            "ok\na\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\xEF\xBF\xBD\xf0\x9f\x98\x80\xEF\xBF\xBD"
            "A\n");
  EXPECT_THAT(result.notes, ElementsAre("4 halves of a surrogate pair without the other half became U+FFFD (first at "
                                        "f.jsonl:2)."));
}

TEST(JsonLines, bytes_that_are_no_utf8_are_taken_as_of_any_text_and_told) {
  const Result result = read("{\"text\":\"fine \xc3\xa4\"}\n{\"text\":\"\xff\xfe\"}\n{\"text\":\"\xed\xa0\x80\"}\n");
  EXPECT_EQ(result.text, "fine \xc3\xa4\n\xff\xfe\n\xed\xa0\x80\n");
  EXPECT_THAT(result.notes, ElementsAre(HasSubstr("2 documents hold bytes that are no UTF-8")));
}

TEST(JsonLines, tells_a_torn_last_line) {
  const Result result = read("{\"text\":\"whole\"}\n{\"text\":\"to");
  EXPECT_THAT(result.wrong,
              ElementsAre(HasSubstr("f.jsonl:2: the last line is no complete JSON (a string that does not")));
}

TEST(JsonLines, says_where_a_line_stops_to_be_json) {
  const auto why = [](std::string_view line) {
    const Result result = read(std::string(line) + "\n");
    return result.wrong.empty() ? result.text : result.wrong.front();
  };
  EXPECT_EQ(why("{\"text\":\"a\"} x"), "f.jsonl:1:14: no JSON: more follows the object");
  EXPECT_EQ(why("{\"text\":\"a\"}{\"text\":\"b\"}"), "f.jsonl:1:13: no JSON: more follows the object");
  EXPECT_EQ(why(std::string_view("{\"text\":\"a\"}\0", 13)), "f.jsonl:1:13: no JSON: more follows the object");
  EXPECT_EQ(why("{'text':'a'}"), "f.jsonl:1:2: no JSON: expected a key in quotes");
  EXPECT_EQ(why("{\"text\" \"a\"}"), "f.jsonl:1:9: no JSON: expected ':' after a key");
  EXPECT_EQ(why("{\"text\":\"a\" \"b\":1}"), "f.jsonl:1:13: no JSON: expected ',' or '}' after a value");
  EXPECT_EQ(why("{\"x\":[1,2},\"text\":\"a\"}"), "f.jsonl:1:10: no JSON: '}' closes nothing");
  EXPECT_EQ(why("{\"text\":\"a\\q\"}"), "f.jsonl:1:11: no JSON: an escape that JSON does not know");
  EXPECT_EQ(why("{\"text\":\"a\\u12g4\"}"), "f.jsonl:1:11: no JSON: an escape that JSON does not know");
  EXPECT_EQ(why("{\"text\":}"), "f.jsonl:1:9: no JSON: expected a value");
  EXPECT_EQ(why("{\"text\":\"a\",}"), "f.jsonl:1:13: no JSON: expected a key in quotes");
  EXPECT_EQ(why("{"), "f.jsonl:1:2: no JSON: the line ends within the object");
  EXPECT_EQ(why("Introduction"), "f.jsonl:1:1: no JSON: expected '{'");
  EXPECT_EQ(why("\xEF\xBB\xBFnullable"), "f.jsonl:1:4: no JSON: expected '{'");
  for (const char* other : {"null", "true", "-3.5", "\"text\"", "NaN"})
    EXPECT_THAT(why(other), HasSubstr("expected an object with 'text', found ")) << other;
}

TEST(JsonLines, a_list_over_many_lines_is_one_mistake) {
  EXPECT_THAT(read("[\n{\"text\": \"a\"},\n{\n\"text\": \"b\"}\n]").wrong,
              ElementsAre(HasSubstr("f.jsonl:1: expected an object with 'text', found a list; jq")));
}

TEST(JsonLines, a_last_line_is_torn_only_where_more_would_mend_it) {
  EXPECT_THAT(read("{\"text\":\"a\"}\noops").wrong, ElementsAre(HasSubstr("f.jsonl:2:1: no JSON: expected '{'")));
  for (const char* torn : {"{", "{\"te", "{\"text\"", "{\"text\":", "{\"text\":\"a", "{\"text\":\"a\"",
                           "{\"text\":\"a\",", "{\"x\":[1,", "{\"x\":{\"y"})
    EXPECT_THAT(read(torn).wrong, ElementsAre(HasSubstr("the file seems cut off"))) << torn;
}

TEST(JsonLines, any_number_of_lines_takes_no_more_memory_than_one) {
  const std::string line = "{\"id\":1,\"text\":\"" + std::string(10'000, 'x') + "\"}\n";
  const auto resident = [] {
    std::ifstream status("/proc/self/statm");
    size_t pages = 0, held = 0;
    status >> pages >> held;
    return held * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  };
  uint64_t bytes = 0;
  JsonLines reader("text", [&](std::span<const uint8_t> text) { bytes += text.size(); });
  reader.begin_file("f.jsonl");
  reader.add(bytes_of(line));
  const size_t before = resident();
  for (int i = 1; i < 20'000; ++i) reader.add(bytes_of(line));
  reader.end_file();
  EXPECT_EQ(bytes, 20'000u * 10'001);
  EXPECT_LT(resident(), before + (32 << 20));
  EXPECT_THAT(reader.wrong(), IsEmpty());
}

TEST(JsonLines, a_line_may_be_tens_of_megabytes) {
  const std::string text(40 << 20, 'y');
  EXPECT_EQ(read("{\"text\":\"" + text + "\"}\n{\"text\":\"z\"}\n", 1 << 20).text, text + "\nz\n");
}

TEST(JsonLines, stop_where_everything_is_wrong) {
  std::string lines;
  for (int i = 0; i < 30'000; ++i) lines += "{}\n";
  EXPECT_THAT(read(lines).wrong, ElementsAre("f.jsonl:1: no 'text': the object is empty (the first of 10,000 lines; "
                                             "further lines were not looked at)"));
}

TEST(JsonLines, empty_input_gives_nothing) {
  EXPECT_EQ(read("").text, "");
  EXPECT_EQ(read("\n\n").text, "");
}

}  // namespace
}  // namespace bitsweep::data
