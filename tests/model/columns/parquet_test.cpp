// bitsweep-parquet itself on files that pyarrow wrote (files/make.py).
#include <gmock/gmock.h>

#include "base/error.h"
#include "base/files.h"
#include "columns/helper.h"
#include "columns/stand_in.h"
#include "data/temp_folder.h"

namespace bitsweep::columns {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class ParquetTest : public data::TempFolder {
 protected:
  void SetUp() override {
    if (!BITSWEEP_PARQUET_BUILT) GTEST_SKIP() << "bitsweep-parquet is not built: third_party/get-parquet";
  }
  static fs::path made(const std::string& name) {
    return fs::path(BITSWEEP_SOURCE_DIR) / "tests/model/columns/files" / name;
  }
  static std::vector<std::string> read(const fs::path& file, const std::string& column = "text") {
    std::vector<std::string> values;
    read_parquet_column(program, file, column, [&](Value value) { values.emplace_back(value.value_or("null")); });
    return values;
  }
  static std::string refusal(const fs::path& file, const std::string& column) {
    const Error error = data::error_of([&] { read(file, column); });
    EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
    return error.what();
  }
  static int exit_code(const std::string& arguments) {
    return WEXITSTATUS(std::system(("'" + program.string() + "' " + arguments + " >/dev/null 2>&1").c_str()));
  }
  static inline const fs::path program = fs::path(BITSWEEP_BUILD_DIR) / "bin/bitsweep-parquet";
};

TEST_F(ParquetTest, PlainTexts) {
  EXPECT_THAT(read(made("plain.parquet")), ElementsAre("one", "zwei: \u00e4\u00f6\u00fc \U0001f600",
                                                       "three\nlines\nof text\n", "4 \"quoted\" \\ ", "five"));
}

TEST_F(ParquetTest, DictionaryNullsAndEmptyTextsOverRowGroups) {
  EXPECT_THAT(read(made("dictionary.parquet")),
              ElementsAre("same", "null", "", "same", "null", "other", "same", "null", ""));
}

TEST_F(ParquetTest, EveryCodecAndEncoding) {
  std::string words;
  for (int i = 0; i < 8; ++i) words += "word ";
  for (const char* column : {"none", "snappy", "gzip", "zstd", "lz4", "brotli", "delta_length", "delta"})
    EXPECT_THAT(read(made("ways.parquet"), column), ElementsAre(words, "words")) << column;
}

TEST_F(ParquetTest, BytesAndTextsWithinStructs) {
  EXPECT_THAT(read(made("ways.parquet"), "bytes"), ElementsAre("\xff\xfe", "fine"));
  EXPECT_THAT(read(made("ways.parquet"), "meta.text"), ElementsAre("within", "null"));
}

TEST_F(ParquetTest, ColumnsOfTextAreListed) {
  EXPECT_THAT(parquet_text_columns(program, made("plain.parquet")), ElementsAre("text"));
  EXPECT_THAT(parquet_text_columns(program, made("no_text.parquet")), ElementsAre());
  EXPECT_EQ(parquet_text_columns(program, made("ways.parquet")).size(), 10u);
}

TEST_F(ParquetTest, AColumnThatIsNotThereIsToldWithThoseThatAreAndTheNearest) {
  EXPECT_THAT(refusal(made("plain.parquet"), "texd"),
              HasSubstr("plain.parquet: no column 'texd'; its columns: 'id', 'text'; did you mean 'text'?"));
  EXPECT_EQ(exit_code("'" + made("plain.parquet").string() + "' texd"), 3);
}

TEST_F(ParquetTest, AColumnOfNoTextIsRefused) {
  EXPECT_THAT(refusal(made("plain.parquet"), "id"),
              HasSubstr("column 'id' holds INT64, no text; columns of text: 'text'"));
  EXPECT_THAT(refusal(made("no_text.parquet"), "score"), HasSubstr("holds DOUBLE, no text; columns of text: none"));
  EXPECT_THAT(refusal(made("no_text.parquet"), "tags.list.element"), HasSubstr("holds lists, no text"));
  EXPECT_THAT(refusal(made("no_text.parquet"), "tags"), HasSubstr("'tags' is made of others ('tags.list.element')"));
  EXPECT_THAT(refusal(made("no_text.parquet"), "key"), HasSubstr("FIXED_LEN_BYTE_ARRAY"));
  EXPECT_EQ(exit_code("'" + made("no_text.parquet").string() + "' id"), 4);
}

TEST_F(ParquetTest, FilesThatAreCutOffOrNoneAreToldByTheirPlace) {
  EXPECT_THAT(refusal(made("cut_off.parquet"), "text"),
              HasSubstr("cut_off.parquet: is cut off: it ends at byte 195 without its footer; fetch it again"));
  EXPECT_EQ(exit_code("'" + made("cut_off.parquet").string() + "' text"), 5);
  EXPECT_THAT(refusal(write("text", "some text"), "text"), HasSubstr("does not begin with PAR1"));
  EXPECT_THAT(refusal(write("empty", ""), "text"), HasSubstr("is empty"));
  EXPECT_THAT(refusal(write("short", "PAR1"), "text"), HasSubstr("is cut off"));
  EXPECT_THAT(refusal(write("marks", "PAR1....PAR1"), "text"), HasSubstr("its footer is damaged"));
  EXPECT_THAT(refusal(root / "gone", "text"), HasSubstr("gone: cannot be read: No such file or directory"));
  EXPECT_THAT(refusal(root, "text"), HasSubstr("directory"));
  EXPECT_EQ(exit_code(""), 2);
}

// Each page of this file has its checksum: a byte that is changed in any text is seen, and none is passed on as text.
TEST_F(ParquetTest, AChangedByteOfATextIsDamage) {
  const std::string whole = read_file(made("plain.parquet"));
  for (const char* word : {"one", "lines", "quoted"}) {
    std::string damaged = whole;
    damaged.at(whole.find(word) + 1) ^= 1;
    EXPECT_THAT(refusal(write("damaged", damaged), "text"),
                AllOf(HasSubstr("damaged in row group 1 of 1, at row 1 of 5"), HasSubstr("CRC")))
        << word;
  }
}

TEST_F(ParquetTest, DamageInALaterRowGroupIsToldByGroupAndRow) {
  std::string damaged = read_file(made("many.parquet"));
  const size_t second_page = damaged.find("\x28\xB5\x2F\xFD", damaged.size() / 3);  // of the zstd data
  ASSERT_NE(second_page, std::string::npos);
  for (size_t i = 4; i < 20; ++i) damaged.at(second_page + i) ^= 0x55;
  EXPECT_THAT(refusal(write("damaged", damaged), "text"), HasSubstr("damaged in row group 2 of 3, at row 201 of 600"));
}

// 5 rows are written as 10 in the footer, -5 as 9.
TEST_F(ParquetTest, ACountOfRowsBelowZeroIsDamage) {
  const std::string whole = read_file(made("plain.parquet"));
  int refused = 0;
  for (size_t at = whole.find("five"); (at = whole.find('\x0A', at + 1)) != std::string::npos;) {
    std::string damaged = whole;
    damaged[at] = 9;
    try {
      EXPECT_EQ(read(write("damaged", damaged)).size(), 5u) << at;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input) << at << ": " << error.what();
      ++refused;
    }
  }
  EXPECT_GE(refused, 2);  // of the file, and of its row group
}

// Bytes all over the file, one at a time: every value, or an error; never fewer values without one, and no hang.
TEST_F(ParquetTest, AChangedByteAnywhereGivesEveryValueOrAnError) {
  const std::string whole = read_file(made("dictionary.parquet"));
  for (size_t i = 0; i < whole.size(); i += 5) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0xFF);
    const fs::path file = write("damaged", damaged);
    try {
      EXPECT_EQ(read(file).size(), 9u) << i;
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace bitsweep::columns
