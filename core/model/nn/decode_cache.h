// What a model keeps of the tokens that it has read, so that each next one costs one position.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

namespace bitsweep::nn {

// Of one attention.
struct LayerCache {
  at::Tensor keys, values;  // [B, positions, H_kv·d_h], keys turned to their positions
  at::Tensor earlier;       // the last rows that K-shift still reads, [B, at most its offset, d]

  int64_t positions() const { return keys.defined() ? keys.size(1) : 0; }
};

// Of one model and one batch, whose rows are equally long. Empty: the beginning of a text.
struct DecodeCache {
  int64_t length = 0;              // tokens read
  at::Tensor tokens;               // [B, length]: of a model that reads them all again
  std::vector<LayerCache> layers;  // of one that does not

  LayerCache& layer(size_t index) {
    if (layers.size() <= index) layers.resize(index + 1);
    return layers[index];
  }
};

}  // namespace bitsweep::nn
