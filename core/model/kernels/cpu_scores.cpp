// Scores of whole heads, as LibTorch's products leave them.
#include "kernels/buffer.h"
#include "kernels/cpu_kernels.h"
#include "kernels/score_rows.h"

namespace bitsweep::kernels {
namespace {

BITSWEEP_CLONES void softmax_head_into(float* scores, int64_t context, const ScoreRule& rule, int32_t* choice,
                                       const RowNoise& noise) {
  for (int64_t t = 0; t < context; ++t) {
    float* z = scores + t * context;
    softmax_row(z, t, context, rule, noise, choice != nullptr ? choice + t : nullptr);
    const int64_t keys = padded_keys(t, context);
    std::memset(z + keys, 0, static_cast<size_t>(context - keys) * sizeof(float));
  }
}

BITSWEEP_CLONES void choose_head_into(float* scores, int64_t context, const ScoreRule& rule, int32_t* choice,
                                      const RowNoise& noise) {
  for (int64_t t = 0; t < context; ++t) {
    float* z = scores + t * context;
    choice[t] = last_equal(z, t + 1, score_row(z, t, context, rule, noise));
  }
}

BITSWEEP_CLONES void top_keys_head_into(float* scores, int64_t context, const ScoreRule& rule, int64_t keys,
                                        int32_t* index, float* probabilities, const RowNoise& noise) {
  for (int64_t t = 0; t < context; ++t)
    top_keys_row(scores + t * context, t, context, rule, noise, keys, index + t * keys, probabilities + t * keys);
}

}  // namespace

RowNoise row_noise(int64_t context) {
  thread_local Buffer<float> row;
  thread_local Buffer<uint32_t> bits;
  const int64_t needed = noise_blocks(context) * kNoiseBlock;
  return {.bits = noise_bits(current_isa()), .row = row.at_least(needed), .row_bits = bits.at_least(needed)};
}

void softmax_head(float* scores, int64_t context, const ScoreRule& rule, int32_t* choice) {
  softmax_head_into(scores, context, rule, choice, row_noise(context));
}

void choose_head(float* scores, int64_t context, const ScoreRule& rule, int32_t* choice) {
  choose_head_into(scores, context, rule, choice, row_noise(context));
}

void top_keys_head(float* scores, int64_t context, const ScoreRule& rule, int64_t keys, int32_t* index,
                   float* probabilities) {
  top_keys_head_into(scores, context, rule, keys, index, probabilities, row_noise(context));
}

BITSWEEP_CLONES void softmax_backward_head(const float* probabilities, float* gradient, int64_t context, float factor) {
  for (int64_t t = 0; t < context; ++t) {
    float* g = gradient + t * context;
    softmax_backward_row(probabilities + t * context, g, t + 1, factor);
    std::memset(g + t + 1, 0, static_cast<size_t>(context - t - 1) * sizeof(float));
  }
}

}  // namespace bitsweep::kernels
