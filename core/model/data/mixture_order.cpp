#include "data/mixture_order.h"

#include <algorithm>
#include <cassert>

#include "base/rng.h"

namespace bitsweep::data {
namespace {

// A part's own order, and that of the blocks (part 0), must not follow each other.
uint64_t seed_of(uint64_t seed, size_t part) { return random_bits(seed, static_cast<uint64_t>(Stream::mixture), part); }

}  // namespace

MixtureOrder::MixtureOrder(const std::vector<std::vector<Segment>>& parts, std::vector<int64_t> shares, int64_t context)
    : begins_{0} {
  assert(parts.size() == shares.size() && !parts.empty());
  for (size_t i = 0; i < parts.size(); ++i) {
    assert(shares[i] > 0);
    orders_.emplace_back(parts[i], context);
    begins_.push_back(begins_.back() + static_cast<uint64_t>(shares[i]));
  }
}

size_t MixtureOrder::part_of(uint64_t slot) const {
  return static_cast<size_t>(std::upper_bound(begins_.begin(), begins_.end(), slot) - begins_.begin()) - 1;
}

void MixtureOrder::starts(uint64_t seed, uint64_t first_index, std::span<uint64_t> starts) const {
  if (orders_.size() == 1) return orders_[0].starts(seed, first_index, starts);
  const uint64_t block_size = begins_.back();
  std::vector<std::vector<uint64_t>> windows(orders_.size());  // of each part, in the order of the sequences
  std::vector<size_t> part(starts.size());
  for (size_t done = 0; done < starts.size();) {
    const uint64_t block = (first_index + done) / block_size, within = (first_index + done) % block_size;
    std::vector<uint64_t> slots(std::min<uint64_t>(block_size - within, starts.size() - done));
    for (size_t i = 0; i < slots.size(); ++i) slots[i] = within + i;
    Permutation(block_size, seed_of(seed, 0), block).apply(slots);
    for (const uint64_t slot : slots) {
      const size_t p = part[done++] = part_of(slot);
      windows[p].push_back(block * (begins_[p + 1] - begins_[p]) + (slot - begins_[p]));
    }
  }
  for (size_t p = 0; p < orders_.size(); ++p) orders_[p].starts(seed_of(seed, p + 1), windows[p]);
  std::vector<size_t> next(orders_.size());
  for (size_t i = 0; i < starts.size(); ++i) starts[i] = windows[part[i]][next[part[i]]++];
}

}  // namespace bitsweep::data
