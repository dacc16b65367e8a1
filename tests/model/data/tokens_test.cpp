#include "data/tokens.h"

#include <numeric>
#include <set>

#include <gmock/gmock.h>

#include "data/corpus.h"
#include "data/dataset.h"
#include "temp_folder.h"
#include "wide_tokens.h"

namespace bitsweep::data {
namespace {

spec::DataSpec spec_of(int64_t context) {
  spec::DataSpec spec;
  spec.context = context;
  return spec;
}

class TokensTest : public TempFolder {};

TEST_F(TokensTest, of_bytes_are_the_bytes_of_the_text) {
  const auto text = open_corpus({{write("a.txt",
                                        "ab\xC3\xA4"
                                        "cdef"),
                                  "", ""}},
                                root / "cache");
  const ByteTokens bytes(text, tokenize::ByteAlphabet("bytes256")), ascii(text, tokenize::ByteAlphabet("ascii128"));
  EXPECT_EQ(bytes.size(), 8u);
  EXPECT_EQ(bytes.text_bytes({2, 7}), 5u);
  EXPECT_EQ(width_of(bytes.vocab()), TokenWidth::byte);
  std::vector<uint8_t> out(6);
  bytes.windows(std::vector<uint64_t>{5, 1}, 3, out);
  EXPECT_EQ(text_of(out), "defb\xC3\xA4");
  ascii.windows(std::vector<uint64_t>{5, 1}, 3, out);
  EXPECT_EQ(text_of(out), "defb\x1A\x1A");
}

TEST_F(TokensTest, of_any_width_are_split_and_ordered_as_bytes_are) {
  constexpr uint64_t count = 50'000;
  const auto source = std::make_shared<WideTokens>(count);
  const Dataset wide = Dataset::over(spec_of(32), {}, source, source);
  const Dataset bytes = Dataset::open(
      [&] {
        spec::DataSpec spec = spec_of(32);
        spec.corpus = write("n.txt", numbered_text(count));
        return spec;
      }(),
      root / "cache");
  EXPECT_EQ(wide.width(), TokenWidth::int32);
  EXPECT_EQ(wide.info().vocab, 1000);
  EXPECT_EQ(wide.info().train_tokens, bytes.info().train_tokens);
  EXPECT_EQ(wide.info().train_windows, bytes.info().train_windows);
  EXPECT_EQ(wide.info().val_windows, bytes.info().val_windows);
  EXPECT_EQ(wide.split().val, bytes.split().val);

  std::vector<int32_t> one(33);
  std::vector<uint8_t> same(33);
  for (int64_t i = 0; i < 100; ++i) {
    wide.sequences(3, i, 1, one);
    bytes.sequences(3, i, 1, same);
    const size_t start = numbered_text(count).find(text_of(same));
    for (size_t t = 0; t < one.size(); ++t) ASSERT_EQ(one[t], WideTokens::token(start + t));
  }
}

TEST_F(TokensTest, of_several_bytes_are_measured_by_the_bytes_they_stand_for) {
  const auto source = std::make_shared<WideTokens>(50'000);
  const Dataset wide = Dataset::over(spec_of(32), {}, source, source);
  const ValidationWindows windows = wide.validation(10);
  std::vector<int32_t> out(10 * 33);
  windows.fill(0, 10, out);
  int64_t bytes = 0, of_three = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    if (i % 33 == 0) continue;  // the first of a window is read and not predicted
    bytes += static_cast<int64_t>(WideTokens::bytes_of_token(out[i]));
    if (i / 33 >= 4 && i / 33 < 7) of_three += static_cast<int64_t>(WideTokens::bytes_of_token(out[i]));
  }
  EXPECT_EQ(windows.target_bytes(0, 10), bytes);
  EXPECT_EQ(windows.target_bytes(4, 3), of_three);
  EXPECT_NEAR(wide.bytes_per_train_token(), 2.0, 0.01);
}

TEST_F(TokensTest, a_validation_source_of_its_own) {
  const Dataset wide =
      Dataset::over(spec_of(16), {}, std::make_shared<WideTokens>(5'000), std::make_shared<WideTokens>(1'000));
  EXPECT_EQ(wide.info().train_tokens, 5'000);
  EXPECT_EQ(wide.info().val_tokens, 1'000);
}

TEST_F(TokensTest, of_bytes_are_one_byte_each_to_the_last_bit) {
  spec::DataSpec spec = spec_of(32);
  spec.corpus = write("n.txt", numbered_text(50'000));
  const Dataset bytes = Dataset::open(spec, root / "cache");
  EXPECT_EQ(bytes.bytes_per_train_token(), 1.0);
  EXPECT_EQ(bytes.validation(7).target_bytes(0, 7), 7 * 32);
}

// Sizes that do not fit into 32 bits: nothing of so many tokens is held, so they cost nothing.
TEST_F(TokensTest, more_of_them_than_32_bits_count) {
  constexpr uint64_t count = (uint64_t{1} << 33) + 12'345;
  const auto source = std::make_shared<WideTokens>(count);
  const Dataset wide = Dataset::over(spec_of(256), {}, source, source);
  const DatasetInfo& info = wide.info();
  EXPECT_EQ(static_cast<uint64_t>(info.train_tokens + info.val_tokens), count);
  EXPECT_GT(info.train_windows, int64_t{31'000'000});
  std::set<std::vector<int32_t>> seen;
  std::vector<int32_t> one(257);
  for (const int64_t i : {int64_t{0}, info.train_windows - 1, info.train_windows, 3 * info.train_windows + 5})
    wide.sequences(1, i, 1, one);  // the source asserts that it holds what is asked for
  const ValidationWindows windows = wide.validation(100);
  EXPECT_EQ(windows.count(), 100);
  EXPECT_GT(windows.target_bytes(0, 100), 100 * 256);
}

}  // namespace
}  // namespace bitsweep::data
