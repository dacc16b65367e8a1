#include <gtest/gtest.h>

TEST(EmulatedKernels, EveryInstructionSet) {
  GTEST_SKIP() << "SIMDe (libsimde-dev) is not installed: kernels are tested on the instruction sets of this CPU alone";
}
