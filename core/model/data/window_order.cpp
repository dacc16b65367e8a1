#include "data/window_order.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <numeric>

#include "base/rng.h"

namespace bitsweep::data {
namespace {

constexpr auto stream = static_cast<uint64_t>(Stream::data);

// Places in the data stream of a seed: 2^20 to an epoch, the first 64 for the permutation, then one a segment.
uint64_t place(uint64_t epoch, uint64_t index) { return (epoch << 20) + index; }

// From this many windows on a segment gives up its last one, so that its grid can be shifted by any phase.
constexpr uint64_t windows_to_shift_freely = 16;

// The round function. Two products, so that neighbouring x differ in the lowest bits of the result too: small domains
// use only those.
uint64_t mix(uint64_t x) {
  x *= 0x9E3779B97F4A7C15u;
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93u;
  return x ^ x >> 32;
}

}  // namespace

Permutation::Permutation(uint64_t size, uint64_t seed, uint64_t epoch) : size_(size) {
  assert(size > 0 && size < uint64_t{1} << 62);
  const int bits = std::max(2, static_cast<int>(std::bit_width(size - 1)));
  low_bits_ = (bits + 1) / 2;
  high_bits_ = bits - low_bits_;
  for (uint64_t i = 0; i < rounds; ++i) keys_[i] = random_bits(seed, stream, place(epoch, i));
}

// Once through the network, within [0, 2^(low_bits_ + high_bits_)).
inline uint64_t Permutation::turn(uint64_t index) const {
  const uint64_t low_mask = (uint64_t{1} << low_bits_) - 1;
  const uint64_t high_mask = (uint64_t{1} << high_bits_) - 1;
  uint64_t low = index & low_mask, high = index >> low_bits_;
  for (int i = 0; i < rounds; i += 2) {
    high ^= mix(low + keys_[i]) & high_mask;
    low ^= mix(high + keys_[i + 1]) & low_mask;
  }
  return high << low_bits_ | low;
}

// Whole blocks at a time, those that still lie beyond size_ collected without a branch: how often an index turns cannot
// be foretold by the processor, and one that waits for the last would cost more than its rounds do. The network's
// domain is at most twice size_ (four times below 2), so an index takes under two turns on average.
void Permutation::apply(std::span<uint64_t> indices) const {
  constexpr size_t block = 256;
  std::array<uint16_t, block> beyond;
  for (size_t begin = 0; begin < indices.size(); begin += block) {
    const auto part = indices.subspan(begin, std::min(block, indices.size() - begin));
    for (uint64_t& index : part) {
      assert(index < size_);
      index = turn(index);
    }
    size_t waiting = 0;
    for (size_t i = 0; i < part.size(); ++i) {
      beyond[waiting] = static_cast<uint16_t>(i);
      waiting += part[i] >= size_;
    }
    while (waiting > 0) {
      size_t still = 0;
      for (size_t w = 0; w < waiting; ++w) {
        const uint16_t i = beyond[w];
        part[i] = turn(part[i]);
        beyond[still] = i;
        still += part[i] >= size_;
      }
      waiting = still;
    }
  }
}

WindowOrder::WindowOrder(const std::vector<Segment>& segments, int64_t context)
    : context_(static_cast<uint64_t>(context)) {
  assert(context > 0);
  for (const Segment& segment : segments) {
    if (segment.size() < context_ + 1) continue;
    const uint64_t windows = (segment.size() - 1) / context_;
    const bool free = windows >= windows_to_shift_freely;
    const uint64_t slack = (segment.size() - 1) - windows * context_;
    grids_.push_back({segment.begin, total_, free ? context_ : slack + 1});
    total_ += free ? windows - 1 : windows;
  }
  assert(total_ > 0);
}

// Halves the grids without a branch: which half a window of a permutation is in cannot be foretold.
size_t WindowOrder::grid_of(uint64_t window) const {
  size_t first = 0;
  for (size_t count = grids_.size(), half; count > 1; count -= half) {
    half = count / 2;
    first += half * (grids_[first + half].first_index <= window);
  }
  return first;
}

void WindowOrder::place_windows(uint64_t seed, uint64_t epoch, std::span<uint64_t> windows) const {
  Permutation(total_, seed, epoch).apply(windows);
  std::vector<uint64_t> shifted(grids_.size());
  for (size_t g = 0; g < grids_.size(); ++g)
    shifted[g] = grids_[g].begin + random_below(seed, stream, place(epoch, 64 + g), grids_[g].phases);
  for (uint64_t& window : windows) {
    const size_t g = grid_of(window);
    window = shifted[g] + (window - grids_[g].first_index) * context_;
  }
}

void WindowOrder::starts(uint64_t seed, uint64_t first_index, std::span<uint64_t> starts) const {
  for (size_t done = 0; done < starts.size();) {
    const uint64_t epoch = (first_index + done) / total_;
    const uint64_t within = (first_index + done) % total_;
    const auto part =
        starts.subspan(done, static_cast<size_t>(std::min<uint64_t>(starts.size() - done, total_ - within)));
    std::iota(part.begin(), part.end(), within);
    place_windows(seed, epoch, part);
    done += part.size();
  }
}

void WindowOrder::starts(uint64_t seed, std::span<uint64_t> indices) const {
  for (size_t begin = 0; begin < indices.size();) {
    const uint64_t epoch = indices[begin] / total_;
    size_t end = begin;
    for (; end < indices.size() && indices[end] / total_ == epoch; ++end) indices[end] -= epoch * total_;
    place_windows(seed, epoch, indices.subspan(begin, end - begin));
    begin = end;
  }
}

}  // namespace bitsweep::data
