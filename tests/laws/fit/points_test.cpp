#include "fit/points.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "simulate.h"

namespace bitsweep::fit {
namespace {

std::string error_of(const std::string& text) {
  try {
    parse_target(text, "--target");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "";
}

TEST(Target, ReadsSizesAndLabels) {
  const Target t = parse_target(" params=300M , tokens=1B,variant=v57,dataset=headers", "--target");
  EXPECT_EQ(t.params, 300e6);
  EXPECT_EQ(t.tokens, 1e9);
  EXPECT_EQ(t.variant, "v57");
  EXPECT_EQ(t.dataset, "headers");
}

TEST(Target, OneAxisIsEnough) { EXPECT_EQ(parse_target("tokens=2_000", "--target").tokens, 2000); }

TEST(Target, NamesEveryError) {
  const std::string text = error_of("parms=3M,tokens=-1,junk,params=1,params=2");
  EXPECT_NE(text.find("did you mean 'params'"), std::string::npos) << text;
  EXPECT_NE(text.find("tokens must be a positive number"), std::string::npos) << text;
  EXPECT_NE(text.find("'junk' is not of the form"), std::string::npos) << text;
  EXPECT_NE(text.find("'params' is given twice"), std::string::npos) << text;
}

TEST(Target, RefusesEmptyNanAndInfinity) {
  EXPECT_NE(error_of(""), "");
  EXPECT_NE(error_of("params=nan"), "");
  EXPECT_NE(error_of("params=inf"), "");
  EXPECT_NE(error_of("params=0"), "");
}

TEST(Groups, SeedsOfOneConfigurationAreOneGroup) {
  std::vector<Point> points = {make_point(1e6, 1e9, 2), make_point(2e6, 1e9, 2), make_point(1e6, 1e9, 2.1)};
  points[0].seed = 0;
  points[2].seed = 1;
  EXPECT_EQ(group_by_configuration(points), (std::vector<int>{0, 1, 0}));
}

TEST(Groups, VariantDatasetAndUniqueTokensSeparate) {
  std::vector<Point> points(4, make_point(1e6, 1e9, 2));
  points[1].variant = "llama";
  points[2].dataset = "stories";
  points[3].unique_tokens = 5;
  EXPECT_EQ(group_by_configuration(points), (std::vector<int>{0, 1, 2, 3}));
}

}  // namespace
}  // namespace bitsweep::fit
