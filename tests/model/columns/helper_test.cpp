// The reader's side of bitsweep-parquet, with programs in its place that misbehave in every way.
#include "columns/helper.h"

#include <fstream>

#include <signal.h>

#include <gmock/gmock.h>

#include "base/error.h"
#include "columns/stand_in.h"
#include "data/temp_folder.h"

namespace bitsweep::columns {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class HelperTest : public data::TempFolder {
 protected:
  void read(const fs::path& program) {
    values.clear();
    read_parquet_column(program, "a table.parquet", "text",
                        [&](Value value) { values.emplace_back(value.value_or("null")); });
  }
  Error refusal(std::string_view stream, const std::string& then) {
    return data::error_of([&] { read(stand_in(root, stream, then)); });
  }
  std::vector<std::string> values;
};

TEST_F(HelperTest, GetsFileAndColumnAndTellsValues) {
  read(stand_in(root, stream_of({"a", std::nullopt, ""}), R"([ "$1,$2,$#" = "a table.parquet,text,2" ] || exit 9)"));
  EXPECT_THAT(values, ElementsAre("a", "null", ""));
  EXPECT_THAT(parquet_text_columns(stand_in(root, stream_of({"text", "url"}), "[ $# = 1 ] || exit 9"), "a"),
              ElementsAre("text", "url"));
}

TEST_F(HelperTest, ManyValuesComeInOrder) {
  std::string stream(stream_begin);
  for (int i = 0; i < 100'000; ++i) stream += frame(std::to_string(i));
  read(stand_in(root, stream + stream_end(100'000)));
  ASSERT_EQ(values.size(), 100'000u);
  for (size_t i = 0; i < values.size(); ++i) ASSERT_EQ(values[i], std::to_string(i));
}

TEST_F(HelperTest, KilledInTheMiddleIsAnErrorWithTheCountOfWhatCame) {
  const Error error = refusal(std::string(stream_begin) + frame("one") + frame("two"), "kill -KILL $$");
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("reads 'a table.parquet', was ended by signal 9 (Killed)"),
                                  HasSubstr("it had told 2 of its values")));
}

// What was told may be all of the column; a program that dies has not said so.
TEST_F(HelperTest, KilledAfterTheEndIsAnErrorAllTheSame) {
  EXPECT_THAT(refusal(stream_of({"one"}), "kill -SEGV $$").what(), HasSubstr("signal 11 (Segmentation fault)"));
}

TEST_F(HelperTest, AStreamThatEndsTooEarlyIsAnErrorThoughTheProgramSaysAllIsWell) {
  const std::string stream = stream_of({"one", "two"});
  for (const size_t bytes : {size_t{0}, size_t{5}, size_t{8}, size_t{10}, size_t{13}, stream.size() - 1}) {
    const Error error = refusal(stream.substr(0, bytes), "exit 0");
    EXPECT_EQ(error.kind(), ErrorKind::environment) << bytes;
    EXPECT_THAT(error.what(), HasSubstr("ended as if all were well, and did not tell the end")) << bytes;
  }
}

TEST_F(HelperTest, GarbageEndsTheProgramAndIsAnError) {
  const Error error = refusal("Usage: some other program\n", "sleep 1000");
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_THAT(error.what(), HasSubstr("wrote what is no column (byte 0"));
}

TEST_F(HelperTest, WordsOfARefusalAreTheErrorOfTheInput) {
  for (const int code : {2, 3, 4, 5}) {
    const Error error = refusal(std::string(stream_begin) + frame("one"),
                                "echo 'f.parquet: no such column' >&2; exit " + std::to_string(code));
    EXPECT_EQ(error.kind(), ErrorKind::input) << code;
    EXPECT_STREQ(error.what(), "f.parquet: no such column") << code;
  }
}

TEST_F(HelperTest, AnyOtherEndIsOfTheEnvironment) {
  for (const char* then : {"exit 2", "exit 6", "exit 127"}) {
    const Error error = refusal(stream_of({"one"}), then);
    EXPECT_EQ(error.kind(), ErrorKind::environment) << then;
    EXPECT_THAT(error.what(), HasSubstr("ended with exit code ")) << then;
  }
  EXPECT_THAT(refusal("", "echo libparquet.so is gone >&2; exit 127").what(),
              HasSubstr("ended with exit code 127: libparquet.so is gone"));
}

TEST_F(HelperTest, MuchOnItsStandardErrorHindersNothing) {
  read(stand_in(root, stream_of({"one"}),
                "i=0; while [ $i -lt 5000 ]; do echo a line of some words $i; i=$((i+1)); done >&2"));
  EXPECT_THAT(values, ElementsAre("one"));
}

TEST_F(HelperTest, AReaderThatStopsEndsTheProgram) {
  const fs::path program =
      stand_in(root, std::string(stream_begin) + frame("one"), "echo $$ > \"${0%/*}/pid\"; sleep 1000");
  EXPECT_THROW(read_parquet_column(program, "f", "text", [](Value) { throw std::runtime_error("a full disk"); }),
               std::runtime_error);
  // Either it never came to write its pid, or nothing of that pid is there any more.
  pid_t pid = 0;
  if (std::ifstream(root / "pid") >> pid) {
    EXPECT_EQ(::kill(pid, 0), -1);
  }
}

TEST_F(HelperTest, ThatWasNotBuiltIsSaidWithWhatToDo) {
  const Error error = data::error_of([&] { read(root / "bitsweep-parquet"); });
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("a table.parquet"), HasSubstr("bitsweep-parquet', was not built"),
                                  HasSubstr("third_party/get-parquet and build again"), HasSubstr("JSON lines")));
  EXPECT_EQ(parquet_program().filename(), "bitsweep-parquet");
  EXPECT_EQ(parquet_program().parent_path(), program_folder());
}

}  // namespace
}  // namespace bitsweep::columns
