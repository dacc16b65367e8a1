#include "tokenize/merges.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace bitsweep::tokenize {
namespace {

constexpr size_t kShort = 64;
constexpr uint32_t kEnd = UINT32_MAX;
constexpr TokenId kGone = UINT32_MAX;  // an id that was merged into the one before it

}  // namespace

MergeTable::MergeTable(size_t merges) {
  const size_t slots = std::bit_ceil(std::max<size_t>(2 * merges, 2));
  slots_.resize(slots);
  shift_ = 64 - std::countr_zero(slots);
}

// Fibonacci hashing of both ids.
size_t MergeTable::home(TokenId left, TokenId right) const {
  return ((uint64_t{left} << 32 | right) * UINT64_C(0x9E3779B97F4A7C15)) >> shift_;
}

void MergeTable::add(TokenId left, TokenId right, Merge merge) {
  for (size_t at = home(left, right);; at = (at + 1) & (slots_.size() - 1)) {
    Slot& slot = slots_[at];
    if (slot.merge.rank != kNone && (slot.left != left || slot.right != right)) continue;
    if (slot.merge.rank == kNone) slot = {left, right, merge};
    return;
  }
}

MergeTable::Merge MergeTable::find(TokenId left, TokenId right) const {
  for (size_t at = home(left, right);; at = (at + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[at];
    if (slot.merge.rank == kNone || (slot.left == left && slot.right == right)) return slot.merge;
  }
}

size_t WordMerger::merge(TokenId* ids, size_t count) {
  if (count < 2) return count;
  return count <= kShort ? merge_short(ids, count) : merge_long(ids, count);
}

size_t WordMerger::merge_short(TokenId* ids, size_t count) const {
  MergeTable::Merge pairs[kShort];  // of ids[i] and ids[i + 1]
  for (size_t i = 0; i + 1 < count; ++i) pairs[i] = table_.find(ids[i], ids[i + 1]);
  while (count > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; ++i)
      if (pairs[i].rank < pairs[best].rank) best = i;
    if (pairs[best].rank == MergeTable::kNone) break;
    ids[best] = pairs[best].merged;
    std::copy(ids + best + 2, ids + count, ids + best + 1);
    std::copy(pairs + best + 1, pairs + count - 1, pairs + best);
    --count;
    if (best + 1 < count) pairs[best] = table_.find(ids[best], ids[best + 1]);
    if (best > 0) pairs[best - 1] = table_.find(ids[best - 1], ids[best]);
  }
  return count;
}

void WordMerger::consider(const TokenId* ids, size_t at) {
  if (next_[at] == kEnd) return;
  const TokenId left = ids[at], right = ids[next_[at]];
  const MergeTable::Merge merge = table_.find(left, right);
  if (merge.rank == MergeTable::kNone) return;
  heap_.push_back({merge.rank, static_cast<uint32_t>(at), left, right, merge.merged});
  std::push_heap(heap_.begin(), heap_.end());
}

size_t WordMerger::merge_long(TokenId* ids, size_t count) {
  assert(count < kEnd);
  next_.resize(count);
  before_.resize(count);
  heap_.clear();
  for (size_t i = 0; i < count; ++i) {
    next_[i] = i + 1 < count ? static_cast<uint32_t>(i + 1) : kEnd;
    before_[i] = i > 0 ? static_cast<uint32_t>(i - 1) : kEnd;
  }
  for (size_t i = 0; i < count; ++i) consider(ids, i);
  while (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end());
    const Candidate merge = heap_.back();
    heap_.pop_back();
    if (ids[merge.at] != merge.left || next_[merge.at] == kEnd) continue;
    const uint32_t right = next_[merge.at];
    if (ids[right] != merge.right) continue;
    ids[merge.at] = merge.merged;
    ids[right] = kGone;
    next_[merge.at] = next_[right];
    if (next_[right] != kEnd) before_[next_[right]] = merge.at;
    if (before_[merge.at] != kEnd) consider(ids, before_[merge.at]);
    consider(ids, merge.at);
  }
  return static_cast<size_t>(std::remove(ids, ids + count, kGone) - ids);
}

}  // namespace bitsweep::tokenize
