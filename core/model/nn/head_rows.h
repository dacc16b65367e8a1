// How many rows the head of a model makes logits of at once. A small vocabulary has all of a micro-batch's; those of a
// large one are the largest tensors of a step by far, and are made a part at a time: forward, loss and backward, before
// the next part (train/token_loss.h).
#pragma once

#include <algorithm>
#include <cstdint>

namespace bitsweep::nn {

inline constexpr int64_t kSmallVocab = 4096;  // up to here the rows are not parted
// Of a part's logits in f32. Below the 32 MiB from which glibc takes a tensor's memory fresh from the system every
// time: parts then use the same memory again, and are faster than all rows at once (tests/bench/head_bench.cpp).
inline constexpr int64_t kPartLogitBytes = 33'000'000;

inline bool parts_head(int64_t vocab) { return vocab > kSmallVocab; }

// Rows of a part, alike but for the last; all `rows` where they are not parted, or fit into one. Few parts: each has to
// add the weight's whole gradient up.
inline int64_t head_rows(int64_t rows, int64_t vocab) {
  if (!parts_head(vocab) || rows < 1) return rows;
  const int64_t most = std::max<int64_t>(1, kPartLogitBytes / (4 * vocab)), parts = (rows + most - 1) / most;
  return (rows + parts - 1) / parts;
}

}  // namespace bitsweep::nn
