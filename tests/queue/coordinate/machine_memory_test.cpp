#include "coordinate/machine_memory.h"

#include <gtest/gtest.h>

namespace bitsweep::coordinate {
namespace {

TEST(MachineMemory, TheSmallestGpuCounts) {
  EXPECT_EQ(least_gpu_bytes("81559\n24564\n143771\n"), int64_t{24564} << 20);
  EXPECT_EQ(least_gpu_bytes("  40960"), int64_t{40960} << 20);
  EXPECT_EQ(least_gpu_bytes("[N/A]\n1024 MiB\n"), int64_t{1} << 30);
}

TEST(MachineMemory, NothingOfAnAnswerThatIsNone) {
  for (const char* text : {"", "\n\n", "No devices were found\n", "0\n", "-5\n", "99999999999999999999\n"})
    EXPECT_EQ(least_gpu_bytes(text), std::nullopt) << text;
}

TEST(MachineMemory, ThisMachineHasSome) { EXPECT_GT(cpu_memory_bytes(), int64_t{64} << 20); }

}  // namespace
}  // namespace bitsweep::coordinate
