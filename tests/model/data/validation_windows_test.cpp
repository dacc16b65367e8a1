// Losses on the same bytes whatever the tokenizer and the context.
#include "data/validation_windows.h"

#include <cmath>

#include <gmock/gmock.h>

#include "data/split.h"
#include "temp_folder.h"
#include "tokenize/open.h"

namespace bitsweep::data {
namespace {

using testing::ElementsAre;

std::shared_ptr<const tokenize::Tokenizer> tokenizer_of(const std::string& name) {
  if (name.find('.') == std::string::npos) return tokenize::open_tokenizer(name);
  return tokenize::open_tokenizer(std::string(BITSWEEP_SOURCE_DIR) + "/tests/model/tokenize/goldens/" + name);
}

std::vector<int32_t> filled(const ValidationWindows& windows, int64_t context) {
  const auto count = static_cast<size_t>(windows.count() * (context + 1));
  if (windows.width() == TokenWidth::byte) {
    std::vector<uint8_t> narrow(count);
    windows.fill(0, windows.count(), std::span(narrow));
    return {narrow.begin(), narrow.end()};
  }
  std::vector<int32_t> wide(count);
  windows.fill(0, windows.count(), std::span(wide));
  return wide;
}

// The targets that count, window by window.
std::vector<tokenize::TokenId> counted(const ValidationWindows& windows, int64_t context) {
  const std::vector<int32_t> all = filled(windows, context);
  std::vector<tokenize::TokenId> ids;
  for (int64_t w = 0; w < windows.count(); ++w)
    for (const ScoredTargets& run : windows.scored(w))
      for (int64_t t = run.from; t < run.to; ++t)
        ids.push_back(static_cast<tokenize::TokenId>(all[static_cast<size_t>(w * (context + 1) + t + 1)]));
  return ids;
}

TEST(Stretches, are_whole_lines_evenly_spread) {
  const std::string text = numbered_text(1'000'000);
  const std::vector<Segment> val{{100'000, 400'000}, {600'000, 900'000}};
  const auto stretches = validation_stretches(bytes_of(text), val, 100'000);
  EXPECT_EQ(stretches.size(), 6u);
  uint64_t done = 0;
  for (const Segment& stretch : stretches) {
    EXPECT_GE(stretch.begin, done);
    EXPECT_LE(stretch.size(), stretch_bytes);
    EXPECT_GT(stretch.size(), stretch_bytes - 200);
    EXPECT_TRUE((stretch.begin >= 100'000 && stretch.end <= 400'000) ||
                (stretch.begin >= 600'000 && stretch.end <= 900'000));
    EXPECT_TRUE(stretch.begin == 100'000 || stretch.begin == 600'000 || text[stretch.begin - 1] == '\n');
    EXPECT_EQ(text[stretch.end - 1], '\n');
    done = stretch.end;
  }
  EXPECT_GE(stretches[3].begin, 600'000u);
}

TEST(Stretches, come_to_what_is_wanted_where_blocks_are_small) {
  const std::string text = numbered_text(1'000'000);
  std::vector<Segment> val;
  for (uint64_t i = 0; i < 16; ++i) val.push_back({i * 60'000, i * 60'000 + 3'500});
  uint64_t bytes = 0, done = 0;
  for (const Segment& stretch : validation_stretches(bytes_of(text), val, 40'000)) {
    EXPECT_GE(stretch.begin, done);
    bytes += stretch.size();
    done = stretch.end;
  }
  EXPECT_NEAR(static_cast<double>(bytes), 40'000, 4'000);
}

TEST(Stretches, take_all_of_a_short_text_once) {
  const std::string text = numbered_text(50'000);
  uint64_t at = 1'000;
  for (const Segment& stretch : validation_stretches(bytes_of(text), {{1'000, 41'000}}, 1'000'000)) {
    EXPECT_EQ(stretch.begin, at);
    at = stretch.end;
  }
  EXPECT_EQ(at, 41'000u);
}

TEST(Stretches, cut_endless_lines_at_characters) {
  std::string text;
  while (text.size() < 200'000) text += "\xE2\x82\xAC";
  for (const Segment& stretch : validation_stretches(bytes_of(text), {{0, text.size()}}, 60'000)) {
    EXPECT_EQ(stretch.begin % 3, 0u);
    EXPECT_EQ(stretch.end % 3, 0u);
    EXPECT_GT(stretch.size(), stretch_bytes - 3);
  }
}

// Blocks are of bytes: what they cut in two is in no stretch.
TEST(Stretches, begin_and_end_with_whole_characters) {
  std::string text;
  while (text.size() < 3'000) text += "\xE2\x82\xAC";
  const std::vector<Segment> val{{301, 1000}, {1502, 2201}};
  for (const uint64_t wanted : {400, 5'000})
    for (const Segment& stretch : validation_stretches(bytes_of(text), val, wanted)) {
      EXPECT_EQ(stretch.begin % 3, 0u) << wanted;
      EXPECT_EQ(stretch.end % 3, 0u) << wanted;
      EXPECT_GT(stretch.size(), 100u);
    }
  const auto all = validation_stretches(bytes_of(text), val, 5'000);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].begin, 303u);
  EXPECT_EQ(all[1].end, 2199u);
}

class OverText : public testing::TestWithParam<const char*> {};

// Whatever tokenizer and context: each target counts once, and all together are the stretches.
TEST_P(OverText, every_byte_counts_once) {
  const auto tokenizer = tokenizer_of(GetParam());
  const std::string text = numbered_text(120'000);
  const auto stretches = validation_stretches(bytes_of(text), {{10'000, 110'000}}, 40'000);
  std::string expected;
  for (const Segment& stretch : stretches) expected += text.substr(stretch.begin, stretch.size());
  for (const int64_t context : {7, 32, 100'000})
    for (const int64_t stride : {0, 5}) {
      if (stride == 5 && context == 100'000) continue;
      const auto windows =
          ValidationWindows::over_text(*tokenizer, {bytes_of(text), {}}, {}, stretches, context, stride);
      const std::vector<tokenize::TokenId> ids = counted(windows, context);
      EXPECT_EQ(tokenizer->decode(ids), expected) << context << " " << stride;
      EXPECT_EQ(windows.target_bytes(0, windows.count()), static_cast<int64_t>(expected.size()));
      EXPECT_EQ(windows.targets(0, windows.count()), static_cast<int64_t>(ids.size()));
    }
}

// A model that knows nothing spends log2 V a token: exactly that times tokens a byte, under every tokenizer.
TEST_P(OverText, a_uniform_model_scores_what_it_must) {
  const auto tokenizer = tokenizer_of(GetParam());
  const std::string text = numbered_text(120'000);
  const auto stretches = validation_stretches(bytes_of(text), {{10'000, 110'000}}, 40'000);
  uint64_t bytes = 0, tokens = 0;
  for (const Segment& stretch : stretches) {
    bytes += stretch.size();
    tokens += tokenizer->encode(text.substr(stretch.begin, stretch.size())).size();
  }
  const auto windows = ValidationWindows::over_text(*tokenizer, {bytes_of(text), {}}, {}, stretches, 32, 0);
  const double bits =
      std::log2(static_cast<double>(tokenizer->vocab())) * static_cast<double>(windows.targets(0, windows.count()));
  EXPECT_DOUBLE_EQ(
      bits / static_cast<double>(windows.target_bytes(0, windows.count())),
      std::log2(static_cast<double>(tokenizer->vocab())) * static_cast<double>(tokens) / static_cast<double>(bytes));
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, OverText, testing::Values("bytes256", "gpt2.json", "llama3.json", "bpe.model"));

TEST(ValidationWindowsOverText, begin_behind_bos_else_a_newline) {
  const std::string text = "abc\n";
  EXPECT_THAT(
      filled(ValidationWindows::over_text(*tokenizer_of("bytes256"), {bytes_of(text), {}}, {}, {{0, 4}}, 6, 0), 6),
      ElementsAre('\n', 'a', 'b', 'c', '\n', 0, 0));
  const auto llama = tokenizer_of("llama3.json");
  EXPECT_EQ(filled(ValidationWindows::over_text(*llama, {bytes_of(text), {}}, {}, {{0, 4}}, 6, 0), 6)[0],
            static_cast<int32_t>(*llama->facts().bos));
}

// As the training text has them: a loss is over the tokens that a model was trained on.
TEST(ValidationWindowsOverText, documents_are_marked_and_their_marks_are_targets) {
  const auto tokenizer = tokenizer_of("llama3.json");
  const tokenize::TokenId bos = *tokenizer->facts().bos, eos = *tokenizer->facts().eos;
  const std::string text = "ab\ncd\nef\n";
  const std::vector<uint64_t> ends{3, 6, 9};
  const auto ids = [&](const DocumentTokens& marks, const Segment& stretch) {
    const auto windows = ValidationWindows::over_text(*tokenizer, {bytes_of(text), ends}, marks, {stretch}, 30, 0);
    std::vector<int32_t> all = filled(windows, 30);
    all.resize(static_cast<size_t>(windows.targets(0, 1)) + 1);
    EXPECT_EQ(windows.target_bytes(0, 1), static_cast<int64_t>(stretch.size()));
    return std::vector<tokenize::TokenId>(all.begin(), all.end());
  };
  const auto joined = [&](std::vector<std::pair<std::string, tokenize::TokenId>> parts, tokenize::TokenId first) {
    std::vector<tokenize::TokenId> expected{first};
    for (const auto& [part, mark] : parts) {
      const auto more = part.empty() ? std::vector<tokenize::TokenId>{mark} : tokenizer->encode(part);
      expected.insert(expected.end(), more.begin(), more.end());
    }
    return expected;
  };
  // The first document's BOS is what stands in front of the stretch.
  EXPECT_EQ(ids({.before = bos, .behind = {}}, {0, 9}),
            joined({{"ab\n", 0}, {"", bos}, {"cd\n", 0}, {"", bos}, {"ef\n", 0}}, bos));
  EXPECT_EQ(ids({.before = {}, .behind = eos}, {3, 9}), joined({{"cd\n", 0}, {"", eos}, {"ef\n", 0}, {"", eos}}, eos));
  // One that begins and ends within documents.
  EXPECT_EQ(ids({.before = bos, .behind = {}}, {4, 8}), joined({{"d\n", 0}, {"", bos}, {"ef", 0}}, bos));
}

TEST(ValidationWindowsOverText, overlapping_windows_see_what_came_before) {
  const std::string text = "abcdefghij";
  const auto windows =
      ValidationWindows::over_text(*tokenizer_of("bytes256"), {bytes_of(text), {}}, {}, {{0, 10}}, 4, 2);
  // "\nabc" says abcd; then each window of four says two more.
  EXPECT_EQ(windows.count(), 4);
  const std::vector<int32_t> all = filled(windows, 4);
  EXPECT_THAT(std::vector(all.begin() + 5, all.begin() + 10), ElementsAre('b', 'c', 'd', 'e', 'f'));
  EXPECT_THAT(windows.scored(1), ElementsAre(ScoredTargets{2, 4}));
  EXPECT_FALSE(windows.all_count());
}

// What is decoded counts, not what was lost.
TEST(ValidationWindowsOverText, a_lossy_tokenizer_is_scored_on_what_it_keeps) {
  const auto tokenizer = tokenizer_of("unigram.model");
  const std::string text = "the   spaces   go\n";
  const auto windows = ValidationWindows::over_text(*tokenizer, {bytes_of(text), {}}, {}, {{0, text.size()}}, 50, 0);
  EXPECT_EQ(windows.target_bytes(0, 1), static_cast<int64_t>(tokenizer->decode(tokenizer->encode(text)).size()));
}

}  // namespace
}  // namespace bitsweep::data
