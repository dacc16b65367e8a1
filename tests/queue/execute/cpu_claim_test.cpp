#include "execute/cpu_claim.h"

#include <algorithm>
#include <set>

#include <unistd.h>

#include <gtest/gtest.h>

namespace bitsweep::execute {
namespace {

class CpuClaimTest : public testing::Test {
 protected:
  CpuClaimTest() : folder(fs::path(testing::TempDir()) / ("bitsweep_cpus" + std::to_string(::getpid()))) {
    fs::create_directories(folder);
  }
  ~CpuClaimTest() override {
    std::error_code code;
    fs::remove_all(folder, code);
  }
  fs::path folder;
  const std::vector<int> usable = usable_cpus();
};

TEST_F(CpuClaimTest, TwoClaimsNeverShareAProcessor) {
  std::set<int> seen;
  std::vector<CpuClaim> claims;
  for (size_t i = 0; i < usable.size(); ++i) {
    claims.push_back(claim_cpus(1, folder));
    ASSERT_EQ(claims.back().cpus.size(), 1u);
    EXPECT_TRUE(seen.insert(claims.back().cpus[0]).second);
  }
  EXPECT_EQ(std::vector<int>(seen.begin(), seen.end()), usable);
  EXPECT_TRUE(claim_cpus(1, folder).cpus.empty()) << "there is none left";
}

TEST_F(CpuClaimTest, WhatALockNoLongerHoldsIsFree) {
  { const CpuClaim all = claim_cpus(static_cast<int64_t>(usable.size()), folder); }
  EXPECT_EQ(claim_cpus(static_cast<int64_t>(usable.size()), folder).cpus, usable);
}

TEST_F(CpuClaimTest, TooFewFreeOnesAreNone) {
  const CpuClaim one = claim_cpus(1, folder);
  EXPECT_TRUE(claim_cpus(static_cast<int64_t>(usable.size()), folder).cpus.empty());
  // And what it looked at is free again.
  if (usable.size() > 1) {
    EXPECT_FALSE(claim_cpus(1, folder).cpus.empty());
  }
}

TEST_F(CpuClaimTest, NothingIsClaimedThatCannotBe) {
  EXPECT_TRUE(claim_cpus(0, folder).cpus.empty());
  EXPECT_TRUE(claim_cpus(static_cast<int64_t>(usable.size()) + 1, folder).cpus.empty());
  EXPECT_TRUE(claim_cpus(1, folder / "missing").cpus.empty());
}

}  // namespace
}  // namespace bitsweep::execute
