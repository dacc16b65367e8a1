#include <gtest/gtest.h>

#include "base/error.h"
#include "fit/points_csv.h"

namespace bitsweep::fit {
namespace {

std::string error_of(std::string_view text, const ColumnMap& map = {}) {
  try {
    read_points_csv(text, "f.csv", map);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "";
}

void expect_two_points(std::string_view text) {
  const auto points = read_points_csv(text, "f.csv");
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0].params, 5.5e6);
  EXPECT_EQ(points[0].tokens, 1e9);
  EXPECT_DOUBLE_EQ(points[0].loss, 2.25);
  EXPECT_EQ(points[1].params, 4e7);
  EXPECT_DOUBLE_EQ(points[1].loss, 1.75);
}

TEST(Csv, Plain) { expect_two_points("params,tokens,loss\n5.5M,1B,2.25\n4e7,1000000000,1.75\n"); }
TEST(Csv, NoNewlineAtTheEnd) { expect_two_points("params,tokens,loss\n5.5M,1B,2.25\n4e7,1B,1.75"); }
TEST(Csv, ByteOrderMarkAndCrLf) {
  expect_two_points("\xEF\xBB\xBFparams,tokens,loss\r\n5.5M,1B,2.25\r\n4e7,1B,1.75\r\n");
}
TEST(Csv, OldMacLineEnds) { expect_two_points("params,tokens,loss\r5.5M,1B,2.25\r4e7,1B,1.75\r"); }
TEST(Csv, SemicolonsWithDecimalCommas) { expect_two_points("params;tokens;loss\n5,5M;1B;2,25\n4e7;1B;1,75\n"); }
TEST(Csv, Tabs) { expect_two_points("params\ttokens\tloss\n5.5M\t1B\t2.25\n4e7\t1B\t1.75\n"); }
TEST(Csv, QuotesCommentsBlankLinesAndSpaces) {
  expect_two_points("# runs of May\n\n\"params\", \"tokens\" ,loss\n\"5.5M\" , 1B,\"2.25\"\n  \n#x,y\n4e7,1B, 1.75 \n");
}

TEST(Csv, QuotedDelimitersQuotesAndLineBreaksStayInTheCell) {
  const auto points =
      read_points_csv("loss,params,tokens,variant,run\n2,1,1,\"a,\"\"b\"\"\nc\",r1\n3,1,1,d,r2\n", "f.csv");
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0].variant, "a,\"b\"\nc");
  EXPECT_EQ(points[1].run, "r2");
}

TEST(Csv, MappedColumnsAndOthersIgnored) {
  const auto points = read_points_csv("run,N,steps,val_bpc,D,seed\nv70,5500000.0,20000,1.481,1310720000,7\n", "f.csv",
                                      parse_column_map("params=N, tokens=D,loss=val_bpc"));
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(points[0].params, 5.5e6);
  EXPECT_EQ(points[0].tokens, 1310720000);
  EXPECT_EQ(points[0].seed, 7);
  EXPECT_EQ(points[0].run, "v70");
}

TEST(Csv, SizeOrLengthFollowsFromTrainingFlopsWhereTheyAreMapped) {
  const ColumnMap map = parse_column_map("params=Model Size,flops=Training FLOP");
  const auto lengths = read_points_csv("Model Size,Training FLOP,loss\n1e9,1.2e20,2\n", "f.csv", map);
  EXPECT_DOUBLE_EQ(lengths.at(0).tokens, 2e10);
  PointsFormat format(parse_column_map("flops=C"));
  format.units = parse_units("flops=B");
  EXPECT_DOUBLE_EQ(read_points_csv("tokens,C,loss\n1000,12,2\n", "f.csv", format).at(0).params, 2e6);
  EXPECT_NE(error_of("params,flops,loss\n1,6,2\n").find("C = 6 N D, by --map flops=NAME"), std::string::npos);
  EXPECT_NE(error_of("params,C,loss\n1,,2\n", parse_column_map("flops=C")).find("f.csv:2:3: flops is missing"),
            std::string::npos);
  EXPECT_NE(error_of("C,loss\n6,2\n", parse_column_map("flops=C")).find("no column 'tokens'"), std::string::npos);
}

TEST(Csv, FlopsBesideTokensAreTheRunsCompute) {
  const auto points =
      read_points_csv("params,tokens,C,loss\n1e6,1e9,7e15,2\n1e6,1e9,,2\n", "f.csv", parse_column_map("flops=C"));
  EXPECT_EQ(points.at(0).tokens, 1e9);
  EXPECT_EQ(compute_of(points[0]), 7e15);
  EXPECT_EQ(points.at(1).flops, 0);
  EXPECT_EQ(compute_of(points[1]), 6e15);
  const auto unmapped = read_points_csv("params,tokens,flops,loss\n1e6,1e9,7e15,2\n", "f.csv");
  EXPECT_EQ(unmapped.at(0).flops, 0);
  const auto zettas = read_points_csv("params,tokens,C,loss\n1e6,1e9,7,2\n", "f.csv", parse_column_map("flops=C"));
  EXPECT_NE(implausible_magnitudes(zettas).at(0).find("times 6 N D"), std::string::npos);
}

TEST(Csv, OptionalCellsMayBeEmpty) {
  const auto points = read_points_csv("params,tokens,loss,seed,unique_tokens\n1,1,1,,\n", "f.csv");
  EXPECT_FALSE(points.at(0).seed);
  EXPECT_EQ(points.at(0).unique_tokens, 0);
}

TEST(Csv, TheBestLossAndTheBodysParametersAreReadWhereTheyAre) {
  PointsFormat format(parse_column_map("params_nonembedding=body"));
  format.units = parse_units("params_nonembedding=M");
  const auto points =
      read_points_csv("params,tokens,loss,best_loss,body\n2e6,1e9,3,2.9,1.5\n2e6,2e9,3,,\n", "f.csv", format);
  EXPECT_EQ(points.at(0).best_loss, 2.9);
  EXPECT_EQ(points.at(0).params_nonembedding, 1.5e6);
  EXPECT_EQ(points.at(1).best_loss, 0);
  EXPECT_EQ(points.at(1).params_nonembedding, 0);
  const auto only =
      read_points_csv("params,tokens,best_loss\n2e6,1e9,2.9\n", "f.csv", parse_column_map("loss=best_loss"));
  EXPECT_EQ(only.at(0).loss, 2.9) << "the only loss that there is";
  EXPECT_EQ(only.at(0).best_loss, 0);
}

TEST(Csv, EveryBadCellIsNamedWithLineAndColumn) {
  const std::string text = error_of("params,tokens,loss\n,1,2\nx,1,2\n0,-5,many\n1,inf,2\n");
  EXPECT_NE(text.find("f.csv:2:1: params is missing"), std::string::npos) << text;
  EXPECT_NE(text.find("f.csv:3:1: params must be a number, not 'x'"), std::string::npos) << text;
  EXPECT_NE(text.find("f.csv:4:1: params must be greater than 0, not '0'"), std::string::npos) << text;
  EXPECT_NE(text.find("f.csv:4:3: tokens must be greater than 0, not '-5'"), std::string::npos) << text;
  EXPECT_NE(text.find("f.csv:4:6: loss must be a number, not 'many'"), std::string::npos) << text;
  EXPECT_NE(text.find("f.csv:5:3: tokens must be finite, not 'inf'"), std::string::npos) << text;
}

TEST(Csv, MissingColumnsAllAtOnceWithTheNearest) {
  const std::string text = error_of("parms,tokns,x\n1,1,1\n");
  EXPECT_NE(text.find("no column 'params'; did you mean 'parms'?"), std::string::npos) << text;
  EXPECT_NE(text.find("no column 'tokens'; did you mean 'tokns'?"), std::string::npos) << text;
  EXPECT_NE(text.find("no column 'loss'"), std::string::npos) << text;
}

TEST(Csv, DoubledColumn) {
  EXPECT_NE(error_of("params,tokens,loss,loss\n1,1,1,2\n").find("f.csv:1:20: column 'loss' is there twice"),
            std::string::npos);
}

TEST(Csv, RowOfAnotherLength) {
  EXPECT_NE(error_of("params,tokens,loss\n1,1\n1,1,1\n").find("f.csv:2:3: 2 cells, where the header has 3"),
            std::string::npos);
}

TEST(Csv, EmptyFileHeaderOnlyAndOpenQuote) {
  EXPECT_NE(error_of("").find("the file is empty"), std::string::npos);
  EXPECT_NE(error_of("params,tokens,loss\n").find("no rows"), std::string::npos);
  EXPECT_NE(error_of("params,tokens,loss\n1,\"2,3\n").find("f.csv:2:3: a quote is opened here"), std::string::npos);
}

TEST(Csv, AKindOfMistakeIsToldOnceWithItsFirstLineAndCount) {
  std::string text = "params,tokens,loss\n";
  for (int i = 0; i < 1000; ++i) text += "x,1,1\n";
  EXPECT_EQ(error_of(text), "f.csv:2:1: params must be a number, not 'x' (and 999 more like it)");
}

TEST(Csv, SeedMustBeWhole) {
  EXPECT_NE(error_of("params,tokens,loss,seed\n1,1,1,2.5\n").find("f.csv:2:7: seed must be a whole number"),
            std::string::npos);
}

TEST(Csv, AnAxisThatIsNotNeededMayBeAbsent) {
  PointsFormat only_params;
  only_params.needed = {Axis::params};
  const auto points = read_points_csv("params,loss\n1M,2\n", "f.csv", only_params);
  EXPECT_EQ(points.at(0).tokens, 0);
}

TEST(Csv, AHundredThousandRows) {
  std::string text = "params,tokens,loss\n";
  for (int i = 0; i < 100000; ++i) text += std::to_string(1000000 + i) + ",1000000000,2.5\n";
  EXPECT_EQ(read_points_csv(text, "f.csv").size(), 100000u);
}

TEST(ColumnMap, ErrorsNameTheNearest) {
  EXPECT_THROW(parse_column_map(""), Error);
  EXPECT_THROW(parse_column_map("params"), Error);
  EXPECT_THROW(parse_column_map("params=N,params=M"), Error);
  try {
    parse_column_map("lss=x");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'loss'"), std::string::npos) << error.what();
  }
}

TEST(Csv, ALabelMayBeMadeOfSeveralColumns) {
  const std::string text = "params,tokens,loss,w,a\n1M,1B,3,1,16\n1M,1B,3,4,4\n";
  const auto points = read_points_csv(text, "f.csv", parse_column_map("variant=W{w}A{ a }"));
  EXPECT_EQ(points[0].variant, "W1A16");
  EXPECT_EQ(points[1].variant, "W4A4");
  EXPECT_NE(error_of(text, parse_column_map("variant=W{b}A{a}")).find("no column 'b'"), std::string::npos);
}

TEST(Csv, RulesNameTheVariantOfRowsInOrder) {
  PointsFormat format(parse_column_map("variant=W{w}A{a}"));
  format.labels = {parse_variant_rule("W{w}: quant !~ Had and w > 1"), parse_variant_rule("fp4: quant ~ FP")};
  const auto points = read_points_csv(
      "params,tokens,loss,w,a,quant\n1M,1B,3,1,16,No\n1M,1B,3,4,4,No\n1M,1B,3,4,4,HadFP4\n1M,1B,3,4,8,Hadamard\n",
      "f.csv", format);
  std::string all;
  for (const Point& p : points) all += p.variant + " ";
  EXPECT_EQ(all, "W1A16 W4 fp4 W4A8 ");
  EXPECT_THROW(parse_variant_rule("w = 1"), Error);
  EXPECT_THROW(parse_variant_rule(": w = 1"), Error);
}

TEST(Csv, UnitsMultiplyWhatTheFileSays) {
  PointsFormat format;
  format.units = parse_units("params=M, tokens=B");
  const auto points = read_points_csv("params;tokens;loss\n5,5;1;1,4\n", "f.csv", format);
  EXPECT_DOUBLE_EQ(points[0].params, 5.5e6);
  EXPECT_DOUBLE_EQ(points[0].tokens, 1e9);
  EXPECT_THROW(parse_units("loss=M"), Error);
  EXPECT_THROW(parse_units("params=G"), Error);
}

TEST(Csv, WhereKeepsRowsAndLeavesOthersUnread) {
  const std::string text = "params,tokens,loss,bits,quant\n1M,1B,3,1,a b\n2M,1B,nan,2,a b\n4M,1B,2.5,1,c\n";
  const auto kept = [&](const char* where) {
    PointsFormat format;
    format.where = RowFilter(where, "--where");
    return read_points_csv(text, "f.csv", format).size();
  };
  EXPECT_EQ(kept("bits = 1"), 2u);
  EXPECT_EQ(kept("bits=1 and params >= 2M"), 1u);
  EXPECT_EQ(kept("bits != 2, quant = 'a b'"), 1u);
  EXPECT_EQ(kept("quant == c"), 1u);
  EXPECT_THROW(kept("bits = 7"), Error);
  EXPECT_THROW(kept("bits 1"), Error);
  EXPECT_THROW(kept("bits ="), Error);
  EXPECT_THROW(kept("quant > 2"), Error);
  EXPECT_THROW(kept("bit = 1"), Error);
}

TEST(Csv, ARunThatIsListedTwiceIsNamedWithBothLines) {
  EXPECT_NE(error_of("params,tokens,loss,run\n1M,1B,3,r1\n2M,1B,2.9,r2\n1M,1B,3,r1\n")
                .find("f.csv:4:1: the same run as on line 2"),
            std::string::npos);
  EXPECT_NE(error_of("params,tokens,loss,seed\n1M,1B,3,0\n1M,1B,3.1,0\n").find("equal in all, the seed too"),
            std::string::npos);
  // Of runs without names or seeds two may well measure nearly the same; equal in all, they are copies.
  EXPECT_EQ(read_points_csv("params,tokens,loss\n1M,1B,3\n1M,1B,3.01\n", "f.csv").size(), 2u);
  EXPECT_EQ(read_points_csv("params,tokens,loss\n1M,1B,3\n1M,1B,3\n", "f.csv").size(), 1u);
}

TEST(Csv, StepsAndRatesBecomeAreasOfTheirRuns) {
  PointsFormat format;
  format.needed = {Axis::lr_area};
  const auto points = read_points_csv("run,step,lr,loss\na,100,1e-3,3\nb,100,2e-3,3\na,200,0,2.5\n", "f.csv", format);
  EXPECT_NEAR(points[0].lr_area, 0.1, 1e-12);
  EXPECT_NEAR(points[1].lr_area, 0.2, 1e-12);
  EXPECT_NEAR(points[2].lr_area, 0.15, 1e-12);
  EXPECT_GT(points[2].annealing, 0);
  EXPECT_THROW(read_points_csv("run,lr,loss\na,1e-3,3\n", "f.csv", format), Error);
}

TEST(Points, ImplausibleMagnitudesAreNamedAndPlausibleOnesAreNot) {
  const auto notes = [](double params, double tokens, double loss) {
    Point p;
    p.params = params;
    p.tokens = tokens;
    p.loss = loss;
    return implausible_magnitudes({p});
  };
  EXPECT_TRUE(notes(5.5e6, 1e9, 1.4).empty());
  EXPECT_TRUE(notes(1e12, 2e13, 0.5).empty());
  EXPECT_NE(notes(5.5, 1e9, 1.4).at(0).find("--units params=M"), std::string::npos);
  EXPECT_NE(notes(5.5e6, 1.3, 1.4).at(0).find("--units tokens=B"), std::string::npos);
  EXPECT_NE(notes(5.5e6, 1e9, 0.01).at(0).find("below the entropy"), std::string::npos);
  EXPECT_NE(notes(5.5e6, 1e9, 45).at(0).find("perplexity"), std::string::npos);
}

TEST(Points, TheLargestLossesAreLeftOutInOrder) {
  std::vector<Point> points(4);
  for (int i = 0; i < 4; ++i) points[i].loss = i == 1 ? 9 : i, points[i].run = std::to_string(i);
  const auto kept = without_largest_losses(points, 2);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].run + kept[1].run, "02");
  EXPECT_TRUE(without_largest_losses(points, 9).empty());
}

}  // namespace
}  // namespace bitsweep::fit
