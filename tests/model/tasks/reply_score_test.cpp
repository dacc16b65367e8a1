// Replies against right answers. Expected values are those of the SQuAD 2.0 evaluation script.
#include "tasks/reply_score.h"

#include <gtest/gtest.h>

namespace bitsweep::tasks {
namespace {

using Texts = std::vector<std::string>;

TEST(ReplyScore, NormalisesAsSquadDoes) {
  EXPECT_EQ(normalised_answer("  The  Cat's a\tHat!\n"), "cats hat");
  EXPECT_EQ(normalised_answer("an apple, then"), "apple then");
  EXPECT_EQ(normalised_answer("U.S.A."), "usa");
  EXPECT_EQ(normalised_answer("a the an"), "");
  EXPECT_EQ(normalised_answer("ZÜRICH–Köln"), "zürich–köln");
  // Its words and spaces are of Unicode.
  EXPECT_EQ(normalised_answer("the\u00A0end\u2003of\x1Cit"), "end of it");
  EXPECT_EQ(normalised_answer("a–b «the» cat"), "–b « » cat");
  EXPECT_EQ(normalised_answer("аthe the_ ath"), "аthe ath");  // a Cyrillic а is none
  EXPECT_EQ(normalised_answer("\xFF\xC3"), "\uFFFD\uFFFD");
}

TEST(ReplyScore, TakesTheBestOfTheAnswers) {
  const ReplyScore exact = score_reply("the Denver Broncos.", Texts{"Broncos", "Denver Broncos"});
  EXPECT_EQ(exact.em, 1);
  EXPECT_EQ(exact.f1, 1);
  EXPECT_EQ(exact.contains, 1);
  EXPECT_EQ(exact.exact_ci, 0);
  const ReplyScore partly = score_reply("Denver won the cup", Texts{"Denver Broncos"});
  EXPECT_EQ(partly.em, 0);
  EXPECT_DOUBLE_EQ(partly.f1, 2 * (1.0 / 3) * (1.0 / 2) / (1.0 / 3 + 1.0 / 2));
  EXPECT_EQ(partly.contains, 0);
  EXPECT_EQ(score_reply(" denver broncos\n", Texts{"Denver Broncos"}).exact_ci, 1);
  EXPECT_EQ(score_reply("\u00A0ÉCOLE\u2009", Texts{"école"}).exact_ci, 1);
  EXPECT_EQ(score_reply("it is denver broncos", Texts{"Denver Broncos"}).contains, 1);
  // Each word of the answer counts once.
  EXPECT_DOUBLE_EQ(score_reply("no no no", Texts{"no way"}).f1, 2 * (1.0 / 3) * 0.5 / (1.0 / 3 + 0.5));
}

TEST(ReplyScore, WithoutAnAnswerSilenceIsRight) {
  EXPECT_EQ(score_reply("", {}).em, 1);
  EXPECT_EQ(score_reply("the", {}).f1, 1);  // nothing is left of it
  EXPECT_EQ(score_reply("the", {}).exact_ci, 0);
  EXPECT_EQ(score_reply("Denver", {}).f1, 0);
  EXPECT_EQ(score_reply("", Texts{"Denver"}).f1, 0);
}

TEST(ReplyScore, StopsAtTheFirstStop) {
  EXPECT_EQ(stop_reply("abc\n\ndef", {"def", "\n"}).text, "abc");
  EXPECT_TRUE(stop_reply("abc\n", {"\n"}).stopped);
  EXPECT_FALSE(stop_reply("abc", {"\n"}).stopped);
  EXPECT_EQ(stop_reply("abc", {}).text, "abc");
}

}  // namespace
}  // namespace bitsweep::tasks
