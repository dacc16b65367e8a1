#include "train/device.h"

#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "train/cuda_library.h"
#include "train/precision.h"

namespace bitsweep::train {
namespace {

TEST(Device, ParsesTheTwoForms) {
  EXPECT_FALSE(parse_device("cpu").cuda);
  EXPECT_TRUE(parse_device("cuda:0").cuda);
  EXPECT_EQ(parse_device("cuda:13").index, 13);
}

TEST(Device, RefusesEverythingElse) {
  for (const char* text : {"", "cuda", "cuda:", "cuda:-1", "cuda:1x", "cuda: 1", "gpu:0", "CPU", "cuda:99999999999"})
    EXPECT_THROW(parse_device(text), Error) << text;
}

// Where the loaded LibTorch has its CUDA half, CUDA itself is asked (`.ci/run` makes it so); else the half is missed.
TEST(Device, WithoutADriverAGpuIsRefusedAsEnvironment) {
  if (fs::exists("/proc/driver/nvidia/version") || fs::exists("/dev/nvidia0")) GTEST_SKIP() << "this machine has a GPU";
  const auto folder = folder_of_loaded("libtorch_cpu.so");
  ASSERT_TRUE(folder);
  try {
    open_device(parse_device("cuda:0"));
    FAIL();
  } catch (const Error& error) {
    const std::string words = error.what();
    EXPECT_EQ(error.kind(), ErrorKind::environment);
    EXPECT_NE(words.find("device cpu"), std::string::npos) << words;
    if (fs::exists(*folder / "libtorch_cuda.so"))
      EXPECT_TRUE(words.ends_with("no NVIDIA driver, or no visible GPU")) << words;
    else
      EXPECT_NE(words.find((*folder / "libtorch_cuda.so").string()), std::string::npos) << words;
  }
}

TEST(Device, LoadsEverythingWhateverTheEnvironmentNames) {
  ASSERT_EQ(::setenv("CUDA_VISIBLE_DEVICES", "GPU-no-such", 1), 0);
  EXPECT_NO_THROW(load_everything());
  ::unsetenv("CUDA_VISIBLE_DEVICES");
}

TEST(Device, PeakMemoryIsThatOfAProcessWithLibTorch) {
  EXPECT_GT(peak_rss_bytes(), int64_t{10} << 20);
  EXPECT_LT(peak_rss_bytes(), int64_t{1} << 40);
}

// What starts a worker may hold much: a text that `plan` has mapped is not memory of the worker it asks.
TEST(Device, PeakMemoryIsNotThatOfTheStartingProcess) {
  constexpr const char* kAsked = "BITSWEEP_TEST_ASKED_FOR_PEAK";
  const int64_t apart = int64_t{400} << 20;
  if (const char* parent = std::getenv(kAsked)) {
    EXPECT_LT(peak_rss_bytes(), std::atoll(parent) - apart / 2);
    return;
  }
  std::vector<char> held(static_cast<size_t>(peak_rss_bytes() + apart), 'x');
  ::setenv(kAsked, std::to_string(peak_rss_bytes()).c_str(), 1);
  const std::string self = fs::read_symlink("/proc/self/exe").string();
  const std::string filter = "--gtest_filter=Device.PeakMemoryIsNotThatOfTheStartingProcess";
  const int status = std::system(("exec '" + self + "' " + filter + " >/dev/null").c_str());
  ::unsetenv(kAsked);
  EXPECT_EQ(status, 0) << held.back();
}

TEST(Precision, WordsAndNearest) {
  EXPECT_EQ(parse_precision("f32"), Precision::f32);
  EXPECT_EQ(parse_precision("bf16"), Precision::bf16);
  try {
    parse_precision("bf61");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("'bf16'"), std::string::npos);
  }
}

}  // namespace
}  // namespace bitsweep::train
