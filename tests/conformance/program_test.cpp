// `bitsweep plugins check` as a person calls it, by the real programs, and what it does when a plugin dies.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "cli/plugin_verdicts.h"
#include "execute/capture.h"

namespace bitsweep {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const fs::path kBuild = BITSWEEP_BUILD_DIR;
const std::string kPlanted = (kBuild / "tests" / "plugins" / "planted").string();

Captured check(std::vector<std::string> words) {
  words.insert(words.begin(), {(kBuild / "bin" / "bitsweep").string(), "plugins", "check"});
  return capture(words, "", 120);
}

TEST(PluginsCheck, PrintsATableAndExitsByTheVerdict) {
  const Captured good = check({kPlanted, "--only", "causality", "--only", "counts"});
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_THAT(good.out, StartsWith("check      verdict  what decided\n"));
  EXPECT_THAT(good.out, HasSubstr("planted: 2 of 2 checks passed\n"));
  EXPECT_THAT(good.err, HasSubstr("checking planted (1 of 1)"));
  const Captured bad = check({kPlanted + "/planted.so", "--only", "causality", "--set", "defect=leak"});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.out, HasSubstr("causality  FAILED   in evaluation, changing token 1 changed"));
}

TEST(PluginsCheck, NamesTheCheckThatThePluginDiedInAndGoesOn) {
  const Captured crashed = check({kPlanted, "--set", "defect=crash", "--json", "--only", "causality", "--only",
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
    const Captured ended = check(words);
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
  const Captured help = check({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, StartsWith("example: bitsweep plugins check build/plugins/mine\n"));
}

// A worker that says what its script says.
class FakeWorker : public testing::Test {
 protected:
  std::vector<Verdict> verdicts(const std::string& script) {
    const fs::path worker = fs::path(testing::TempDir()) /
                            (std::string("worker-") + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::ofstream(worker)
        << "#!/bin/sh\n[ \"$2\" = --list ] && printf '{\"check\":\"a\"}\\n{\"check\":\"b\"}\\n' && exit 0\n"
        << script;
    fs::permissions(worker, fs::perms::owner_all);
    return PluginChecker(worker, "/plugins").check({"p", {}, {}});
  }
};

TEST_F(FakeWorker, APluginThatDoesNotLoadIsOneVerdict) {
  const std::vector<Verdict> found = verdicts("echo 'bitsweep-worker: p.so: of another build' >&2; exit 2\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].check, "load");
  EXPECT_EQ(found[0].decided, "p.so: of another build");
  EXPECT_FALSE(found[0].passed);
}

TEST_F(FakeWorker, LinesOfThePluginsOwnAreNoVerdicts) {
  const std::vector<Verdict> found = verdicts(
      "echo hello; echo '{\"check\":\"a\"}'; echo '{\"x\":1}';"
      "echo '{\"check\":\"a\",\"passed\":true,\"decided\":\"1\"}';"
      "echo '{\"check\":\"b\",\"passed\":false,\"decided\":\"2\"}'; exit 1\n");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_TRUE(found[0].passed);
  EXPECT_EQ(found[1].decided, "2");
}

TEST_F(FakeWorker, OneThatDiesEachTimeEnds) {
  const std::vector<Verdict> found =
      verdicts("for last; do :; done\nset -- \"$@\"; shift 8; echo \"{\\\"check\\\":\\\"$1\\\"}\"; kill -SEGV $$\n");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].check, "a");
  EXPECT_EQ(found[1].check, "b");
  EXPECT_THAT(found[1].decided, HasSubstr("signal 11"));
}

TEST_F(FakeWorker, AMachineThatLacksSomethingIsNoVerdict) {
  EXPECT_THROW(verdicts("echo 'bitsweep-worker: libx is missing' >&2; exit 3\n"), Error);
}

}  // namespace
}  // namespace bitsweep
