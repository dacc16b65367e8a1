// Short names of paths, and builds of code in words.
#include "base/code_build.h"

#include <gtest/gtest.h>

#include "base/distinct_names.h"

namespace bitsweep {
namespace {

TEST(DistinctNames, AreAsShortAsTellsThemApart) {
  const auto names = distinct_names({"v57", "/x/a/mine.so", "/x/b/mine.so", "/y/other.so"});
  EXPECT_EQ(names.at("v57"), "v57");
  EXPECT_EQ(names.at("/x/a/mine.so"), "a/mine");
  EXPECT_EQ(names.at("/x/b/mine.so"), "b/mine");
  EXPECT_EQ(names.at("/y/other.so"), "other.so");
}

TEST(DistinctNames, GoAsFarBackAsTheyMust) {
  const auto names = distinct_names({"/x/a/v/mine.so", "/x/b/v/mine.so", "/mine.so", "/x/a/v/mine.so"});
  EXPECT_EQ(names.at("/x/a/v/mine.so"), "a/v/mine");
  EXPECT_EQ(names.at("/x/b/v/mine.so"), "b/v/mine");
  EXPECT_EQ(names.size(), 3u);
  std::set<std::string> different;
  for (const auto& [path, name] : names) different.insert(name);
  EXPECT_EQ(different.size(), 3u);
  EXPECT_TRUE(distinct_names({}).empty());
  EXPECT_EQ(distinct_names({""}).at(""), "");
}

TEST(CodeBuild, WhatIsNotKnownDoesNotDiffer) {
  const CodeBuild made{"1a2b3c4d5e6f7081", "aaaaaaaaaaaaaaaa"}, now{"5e6f7a8b90817263", "aaaaaaaaaaaaaaaa"};
  EXPECT_EQ(build_change(made, now), "plugin 1a2b3c4d, now 5e6f7a8b");
  EXPECT_EQ(build_change(made, made), "");
  EXPECT_EQ(build_change({}, now), "");
  EXPECT_EQ(build_change(made, {"", "bbbbbbbbbbbbbbbb"}), "libbitsweep_nn aaaaaaaa, now bbbbbbbb");
}

}  // namespace
}  // namespace bitsweep
