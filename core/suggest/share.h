// One budget for the laws of several variants: an hour goes where it takes most of a prediction's variance. Pure.
#pragma once

#include <vector>

namespace bitsweep {

// What a law's runs would buy, in the order in which they are best made (Suggestion::batch), had it the whole budget.
struct Offer {
  std::vector<double> gain;  // of variance, in squares of the loss
  std::vector<double> cost;  // as many, > 0
};

// The part of `budget` for each law, at most all of it: runs are taken by gain per cost, a law's own in their order,
// for as long as they can be paid; what is left then goes to the law whose next run buys most.
std::vector<double> divide_budget(const std::vector<Offer>& offers, double budget);

}  // namespace bitsweep
