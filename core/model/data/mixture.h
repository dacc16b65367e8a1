// A corpus of one text, or of several that are mixed: how its parts lie in a split, and what each gives to training,
// validation and samples. Of one text everything is as for that text.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/mixture_order.h"
#include "data/split.h"
#include "spec/run_spec.h"

namespace bitsweep::data {

class Mixture {
 public:
  Mixture() = default;
  // part_ends: where the parts end in the text (none: it is one); `split`: of its bytes, where val is another text's
  // with `separate_val`.
  Mixture(const spec::DataSpec& spec, const std::vector<uint64_t>& part_ends, const Split& split, bool separate_val);

  // Everything below takes segments of the bytes, or those of the tokens that were made of each.

  // Throws Error{input} naming the part of which no segment holds a window of context + 1.
  void require_windows(const Split& tokens, int64_t context) const;
  MixtureOrder order(const std::vector<Segment>& train, int64_t context) const;
  // As validation_windows() and validation_stretches(), of each part by its share.
  std::vector<uint64_t> windows(const std::vector<Segment>& val, int64_t context, int64_t wanted) const;
  std::vector<Segment> stretches(std::span<const uint8_t> text, const std::vector<Segment>& val, uint64_t wanted) const;
  // As sample_segments(), of each part up to its share of the limit; all of one text.
  std::vector<Segment> sample(const std::vector<Segment>& train, uint64_t limit_bytes, uint64_t pieces) const;
  // Of each part: its share, and in how many tokens of the run it is seen once. None of one text.
  std::vector<std::string> notes(const std::vector<Segment>& train, int64_t context) const;

 private:
  std::string tokenizer_;  // as a person knows it
  std::vector<std::string> names_;
  std::vector<int64_t> shares_;      // of spec::mixture_block; none: one text
  std::vector<size_t> train_, val_;  // segments of each part; none: all are one's
};

}  // namespace bitsweep::data
