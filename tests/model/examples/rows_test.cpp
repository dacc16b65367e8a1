#include "examples/rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tokenize/open.h"

namespace bitsweep::examples {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

std::shared_ptr<const tokenize::Tokenizer> golden(const char* name) {
  return tokenize::open_tokenizer(std::string(BITSWEEP_SOURCE_DIR) + "/tests/model/tokenize/goldens/" + name);
}

ExampleSet set_of(const std::vector<std::pair<std::string, std::string>>& pairs) {
  ExampleSet set;
  for (const auto& [read, said] : pairs) set.examples.push_back({{{read, false}, {said, true}}});
  return set;
}

// The targets of a row that count, as text.
std::string said(const tokenize::Tokenizer& tokenizer, const Rows& rows, int64_t row) {
  std::string text;
  for (const Counted& run : rows.counted(row)) {
    const auto ids =
        rows.tokens(row).subspan(static_cast<size_t>(run.from) + 1, static_cast<size_t>(run.to - run.from));
    text += "<" + tokenizer.decode(ids) + ">";
  }
  return text;
}

TEST(Rows, of_bytes_stand_between_newlines_and_count_the_answer) {
  const auto bytes = tokenize::open_tokenizer("bytes256");
  const Rows rows(*bytes, set_of({{"ab", "cd"}}), {.context = 10});
  EXPECT_THAT(rows.tokens(0), ElementsAre('\n', 'a', 'b', 'c', 'd', '\n'));
  EXPECT_THAT(rows.counted(0), ElementsAre(Counted{2, 5}));
  EXPECT_EQ(rows.targets(0), 3);
  EXPECT_EQ(rows.bytes(0), 3);
}

TEST(Rows, have_bos_in_front_and_learn_eos) {
  const auto llama = golden("llama3.json");
  const Rows rows(*llama, set_of({{"the question", " the answer"}}), {.context = 64});
  EXPECT_EQ(rows.tokens(0).front(), *llama->facts().bos);
  EXPECT_EQ(rows.tokens(0).back(), *llama->facts().eos);
  EXPECT_EQ(said(*llama, rows, 0), "< the answer>");
  EXPECT_EQ(rows.targets(0), static_cast<int64_t>(llama->encode(" the answer").size()) + 1);
  EXPECT_EQ(rows.bytes(0), 11);
}

// Prompt and answer are encoded apart, so that the answer's tokens do not depend on what stands before it.
TEST(Rows, encode_the_sides_apart) {
  const auto gpt2 = golden("gpt2.json");
  const Rows rows(*gpt2, set_of({{"th", "e"}}), {.context = 64});
  std::vector<tokenize::TokenId> expected{*gpt2->facts().bos};
  for (const char* side : {"th", "e"})
    for (const tokenize::TokenId id : gpt2->encode(side)) expected.push_back(id);
  expected.push_back(*gpt2->facts().eos);
  EXPECT_THAT(rows.tokens(0), testing::ElementsAreArray(expected));
}

TEST(Rows, a_long_prompt_loses_its_left_and_an_answer_nothing) {
  const auto bytes = tokenize::open_tokenizer("bytes256");
  const Rows rows(*bytes, set_of({{"0123456789", "abcd"}, {"x", "0123456789"}, {"q", "a"}}), {.context = 7});
  EXPECT_EQ(rows.count(), 2);
  EXPECT_THAT(rows.tokens(0), ElementsAre('\n', '8', '9', 'a', 'b', 'c', 'd', '\n'));
  EXPECT_EQ(said(*bytes, rows, 0), "<abcd\n>");
  EXPECT_EQ(said(*bytes, rows, 1), "<a\n>");
  EXPECT_THAT(rows.notes(), Contains("1 of 3 examples are longer than data.context: what is read lost its left."));
  EXPECT_THAT(rows.notes(), Contains(HasSubstr("1 of 3 examples have an answer that is longer than data.context")));
}

TEST(Rows, of_several_answers_the_early_ones_may_be_cut) {
  const auto bytes = tokenize::open_tokenizer("bytes256");
  ExampleSet set;
  set.examples.push_back({{{"a", false}, {"bb", true}, {"c", false}, {"dd", true}}});
  const Rows whole(*bytes, set, {.context = 8});
  EXPECT_EQ(said(*bytes, whole, 0), "<bb\n><dd\n>");
  const Rows cut(*bytes, set, {.context = 6});
  EXPECT_THAT(cut.tokens(0), ElementsAre('\n', 'b', '\n', 'c', 'd', 'd', '\n'));
  EXPECT_EQ(said(*bytes, cut, 0), "<b\n><dd\n>");
}

TEST(Rows, may_count_everything) {
  const auto bytes = tokenize::open_tokenizer("bytes256");
  const Rows rows(*bytes, set_of({{"ab", "cd"}}), {.context = 10, .everything = true});
  EXPECT_THAT(rows.counted(0), ElementsAre(Counted{0, 5}));
}

TEST(Rows, may_be_packed) {
  const auto bytes = tokenize::open_tokenizer("bytes256");
  const Rows rows(*bytes, set_of({{"a", "b"}, {"c", "d"}, {"e", "ffff"}}), {.context = 8, .pack = true});
  EXPECT_EQ(rows.count(), 2);
  EXPECT_THAT(rows.tokens(0), ElementsAre('\n', 'a', 'b', '\n', '\n', 'c', 'd', '\n'));
  EXPECT_THAT(rows.counted(0), ElementsAre(Counted{1, 3}, Counted{5, 7}));
  EXPECT_EQ(said(*bytes, rows, 0), "<b\n><d\n>");
  EXPECT_EQ(rows.total_targets(), 9);
  EXPECT_EQ(rows.total_bytes(), 9);
}

TEST(Rows, where_nothing_is_left_say_so) {
  const auto bytes = tokenize::open_tokenizer("bytes256");
  try {
    Rows(*bytes, set_of({{"x", "0123456789"}}), {.context = 7});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no example is left to train on"));
  }
}

}  // namespace
}  // namespace bitsweep::examples
