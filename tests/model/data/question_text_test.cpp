// Files of questions and examples, as they lie or compressed.
#include "data/question_text.h"

#include <gmock/gmock.h>

#include "compressed.h"
#include "data/stories_questions.h"
#include "temp_folder.h"

namespace bitsweep::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class QuestionTextTest : public TempFolder {
 protected:
  std::string text_of(const std::string& bytes) { return question_text(write("q.jsonl", bytes)); }
  std::string refusal(const std::string& bytes) {
    return error_of([&] { text_of(bytes); }).what();
  }
};

TEST_F(QuestionTextTest, is_what_the_file_says_however_it_lies) {
  const std::string text = numbered_text(3 << 20);
  EXPECT_EQ(text_of(text), text);
  EXPECT_EQ(text_of(gzip(text)), text);
  EXPECT_EQ(text_of(zstd(text)), text);
  EXPECT_EQ(text_of(gzip("a\n") + gzip("b\n")), "a\nb\n");
  EXPECT_EQ(text_of(gzip("")), "");
  EXPECT_EQ(text_of(""), "");
  EXPECT_EQ(question_text("stories-questions"), stories_questions_lines("stories-questions"));
}

TEST_F(QuestionTextTest, what_is_no_text_is_said_by_its_kind) {
  EXPECT_THAT(refusal("PAR1\x15\x04"), AllOf(HasSubstr("q.jsonl: this is a Parquet table: read is JSON in UTF-8"),
                                             HasSubstr("compressed by gzip or zstd")));
  EXPECT_THAT(refusal(gzip(gzip("x"))), HasSubstr("within"));
  EXPECT_THAT(refusal(gzip(numbered_text(9000)).substr(0, 900)), HasSubstr("q.jsonl: the gzip data is cut off"));
  EXPECT_THAT(error_of([&] { question_text((root / "gone").string()); }).what(), HasSubstr("gone"));
}

}  // namespace
}  // namespace bitsweep::data
