#include "coordinate/present_devices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bitsweep::coordinate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::string> kGpus = {"GPU-aaaa1111", "GPU-bbbb2222", "GPU-cccc3333"};

std::vector<std::string> names(const std::vector<schedule::DeviceSlots>& devices) {
  std::vector<std::string> names;
  for (const schedule::DeviceSlots& device : devices) names.push_back(device.name);
  return names;
}

TEST(PresentDevices, AreThoseThatTheVariableLeaves) {
  const auto devices =
      present_devices(schedule::parse_devices("cpu:2,cuda:1,cuda:2", 3), execute::visible_gpus("0,2,-1,1", kGpus));
  EXPECT_THAT(names(devices.present), ElementsAre("cpu", "cuda:1"));
  EXPECT_EQ(devices.present[1].slots, 3);
  EXPECT_THAT(devices.missing, ElementsAre(HasSubstr("'cuda:2' is not there")));
}

TEST(PresentDevices, AreAllWhereNothingTellsOfGpus) {
  EXPECT_THAT(present_devices(schedule::parse_devices("cuda:0,cuda:5", 1), execute::visible_gpus({}, {})).missing,
              IsEmpty());
}

TEST(PresentDevices, AnEmptyVariableLeavesProcessorsAlone) {
  const auto devices = present_devices(schedule::parse_devices("cuda:0,cpu", 1), execute::visible_gpus("", kGpus));
  EXPECT_THAT(names(devices.present), ElementsAre("cpu"));
  EXPECT_EQ(devices.missing.size(), 1u);
}

}  // namespace
}  // namespace bitsweep::coordinate
