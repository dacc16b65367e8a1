// Count models of order 0 to 3 (n-grams over tokens of one byte), smoothed by interpolated absolute discounting with
// three discounts an order: Chen and Goodman, "An empirical study of smoothing techniques for language modeling"
// (1998), on raw counts at every order; below order 0 the uniform distribution over the vocabulary. Exactly
// normalised:
//
//   p_k(w|h) = max(c(hw) - D(c(hw)), 0) / c(h) + (D1 n1(h) + D2 n2(h) + D3 n3(h)) / c(h) * p_{k-1}(w|h')
//
// n1, n2, n3: how many symbols were seen once, twice, more often after h; p_k = p_{k-1} where h was never seen. D1, D2,
// D3 are estimated at each order from m1 … m4, how many of its n-grams were seen once, twice, three and four times:
// with Y = m1 / (m1 + 2 m2), Di = i - (i + 1) Y m(i+1) / mi, held within 0.05 and i. An order at which any of m1 … m4
// is 0 has no such estimate, and all three of its discounts are then 1/2: so it is with short texts, and with order 0
// of nearly every text, whose few symbols are each seen far more than four times, where a discount of any size is
// nothing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "data/split.h"
#include "tokenize/byte_alphabet.h"

namespace bitsweep::data {

// Memory: 70 MB and two bytes per counted byte, whatever the text.
class CountModel {
 public:
  // Counts the segments of `text` after the tokenizer; no n-gram crosses a segment's border.
  CountModel(std::span<const uint8_t> text, const std::vector<Segment>& segments,
             const tokenize::ByteAlphabet& tokenizer);
  ~CountModel();

  // p(symbol | the last `order` tokens of history), order 0..3, history.size() ≥ order. Slow; for tests and examples.
  double probability(int order, std::span<const uint8_t> history, uint8_t symbol) const;

  // Mean bits per byte of the segments' tokens at each order; the first bytes of a segment use what history they have.
  // With `first_is_given` the first byte of a segment is only history, as that of a validation window is.
  std::array<double, 4> score(std::span<const uint8_t> text, const std::vector<Segment>& segments,
                              bool first_is_given = false) const;

 private:
  struct Tables;
  std::unique_ptr<const Tables> tables_;
};

}  // namespace bitsweep::data
