// Parquet files as corpora: what becomes of a column's values, by a program in place of bitsweep-parquet and by itself.
#include <gmock/gmock.h>

#include "base/files.h"
#include "base/sha256.h"
#include "columns/helper.h"
#include "columns/stand_in.h"
#include "compressed.h"
#include "data/corpus.h"
#include "data/source_reader.h"
#include "temp_folder.h"

namespace bitsweep::data {
namespace {

using columns::frame;
using columns::stand_in;
using columns::stream_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view table = "PAR1 and what is in a table PAR1";

struct ReadText {
  std::string text;
  std::vector<size_t> ends;  // of documents
  std::vector<std::string> notes;
};

class ParquetCorpusTest : public TempFolder {
 protected:
  // With that program as the one that reads Parquet files.
  static ReadText read(const CorpusSpec& spec, const fs::path& program) {
    Sources sources = list_sources(spec);
    sources.parquet_program = program;
    ReadText result;
    EXPECT_FALSE(lies_in_place(sources));
    read_sources(
        sources, [&](std::span<const uint8_t> part) { result.text += text_of(part); },
        [&] { result.ends.push_back(result.text.size()); }, result.notes);
    return result;
  }
  static Error refusal(const CorpusSpec& spec, const fs::path& program) {
    return error_of([&] { read(spec, program); });
  }
  fs::path columns_of(std::initializer_list<columns::Value> values) const { return stand_in(root, stream_of(values)); }
};

TEST_F(ParquetCorpusTest, a_column_is_the_text_that_its_strings_are_as_json_lines) {
  const ReadText of_table =
      read({write("t.bin", table), "", "t"}, columns_of({"one", std::nullopt, "", "two\n", "\xff", "", "three"}));
  EXPECT_EQ(of_table.text, "one\ntwo\n\xff\nthree\n");
  EXPECT_THAT(of_table.ends, ElementsAre(4, 8, 10, 16));
  const std::string file = (root / "t.bin").string();
  EXPECT_THAT(of_table.notes,
              ElementsAre("1 document passed over: 't' is null there (first at " + file + ", row 2).",
                          "2 documents passed over: 't' is empty there (first at " + file + ", row 3).",
                          "1 document holds bytes that are no UTF-8, which are taken as they stand (first at " + file +
                              ", row 5)."));
  const ReadText of_lines =
      read({write("t.jsonl",
                  "{\"t\":\"one\"}\n{\"t\":null}\n{\"t\":\"\"}\n{\"t\":\"two\\n\"}\n{\"t\":\"\xff\"}\n"
                  "{\"t\":\"\"}\n{\"t\":\"three\"}\n"),
            "", "t"},
           "");
  EXPECT_EQ(of_lines.text, of_table.text);
  EXPECT_EQ(of_lines.ends, of_table.ends);
  EXPECT_EQ(of_lines.notes.size(), of_table.notes.size());
}

TEST_F(ParquetCorpusTest, tables_and_json_lines_lie_in_one_folder) {
  write("c/a.jsonl", "{\"t\":\"a\"}\n{\"t\":null}\n");
  write("c/b", table);
  write("c/c.jsonl.gz", gzip("{\"t\":\"c\"}\n"));
  const ReadText result = read({root / "c", "", "t"}, columns_of({"b1", std::nullopt}));
  EXPECT_EQ(result.text, "a\nb1\nc\n");
  EXPECT_THAT(result.notes, ElementsAre(HasSubstr("2 documents passed over: 't' is null there (first at " +
                                                  (root / "c/a.jsonl").string() + ":2)")));
}

TEST_F(ParquetCorpusTest, what_a_table_is_its_first_bytes_say_and_not_its_name) {
  EXPECT_EQ(read({write("t.parquet", "{\"t\":\"a\"}\n"), "", "t"}, "").text, "a\n");
}

TEST_F(ParquetCorpusTest, a_program_that_dies_is_no_shorter_text) {
  write("c/a.jsonl", "{\"t\":\"a\"}\n");
  write("c/b", table);
  const std::string half = std::string(columns::stream_begin) + frame("one");
  for (const char* then : {"kill -KILL $$", "exit 0", "exit 1"}) {
    for (const auto& corpus : {root / "c", root / "c/b"}) {
      const Error error = refusal({corpus, "", "t"}, stand_in(root, half, then));
      EXPECT_EQ(error.kind(), ErrorKind::environment) << then;
      EXPECT_THAT(error.what(), HasSubstr("it had told 1 of its values")) << then;
    }
  }
}

TEST_F(ParquetCorpusTest, refusals_of_several_files_are_told_together) {
  write("c/a", table);
  write("c/b.jsonl", "{\"t\":1}\n");
  const Error error = refusal({root / "c", "", "t"}, stand_in(root, "", "echo \"$1: no column 't'\" >&2; exit 3"));
  EXPECT_EQ(error.kind(), ErrorKind::input);
  EXPECT_EQ(error.diagnostics().size(), 2u);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("c/a: no column 't'"), HasSubstr("b.jsonl:1: 't' is a number")));
}

TEST_F(ParquetCorpusTest, without_a_field_the_columns_are_told) {
  const CorpusSpec alone{write("t.parquet", table), "", ""};
  const Error error = error_of([&] {
    Sources sources = list_sources(alone);
    sources.parquet_program = columns_of({"text", "url"});
    lies_in_place(sources);
  });
  EXPECT_EQ(error.kind(), ErrorKind::input);
  EXPECT_THAT(error.what(), HasSubstr("is a Parquet table, which is not read: name the column with its text in "
                                      "data.field ('text', 'url')"));
  write("c/a.txt", "text");
  write("c/b", table);
  EXPECT_THAT(refusal({root / "c", "", ""}, columns_of({"text"})).what(), HasSubstr("data.field ('text')"));
  EXPECT_THAT(refusal({root / "c", "", ""}, columns_of({})).what(), HasSubstr("none of its columns holds text"));
  EXPECT_THAT(refusal({root / "c", "", ""}, stand_in(root, "", "echo it is cut off >&2; exit 5")).what(),
              HasSubstr("it is cut off"));
  write("c/a.txt", numbered_text(500));
  EXPECT_THAT(read({root / "c", "", ""}, columns_of({"text"})).notes,
              ElementsAre("left out of 'c': 1 file that is no text (first: 'b' is a Parquet table)."));
}

// The program of these tests has none beside it.
TEST_F(ParquetCorpusTest, a_build_without_the_program_says_what_to_do) {
  const fs::path cache = root / "cache";
  const fs::path file = write("t.parquet", table);
  for (const char* field : {"", "text"}) {
    const std::string what = error_of([&] { open_corpus({{file, "", field}}, cache); }).what();
    EXPECT_THAT(what, AllOf(HasSubstr("t.parquet"), HasSubstr("third_party/get-parquet and build again"),
                            HasSubstr("write the column out as JSON lines")));
    EXPECT_EQ(error_of([&] { inspect_corpus({{file, "", field}}, cache); }).what(), what);
  }
  // Left out of a folder it would be another text than where the program is built.
  write("c/a.jsonl", "{\"t\":\"" + numbered_text(500) + "\"}\n");
  write("c/b", table);
  EXPECT_THAT(error_of([&] { open_corpus({{root / "c", "", "t"}}, cache); }).what(), HasSubstr("get-parquet"));
  EXPECT_THAT(names("cache"), IsEmpty());
}

TEST_F(ParquetCorpusTest, a_compressed_table_is_to_be_unpacked) {
  EXPECT_THAT(refusal({write("t.gz", gzip(table)), "", "t"}, columns_of({"a"})).what(),
              HasSubstr("is a Parquet table within gzip-compressed data, which is not read: unpack it"));
}

TEST_F(ParquetCorpusTest, a_real_table_has_the_hash_of_its_strings_as_json_lines) {
  if (!BITSWEEP_PARQUET_BUILT) GTEST_SKIP() << "bitsweep-parquet is not built: third_party/get-parquet";
  const fs::path program = fs::path(BITSWEEP_BUILD_DIR) / "bin/bitsweep-parquet";
  const fs::path made = fs::path(BITSWEEP_SOURCE_DIR) / "tests/model/columns/files";
  const ReadText of_table = read({made / "many.parquet", "", "text"}, program);
  std::string lines;
  for (int i = 0; i < 600; ++i) {
    lines += "{\"text\":\"";
    for (int word = 0; word < 11; ++word) lines += fmt::format("{:05} ", i);
    lines += "end\"}\n";
  }
  const auto text = open_corpus({{write("many.jsonl", lines), "", "text"}}, root / "cache");
  EXPECT_EQ(sha256_hex(of_table.text), text->facts.sha256);
  EXPECT_EQ(of_table.ends.size(), text->facts.documents);
  EXPECT_THAT(read({made / "dictionary.parquet", "", "text"}, program).text, "same\nsame\nother\nsame\n");
  EXPECT_THAT(refusal({made / "plain.parquet", "", "tex"}, program).what(), HasSubstr("did you mean 'text'?"));
}

}  // namespace
}  // namespace bitsweep::data
