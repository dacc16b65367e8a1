// third_party/get-parquet: all or nothing, with a pip and an unzip that stand in for the network.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/files.h"
#include "setup/shell.h"

namespace bitsweep {
namespace {

struct GetParquet : testing::Test {
  GetParquet() {
    box.script("bin/python3", R"(
case "$*" in
  *--version*) echo pip 23 ;;
  *download*)
    echo "$@" >> "$(dirname "$0")/../calls"
    while [ "$1" != --dest ]; do shift; done
    touch "$2/pyarrow-26.0.1-x.whl" ;;
esac
)");
    box.script("bin/unzip", R"(
mkdir -p pyarrow/lib pyarrow/licenses pyarrow/include/arrow/util pyarrow/include/parquet
touch pyarrow/lib/libarrow.so.2600 pyarrow/lib/libparquet.so.2600 pyarrow/include/parquet/file_reader.h
printf '#define ARROW_VERSION_STRING "26.0.1"\n' > pyarrow/include/arrow/util/config.h
)");
  }
  ShellResult get() { return box.run("third_party/get-parquet"); }
  std::string left_over() {
    return box.run("ls -A third_party | grep -v -x -e setup.sh -e 'get-.*' -e '.*\\.txt'").out;
  }
  Sandbox box;
};

TEST_F(GetParquet, PutsItInPlaceOnceAndLeavesNothingElse) {
  const ShellResult first = get();
  EXPECT_EQ(first.exit_code, 0) << first.out;
  EXPECT_TRUE(first.says("build again")) << first.out;
  EXPECT_EQ(left_over(), "parquet\n");
  EXPECT_EQ(fs::read_symlink(box.path() / "third_party/parquet/lib/libparquet.so"), "libparquet.so.2600");
  const ShellResult second = get();
  EXPECT_EQ(second.exit_code, 0);
  EXPECT_EQ(second.out, "");
  const std::string calls = read_file(box.path() / "calls");
  EXPECT_EQ(std::count(calls.begin(), calls.end(), '\n'), 1) << calls;
  EXPECT_NE(calls.find("--require-hashes"), std::string::npos);
  EXPECT_NE(calls.find("parquet-wheel.txt"), std::string::npos);
}

TEST_F(GetParquet, WithoutANetworkItSaysWhatToDo) {
  box.script("bin/python3", "case \"$*\" in *--version*) ;; *) echo 'No route to host'; exit 1 ;; esac\n");
  const ShellResult result = get();
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_TRUE(result.says("No route to host")) << result.out;
  EXPECT_TRUE(result.says("-DBITSWEEP_PARQUET=DIR")) << result.out;
  EXPECT_EQ(left_over(), "");
}

TEST_F(GetParquet, ADamagedWheelLeavesNothing) {
  box.script("bin/unzip", "echo 'bad zipfile'; exit 9\n");
  const ShellResult result = get();
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_TRUE(result.says("bad zipfile")) << result.out;
  EXPECT_EQ(left_over(), "");
}

TEST_F(GetParquet, AnotherVersionIsReplacedAndWhatAKilledCallLeftIsRemoved) {
  box.script("third_party/parquet/lib/stale.so", "");
  box.script("third_party/.parquet.abc/pyarrow-x.whl", "");
  EXPECT_EQ(get().exit_code, 0);
  EXPECT_FALSE(fs::exists(box.path() / "third_party/parquet/lib/stale.so"));
  EXPECT_EQ(left_over(), "parquet\n");
}

TEST_F(GetParquet, OtherProcessorsAreToldToBringTheirOwn) {
  box.script("bin/uname", "echo Linux aarch64\n");
  const ShellResult result = get();
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_TRUE(result.says("-DBITSWEEP_PARQUET=DIR")) << result.out;
  EXPECT_TRUE(result.says("aarch64")) << result.out;
}

// The names of the wheel's libraries follow its version, and so does what is pinned.
TEST_F(GetParquet, ThePinnedWheelIsTheVersionLookedFor) {
  const ShellResult version = box.with_setup("echo \"pyarrow==$parquet_version \"\n");
  const std::string pinned = read_file(box.path() / "third_party/parquet-wheel.txt");
  EXPECT_NE(pinned.find(version.out.substr(0, version.out.size() - 1)), std::string::npos) << version.out << pinned;
}

}  // namespace
}  // namespace bitsweep
