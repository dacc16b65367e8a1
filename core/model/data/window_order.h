// The order in which training windows are visited: a pure function of (seed, index), so that any step of any run is
// found without replaying the ones before it.
//
// A window is context + 1 bytes, its neighbour starts `context` bytes later (they share one byte, so that every byte
// of the span is predicted once). An epoch visits every window of its grid exactly once, in a pseudo-random order: a
// Feistel network over [0, 2^k) with cycle walking down to [0, windows) (Black and Rogaway, "Ciphers with arbitrary
// finite domains", 2002), its round keys drawn by Philox from (seed, epoch). Each epoch shifts each segment's grid by
// a phase drawn from (seed, epoch, segment), so that a byte is not always met at the same place of a window.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "data/split.h"

namespace bitsweep::data {

// A keyed bijection of [0, size).
class Permutation {
 public:
  Permutation(uint64_t size, uint64_t seed, uint64_t epoch);
  // Replaces every index (each in [0, size)) by where it goes.
  void apply(std::span<uint64_t> indices) const;

 private:
  static constexpr int rounds = 6;
  uint64_t turn(uint64_t index) const;

  uint64_t size_;
  int low_bits_, high_bits_;
  std::array<uint64_t, rounds> keys_;
};

class WindowOrder {
 public:
  // Segments shorter than a window are left out; at least one must hold one.
  WindowOrder(const std::vector<Segment>& segments, int64_t context);

  // Windows of one epoch, the same for every epoch.
  int64_t windows_per_epoch() const { return static_cast<int64_t>(total_); }
  // Fills starts[i] with the first byte of window first_index + i of the run; indices go on through the epochs.
  void starts(uint64_t seed, uint64_t first_index, std::span<uint64_t> starts) const;
  // The same of any indices, each replaced by the first byte of its window.
  void starts(uint64_t seed, std::span<uint64_t> indices) const;

 private:
  struct Grid {
    uint64_t begin;        // first byte of the segment
    uint64_t first_index;  // windows in the segments before
    uint64_t phases;       // the grid's shift is drawn from [0, phases)
  };
  // Windows of one epoch, each replaced by where it begins.
  void place_windows(uint64_t seed, uint64_t epoch, std::span<uint64_t> windows) const;
  // The grid that a window lies on.
  size_t grid_of(uint64_t window) const;

  uint64_t context_;
  uint64_t total_ = 0;
  std::vector<Grid> grids_;
};

}  // namespace bitsweep::data
