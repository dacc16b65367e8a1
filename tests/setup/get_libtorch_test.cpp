// third_party/get-libtorch: all or nothing, with a pip and an unzip that stand in for the network.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/files.h"
#include "setup/shell.h"

namespace bitsweep {
namespace {

struct GetLibtorch : testing::Test {
  // pip: answers --version, and "downloads" three wheels into --dest
  GetLibtorch() {
    box.script("bin/python3", R"(
case "$*" in
  *--version*) echo pip 23 ;;
  *download*)
    echo "$@" >> "$(dirname "$0")/../calls"
    while [ "$1" != --dest ]; do shift; done
    touch "$2/torch-2.11.0-x.whl" "$2/nvidia_a.whl" "$2/nvidia_b.whl" ;;
esac
)");
    box.script("bin/unzip", R"(
mkdir -p torch/lib torch/include/ATen torch/include/torch/headeronly torch/licenses
touch torch/lib/libtorch_cpu.so torch/lib/libc10.so torch/include/ATen/ATen.h
printf '#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 11\n#define TORCH_VERSION_PATCH 0\n' \
  > torch/include/torch/headeronly/version.h
)");
  }
  ShellResult get() { return box.run("third_party/get-libtorch"); }
  std::string left_over() {
    return box.run("ls -A third_party | grep -v -x -e setup.sh -e 'get-.*' -e '.*\\.txt'").out;
  }
  Sandbox box;
};

TEST_F(GetLibtorch, PutsItInPlaceOnceAndLeavesNothingElse) {
  const ShellResult first = get();
  EXPECT_EQ(first.exit_code, 0) << first.out;
  EXPECT_EQ(left_over(), "libtorch\n");
  const ShellResult second = get();
  EXPECT_EQ(second.exit_code, 0);
  EXPECT_EQ(second.out, "");
  const std::string calls = read_file(box.path() / "calls");
  EXPECT_EQ(std::count(calls.begin(), calls.end(), '\n'), 1) << calls;
  EXPECT_NE(calls.find("--require-hashes"), std::string::npos);
}

TEST_F(GetLibtorch, WithoutANetworkItSaysWhatToDo) {
  box.script("bin/python3", "case \"$*\" in *--version*) ;; *) echo 'No route to host'; exit 1 ;; esac\n");
  const ShellResult result = get();
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_TRUE(result.says("No route to host")) << result.out;
  EXPECT_TRUE(result.says("BITSWEEP_TORCH=DIR ./quickstart")) << result.out;
  EXPECT_EQ(left_over(), "");
}

TEST_F(GetLibtorch, ADamagedWheelLeavesNothing) {
  box.script("bin/unzip", "echo 'bad zipfile'; exit 9\n");
  const ShellResult result = get();
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_TRUE(result.says("bad zipfile")) << result.out;
  EXPECT_EQ(left_over(), "");
}

TEST_F(GetLibtorch, ALibTorchOfAnotherVersionIsReplaced) {
  box.script("third_party/libtorch/lib/stale.so", "");
  EXPECT_EQ(get().exit_code, 0);
  EXPECT_FALSE(fs::exists(box.path() / "third_party/libtorch/lib/stale.so"));
  EXPECT_TRUE(fs::exists(box.path() / "third_party/libtorch/lib/libtorch_cpu.so"));
}

TEST_F(GetLibtorch, TerminatedItLeavesNothingAndWorksAgain) {
  box.script("bin/unzip", "touch started; sleep 0.5\n");
  const ShellResult stopped = box.run(
      "third_party/get-libtorch & pid=$!\n"
      "for _ in $(seq 100); do ls -d third_party/.libtorch.*/started >/dev/null 2>&1 && break; sleep 0.02; done\n"
      "kill -TERM $pid; wait $pid\n");
  EXPECT_EQ(stopped.exit_code, 143) << stopped.out;
  EXPECT_EQ(left_over(), "");
}

TEST_F(GetLibtorch, WhatAKilledCallLeftIsRemoved) {
  box.script("third_party/.libtorch.abc/torch-2.11.0-x.whl", "");
  EXPECT_EQ(get().exit_code, 0);
  EXPECT_EQ(left_over(), "libtorch\n");
}

TEST_F(GetLibtorch, OtherProcessorsAreToldToBringTheirOwn) {
  box.script("bin/uname", "echo Linux aarch64\n");
  const ShellResult result = get();
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_TRUE(result.says("BITSWEEP_TORCH=DIR")) << result.out;
  EXPECT_EQ(left_over(), "");
}

}  // namespace
}  // namespace bitsweep
