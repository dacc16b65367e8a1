// `bitsweep plugins check` as a person calls it, by the real programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/json.h"
#include "execute/capture.h"

namespace bitsweep::conformance {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const fs::path kBuild = BITSWEEP_BUILD_DIR;
const std::string kPlanted = (kBuild / "tests" / "plugins" / "planted").string();

execute::Captured check(std::vector<std::string> words) {
  words.insert(words.begin(), {(kBuild / "bin" / "bitsweep").string(), "plugins", "check"});
  return execute::capture(words, "", 120);
}

TEST(PluginsCheck, PrintsATableAndExitsByTheVerdict) {
  const execute::Captured good = check({kPlanted, "--only", "causality", "--only", "counts"});
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_THAT(good.out, StartsWith("check      verdict  what decided\n"));
  EXPECT_THAT(good.out, HasSubstr("planted: 2 of 2 checks passed\n"));
  EXPECT_THAT(good.err, HasSubstr("checking planted (1 of 1)"));
  const execute::Captured bad = check({kPlanted + "/planted.so", "--only", "causality", "--set", "defect=leak"});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.out, HasSubstr("causality  FAILED   in evaluation, changing token 1 changed"));
}

TEST(PluginsCheck, NamesTheCheckThatThePluginDiedInAndGoesOn) {
  const execute::Captured crashed = check({kPlanted, "--set", "defect=crash", "--json", "--only", "causality", "--only",
                                           "gradients", "--only", "evaluation", "--only", "slopes"});
  EXPECT_EQ(crashed.exit_code, 1) << crashed.err;
  const json::value document = parse_json(crashed.out, "output");
  const json::array& checks = document.at(0).at("checks").as_array();
  std::string verdicts;
  for (const json::value& check : checks)
    verdicts += string_or(check.as_object(), "check", "") + (check.at("passed").as_bool() ? "+ " : "- ");
  EXPECT_EQ(verdicts, "causality+ evaluation+ gradients- slopes+ ");
  EXPECT_THAT(string_or(checks[2].as_object(), "decided", ""), HasSubstr("was ended by signal"));
  EXPECT_FALSE(document.at(0).at("passed").as_bool());
}

TEST(PluginsCheck, RefusesWhatItCannotUnderstandAtOnce) {
  const auto refused = [&](const std::vector<std::string>& words) {
    const execute::Captured ended = check(words);
    EXPECT_EQ(ended.exit_code, 2) << ended.out;
    return ended.err;
  };
  EXPECT_THAT(refused({"v5777"}), HasSubstr("no plugin 'v5777'"));
  EXPECT_THAT(refused({kPlanted, "--only", "casuality"}), HasSubstr("did you mean 'causality'?"));
  EXPECT_THAT(refused({kPlanted, "--set", "gian=1"}), HasSubstr("did you mean 'gain'?"));
  EXPECT_THAT(refused({kPlanted, "--set", "gain=5"}), HasSubstr("a number from 0 to 4"));
  EXPECT_THAT(refused({kPlanted, "--set", "gain"}), HasSubstr("expected OPTION=VALUE"));
  EXPECT_THAT(refused({kBuild.string()}), HasSubstr("holds no plugin.yaml"));
  EXPECT_THAT(refused({"/nonexistent/mine.so"}), HasSubstr("is missing"));
  const execute::Captured help = check({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, StartsWith("example: bitsweep plugins check build/plugins/mine\n"));
}

}  // namespace
}  // namespace bitsweep::conformance
