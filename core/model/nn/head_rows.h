// How many rows the head of a model makes logits of at once. A small vocabulary has all of a micro-batch's; those of a
// large one are the largest tensors of a step by far, and are made a part at a time: forward, loss and backward, before
// the next part (train/token_loss.h).
#pragma once

#include <algorithm>
#include <cstdint>

namespace bitsweep::nn {

inline constexpr int64_t kSmallVocab = 4096;            // up to here the rows are not parted
inline constexpr int64_t kPartLogitBytes = 64'000'000;  // of a part's logits in f32

inline bool parts_head(int64_t vocab) { return vocab > kSmallVocab; }

// Rows of a part; all `rows` where they are not parted, or fit into one.
inline int64_t head_rows(int64_t rows, int64_t vocab) {
  if (!parts_head(vocab)) return rows;
  return std::clamp<int64_t>(kPartLogitBytes / (4 * vocab), 1, std::max<int64_t>(1, rows));
}

}  // namespace bitsweep::nn
