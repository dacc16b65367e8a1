#include <cctype>
#include <cmath>
#include <set>

#include <gmock/gmock.h>

#include "base/sha256.h"
#include "data/stories.h"
#include "data/stories_grammar.h"
#include "temp_folder.h"

namespace bitsweep::data {
namespace {

using testing::HasSubstr;

TEST(Stories, are_deterministic_and_grow_by_appending) {
  const std::string text = generate_stories(5, 50'000);
  EXPECT_EQ(text, generate_stories(5, 50'000));
  EXPECT_GE(text.size(), 50'000u);
  EXPECT_LT(text.size(), 60'000u);
  EXPECT_TRUE(generate_stories(5, 100'000).starts_with(text));
  EXPECT_NE(text, generate_stories(6, 50'000));
  EXPECT_TRUE(text.ends_with(".\n\n"));
}

TEST(Stories, are_ascii_text) {
  for (const char c : generate_stories(5, 50'000))
    ASSERT_TRUE(std::isprint(static_cast<unsigned char>(c)) || c == '\n');
}

// A change here is a change of the corpus: raise stories_version with it.
TEST(Stories, golden) {
  EXPECT_EQ(sha256_hex(generate_stories(stories_seed, 1'000'000)),
            "3ce219dcb039357a81a46e7cf9dd79338a60fa445a787077ef968efc84d67ccd");
  EXPECT_NEAR(stories_entropy_bits_per_byte(), 0.22312191, 1e-8);
}

// The law of large numbers: the true model's code length of a long text approaches the rate computed from the grammar.
TEST(Stories, entropy_is_the_code_length_of_the_true_model) {
  double worst = 0;
  for (const uint64_t seed : {1, 2, 3}) {
    const std::string text = generate_stories(seed, 4'000'000);
    const double rate = stories_code_length_bits(text) / static_cast<double>(text.size());
    worst = std::max(worst, std::abs(rate / stories_entropy_bits_per_byte() - 1));
  }
  EXPECT_LT(worst, 0.002);
}

TEST(Stories, what_is_no_story_is_refused_with_its_place) {
  const std::string text = generate_stories(1, 5'000);
  EXPECT_EQ(stories_code_length_bits(""), 0);
  EXPECT_THAT(error_of([&] { stories_code_length_bits(text.substr(0, text.size() - 5)); }).what(),
              HasSubstr("from byte"));
  EXPECT_THAT(error_of([] { stories_code_length_bits("Once there was a purple fox"); }).what(),
              HasSubstr("from byte 17 on: expected a word of the kind 'quality'"));
  EXPECT_THAT(error_of([] { stories_code_length_bits("Hello"); }).what(), HasSubstr("the beginning of a sentence"));
}

// What unique decoding rests on.
TEST(StoryGrammar, can_be_read_in_one_way_only) {
  const StoryGrammar& grammar = story_grammar();
  for (const Lexicon& lexicon : grammar.lexicons) {
    EXPECT_EQ(std::set<std::string>(lexicon.words.begin(), lexicon.words.end()).size(), lexicon.words.size())
        << lexicon.name;
    for (const std::string& word : lexicon.words)
      for (const char c : word) EXPECT_TRUE(std::isalpha(static_cast<unsigned char>(c))) << word;
  }
  const auto expect_distinct = [&](const Branches& branches) {
    for (const size_t a : branches.states)
      for (const size_t b : branches.states)
        EXPECT_TRUE(a == b || !grammar.sentences[a].first_word.starts_with(grammar.sentences[b].first_word));
  };
  expect_distinct(grammar.first);
  for (const Sentence& sentence : grammar.sentences) {
    expect_distinct(sentence.next);
    EXPECT_EQ(sentence.pieces.front().kind, Piece::Kind::literal);
    EXPECT_EQ(sentence.pieces.back().kind, Piece::Kind::literal);
    for (size_t i = 1; i < sentence.pieces.size(); ++i) {
      if (sentence.pieces[i - 1].kind == Piece::Kind::literal) continue;
      ASSERT_EQ(sentence.pieces[i].kind, Piece::Kind::literal);
      EXPECT_FALSE(std::isalpha(static_cast<unsigned char>(sentence.pieces[i].text.front())));
    }
  }
}

TEST(StoryGrammar, probabilities_sum_to_one) {
  for (const Lexicon& lexicon : story_grammar().lexicons) {
    double sum = 0, bits = 0;
    for (size_t i = 0; i < lexicon.words.size(); ++i) {
      sum += lexicon.probability(i);
      bits -= lexicon.probability(i) * std::log2(lexicon.probability(i));
    }
    EXPECT_NEAR(sum, 1, 1e-12);
    EXPECT_NEAR(bits, lexicon.entropy_bits(), 1e-12);
    EXPECT_LT(bits, std::log2(lexicon.words.size()));
  }
}

}  // namespace
}  // namespace bitsweep::data
