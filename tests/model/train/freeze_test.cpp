#include "train/freeze.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tiny_model.h"

namespace bitsweep::train {
namespace {

TEST(Freeze, Patterns) {
  EXPECT_TRUE(matches_pattern("layers.0.q.weight", "layers.0.*"));
  EXPECT_TRUE(matches_pattern("layers.0.q.weight", "*weight"));
  EXPECT_TRUE(matches_pattern("layers.0.q.weight", "layers.?.q.*"));
  EXPECT_TRUE(matches_pattern("layers.0.q.weight", "*"));
  EXPECT_TRUE(matches_pattern("layers.0.q.weight", "*.q.*t"));
  EXPECT_TRUE(matches_pattern("abab", "*ab"));
  EXPECT_FALSE(matches_pattern("layers.10.q.weight", "layers.?.q.*"));
  EXPECT_FALSE(matches_pattern("layers.0.q.weight", "layers.0"));
  EXPECT_FALSE(matches_pattern("layers.0.q", "layers.0.q.?"));
  EXPECT_FALSE(matches_pattern("a", ""));
  EXPECT_TRUE(matches_pattern("", "**"));
}

TEST(Freeze, ManyStarsAreNotExponential) {
  EXPECT_FALSE(matches_pattern(std::string(2000, 'a'), "*a*a*a*a*a*a*a*a*a*a*a*b"));
}

TEST(Freeze, TakesTheGradientFromWhatMatches) {
  TinyModel model;
  const auto frozen = freeze_parameters(model.parameters(), {"layers.*", "layers.0.weight"});
  EXPECT_EQ(frozen, (std::vector<std::string>{"layers.0.weight", "layers.0.shift"}));
  for (const nn::Parameter& p : model.parameters())
    EXPECT_EQ(p.tensor.requires_grad(), p.name.rfind("layers", 0) != 0) << p.name;
}

TEST(Freeze, EveryPatternWithoutAMatchIsNamedWithTheNearest) {
  TinyModel model;
  try {
    freeze_parameters(model.parameters(), {"layer.0.*", "head.*", "embeding.weight"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    ASSERT_EQ(error.diagnostics().size(), 2u);
    EXPECT_NE(error.diagnostics()[0].message.find("'layers.0.*'"), std::string::npos) << error.what();
    EXPECT_NE(error.diagnostics()[1].message.find("'embedding.weight'"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace bitsweep::train
