// third_party/get-libtorch and get-parquet: all or nothing, with a pip and an unzip that stand in for the network.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

#include "base/files.h"
#include "setup/shell.h"

namespace bitsweep {
namespace {

struct WheelTool {
  const char* name;    // third_party/get-NAME makes third_party/NAME
  const char* wheels;  // what pip downloads
  const char* unpack;  // what unzip makes of them
  const char* file;    // one of the files that are put in place
  const char* advice;  // what to do without a network, or on another processor
};

constexpr WheelTool libtorch{"libtorch", "torch-2.11.0-x.whl nvidia_a.whl nvidia_b.whl", R"(
mkdir -p torch/lib torch/include/ATen torch/include/torch/headeronly torch/licenses
touch torch/lib/libtorch_cpu.so torch/lib/libc10.so torch/include/ATen/ATen.h
printf '#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 11\n#define TORCH_VERSION_PATCH 0\n' \
  > torch/include/torch/headeronly/version.h
)",
                             "lib/libtorch_cpu.so", "BITSWEEP_TORCH=DIR"};

constexpr WheelTool parquet{"parquet", "pyarrow-26.0.1-x.whl", R"(
mkdir -p pyarrow/lib pyarrow/licenses pyarrow/include/arrow/util pyarrow/include/parquet
touch pyarrow/lib/libarrow.so.2600 pyarrow/lib/libparquet.so.2600 pyarrow/include/parquet/file_reader.h
printf '#define ARROW_VERSION_STRING "26.0.1"\n' > pyarrow/include/arrow/util/config.h
)",
                            "include/parquet/file_reader.h", "-DBITSWEEP_PARQUET=DIR"};

std::string name_of(const testing::TestParamInfo<WheelTool>& tool) { return tool.param.name; }

void PrintTo(const WheelTool& tool, std::ostream* out) { *out << tool.name; }

struct GetWheels : testing::TestWithParam<WheelTool> {
  GetWheels() {
    box.script("bin/python3", std::string("wheels='") + tool.wheels + R"('
case "$*" in
  *--version*) echo pip 23 ;;
  *download*)
    echo "$@" >> "$(dirname "$0")/../calls"
    while [ "$1" != --dest ]; do shift; done
    for wheel in $wheels; do touch "$2/$wheel"; done ;;
esac
)");
    box.script("bin/unzip", tool.unpack);
  }
  ShellResult get() { return box.run("third_party/get-" + name); }
  std::string left_over() {
    return box.run("ls -A third_party | grep -v -x -e setup.sh -e 'get-.*' -e '.*\\.txt'").out;
  }
  bool in_place(const std::string& file) { return fs::exists(box.path() / "third_party" / name / file); }

  WheelTool tool = GetParam();
  std::string name = tool.name;
  Sandbox box;
};

TEST_P(GetWheels, PutsThemInPlaceOnceAndLeavesNothingElse) {
  const ShellResult first = get();
  EXPECT_EQ(first.exit_code, 0) << first.out;
  EXPECT_EQ(left_over(), name + "\n");
  EXPECT_TRUE(in_place(tool.file));
  const ShellResult second = get();
  EXPECT_EQ(second.exit_code, 0);
  EXPECT_EQ(second.out, "");
  const std::string calls = read_file(box.path() / "calls");
  EXPECT_EQ(std::count(calls.begin(), calls.end(), '\n'), 1) << calls;
  EXPECT_NE(calls.find("--require-hashes"), std::string::npos);
  EXPECT_NE(calls.find("/" + name + "-"), std::string::npos) << calls;
}

TEST_P(GetWheels, WithoutANetworkSaysWhatToDo) {
  box.script("bin/python3", "case \"$*\" in *--version*) ;; *) echo 'No route to host'; exit 1 ;; esac\n");
  const ShellResult result = get();
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_TRUE(result.says("No route to host")) << result.out;
  EXPECT_TRUE(result.says(tool.advice)) << result.out;
  EXPECT_EQ(left_over(), "");
}

TEST_P(GetWheels, DamagedLeavesNothing) {
  box.script("bin/unzip", "echo 'bad zipfile'; exit 9\n");
  const ShellResult result = get();
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_TRUE(result.says("bad zipfile")) << result.out;
  EXPECT_EQ(left_over(), "");
}

TEST_P(GetWheels, ReplacesAnotherVersion) {
  box.script("third_party/" + name + "/lib/stale.so", "");
  EXPECT_EQ(get().exit_code, 0);
  EXPECT_FALSE(in_place("lib/stale.so"));
  EXPECT_TRUE(in_place(tool.file));
}

TEST_P(GetWheels, TerminatedLeavesNothing) {
  box.script("bin/unzip", "touch started; sleep 0.5\n");
  const ShellResult stopped =
      box.run("third_party/get-" + name + " & pid=$!\n" + "for _ in $(seq 100); do ls -d third_party/." + name +
              ".*/started >/dev/null 2>&1 && break; sleep 0.02; done\n" + "kill -TERM $pid; wait $pid\n");
  EXPECT_EQ(stopped.exit_code, 143) << stopped.out;
  EXPECT_EQ(left_over(), "");
}

TEST_P(GetWheels, RemovesWhatAKilledCallLeft) {
  box.script("third_party/." + name + ".abc/x.whl", "");
  EXPECT_EQ(get().exit_code, 0);
  EXPECT_EQ(left_over(), name + "\n");
}

TEST_P(GetWheels, TellsOtherProcessorsToBringTheirOwn) {
  box.script("bin/uname", "echo Linux aarch64\n");
  const ShellResult result = get();
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_TRUE(result.says(tool.advice)) << result.out;
  EXPECT_EQ(left_over(), "");
}

INSTANTIATE_TEST_SUITE_P(All, GetWheels, testing::Values(libtorch, parquet), name_of);

struct GetParquet : GetWheels {};

TEST_P(GetParquet, LinksTheLibrariesOfItsVersionAndSaysToBuildAgain) {
  EXPECT_TRUE(get().says("build again"));
  EXPECT_EQ(fs::read_symlink(box.path() / "third_party/parquet/lib/libparquet.so"), "libparquet.so.2600");
}

// The names of the wheel's libraries follow its version, and so does what is pinned.
TEST_P(GetParquet, ThePinnedWheelIsTheVersionLookedFor) {
  const ShellResult version = box.with_setup("echo \"pyarrow==$parquet_version \"\n");
  const std::string pinned = read_file(box.path() / "third_party/parquet-wheel.txt");
  EXPECT_NE(pinned.find(version.out.substr(0, version.out.size() - 1)), std::string::npos) << version.out << pinned;
}

INSTANTIATE_TEST_SUITE_P(All, GetParquet, testing::Values(parquet), name_of);

}  // namespace
}  // namespace bitsweep
