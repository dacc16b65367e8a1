#include "imports/log_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bitsweep::imports {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> words(std::string_view line) {
  std::vector<std::string> found;
  for (const LogField& field : words_of(line, 1, LogNames({})).fields)
    found.push_back(field.name + "=" + compact_json(field.value));
  return found;
}

TEST(LogWords, NumbersHaveTheNameBeforeThem) {
  EXPECT_THAT(words("step:500/50000 val_loss:2.97 val_bpb:1.15 train_time:77540ms step_avg:155ms"),
              ElementsAre("step=500", "val_loss=2.97", "val_bpb=1.15", "train_time_s=77.54", "step_avg_s=0.155"));
  EXPECT_THAT(words("step 100 | val loss 2.3 | lr 3.0e-04 | 120 ms | 5.1% mfu"),
              ElementsAre("step=100", "val_loss=2.3", "lr=0.0003"));
  EXPECT_THAT(words(" iteration       10/     100 | consumed tokens:  160 | learning rate: 1.0E-4 |"),
              ElementsAre("iteration=10", "consumed_tokens=160", "learning_rate=0.0001"));
  EXPECT_THAT(words("Step: 1,234 (val_bpb = -inf), loss=NaN"), ElementsAre("Step=1234", "val_bpb=null", "loss=null"));
  EXPECT_THAT(words("seed=12873548723948723947 params: 17.1M"),
              ElementsAre("seed=12873548723948723947", "params=17100000"));
}

TEST(LogWords, DatesAddressesVersionsAndCountsAreNoNumbers) {
  EXPECT_THAT(words("[2026-03-23 00:09:42,654] 10.0.0.1:29500 v1.2 0x1f #7 sm_90"), IsEmpty());
  EXPECT_THAT(words(" 42%|####      | 100/2000 [00:10<03:10, 9.8it/s]"), IsEmpty());
  EXPECT_THAT(words("using 8 GPUs, 3 nodes"), IsEmpty());
}

TEST(LogLines, CarriageReturnsEndALineAndColoursAreNoText) {
  std::vector<std::string> found;
  each_line(
      "\xEF\xBB\xBF"
      "a\rb\r\n\n\x1b[31mc\x1b[0m\n \n",
      [&](const LogLine& line) { found.push_back(fmt::format("{}{}{}", line.number, line.text, line.last)); });
  EXPECT_THAT(found, ElementsAre("1afalse", "1bfalse", "3ctrue"));
}

TEST(LogLines, ARankIsNamedBeforeTheObject) {
  EXPECT_EQ(rank_of("[rank3]: {\"rank\": 1}"), 3);
  EXPECT_EQ(rank_of("Rank: 12 step"), 12);
  EXPECT_EQ(rank_of("{\"rank\": 1}"), std::nullopt);
  EXPECT_EQ(rank_of("crank 1"), std::nullopt);
}

TEST(LogNames, AMapHoldsNamesTogetherByQuotes) {
  using Map = std::map<std::string, std::string>;
  EXPECT_EQ(parse_foreign_map("step=it, val_bpc=loss"), (Map{{"step", "it"}, {"val_bpc", "loss"}}));
  EXPECT_EQ(parse_foreign_map("val_bpc=\"lr=0.1,bs=32 - val/bpb\",step='a, b'"),
            (Map{{"step", "a, b"}, {"val_bpc", "lr=0.1,bs=32 - val/bpb"}}));
  EXPECT_EQ(parse_foreign_map("val_bpc=Bob's loss"), (Map{{"val_bpc", "Bob's loss"}}));
  EXPECT_ANY_THROW(parse_foreign_map("val_bpc=\"lr"));
}

TEST(LogNames, ABetterMatchWins) {
  const LogNames names({});
  EXPECT_EQ(names.ours("VAL_BPC").ours, "val_bpc");
  EXPECT_EQ(names.ours("val/bpb").ours, "val_bpc");
  EXPECT_EQ(names.ours("metrics.val_bpb").ours, "val_bpc");
  EXPECT_LT(names.ours("val_bpb").rank, names.ours("val/bpb").rank);
  EXPECT_LT(names.ours("val/bpb").rank, names.ours("metrics.val_bpb").rank);
  EXPECT_EQ(names.ours("train/loss").ours, "");
}

}  // namespace
}  // namespace bitsweep::imports
