#include "suggest/share.h"

#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"

namespace bitsweep {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;

TEST(DivideBudget, HoursGoWhereTheyTakeMostVariance) {
  const Offer known{{0.01, 0.005}, {1, 1}}, unknown{{0.9, 0.3, 0.1}, {1, 2, 2}};
  EXPECT_THAT(divide_budget({known, unknown}, 5), ElementsAre(DoubleEq(0), DoubleEq(5)));
  EXPECT_THAT(divide_budget({known, unknown}, 6), ElementsAre(DoubleEq(1), DoubleEq(5)));
}

TEST(DivideBudget, EqualLawsShareEqually) {
  const Offer offer{{0.5, 0.25, 0.1}, {1, 1, 1}};
  EXPECT_THAT(divide_budget({offer, offer}, 4), ElementsAre(DoubleEq(2), DoubleEq(2)));
}

TEST(DivideBudget, WhatIsLeftGoesToTheNextBestAndNothingToNobody) {
  EXPECT_THAT(divide_budget({{{1, 1}, {2, 2}}, {{0.1}, {5}}}, 3), ElementsAre(DoubleEq(3), DoubleEq(0)));
  EXPECT_THAT(divide_budget({{{}, {}}, {{}, {}}}, 3), ElementsAre(DoubleEq(0), DoubleEq(0)));
  EXPECT_THAT(divide_budget({}, 3), ElementsAre());
}

TEST(DivideBudget, NeverSpendsMoreThanThereIs) {
  for (uint64_t trial = 0; trial < 500; ++trial) {
    uint64_t i = 0;
    const auto draw = [&] { return 0.01 + random_unit(trial, 1, i++); };
    std::vector<Offer> offers(1 + trial % 5);
    for (Offer& offer : offers)
      for (uint64_t k = 0; k < trial % 7; ++k) offer.gain.push_back(draw()), offer.cost.push_back(draw());
    const double budget = 3 * draw();
    double sum = 0;
    for (const double part : divide_budget(offers, budget)) {
      EXPECT_GE(part, 0);
      sum += part;
    }
    EXPECT_LE(sum, budget * (1 + 1e-12));
  }
}

}  // namespace
}  // namespace bitsweep
