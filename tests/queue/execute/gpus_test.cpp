#include "execute/gpus.h"

#include <fstream>

#include <unistd.h>

#include <gtest/gtest.h>

namespace bitsweep {
namespace {

const std::vector<std::string> kGpus = {"GPU-aaaa1111", "", "GPU-bbbb2222"};

TEST(Gpus, AreInTheOrderOfTheBus) {
  const fs::path folder = fs::path(testing::TempDir()) / ("bitsweep_gpus" + std::to_string(::getpid()));
  const auto add = [&](const char* place, const char* uuid) {
    fs::create_directories(folder / place);
    std::ofstream(folder / place / "information")
        << "Model: \t\t NVIDIA H200\nIRQ:   \t\t 97\nGPU UUID: \t " << uuid << "\nVideo BIOS: \t ??.??.??.??.??\n";
  };
  add("0000:c8:00.0", "GPU-c");
  add("0000:1b:00.0", "GPU-a");
  add("0000:4c:00.0", std::string("GPU-" + std::string(32, '?')).c_str());
  fs::create_directories(folder / "0001:00:00.0");  // tells nothing
  EXPECT_EQ(driver_gpus(folder), (std::vector<std::string>{"GPU-a", "", "GPU-c", ""}));
  fs::remove_all(folder);
  EXPECT_TRUE(driver_gpus(folder).empty());
}

TEST(Gpus, ARunIsGivenItsGpuByName) {
  EXPECT_EQ(visible_gpu("cuda:0", {}, kGpus), "GPU-aaaa1111");
  EXPECT_EQ(visible_gpu("cuda:2", {}, kGpus), "GPU-bbbb2222");
  EXPECT_EQ(visible_gpu("cuda:1", {}, kGpus), "1") << "the driver does not tell its name";
  EXPECT_EQ(visible_gpu("cuda:7", {}, kGpus), "7");
  EXPECT_EQ(visible_gpu("cuda:1", {}, {}), "1") << "no driver's files";
  EXPECT_EQ(visible_gpu("cpu", {}, kGpus), "");
}

TEST(Gpus, TheCoordinatorsOwnListIsHeldTo) {
  EXPECT_EQ(visible_gpu("cuda:0", "2,0", kGpus), "GPU-bbbb2222");
  EXPECT_EQ(visible_gpu("cuda:1", "2, 0", kGpus), "GPU-aaaa1111");
  EXPECT_EQ(visible_gpu("cuda:2", "2,0", kGpus), "") << "it has only two";
  EXPECT_EQ(visible_gpu("cuda:1", "4,GPU-abc,6", kGpus), "GPU-abc");
  EXPECT_EQ(visible_gpu("cuda:0", "GPU-bbbb", kGpus), "GPU-bbbb2222") << "the beginning of a name, as CUDA takes it";
  EXPECT_EQ(visible_gpu("cuda:0", "MIG-123", kGpus), "MIG-123");
  EXPECT_EQ(visible_gpu("cuda:0", "", kGpus), "");
}

}  // namespace
}  // namespace bitsweep
