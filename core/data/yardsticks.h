// Count models of order 0 to 3 (n-grams over bytes) as yardsticks: what a table of counts achieves on the same
// validation bytes. A neural model is worth its training only below them.
//
// Interpolated absolute discounting with the three discounts per order of Chen and Goodman, "An empirical study of
// smoothing techniques for language modeling" (1998), on raw counts at every order; below order 0 the uniform
// distribution over the vocabulary. Exactly normalised:
//   p_k(w|h) = max(c(hw) - D(c(hw)), 0) / c(h) + (D1 n1(h) + D2 n2(h) + D3 n3+(h)) / c(h) * p_{k-1}(w|h')
// with n_i(h) the number of symbols seen i times after h; p_k = p_{k-1} where h was never seen.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/split.h"
#include "data/tokenizer.h"

namespace bitsweep {

struct Yardsticks {
  std::array<double, 4> bits_per_byte{};  // [order]
  std::string method;                     // what the counts are smoothed with, for a report's footnote
  uint64_t sample_bytes = 0;              // of the train split that were counted (all up to 64 MiB, else spread evenly)
  uint64_t scored_bytes = 0;              // of the validation split that were scored (likewise)
};

json::object to_json(const Yardsticks& yardsticks);
// Throws Error{input} on anything that to_json did not write.
Yardsticks yardsticks_from_json(const json::object& object);

// The model behind the yardsticks. Memory: 70 MB and two bytes per counted byte, whatever the text.
class CountModel {
 public:
  // Counts the segments of `text` after the tokenizer; no n-gram crosses a segment's border.
  CountModel(std::span<const uint8_t> text, const std::vector<Segment>& segments, const Tokenizer& tokenizer);
  ~CountModel();

  // p(symbol | the last `order` tokens of history), order 0..3, history.size() ≥ order. Slow; for tests and examples.
  double probability(int order, std::span<const uint8_t> history, uint8_t symbol) const;

  // Mean bits per byte of the segments' tokens at each order; the first bytes of a segment use what history they have.
  std::array<double, 4> score(std::span<const uint8_t> text, const std::vector<Segment>& segments) const;

 private:
  struct Tables;
  std::unique_ptr<const Tables> tables_;
};

inline constexpr uint64_t yardstick_sample_bytes = UINT64_C(64) << 20;

// Trains on `train`, scores `val`; more than yardstick_sample_bytes on a side is sampled in 64 evenly spaced pieces.
Yardsticks compute_yardsticks(std::span<const uint8_t> train_text, const std::vector<Segment>& train,
                              std::span<const uint8_t> val_text, const std::vector<Segment>& val,
                              const Tokenizer& tokenizer);

}  // namespace bitsweep
