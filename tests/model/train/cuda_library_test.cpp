#include "train/cuda_library.h"

#include <fstream>

#include <dlfcn.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"

namespace bitsweep::train {
namespace {

using testing::HasSubstr;

struct CudaLibrary : testing::Test {
  CudaLibrary() : folder(fs::path(testing::TempDir()) / ("bitsweep cuda " + std::to_string(::getpid()))) {
    fs::create_directories(folder);
  }
  ~CudaLibrary() override { fs::remove_all(folder); }

  std::string refusal() const {
    try {
      load_cuda_library(folder);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::environment);
      return error.what();
    }
    return "";
  }
  fs::path folder;
};

TEST_F(CudaLibrary, IsLookedForWhereTheLoadedLibTorchLies) {
  const auto torch = folder_of_loaded("libtorch_cpu.so");
  ASSERT_TRUE(torch);
  EXPECT_TRUE(torch->is_absolute());
  EXPECT_TRUE(fs::exists(*torch / "libtorch_cpu.so")) << *torch;
  EXPECT_NE(*torch, program_folder());
}

TEST_F(CudaLibrary, FoldersAreThoseOfLoadedLibrariesAlone) {
  EXPECT_EQ(folder_of_loaded("libno-such-library.so"), std::nullopt);
  EXPECT_EQ(folder_of_loaded(""), std::nullopt) << "the program itself has no name there";
  EXPECT_EQ(folder_of_loaded("torch_cpu.so"), std::nullopt) << "the whole file name counts";
  fs::copy_file(FAKE_DRIVER, folder / "libfake.so");
  EXPECT_EQ(folder_of_loaded("libfake.so"), std::nullopt) << "there, and not loaded";
  void* loaded = ::dlopen((folder / "libfake.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(loaded, nullptr) << ::dlerror();
  EXPECT_EQ(folder_of_loaded("libfake.so"), fs::canonical(folder));
  ::dlclose(loaded);
}

TEST_F(CudaLibrary, ALibTorchForProcessorsIsCalledOne) {
  const std::string words = refusal();
  EXPECT_THAT(words, HasSubstr("for processors alone"));
  EXPECT_THAT(words, HasSubstr((folder / "libtorch_cuda.so").string()));
  EXPECT_THAT(words, HasSubstr("BITSWEEP_TORCH=python ./quickstart"));
}

TEST_F(CudaLibrary, OneThatDoesNotLoadIsToldWithTheLinkersReason) {
  std::ofstream(folder / "libtorch_cuda.so") << "no library";
  const std::string words = refusal();
  EXPECT_THAT(words, HasSubstr("cannot be loaded"));
  EXPECT_THAT(words, HasSubstr((folder / "libtorch_cuda.so").string()));
}

TEST_F(CudaLibrary, OneThatLoadsIsTaken) {
  fs::copy_file(FAKE_DRIVER, folder / "libtorch_cuda.so");
  EXPECT_EQ(refusal(), "");
  EXPECT_TRUE(folder_of_loaded("libtorch_cuda.so"));
}

}  // namespace
}  // namespace bitsweep::train
