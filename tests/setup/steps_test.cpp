// third_party/setup.sh: each step does only what is missing, and says what mends it when it cannot.
#include <gtest/gtest.h>

#include "setup/shell.h"

namespace bitsweep {
namespace {

struct Steps : testing::Test {
  Sandbox box;
};

TEST_F(Steps, FullDiskIsSaidBeforeAnythingIsStarted) {
  const ShellResult result =
      box.with_setup("know_system() { packages=(); }\nfree_mb() { echo 300; }\nsetup_disk\necho went on\n");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_TRUE(result.says("2000 MB of disk are needed")) << result.out;
  EXPECT_TRUE(result.says("300 MB are free")) << result.out;
  EXPECT_TRUE(result.says("Free 1700 MB")) << result.out;
  EXPECT_FALSE(result.says("went on"));
}

TEST_F(Steps, NothingIsNeededOfTheDiskWhenAllIsThere) {
  box.script("build/bin/bitsweep", "");
  const ShellResult result = box.with_setup(
      "know_system() { packages=(); }\nlibtorch_complete() { true; }\nfree_mb() { echo 0; }\nsetup_disk\n");
  EXPECT_EQ(result.exit_code, 0) << result.out;
  EXPECT_EQ(result.out, "");
}

TEST_F(Steps, InstalledPackagesAreNotInstalledAgain) {
  const ShellResult result = box.with_setup(
      "know_system() { packages=(coreutils grep); }\n"
      "dpkg-query() { echo 'installed coreutils'; echo 'installed grep'; }\n"
      "apt_get() { echo called; }\nsetup_packages\n");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, "");
}

// half-installed: unpacked by a dpkg that was interrupted
const std::string kOneMissing =
    "know_system() { packages=(coreutils libone-dev); }\n"
    "dpkg-query() { echo 'installed coreutils'; echo 'half-installed libone-dev'; }\n"
    "dpkg() { true; }\n";

TEST_F(Steps, OnlyMissingPackagesAreInstalled) {
  const ShellResult result =
      box.with_setup(kOneMissing +
                     "id() { echo 0; }\nas_root() { printf '<%s>' \"$@\" >> calls; echo >> calls; }\n"
                     "setup_packages\ncat calls\n");
  EXPECT_EQ(result.exit_code, 0) << result.out;
  EXPECT_TRUE(result.says("installing libone-dev")) << result.out;
  EXPECT_TRUE(result.says("<install><-y><--no-install-recommends><libone-dev>")) << result.out;
  EXPECT_TRUE(result.says("<DEBIAN_FRONTEND=noninteractive>")) << result.out;
}

TEST_F(Steps, WithoutRootAndSudoTheCommandIsNamed) {
  const ShellResult result = box.with_setup(
      kOneMissing +
      "id() { echo 1000; }\n"
      "command() { if [ \"$2\" = sudo ]; then return 1; fi; builtin command \"$@\"; }\nsetup_packages\n");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_TRUE(result.says("apt-get update && apt-get install -y --no-install-recommends libone-dev")) << result.out;
}

TEST_F(Steps, SudoThatWantsAPasswordIsNotWaitedFor) {
  const ShellResult result =
      box.with_setup(kOneMissing + "id() { echo 1000; }\nsudo() { return 1; }\nsetup_packages\n");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_TRUE(result.says("sudo sh -c 'apt-get update && apt-get install")) << result.out;
}

TEST_F(Steps, AptThatFailsShowsItsReason) {
  const ShellResult result =
      box.with_setup(kOneMissing +
                     "id() { echo 0; }\napt_get() { echo 'E: Temporary failure resolving'; return 100; }\n"
                     "as_root() { true; }\nsetup_packages\n");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_TRUE(result.says("Temporary failure resolving")) << result.out;
  EXPECT_TRUE(result.says("apt-get install -y --no-install-recommends libone-dev")) << result.out;
}

TEST_F(Steps, OwnPackagesAreLeftAlone) {
  const ShellResult result =
      box.with_setup(kOneMissing + "BITSWEEP_PACKAGES=own\napt_get() { echo called; }\nsetup_packages\n");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, "");
}

TEST_F(Steps, UnknownSystemIsToldWhatItNeeds) {
  const ShellResult result = box.with_setup(
      "know_system() { system='plan 9'; packages=(); }\n"
      "command() { if [ \"$2\" = ninja ]; then return 1; fi; builtin command \"$@\"; }\nsetup_packages\n");
  EXPECT_EQ(result.exit_code, 3);
  for (const std::string need :
       {"plan 9", "Boost >= 1.81", "g++ >= 12", "cmake >= 3.25", "yaml-cpp", "nettle", "zlib", "libzstd"}) {
    EXPECT_TRUE(result.says(need)) << need << " in\n" << result.out;
  }
}

TEST_F(Steps, OwnLibTorchMustBeWholeAndOfTheVersion) {
  const ShellResult none = box.with_setup("BITSWEEP_TORCH=nowhere\nsetup_libtorch\n");
  EXPECT_EQ(none.exit_code, 3);
  EXPECT_TRUE(none.says("no LibTorch 2.11.0 in ")) << none.out;

  const std::string make_old =
      "mkdir -p old/lib old/include/ATen old/include/torch/headeronly\n"
      "touch old/lib/libtorch_cpu.so old/lib/libc10.so old/include/ATen/ATen.h\n"
      "printf '#define TORCH_VERSION_MAJOR 2\\n#define TORCH_VERSION_MINOR %s\\n#define TORCH_VERSION_PATCH 0\\n' "
      "\"$minor\""
      " > old/include/torch/headeronly/version.h\nBITSWEEP_TORCH=old\n";
  const ShellResult old = box.with_setup("minor=9\n" + make_old + "setup_libtorch\n");
  EXPECT_EQ(old.exit_code, 3);
  EXPECT_TRUE(old.says("found: 2.9.0")) << old.out;

  const ShellResult good = box.with_setup("minor=11\n" + make_old + "setup_libtorch\necho \"dir $torch_dir\"\n");
  EXPECT_EQ(good.exit_code, 0) << good.out;
  EXPECT_TRUE(good.says("dir " + (box.path() / "old").string())) << good.out;
}

TEST_F(Steps, PythonsTorchIsFoundWithoutImportingIt) {
  if (run_bash("command -v python3", "/").exit_code != 0) GTEST_SKIP() << "no python3";
  box.script("site/torch/__init__.py", "raise SystemExit('imported')\n");
  const ShellResult result = box.with_setup(
      "libtorch_complete() { true; }\nexport PYTHONPATH=$PWD/site\nBITSWEEP_TORCH=python\n"
      "setup_libtorch\necho \"dir $torch_dir\"\n");
  EXPECT_EQ(result.exit_code, 0) << result.out;
  EXPECT_TRUE(result.says("dir " + (box.path() / "site/torch").string())) << result.out;
}

TEST_F(Steps, PythonWithoutTorchIsSaid) {
  box.script("bin/python3", "exec /usr/bin/env -i /bin/echo\n");
  const ShellResult result = box.with_setup("BITSWEEP_TORCH=python\nsetup_libtorch\n");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_TRUE(result.says("has no torch")) << result.out;
  EXPECT_TRUE(result.says("pip install torch==2.11.0")) << result.out;
}

TEST_F(Steps, SecondSetUpWaitsForTheFirst) {
  const ShellResult result = box.with_setup(
      "setup_lock\n"
      "( unset BITSWEEP_SETUP_LOCKED; exec 9<&-; . third_party/setup.sh; setup_lock; echo second ) &\n"
      "sleep 0.3; echo first; setup_unlock; wait\n");
  EXPECT_TRUE(result.says("waiting for it")) << result.out;
  EXPECT_LT(result.out.find("first"), result.out.find("second")) << result.out;
}

TEST_F(Steps, ConfiguredBuildIsNotConfiguredAgain) {
  box.script("build/build.ninja", "");
  box.script("bin/cmake", "echo configured\n");
  const std::string cache =
      "torch_dir=/opt/lt\nprintf 'BITSWEEP_TORCH:PATH=%s\\nBITSWEEP_TESTS:BOOL=ON\\nBITSWEEP_WITH_TORCH:BOOL=ON\\n"
      "CMAKE_HOME_DIRECTORY:INTERNAL=%s\\n' \"$cached_torch\" \"$PWD\" > build/CMakeCache.txt\n"
      "cmake() { echo configured > called; }\nrm -f called\nsetup_configure\nif [ -e called ]; then cat called; fi\n";
  EXPECT_EQ(box.with_setup("cached_torch=/opt/lt\n" + cache).out, "");
  EXPECT_EQ(box.with_setup("cached_torch=/opt/other\n" + cache).out, "configured\n");
}

}  // namespace
}  // namespace bitsweep
