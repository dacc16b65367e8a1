#include "imports/log_values.h"

#include <cmath>

#include <gtest/gtest.h>

namespace bitsweep::imports {
namespace {

TEST(LogValues, Numbers) {
  EXPECT_EQ(log_number(2.5), 2.5);
  EXPECT_EQ(log_number("20K"), 20'000);
  EXPECT_EQ(log_number("1,234,567"), 1'234'567);
  EXPECT_EQ(log_number("1,234.5"), 1234.5);
  EXPECT_EQ(log_number("1,5", ';'), 1.5);
  EXPECT_EQ(log_number("1,5"), std::nullopt);
  EXPECT_EQ(log_number("abc"), std::nullopt);
  EXPECT_EQ(log_number(true), std::nullopt);
  for (const char* word : {"", "NaN", "None", "n/a", "-", "null"}) EXPECT_TRUE(std::isnan(log_number(word).value()));
  EXPECT_EQ(log_number("-inf"), -HUGE_VAL);
}

double unix_s(const json::value& value) {
  const auto time = log_time(value);
  return time && !time->since_start ? time->value : -1;
}

TEST(LogValues, TimesByTheirMagnitude) {
  EXPECT_EQ(unix_s(1774224582.5), 1774224582.5);
  EXPECT_EQ(unix_s(1774224582500.0), 1774224582.5);
  EXPECT_EQ(unix_s(int64_t{1774224582500000}), 1774224582.5);
  EXPECT_EQ(unix_s(int64_t{1774224582500000000}), 1774224582.5);
  EXPECT_EQ(unix_s("1774224582500"), 1774224582.5);
  EXPECT_TRUE(log_time(12.5)->since_start);
  EXPECT_FALSE(log_time(-1));
  EXPECT_FALSE(log_time(true));
}

TEST(LogValues, TimesAsIso8601) {
  EXPECT_EQ(unix_s("2026-03-23T00:09:42.5"), 1774224582.5);
  EXPECT_EQ(unix_s("2026-03-23 00:09:42,500"), 1774224582.5);
  EXPECT_EQ(unix_s("2026-03-23T00:09:42Z"), 1774224582);
  EXPECT_EQ(unix_s("2026-03-23T02:09:42+02:00"), 1774224582);
  EXPECT_EQ(unix_s("2026-03-22T19:09:42-0500"), 1774224582);
  EXPECT_EQ(unix_s("2026/03/23 00:09:42 UTC"), 1774224582);
  EXPECT_EQ(unix_s("2026-03-23T00:09"), 1774224540);
  EXPECT_EQ(unix_s("2026-03-23"), 1774224000);
  for (const char* wrong : {"2026-02-30", "2026-03-23T25:00:00", "2026-03-23T00:09:42 CEST", "yesterday", "2026-3", ""})
    EXPECT_FALSE(log_time(wrong)) << wrong;
}

TEST(LogValues, Durations) {
  EXPECT_EQ(log_time("0:12:30")->value, 750);
  EXPECT_EQ(log_time("12:30.5")->value, 750.5);
  EXPECT_TRUE(log_time("12:30")->since_start);
  EXPECT_EQ(log_time("90s")->value, 90);
}

}  // namespace
}  // namespace bitsweep::imports
