// ./quickstart, ./check and .ci/run: what they refuse, and how they count.
#include <gtest/gtest.h>

#include "setup/shell.h"

namespace bitsweep {
namespace {

const std::string kProject = BITSWEEP_SOURCE_DIR;

ShellResult call(const std::string& command) { return run_bash("'" + kProject + "'/" + command, "/"); }

TEST(Quickstart, RefusesWhatItDoesNotKnow) {
  const ShellResult option = call("quickstart --fast");
  EXPECT_EQ(option.exit_code, 2);
  EXPECT_TRUE(option.says("unknown option '--fast'")) << option.out;
  EXPECT_TRUE(option.says("usage: ./quickstart")) << option.out;

  const ShellResult words = call("quickstart my text.txt");
  EXPECT_EQ(words.exit_code, 2);
  EXPECT_TRUE(words.says("2 given")) << words.out;

  const ShellResult gone = call("quickstart /no/such/text.txt");
  EXPECT_EQ(gone.exit_code, 2);
  EXPECT_TRUE(gone.says("no file or folder '/no/such/text.txt'")) << gone.out;
}

TEST(Quickstart, HelpExplainsAndDoesNothing) {
  const ShellResult help = call("quickstart --help");
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_TRUE(help.says("usage: ./quickstart")) << help.out;
  EXPECT_FALSE(help.says("[1/")) << help.out;
  EXPECT_FALSE(help.says("pipefail")) << help.out;
}

// A copy whose steps do nothing and whose bitsweep prints what it was called with.
struct FakeQuickstart : testing::Test {
  FakeQuickstart() {
    box.copy("quickstart");
    box.script("build/bin/bitsweep", "printf 'called:'; printf ' <%s>' \"$@\"; echo; echo reports/x/report.md\n");
    const fs::path setup = box.path() / "third_party" / "setup.sh";
    box.script("third_party/setup.sh", [&] {
      std::string text = ". \"$here/third_party/real_setup.sh\"\n";
      for (const char* name : {"setup_disk", "setup_packages", "setup_libtorch", "setup_configure", "setup_build"}) {
        text += std::string(name) + "() { :; }\n";
      }
      fs::copy_file(setup, box.path() / "third_party" / "real_setup.sh");
      return text;
    }());
  }
  Sandbox box;
};

TEST_F(FakeQuickstart, TrainsTheBuiltInSweepAndEndsWithTheReport) {
  const ShellResult result = box.run("cd / && \"$OLDPWD\"/quickstart");
  EXPECT_EQ(result.exit_code, 0) << result.out;
  EXPECT_TRUE(result.says("called: <run> <sweeps/quickstart.yaml> <--measure>\n")) << result.out;
  EXPECT_TRUE(result.out.ends_with("reports/x/report.md\n")) << result.out;
  EXPECT_TRUE(result.says("[5/5] training")) << result.out;
}

TEST_F(FakeQuickstart, OwnTextGetsANameOfItsOwnAndAnAbsolutePath) {
  box.script("my texts/Some text, it's.txt", "words\n");
  const ShellResult result = box.run("./quickstart \"my texts/Some text, it's.txt\"");
  EXPECT_EQ(result.exit_code, 0) << result.out;
  EXPECT_TRUE(result.says("<--set> <name=quickstart-some-text-it-s-txt-")) << result.out;
  EXPECT_TRUE(result.says((box.path() / "my texts/Some text, it's.txt").string())) << result.out;

  EXPECT_TRUE(result.says("<data.tokenizer=bytes256>")) << result.out;  // a text of one's own need not be ASCII

  // the same text is the same sweep; another file of that name is not
  box.script("other/Some text, it's.txt", "words\n");
  const auto name = [](const ShellResult& r) { return r.out.substr(r.out.find("name="), 45); };
  EXPECT_EQ(name(result), name(box.run("./quickstart my\\ texts/*")));
  EXPECT_NE(name(result), name(box.run("./quickstart other/*")));
}

TEST_F(FakeQuickstart, PassesOnHowTheRunEnded) {
  box.script("build/bin/bitsweep", "exit 1\n");
  EXPECT_EQ(box.run("./quickstart").exit_code, 1);
  box.script("build/bin/bitsweep", "exit 130\n");
  EXPECT_EQ(box.run("./quickstart").exit_code, 130);
}

TEST(Check, RefusesWhatItDoesNotKnow) {
  const ShellResult unknown = call("check --fast");
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_TRUE(unknown.says("unknown argument '--fast'")) << unknown.out;
  EXPECT_EQ(call("check --filter").exit_code, 2);
  for (const std::string jobs : {"0", "-1", "two", "''"}) {
    const ShellResult result = call("check --jobs " + jobs);
    EXPECT_EQ(result.exit_code, 2) << jobs;
    EXPECT_TRUE(result.says("a number from 1 on")) << result.out;
  }
}

TEST(CountCases, AddsUpWhatEveryProgramSaid) {
  Sandbox box;
  box.script("results.xml", R"(
<testsuite name="x" tests="4" failures="2">
	<testcase name="a.One.Case" status="run"><system-out>[       OK ] One.Case (0 ms)
[  PASSED  ] 1 test.
</system-out></testcase>
	<testcase name="b.Suite" status="run"><system-out>[  PASSED  ] 11 tests.
[  SKIPPED ] 2 tests, listed below:</system-out></testcase>
	<testcase name="b.Other" status="fail"><system-out>[  FAILED  ] Other.X (1 ms)
[  PASSED  ] 3 tests.
[  FAILED  ] 2 tests, listed below:
[  FAILED  ] Other.X
[  FAILED  ] Other.Y</system-out></testcase>
	<testcase name="b.Crashed" status="fail"><system-out>[ RUN      ] Crashed.X</system-out></testcase>
	<testcase name="c.Lost" status="notrun"><system-out></system-out></testcase>
</testsuite>)");
  const ShellResult counted = box.run("awk -f '" + kProject + "/tests/count_cases.awk' results.xml");
  EXPECT_EQ(counted.out, "15 3 3\n");
  EXPECT_EQ(box.run("awk -f '" + kProject + "/tests/count_cases.awk' /dev/null").out, "0 0 0\n");
}

struct Ci : testing::Test {
  Ci() {
    box.copy(".ci/run");
    box.script(".ci/nounity", "echo nounity >> parts\n");
    box.script(".ci/real-cuda", "echo real-cuda >> parts\n");
    box.script(".ci/real-parquet", "echo real-parquet >> parts\n");
  }
  int run(const std::string& floor, const std::string& check) {
    box.script(".ci/floor", "");
    box.script("check", check);
    return box.run("echo " + floor + " > .ci/floor; .ci/run").exit_code;
  }
  Sandbox box;
};

TEST_F(Ci, FailsBelowTheFloorAndWithAnyFailure) {
  EXPECT_EQ(run("200", "echo '200 passed, 0 failed'"), 0);
  EXPECT_EQ(run("200", "echo '201 passed, 0 failed, 3 skipped'"), 0);
  EXPECT_EQ(run("200", "echo '199 passed, 0 failed'"), 1);
  EXPECT_EQ(run("200", "echo '199 passed, 0 failed, 1 skipped'"), 1);
  EXPECT_EQ(run("200", "echo '300 passed, 1 failed'; exit 1"), 1);
  EXPECT_EQ(run("200", "echo no counts"), 1);
  EXPECT_EQ(run("200", "exit 3"), 1);
  EXPECT_EQ(run("200", "echo '200 passed, 0 failed'; exit 77"), 1) << "a suite is never skipped";
}

TEST_F(Ci, CountsItsPartsAndWhatIsSkipped) {
  box.script(".ci/floor", "");
  box.script("check", "echo '200 passed, 0 failed'\n");
  const std::string call = "echo 200 > .ci/floor; rm -f parts; .ci/run";
  EXPECT_TRUE(box.run(call).out.ends_with("203 passed, 0 failed\n"));
  box.script(".ci/real-cuda", "echo 'real-cuda: skipped: no index'; exit 77\n");
  const ShellResult skipped = box.run(call);
  EXPECT_EQ(skipped.exit_code, 0);
  EXPECT_TRUE(skipped.says("real-cuda: skipped: no index\n")) << skipped.out;
  EXPECT_TRUE(skipped.out.ends_with("202 passed, 0 failed, 1 skipped\n")) << skipped.out;
  box.script(".ci/nounity", "exit 1\n");
  const ShellResult failed = box.run(call);
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_TRUE(failed.out.ends_with("201 passed, 1 failed, 1 skipped\n")) << failed.out;
  const ShellResult brief = box.run(call + " --short; cat parts");
  EXPECT_TRUE(brief.says("200 passed, 0 failed\n")) << brief.out;
  EXPECT_TRUE(brief.says("parts: No such file")) << brief.out;
  EXPECT_EQ(box.run(".ci/run --fast").exit_code, 2);
}

// With a cmake that says what it was called with.
struct Nounity : testing::Test {
  Nounity() {
    box.copy(".ci/nounity");
    box.script("bin/cmake", "echo \"cmake $*\" >> \"$(dirname \"$0\")/../calls\"\n");
    for (const char* file : {"CMakeLists.txt", "CMakePresets.json", "core/a/a.h", "plugins/p/CMakeLists.txt",
                             "third_party/libtorch/include/x.h", "core/a/a.cpp"})
      box.script(file, "");
  }
  std::string calls() {
    const std::string text = box.run("cat calls 2>/dev/null; rm -f calls").out;
    return text;
  }
  Sandbox box;
};

TEST_F(Nounity, CompilesAgainWhenAHeaderOrACMakeFileHasChanged) {
  EXPECT_TRUE(box.run(".ci/nounity").says("compiles by itself")) << "first";
  EXPECT_EQ(calls(), "cmake --preset nounity\ncmake --build --preset nounity\n");
  box.script("core/a/a.cpp", "int changed;\n");
  box.script("third_party/libtorch/include/x.h", "int changed;\n");
  box.script("third_party/parquet/include/x.h", "int changed;\n");
  EXPECT_TRUE(box.run(".ci/nounity").says("no header or CMake file has changed"));
  EXPECT_EQ(calls(), "");
  for (const char* file : {"core/a/a.h", "plugins/p/CMakeLists.txt", "core/a/new.h"}) {
    box.script(file, "int changed;\n");
    EXPECT_EQ(box.run(".ci/nounity").exit_code, 0) << file;
    EXPECT_NE(calls(), "") << file;
  }
}

TEST_F(Nounity, IsNotDoneUntilItWentWell) {
  box.script("bin/cmake", "case $1 in --build) exit 1;; esac\n");
  EXPECT_EQ(box.run(".ci/nounity").exit_code, 1);
  EXPECT_EQ(box.run(".ci/nounity").exit_code, 1);
}

struct RealCuda : testing::Test {
  RealCuda() {
    box.copy(".ci/real-cuda");
    box.script("build/bin/bitsweep-worker", "");
  }
  ShellResult run() { return box.run(".ci/real-cuda"); }
  Sandbox box;
};

TEST_F(RealCuda, IsSkippedWithAReasonWithoutDiskOrIndex) {
  if (fs::exists("/proc/driver/nvidia/version")) GTEST_SKIP() << "this machine has a GPU";
  box.script("bin/df", "echo Avail; echo 12M\n");
  EXPECT_EQ(run().exit_code, 77);
  EXPECT_TRUE(run().says("skipped: 9000 MB of disk are needed")) << run().out;
  box.script("bin/df", "echo Avail; echo 90000M\n");
  // An environment whose own python3 gets nothing.
  box.script("bin/python3", R"(mkdir -p "$3/bin"
printf '#!/bin/sh\nexit 1\n' > "$3/bin/python3"
chmod +x "$3/bin/python3"
)");
  const ShellResult no_index = run();
  EXPECT_EQ(no_index.exit_code, 77) << no_index.out;
  EXPECT_TRUE(no_index.says("skipped: torch 2.11.0 could not be had")) << no_index.out;
  box.run("rm build/bin/bitsweep-worker");
  EXPECT_TRUE(run().says("skipped: build/ is not built"));
}

}  // namespace
}  // namespace bitsweep
