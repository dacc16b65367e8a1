#include "kernels/table.h"

#include <gtest/gtest.h>

namespace bitsweep::kernels {
namespace {

void first(const float*, float*, int64_t, float) {}
void second(const float*, float*, int64_t, float) {}

TEST(KernelTable, IsAskedByOperationFormatDeviceAndShape) {
  KernelTable table;
  table.add<Operation::sign>({.name = "first", .least_columns = 4, .most_columns = 8}, first);
  const auto find = [&](Format format, KernelDevice device, int64_t columns) {
    return table.find<Operation::sign>(format, device, {2, columns});
  };
  EXPECT_EQ(find(Format::f32, KernelDevice::cpu, 4), first);
  EXPECT_EQ(find(Format::f32, KernelDevice::cpu, 8), first);
  EXPECT_EQ(find(Format::f32, KernelDevice::cpu, 3), nullptr);
  EXPECT_EQ(find(Format::f32, KernelDevice::cpu, 9), nullptr);
  EXPECT_EQ(find(Format::bf16, KernelDevice::cpu, 8), nullptr);
  EXPECT_EQ(find(Format::f32, KernelDevice::cuda, 8), nullptr);
  EXPECT_EQ(table.find(Operation::ternary, Format::f32, KernelDevice::cpu, {2, 8}), nullptr);
}

TEST(KernelTable, TheFirstRowThatServesIsTaken) {
  KernelTable table;
  table.add<Operation::sign>({.name = "special", .most_columns = 8}, first);
  table.add<Operation::sign>({.name = "general"}, second);
  EXPECT_EQ(table.find<Operation::sign>(Format::f32, KernelDevice::cpu, {1, 8}), first);
  EXPECT_EQ(table.find<Operation::sign>(Format::f32, KernelDevice::cpu, {1, 9}), second);
  EXPECT_STREQ(table.find(Operation::sign, Format::f32, KernelDevice::cpu, {1, 9})->name, "general");
}

TEST(KernelTable, TheBuiltInOneServesEveryOperationInF32OnTheCpu) {
  for (size_t i = 0; i < static_cast<size_t>(Operation::count); ++i) {
    const auto operation = static_cast<Operation>(i);
    EXPECT_NE(built_in_kernels().find(operation, Format::f32, KernelDevice::cpu, {3, 17}), nullptr) << i;
    EXPECT_EQ(no_kernels().find(operation, Format::f32, KernelDevice::cpu, {3, 17}), nullptr) << i;
  }
}

}  // namespace
}  // namespace bitsweep::kernels
