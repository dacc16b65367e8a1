#include "fit/row_filter.h"

#include <map>

#include <gtest/gtest.h>

#include "base/error.h"

namespace bitsweep::fit {
namespace {

bool keeps(const std::string& filter, const std::map<std::string, std::string>& row) {
  return RowFilter(filter, "--where").keeps([&](const std::string& name) -> std::optional<std::string> {
    const auto cell = row.find(name);
    return cell == row.end() ? std::nullopt : std::optional(cell->second);
  });
}

TEST(RowFilter, OrBindsLessThanAnd) {
  const std::string filter = "bits = 1 and params >= 10M or variant = base";
  EXPECT_TRUE(keeps(filter, {{"bits", "1"}, {"params", "2e7"}, {"variant", "x"}}));
  EXPECT_TRUE(keeps(filter, {{"bits", "4"}, {"params", "1"}, {"variant", "base"}}));
  EXPECT_FALSE(keeps(filter, {{"bits", "1"}, {"params", "1M"}, {"variant", "x"}}));
  EXPECT_EQ(RowFilter(filter, "--where").columns(), (std::vector<std::string>{"bits", "params", "variant"}));
  EXPECT_TRUE(keeps("a = 'one or two' OR a = three", {{"a", "one or two"}}));
  EXPECT_TRUE(keeps("a = 'one or two' OR a = three", {{"a", "three"}}));
}

TEST(RowFilter, AnOrWithoutAConditionIsTold) {
  try {
    RowFilter("a = 1 or 2", "--where");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("--where: '2' is not of the form"), std::string::npos);
  }
}

}  // namespace
}  // namespace bitsweep::fit
