// Texts that are mixed: that each sequence is a pure function of (seed, step), that every block holds the shares to the
// sequence, that no window crosses parts, and that each part is split as it would be alone.
#include <map>

#include <gmock/gmock.h>

#include "base/files.h"
#include "base/sha256.h"
#include "data/dataset.h"
#include "temp_folder.h"

namespace bitsweep::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr int64_t kContext = 32;

// Lines of one letter, so that a window shows which text it is of.
std::string letters(char letter, size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) text += std::string(9, letter) + static_cast<char>('0' + i % 10);
  text.resize(bytes);
  return text;
}

class MixtureTest : public TempFolder {
 protected:
  spec::DataSpec of(std::vector<std::pair<std::string, double>> parts) const {
    spec::DataSpec data;
    data.context = kContext;
    for (const auto& [name, weight] : parts) data.mixture.push_back({(root / name).string(), "", "", weight});
    return data;
  }
  // Three parts of quite other sizes.
  spec::DataSpec three() {
    write("a", letters('a', 200'000));
    write("b", letters('b', 20'000));
    write("c", letters('c', 5'000));
    return of({{"a", 2}, {"b", 1}, {"c", 1}});
  }
  Dataset open(const spec::DataSpec& data) const { return Dataset::open(data, root / "cache"); }
  static std::vector<uint8_t> sequences(const Dataset& data, uint64_t seed, int64_t first, int64_t count) {
    std::vector<uint8_t> out(static_cast<size_t>(count * (kContext + 1)));
    data.sequences(seed, first, count, out);
    return out;
  }
  // The letter of each sequence; '?' of one that holds several.
  static std::string letters_of(std::span<const uint8_t> sequences) {
    std::string found;
    for (size_t at = 0; at < sequences.size(); at += kContext + 1) {
      char letter = 0;
      for (const uint8_t byte : sequences.subspan(at, kContext + 1)) {
        if (byte < 'a') continue;
        letter = letter == 0 || letter == static_cast<char>(byte) ? static_cast<char>(byte) : '?';
      }
      found += letter;
    }
    return found;
  }
};

TEST_F(MixtureTest, every_block_holds_the_shares) {
  const Dataset data = open(three());
  for (const int64_t block : {0, 1, 7}) {
    std::map<char, int> counts;
    for (const char letter : letters_of(sequences(data, 5, block * 1024, 1024))) ++counts[letter];
    EXPECT_THAT(counts, ElementsAre(std::pair('a', 512), std::pair('b', 256), std::pair('c', 256)));
  }
  // In no pattern: neighbours are of the same part as often as chance has it.
  const std::string order = letters_of(sequences(data, 5, 0, 1024));
  int same = 0;
  for (size_t i = 1; i < order.size(); ++i) same += order[i] == order[i - 1];
  EXPECT_NEAR(same, 1023 * 0.375, 60);
}

TEST_F(MixtureTest, a_sequence_is_a_pure_function_of_seed_and_index) {
  const Dataset data = open(three());
  const auto all = sequences(data, 9, 0, 3000);
  for (const int64_t first : {1, 1000, 1023, 2047}) {
    const auto some = sequences(data, 9, first, 40);
    EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin() + first * (kContext + 1))) << first;
  }
  EXPECT_NE(sequences(data, 10, 0, 100), sequences(data, 9, 0, 100));
}

// All windows of a part come once before one comes again, however small it is.
TEST_F(MixtureTest, each_part_goes_through_its_own_windows) {
  write("n", numbered_text(50'000));
  write("m", letters('m', 50'000));
  spec::DataSpec spec = of({{"n", 1}, {"m", 3}});
  const Dataset data = open(spec);
  spec::DataSpec alone;
  alone.corpus = (root / "n").string();
  alone.context = kContext;
  const int64_t windows = open(alone).info().train_windows;
  std::map<std::string, int> seen;
  const auto all = sequences(data, 1, 0, windows * 4 / 1024 * 1024);
  for (size_t at = 0; at < all.size(); at += kContext + 1) {
    const std::string window(all.begin() + static_cast<std::ptrdiff_t>(at),
                             all.begin() + static_cast<std::ptrdiff_t>(at) + kContext + 1);
    if (window.find('m') == std::string::npos) ++seen[window];
  }
  EXPECT_EQ(static_cast<int64_t>(seen.size()), windows * 4 / 1024 * 256);
}

TEST_F(MixtureTest, the_order_of_one_part_does_not_depend_on_the_others) {
  const Dataset with_small = open(three());
  write("b", letters('b', 90'000));
  const Dataset with_large = open(of({{"a", 2}, {"b", 1}, {"c", 1}}));
  const auto of_a = [](const std::vector<uint8_t>& all) {
    std::string kept;
    for (size_t at = 0; at < all.size(); at += kContext + 1)
      if (std::count(all.begin() + static_cast<std::ptrdiff_t>(at),
                     all.begin() + static_cast<std::ptrdiff_t>(at) + kContext + 1, 'a') > 0)
        kept.append(all.begin() + static_cast<std::ptrdiff_t>(at),
                    all.begin() + static_cast<std::ptrdiff_t>(at) + kContext + 1);
    return kept;
  };
  EXPECT_EQ(of_a(sequences(with_small, 3, 0, 1024)), of_a(sequences(with_large, 3, 0, 1024)));
}

TEST_F(MixtureTest, each_part_is_split_as_it_is_alone) {
  const spec::DataSpec spec = three();
  const Dataset data = open(spec);
  std::string expected;
  for (const char* name : {"a", "b", "c"}) {
    spec::DataSpec alone;
    alone.corpus = (root / name).string();
    alone.context = kContext;
    const Dataset part = open(alone);
    for (const Segment& segment : part.split().val)
      expected += text_of(part.val_text().subspan(segment.begin, segment.size()));
  }
  std::string val;
  for (const Segment& segment : data.split().val)
    val += text_of(data.val_text().subspan(segment.begin, segment.size()));
  EXPECT_EQ(val, expected);
  EXPECT_EQ(data.info().val_sha256, sha256_hex(val));
}

TEST_F(MixtureTest, is_validated_on_by_weight) {
  const Dataset data = open(three());
  const auto counts = [&](const ValidationWindows& windows) {
    std::vector<uint8_t> tokens(static_cast<size_t>(windows.count() * (kContext + 1)));
    windows.fill(0, windows.count(), tokens);
    std::map<char, int> found;
    for (const char letter : letters_of(tokens)) ++found[letter];
    return found;
  };
  EXPECT_THAT(counts(data.validation(16)), ElementsAre(std::pair('a', 8), std::pair('b', 4), std::pair('c', 4)));
  spec::EvalSpec eval;
  eval.bytes = 800;
  auto found = counts(data.validation(eval));
  EXPECT_NEAR(found['a'], 2 * found['b'], 4);
  EXPECT_NEAR(found['b'], found['c'], 3);
}

TEST_F(MixtureTest, with_a_validation_text_all_of_each_part_trains) {
  spec::DataSpec spec = three();
  spec.val = write("v", letters('v', 3'000)).string();
  const Dataset data = open(spec);
  EXPECT_EQ(data.split().train.size(), 3u);
  EXPECT_EQ(data.info().train_tokens, 225'000);
  std::vector<uint8_t> tokens(static_cast<size_t>(10 * (kContext + 1)));
  data.validation(10).fill(0, 10, tokens);
  EXPECT_EQ(letters_of(tokens), std::string(10, 'v'));
}

TEST_F(MixtureTest, encodes_no_token_across_parts) {
  spec::DataSpec spec = three();
  spec.tokenizer = std::string(BITSWEEP_SOURCE_DIR) + "/tests/model/tokenize/goldens/gpt2.json";
  const Dataset data = open(spec);
  const auto decoded = [&](int64_t first) {
    std::vector<int32_t> ids(static_cast<size_t>(100 * (kContext + 1)));
    data.sequences(1, first, 100, std::span<int32_t>(ids));
    std::string letters;
    for (size_t at = 0; at < ids.size(); at += kContext + 1) {
      const std::string text = data.tokenizer()->decode(std::vector<tokenize::TokenId>(
          ids.begin() + static_cast<std::ptrdiff_t>(at), ids.begin() + static_cast<std::ptrdiff_t>(at) + kContext + 1));
      letters += (text.find('a') != std::string::npos) + (text.find('b') != std::string::npos) +
                             (text.find('c') != std::string::npos) ==
                         1
                     ? '1'
                     : '?';
    }
    return letters;
  };
  EXPECT_EQ(decoded(0), std::string(100, '1'));
  // What the cache knows tells the same as what was built.
  const DatasetInfo told = Dataset::inspect(spec, root / "cache");
  EXPECT_EQ(told.train_tokens, data.info().train_tokens);
  EXPECT_EQ(told.sha256, data.info().sha256);
  EXPECT_EQ(told.notes, data.info().notes);
}

TEST_F(MixtureTest, tells_how_long_each_part_lasts) {
  const Dataset data = open(three());
  EXPECT_THAT(data.info().name, "a + b + c");
  EXPECT_THAT(data.info().notes, testing::Contains(testing::AllOf(
                                     HasSubstr("'b' gives 256 of every 1,024 sequences: all of it is seen once in"),
                                     HasSubstr(" tokens of bytes256."))));
}

// The joined text is the same; where its parts end is not.
TEST_F(MixtureTest, is_named_by_its_text_and_its_parts) {
  write("x", letters('x', 10'000) + letters('y', 2'000));
  write("y", letters('y', 10'000));
  write("p", letters('x', 10'000));
  write("q", letters('y', 2'000) + letters('y', 10'000));
  const auto sha = [&](const char* one, const char* other) { return open(of({{one, 1}, {other, 1}})).info().sha256; };
  EXPECT_NE(sha("x", "y"), sha("p", "q"));
  EXPECT_EQ(sha("x", "y"), sha("x", "y"));
  EXPECT_EQ(Dataset::inspect(of({{"x", 1}, {"y", 1}}), root / "elsewhere").sha256, sha("x", "y"));
  spec::DataSpec planned = of({{"x", 1}, {"y", 1}});
  planned.sha256 = sha("x", "y");
  EXPECT_EQ(open(planned).info().sha256, planned.sha256);
  write("y", letters('z', 10'000));
  EXPECT_THAT(error_of([&] { open(planned); }).what(), HasSubstr("no longer the text that the run was planned on"));
}

// A text of the same bytes that is one corpus is split as one.
TEST_F(MixtureTest, is_not_mistaken_for_the_text_it_makes) {
  write("x/1", letters('x', 10'000));
  write("x/2", letters('y', 10'000));
  write("one", letters('x', 10'000));
  write("two", letters('y', 10'000));
  spec::DataSpec one;
  one.context = kContext;
  one.corpus = write("joined.txt.d/a", letters('x', 10'000) + letters('y', 10'000)).parent_path().string();
  const Dataset whole = open(one);
  const Dataset mixed = open(of({{"one", 1}, {"two", 1}}));
  ASSERT_NE(whole.info().sha256, mixed.info().sha256);
  one.sha256 = whole.info().sha256;
  const Dataset again = open(one);
  EXPECT_EQ(again.split().train, whole.split().train);
}

TEST_F(MixtureTest, of_bad_parts_everything_is_told) {
  three();
  write("empty", "");
  write("short", "0123456789");
  EXPECT_THAT(error_of([&] {
                open(of({{"a", 1}, {"nowhere", 1}, {"empty", 1}}));
              }).what(),
              AllOf(HasSubstr("nowhere"), HasSubstr("empty' is empty")));
  EXPECT_THAT(error_of([&] {
                open(of({{"a", 1}, {"short", 1}}));
              }).what(),
              AllOf(HasSubstr("short"), HasSubstr("too short: 10 bytes"), Not(HasSubstr("/a:"))));
}

TEST_F(MixtureTest, of_parts_that_are_no_text_each_is_told) {
  three();
  write("x.xz", std::string_view("\xFD"
                                 "7zXZ\0",
                                 6));
  write("z", std::string_view("\x1F\x8B\x08\0torn", 8));
  EXPECT_THAT(error_of([&] {
                open(of({{"x.xz", 1}, {"a", 1}, {"z", 1}}));
              }).what(),
              AllOf(HasSubstr("x.xz' is xz-compressed data"), HasSubstr("/z")));
}

TEST_F(MixtureTest, yardsticks_are_counted_by_weight) {
  const spec::DataSpec even = three();
  const DatasetYardsticks yardsticks = open(even).yardsticks({16}, {800});
  EXPECT_GT(yardsticks.split.bits_per_byte[3], 0);
  EXPECT_EQ(yardsticks.windows.size(), 1u);
  EXPECT_GT(yardsticks.stretches.at(0).scored_bytes, 600u);
}

}  // namespace
}  // namespace bitsweep::data
