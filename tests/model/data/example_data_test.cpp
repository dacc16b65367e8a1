// Datasets of examples: what a step learns and what is scored.
#include <gmock/gmock.h>

#include <set>

#include "compressed.h"
#include "data/dataset.h"
#include "temp_folder.h"

namespace bitsweep::data {
namespace {

using testing::HasSubstr;

class ExampleDataTest : public TempFolder {
 protected:
  // Example i asks "qI " and is answered by " " and i.
  std::string lines(int from, int to) const {
    std::string text;
    for (int i = from; i < to; ++i) text += fmt::format("{{\"prompt\": \"q{} \", \"completion\": \"{}\"}}\n", i, i);
    return text;
  }
  spec::DataSpec spec(int count = 40) {
    spec::DataSpec data;
    data.examples.file = write("e.jsonl", lines(0, count));
    data.context = 16;
    data.val_fraction = 0.25;
    return data;
  }
  Dataset open(const spec::DataSpec& data) const { return Dataset::open(data, root / "cache"); }
};

TEST_F(ExampleDataTest, every_example_comes_once_an_epoch) {
  const Dataset data = open(spec());
  EXPECT_EQ(data.info().train_windows, 30);
  EXPECT_EQ(data.info().val_windows, 10);
  EXPECT_TRUE(data.of_examples());
  std::set<std::vector<uint8_t>> seen;
  std::vector<uint8_t> rows(30 * 17), again(7 * 17);
  data.sequences(3, 30, 30, std::span(rows));  // the second epoch
  for (int i = 0; i < 30; ++i) seen.insert({rows.begin() + i * 17, rows.begin() + (i + 1) * 17});
  EXPECT_EQ(seen.size(), 30u);
  data.sequences(3, 40, 7, std::span(again));
  EXPECT_TRUE(std::equal(again.begin(), again.end(), rows.begin() + 10 * 17));
}

TEST_F(ExampleDataTest, what_counts_is_the_answer) {
  const Dataset data = open(spec());
  std::vector<uint8_t> rows(8 * 17), counted(8 * 16);
  data.sequences(1, 0, 8, std::span(rows));
  data.counted(1, 0, 8, counted);
  for (size_t i = 0; i < 8; ++i) {
    std::string said;
    for (size_t t = 0; t < 16; ++t)
      if (counted[i * 16 + t] == 1) said += static_cast<char>(rows[i * 17 + t + 1]);
    const std::string whole(rows.begin() + static_cast<long>(i) * 17, rows.begin() + static_cast<long>(i + 1) * 17);
    ASSERT_TRUE(said.ends_with('\n'));
    EXPECT_THAT(whole, HasSubstr("q" + said.substr(0, said.size() - 1) + " " + said));
  }
}

TEST_F(ExampleDataTest, held_out_are_others) {
  const Dataset data = open(spec());
  const ValidationWindows held = data.validation(100);
  EXPECT_EQ(held.count(), 10);
  EXPECT_EQ(held.target_bytes(0, 10), 2 * 2 + 8 * 3);  // of 3, 7, 11 … 39, each with its newline
}

TEST_F(ExampleDataTest, a_file_of_their_own_may_be_held_out) {
  spec::DataSpec data = spec();
  data.val = write("v.jsonl", lines(100, 105));
  const Dataset opened = open(data);
  EXPECT_EQ(opened.info().train_windows, 40);
  EXPECT_EQ(opened.info().val_windows, 5);
  EXPECT_EQ(opened.validation(5).target_bytes(0, 5), 20);
  fs::copy_file(data.examples.file, root / "copy.jsonl");
  data.val = (root / "copy.jsonl").string();
  try {
    open(data);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("both to train on and to validate on (data.val)"));
  }
}

TEST_F(ExampleDataTest, what_changed_or_is_too_little_is_refused) {
  spec::DataSpec data = spec();
  data.sha256 = Dataset::inspect(data, root / "cache").sha256;
  EXPECT_NO_THROW(open(data));
  write("e.jsonl", lines(0, 41));
  EXPECT_THAT(error_of([&] { open(data); }).what(), HasSubstr("has changed since the run was planned"));
  EXPECT_THAT(error_of([&] { open(spec(1)); }).what(), HasSubstr("1 examples are too few to hold one out"));
  data = spec();
  data.tokenizer.clear();
  data.recipe = {.kind = "bpe", .vocab = 300};
  EXPECT_THAT(error_of([&] { open(data); }).what(), HasSubstr("one is trained on a corpus, and data.examples is none"));
}

TEST_F(ExampleDataTest, compressed_files_are_read_by_their_first_bytes) {
  const Dataset plain = open(spec());
  for (const std::string& packed : {gzip(lines(0, 40)), zstd(lines(0, 40))}) {
    spec::DataSpec data = spec();
    data.examples.file = write("packed.jsonl", packed);
    const Dataset opened = open(data);
    EXPECT_EQ(opened.info().train_windows, 30);
    EXPECT_EQ(opened.info().sha256, plain.info().sha256);
    data.val = write("val", gzip(lines(50, 52)));
    EXPECT_EQ(open(data).info().val_windows, 2);
  }
}

TEST_F(ExampleDataTest, the_built_in_questions_are_examples) {
  spec::DataSpec data;
  data.examples.file = "stories-questions-train";
  data.context = 1024;
  const Dataset opened = open(data);
  EXPECT_GT(opened.info().train_windows, 5'000);
}

}  // namespace
}  // namespace bitsweep::data
