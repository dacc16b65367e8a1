// What is wrong with data, of all of it at once and by the key that is to blame.
#include "cli/data_texts.h"

#include <gmock/gmock.h>

#include "query/query_fixture.h"

namespace bitsweep::cli {
namespace {

using query::thrown;
using testing::HasSubstr;

class DataTextsTest : public testing::Test {
 protected:
  ~DataTextsTest() override { fs::remove_all(folder_); }
  std::string file(const std::string& name, const std::string& text) const {
    fs::create_directories(folder_);
    write_file_atomic(folder_ / name, text);
    return (folder_ / name).string();
  }
  std::string keys(const spec::DataSpec& data) {
    std::string all;
    for (const plan::DataProblem& problem : texts_.probe(data).problems) all += problem.key + " ";
    return all;
  }
  static std::string words(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "word " + std::to_string(i) + "\n";
    return text;
  }

  const fs::path folder_ = query::new_root();
  DataTexts texts_{folder_ / "cache"};
};

TEST_F(DataTextsTest, EachKeyIsToldItsOwn) {
  spec::DataSpec data;
  data.corpus = file("a.txt", words(2000));
  EXPECT_EQ(keys(data), "");
  data.tokenizer = (folder_ / "gone.model").string();
  EXPECT_EQ(keys(data), "data.tokenizer ");
  data.val = (folder_ / "gone.txt").string();
  EXPECT_EQ(keys(data), "data.tokenizer data.val ");
  data.corpus = (folder_ / "gone").string();
  EXPECT_EQ(keys(data), "data.tokenizer data.corpus data.val ");
  data.tokenizer = "bytes256";
  EXPECT_EQ(keys(data), "data.corpus data.val ");
  data.corpus = file("a.txt", words(2000));
  data.val = file("v.txt", "short");
  EXPECT_EQ(keys(data), "data.val ");
  data.val = file("same.txt", words(2000));
  EXPECT_EQ(keys(data), "data.val ");
}

TEST_F(DataTextsTest, ATextBesideIsLookedAt) {
  spec::DataSpec own;
  own.corpus = file("a.txt", words(2000));
  spec::AlsoSpec text;
  text.name = "base";
  text.corpus = (folder_ / "gone.txt").string();
  const auto told = [&] {
    std::string all;
    for (const plan::DataProblem& problem : texts_.probe_beside(own, text).problems) all += problem.message;
    return all;
  };
  EXPECT_THAT(told(), HasSubstr("gone.txt"));
  text.corpus = file("short.txt", "short");
  EXPECT_THAT(told(), HasSubstr("too short"));
  text.corpus = own.corpus;
  EXPECT_EQ(told(), "");
  own.tokenizer = (folder_ / "gone.model").string();  // told at data.tokenizer
  EXPECT_EQ(told(), "");
}

// What a worker will look for, in tokens of a file and of a tokenizer that is trained on the run's corpus.
TEST_F(DataTextsTest, ATextBesideIsEncodedAhead) {
  CollectedNotes notes;
  DataTexts encoding(folder_ / "cache", &notes);
  spec::DataSpec own;
  own.corpus = file("a.txt", words(20'000));
  spec::AlsoSpec text;
  text.name = "base";
  text.corpus = file("b.txt", words(9000));
  for (const bool trained : {false, true}) {
    own.tokenizer = trained ? "" : BITSWEEP_SOURCE_DIR "/tests/model/tokenize/goldens/gpt2.json";
    own.recipe = {"bpe", trained ? 300 : 0};
    own.tokenizer_sha256 = texts_.probe(own).tokenizer_sha256;
    const plan::DatasetFacts before = texts_.probe_beside(own, text);
    EXPECT_TRUE(before.estimated);
    EXPECT_EQ(before.train_tokens > 0, !trained);
    ASSERT_EQ(before.notes.size(), 1u);
    EXPECT_THAT(before.notes[0],
                HasSubstr(trained ? "'bpe 300 trained' is not trained yet" : "b.txt' is not encoded yet"));
    encoding.probe(own);
    EXPECT_FALSE(encoding.probe_beside(own, text).estimated);
    const plan::DatasetFacts after = texts_.probe_beside(own, text);
    EXPECT_FALSE(after.estimated);
    EXPECT_GT(after.train_tokens, 1000);
    if (!trained) {
      EXPECT_EQ(after.tokenizer_sha256, own.tokenizer_sha256);
    }
  }
}

// What eval.bytes can be asked for: of a text, of the parts of a mixture, of a validation text.
TEST_F(DataTextsTest, BytesToValidateOnAreTold) {
  spec::DataSpec data;
  data.corpus = file("small.txt", words(4000));  // 38,890 bytes, of which 1 in 20 validates
  EXPECT_THAT(texts_.probe(data).val_bytes, testing::ElementsAre(1944));
  data.mixture = {{data.corpus, "", "", 9}, {file("large.txt", words(40'000)), "", "", 1}};
  data.corpus.clear();
  const std::vector<int64_t> parts = texts_.probe(data).val_bytes;
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0], 1944);
  EXPECT_GT(parts[1], 20'000);
  data.val = file("val.txt", words(400));
  EXPECT_THAT(texts_.probe(data).val_bytes, testing::ElementsAre(words(400).size()));
}

}  // namespace
}  // namespace bitsweep::cli
