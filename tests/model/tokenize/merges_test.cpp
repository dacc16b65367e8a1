#include "tokenize/merges.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace bitsweep::tokenize {
namespace {

using Merges = std::map<std::pair<TokenId, TokenId>, MergeTable::Merge>;

// As it is defined: look at all pairs, merge the first of the lowest rank, look again.
std::vector<TokenId> merged_naively(std::vector<TokenId> ids, const Merges& merges) {
  while (true) {
    size_t best = ids.size();
    MergeTable::Merge least;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      const auto found = merges.find({ids[i], ids[i + 1]});
      if (found != merges.end() && found->second.rank < least.rank) best = i, least = found->second;
    }
    if (best == ids.size()) return ids;
    ids[best] = least.merged;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

TEST(Merges, equal_the_definition_for_short_and_long_words) {
  std::mt19937 random(1);
  for (int round = 0; round < 60; ++round) {
    constexpr TokenId letters = 5;
    Merges merges;
    TokenId ids = letters;
    for (uint32_t rank = 0; rank < 40; ++rank) {
      const TokenId left = random() % ids, right = random() % ids;
      if (merges.emplace(std::pair(left, right), MergeTable::Merge{rank, ids}).second) ++ids;
    }
    MergeTable table(merges.size());
    for (const auto& [pair, merge] : merges) table.add(pair.first, pair.second, merge);
    WordMerger merger(table);
    for (const size_t length : {0, 1, 2, 3, 17, 63, 64, 65, 66, 300}) {
      std::vector<TokenId> word(length);
      for (TokenId& id : word) id = random() % letters;
      const std::vector<TokenId> expected = merged_naively(word, merges);
      word.resize(merger.merge(word.data(), word.size()));
      ASSERT_EQ(word, expected) << "round " << round << ", length " << length;
    }
  }
}

TEST(Merges, long_words_are_not_quadratic) {
  MergeTable table(20);
  for (TokenId i = 0; i < 20; ++i) table.add(i, i, {i, i + 1});
  std::vector<TokenId> word(1 << 20, 0);
  WordMerger merger(table);
  word.resize(merger.merge(word.data(), word.size()));
  EXPECT_EQ(word, std::vector<TokenId>{20});
}

TEST(Merges, the_first_rank_of_a_pair_counts) {
  MergeTable table(2);
  table.add(1, 2, {0, 7});
  table.add(1, 2, {1, 8});
  EXPECT_EQ(table.find(1, 2).merged, 7u);
  EXPECT_EQ(table.find(2, 1).rank, MergeTable::kNone);
}

}  // namespace
}  // namespace bitsweep::tokenize
