// The order in which the windows of a mixture's parts are visited: a pure function of (seed, index), as that of one
// text is (window_order.h).
//
// Every block of spec::mixture_block sequences holds exactly as many of each part as its share, in an order permuted by
// (seed, block). Each part goes through its own windows in an order of its own, so that what of it is met, and when,
// does not depend on how large the others are. One part alone is visited as a WindowOrder says.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/split.h"
#include "data/window_order.h"

namespace bitsweep::data {

class MixtureOrder {
 public:
  // parts [n]: the segments of each, of which one at least must hold a window of context + 1; shares [n]: sequences of
  // a block, none 0, in all spec::mixture_block.
  MixtureOrder(const std::vector<std::vector<Segment>>& parts, std::vector<int64_t> shares, int64_t context);

  // Of the part: as WindowOrder's.
  int64_t windows_per_epoch(size_t part) const { return orders_[part].windows_per_epoch(); }
  // Fills starts[i] with where window first_index + i of the run begins.
  void starts(uint64_t seed, uint64_t first_index, std::span<uint64_t> starts) const;

 private:
  size_t part_of(uint64_t slot) const;

  std::vector<WindowOrder> orders_;
  std::vector<uint64_t> begins_;  // [n + 1]: of each part's slots in a block before it is permuted
};

}  // namespace bitsweep::data
