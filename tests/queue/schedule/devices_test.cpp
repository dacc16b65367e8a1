#include <gtest/gtest.h>

#include "base/error.h"
#include "schedule/schedule.h"

namespace bitsweep::schedule {
namespace {

TEST(Devices, AsPeopleWriteThem) {
  const auto devices = parse_devices("cpu:2,cuda:0,cuda:11", 3);
  ASSERT_EQ(devices.size(), 3u);
  EXPECT_EQ(devices[0].name, "cpu");
  EXPECT_EQ(devices[0].slots, 2);
  EXPECT_EQ(devices[1].name, "cuda:0");
  EXPECT_EQ(devices[1].slots, 3);
  EXPECT_EQ(devices[2].name, "cuda:11");
  EXPECT_EQ(parse_devices("cpu", 1)[0].slots, 1);
}

TEST(Devices, WhatIsWrongIsNamed) {
  for (const char* bad : {"", "cpu:0", "cpu:-1", "cpu:x", "cpu:2x", "cuda", "cuda:", "cuda:-1", "gpu:0", "cpu:2,",
                          ",cpu", "cpu:99999999999999999999", "cuda:0 "})
    EXPECT_THROW(parse_devices(bad), Error) << bad;
  EXPECT_THROW(parse_devices("cuda:0,cuda:0"), Error);
  EXPECT_THROW(parse_devices("cpu:1,cpu:2"), Error);
  EXPECT_THROW(parse_devices("cpu", 0), Error);
}

TEST(Devices, AllMistakesAtOnce) {
  try {
    parse_devices("tpu:0,cpu:0,cuda:0");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.diagnostics().size(), 2u);
    EXPECT_EQ(error.kind(), ErrorKind::input);
  }
}

}  // namespace
}  // namespace bitsweep::schedule
