// What the built programs link.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>

#include "structure/source_tree.h"

namespace bitsweep {
namespace {

// The shared libraries that `program` pulls in, directly and through others.
std::string libraries_of(const fs::path& program, const std::string& options = "") {
  const std::string command = "ldd " + options + " '" + program.string() + "' 2>&1";
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string out;
  std::array<char, 4096> buffer;
  while (pipe && fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) out += buffer.data();
  return out;
}

TEST(Programs, BitsweepLinksNoLibTorch) {
  const fs::path program = fs::path(BITSWEEP_BUILD_DIR) / "bin" / "bitsweep";
  ASSERT_TRUE(fs::exists(program)) << program;
  const std::string libraries = libraries_of(program);
  ASSERT_NE(libraries.find("libc.so"), std::string::npos) << libraries;
  EXPECT_EQ(libraries.find("not found"), std::string::npos) << libraries;
  for (const std::string name : {"libtorch", "libc10", "libcud", "libgomp", "libbitsweep_nn"}) {
    EXPECT_EQ(libraries.find(name), std::string::npos) << name << " in\n" << libraries;
  }
}

// A header of another version than the library it is linked with shows here, not in the linker.
TEST(Programs, WorkerAndPluginsFindEverySymbol) {
  const fs::path build = BITSWEEP_BUILD_DIR;
  std::vector<fs::path> built = {build / "bin" / "bitsweep-worker", build / "lib" / "libbitsweep_nn.so"};
  for (const SourceFile& file : files_below("plugins/")) {
    if (!file.path.ends_with("/plugin.yaml")) continue;
    const std::string name = fs::path(file.path).parent_path().filename();
    built.push_back(build / "plugins" / name / (name + ".so"));
  }
  if (!BITSWEEP_TORCH_BUILT) GTEST_SKIP() << "built without LibTorch";
  for (const fs::path& library : built) {
    ASSERT_TRUE(fs::exists(library)) << library;
    const std::string libraries = libraries_of(library, "-r");
    EXPECT_EQ(libraries.find("not found"), std::string::npos) << library << "\n" << libraries;
    EXPECT_EQ(libraries.find("undefined symbol"), std::string::npos) << library << "\n" << libraries;
  }
}

}  // namespace
}  // namespace bitsweep
