// Yardsticks: what tables of counts of order 0 to 3 achieve on validation bytes, and on the very bytes that a model is
// scored on. Text and split in, bits per byte out. A neural model is worth its training only below them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/split.h"
#include "tokenize/byte_alphabet.h"

namespace bitsweep::data {

struct Yardsticks {
  std::array<double, 4> bits_per_byte{};  // [order]
  std::string method;                     // how the counts are smoothed, for a report's footnote
  uint64_t sample_bytes = 0;              // of the train split that were counted (all up to 64 MiB, else spread evenly)
  uint64_t scored_bytes = 0;              // that were scored: of the validation split likewise, of windows all
};

// The validation split, as one text a segment; or windows of it, whose targets are scored after what stands in the
// window before them, which is what a model sees there.
struct ScoredBytes {
  std::vector<Segment> segments;
  bool windows = false;  // the first byte of a segment is no target

  uint64_t bytes() const;  // scored
};

json::object to_json(const Yardsticks& yardsticks);
// Throws Error{input} on anything that to_json did not write.
Yardsticks yardsticks_from_json(const json::object& object);

inline constexpr uint64_t yardstick_sample_bytes = UINT64_C(64) << 20;

// Counts `train` once and scores each of `parts` of `val_text`; of training text, and of a part that is not windows,
// more than yardstick_sample_bytes is sampled in 64 evenly spaced pieces. 38.7 MB take about a second on one core.
std::vector<Yardsticks> compute_yardsticks(std::span<const uint8_t> train_text, const std::vector<Segment>& train,
                                           std::span<const uint8_t> val_text, const std::vector<ScoredBytes>& parts,
                                           const tokenize::ByteAlphabet& tokenizer);

}  // namespace bitsweep::data
