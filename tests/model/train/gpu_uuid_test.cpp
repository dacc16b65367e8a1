#include "train/gpu_uuid.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace bitsweep::train {
namespace {

constexpr const char* kSecond = "GPU-01112131-4151-6171-8191-a1b1c1d1e1f1";

TEST(GpuUuid, IsWhatTheDriverTells) {
  EXPECT_EQ(gpu_uuid(0, FAKE_DRIVER), "GPU-00102030-4050-6070-8090-a0b0c0d0e0f0");
  EXPECT_EQ(gpu_uuid(1, FAKE_DRIVER), kSecond);
}

TEST(GpuUuid, IsNothingWithoutTheGpuOrTheDriver) {
  EXPECT_EQ(gpu_uuid(2, FAKE_DRIVER), std::nullopt);
  EXPECT_EQ(gpu_uuid(0, "libno-such-driver.so.1"), std::nullopt);
}

TEST(GpuUuid, AnotherGpuThanTheNamedOneIsRefused) {
  EXPECT_NO_THROW(require_named_gpu(kSecond, kSecond));
  EXPECT_NO_THROW(require_named_gpu("MIG-01112131-4151-6171-8191-a1b1c1d1e1f1", kSecond));
  try {
    require_named_gpu(kSecond, gpu_uuid(0, FAKE_DRIVER));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::environment);
    EXPECT_NE(std::string(error.what()).find(kSecond), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("GPU-00102030"), std::string::npos) << error.what();
  }
}

TEST(GpuUuid, AnIndexAListOrABeginningCannotBeChecked) {
  for (const char* visible : {"0", "", "0,1", "GPU-0111", "GPU-01112131-4151-6171-8191-a1b1c1d1e1f1,1"})
    EXPECT_NO_THROW(require_named_gpu(visible, gpu_uuid(0, FAKE_DRIVER))) << visible;
  EXPECT_NO_THROW(require_named_gpu(kSecond, std::nullopt));
}

}  // namespace
}  // namespace bitsweep::train
