// What `bitsweep plugins check` makes of a worker's lines and of its end.
#include "prepare/plugin_verdicts.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace bitsweep::prepare {
namespace {

using testing::HasSubstr;

// A worker that says what its script says.
class PluginVerdicts : public testing::Test {
 protected:
  std::vector<PluginVerdict> verdicts(const std::string& script) {
    const fs::path worker = fs::path(testing::TempDir()) /
                            (std::string("worker-") + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::ofstream(worker)
        << "#!/bin/sh\n[ \"$2\" = --list ] && printf '{\"check\":\"a\"}\\n{\"check\":\"b\"}\\n' && exit 0\n"
        << script;
    fs::permissions(worker, fs::perms::owner_all);
    return PluginChecker(worker, "/plugins").check({"p", {}, {}});
  }
};

TEST_F(PluginVerdicts, APluginThatDoesNotLoadIsOneVerdict) {
  const std::vector<PluginVerdict> found = verdicts("echo 'bitsweep-worker: p.so: of another build' >&2; exit 2\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].check, "load");
  EXPECT_EQ(found[0].decided, "p.so: of another build");
  EXPECT_FALSE(found[0].passed);
}

TEST_F(PluginVerdicts, LinesOfThePluginsOwnAreNoVerdicts) {
  const std::vector<PluginVerdict> found = verdicts(
      "echo hello; echo '{\"check\":\"a\"}'; echo '{\"x\":1}';"
      "echo '{\"check\":\"a\",\"passed\":true,\"decided\":\"1\"}';"
      "echo '{\"check\":\"b\",\"passed\":false,\"decided\":\"2\"}'; exit 1\n");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_TRUE(found[0].passed);
  EXPECT_EQ(found[1].decided, "2");
}

TEST_F(PluginVerdicts, OneThatDiesEachTimeEnds) {
  const std::vector<PluginVerdict> found =
      verdicts("for last; do :; done\nset -- \"$@\"; shift 8; echo \"{\\\"check\\\":\\\"$1\\\"}\"; kill -SEGV $$\n");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].check, "a");
  EXPECT_EQ(found[1].check, "b");
  EXPECT_THAT(found[1].decided, HasSubstr("signal 11"));
}

TEST_F(PluginVerdicts, AMachineThatLacksSomethingIsNoVerdict) {
  EXPECT_THROW(verdicts("echo 'bitsweep-worker: libx is missing' >&2; exit 3\n"), Error);
}

}  // namespace
}  // namespace bitsweep::prepare
