#include "kernels/softmax_attention.h"

#include <algorithm>

#include "kernels/buffer.h"
#include "kernels/float_products.h"
#include "kernels/lanes.h"

namespace bitsweep::kernels {
namespace {

// Channels of a head's own rows are this many or a multiple, so that half a tile is whole.
constexpr int64_t kChannels = 16;

int64_t padded_size(int64_t size) { return (size + kChannels - 1) / kChannels * kChannels; }
int64_t padded_context(int64_t context) { return (context + kQueryBlock - 1) / kQueryBlock * kQueryBlock; }

// A head's rows side by side, and what is made of a block of queries.
struct Scratch {
  Buffer<float> queries, keys, values, gradient;  // [context, padded size], 0 behind their ends
  Buffer<float> turned, turned_gradient;          // of a block of queries, [size, kQueryBlock]
  Buffer<float> scores, along;                    // [context, kQueryBlock]: z, then P; its gradient, then z's
  Buffer<float> block;                            // what a block gives, before it is turned back
  Buffer<float> dk, dv;
};
Scratch& scratch_of_thread() {
  thread_local Scratch scratch;
  return scratch;
}

float* take_rows(const float* from, int64_t step, const FloatHead& head, Buffer<float>& to) {
  const int64_t width = padded_size(head.size), room = padded_context(head.context);
  float* rows = to.at_least(room * width);
  for (int64_t t = 0; t < head.context; ++t) {
    std::copy_n(from + t * step, head.size, rows + t * width);
    std::fill_n(rows + t * width + head.size, width - head.size, 0.0f);
  }
  std::fill_n(rows + head.context * width, (room - head.context) * width, 0.0f);
  return rows;
}

// One block of queries, [first, first + kQueryBlock), of which those behind the context see nothing that matters.
struct Block {
  int64_t first, keys, live;
  Block(const FloatHead& head, int64_t query)
      : first(query),
        keys(std::min(query + kQueryBlock, head.context)),
        live(std::min(kQueryBlock, head.context - query)) {}
};

// sums [keys, kQueryBlock] = rows [keys, size] · turned [size, kQueryBlock]
void multiply_keys(const FloatKernels& kernels, const Block& block, int64_t size, const float* rows,
                   const float* turned, float* sums) {
  add_float_tiles(kernels, block.keys, kQueryBlock,
                  {.a = rows,
                   .a_row = padded_size(size),
                   .a_term = 1,
                   .b = turned,
                   .b_term = kQueryBlock,
                   .depth = size,
                   .c = sums,
                   .c_step = kQueryBlock,
                   .add = false});
}

// to [live, size] rows a step apart = (Σ_j weights[j] rows[j]) of each query. Chains of all keys, block by block.
void mix_keys(const FloatKernels& kernels, const Block& block, const FloatHead& head, const float* rows,
              const float* weights, Buffer<float>& room, float* to, int64_t step) {
  float* mixed = room.at_least(padded_size(head.size) * kQueryBlock);
  for (int64_t key = 0; key < block.keys; key += kChainTerms)
    add_float_tiles(kernels, head.size, kQueryBlock,
                    {.a = rows + key * padded_size(head.size),
                     .a_row = 1,
                     .a_term = padded_size(head.size),
                     .b = weights + key * kQueryBlock,
                     .b_term = kQueryBlock,
                     .depth = std::min(kChainTerms, block.keys - key),
                     .c = mixed,
                     .c_step = kQueryBlock,
                     .add = key > 0});
  kernels.transpose(mixed, kQueryBlock, head.size, block.live, to, step);
}

// to [keys, padded size] += Σ_t weights[j, t] rows[t] over the block's queries.
void add_to_keys(const FloatKernels& kernels, const Block& block, int64_t size, const float* weights, const float* rows,
                 float* to) {
  const int64_t width = padded_size(size);
  add_float_tiles(kernels, block.keys, width,
                  {.a = weights,
                   .a_row = kQueryBlock,
                   .a_term = 1,
                   .b = rows + block.first * width,
                   .b_term = width,
                   .depth = kQueryBlock,
                   .c = to,
                   .c_step = width,
                   .add = true});
}

// z of the block in place of its products, −∞ for keys behind a query.
BITSWEEP_INLINE void bias_keys(const Block& block, float scale, float slope, float* z) {
  for (int64_t j = 0; j < block.keys; ++j) {
    float* row = z + j * kQueryBlock;
    const auto ahead = static_cast<int32_t>(block.first - j);
    for (int32_t t = 0; t < kQueryBlock; ++t) row[t] = row[t] * scale + -slope * static_cast<float>(ahead + t);
    if (j > block.first)
      for (int32_t t = 0; t < kQueryBlock; ++t) row[t] = ahead + t < 0 ? -kInfinity : row[t];
  }
}

// The largest z of each query, and e^(z − largest) in place of z.
BITSWEEP_CLONES void softmax_keys(const Block& block, float scale, float slope, float* z, float* top, float* inverse) {
  bias_keys(block, scale, slope, z);
  float most[kQueryBlock], sums[kQueryBlock] = {};
  std::copy_n(z, kQueryBlock, most);
  for (int64_t j = 1; j < block.keys; ++j) {
    const float* row = z + j * kQueryBlock;
    for (int64_t t = 0; t < kQueryBlock; ++t) most[t] = row[t] > most[t] ? row[t] : most[t];
  }
  for (int64_t j = 0; j < block.keys; ++j) {
    float* row = z + j * kQueryBlock;
    for (int64_t t = 0; t < kQueryBlock; ++t) {
      row[t] = exp_nonpositive(row[t] - most[t]);
      sums[t] += row[t];
    }
  }
  for (int64_t t = 0; t < kQueryBlock; ++t) sums[t] = 1.0f / sums[t];
  for (int64_t j = 0; j < block.keys; ++j)
    for (int64_t t = 0; t < kQueryBlock; ++t) z[j * kQueryBlock + t] *= sums[t];
  std::copy_n(most, block.live, top);
  std::copy_n(sums, block.live, inverse);
}

// P again, in place of the block's products.
BITSWEEP_CLONES void repeat_softmax(const Block& block, float scale, float slope, float* z, const float* top,
                                    const float* inverse) {
  bias_keys(block, scale, slope, z);
  float most[kQueryBlock] = {}, factor[kQueryBlock] = {};
  std::copy_n(top, block.live, most);
  std::copy_n(inverse, block.live, factor);
  for (int64_t j = 0; j < block.keys; ++j) {
    float* row = z + j * kQueryBlock;
    for (int64_t t = 0; t < kQueryBlock; ++t) row[t] = exp_nonpositive(row[t] - most[t]) * factor[t];
  }
}

// g = P ⊙ (g − Σ_j P g) · scale, of each query.
BITSWEEP_CLONES void softmax_keys_backward(const Block& block, float scale, const float* p, float* g) {
  float dots[kQueryBlock] = {};
  for (int64_t j = 0; j < block.keys; ++j)
    for (int64_t t = 0; t < kQueryBlock; ++t) dots[t] += p[j * kQueryBlock + t] * g[j * kQueryBlock + t];
  for (int64_t j = 0; j < block.keys; ++j)
    for (int64_t t = 0; t < kQueryBlock; ++t) {
      const int64_t at = j * kQueryBlock + t;
      g[at] = p[at] * (g[at] - dots[t]) * scale;
    }
}

// [size, kQueryBlock] of the block's rows.
const float* turn_block(const FloatKernels& kernels, const Block& block, const FloatHead& head, const float* rows,
                        Buffer<float>& to) {
  const int64_t width = padded_size(head.size);
  float* turned = to.at_least(width * kQueryBlock);
  kernels.transpose(rows + block.first * width, width, kQueryBlock, head.size, turned, kQueryBlock);
  return turned;
}

void spread_rows(const float* from, const FloatHead& head, bool add, float* to, int64_t step) {
  const int64_t width = padded_size(head.size);
  for (int64_t t = 0; t < head.context; ++t)
    for (int64_t c = 0; c < head.size; ++c)
      to[t * step + c] = add ? to[t * step + c] + from[t * width + c] : from[t * width + c];
}

}  // namespace

int64_t softmax_scratch_bytes(int64_t context, int64_t size) {
  const int64_t rows = 6 * padded_context(context) * padded_size(size);
  const int64_t blocks = (2 * padded_context(context) + 3 * padded_size(size)) * kQueryBlock;
  return (rows + blocks) * static_cast<int64_t>(sizeof(float));
}

void attend_softmax(const FloatHead& head, const SoftmaxRows& rows, float* out, int64_t out_step) {
  const FloatKernels& kernels = float_kernels(current_isa());
  Scratch& s = scratch_of_thread();
  const float* queries = take_rows(head.queries, head.query_step, head, s.queries);
  const float* keys = take_rows(head.keys, head.key_step, head, s.keys);
  const float* values = take_rows(head.values, head.key_step, head, s.values);
  float* z = s.scores.at_least(padded_context(head.context) * kQueryBlock);
  for (int64_t first = 0; first < head.context; first += kQueryBlock) {
    const Block block(head, first);
    multiply_keys(kernels, block, head.size, keys, turn_block(kernels, block, head, queries, s.turned), z);
    softmax_keys(block, head.scale, head.slope, z, rows.top + first, rows.inverse + first);
    mix_keys(kernels, block, head, values, z, s.block, out + first * out_step, out_step);
  }
}

void attend_softmax_backward(const FloatHead& head, const SoftmaxRows& rows, const FloatHeadGradients& to) {
  const FloatKernels& kernels = float_kernels(current_isa());
  Scratch& s = scratch_of_thread();
  const float* queries = take_rows(head.queries, head.query_step, head, s.queries);
  const float* keys = take_rows(head.keys, head.key_step, head, s.keys);
  const float* values = take_rows(head.values, head.key_step, head, s.values);
  const float* gradient = take_rows(to.output, head.query_step, head, s.gradient);
  const int64_t room = padded_context(head.context);
  float *p = s.scores.at_least(room * kQueryBlock), *g = s.along.at_least(room * kQueryBlock);
  const int64_t count = room * padded_size(head.size);
  float *dk = s.dk.at_least(count), *dv = s.dv.at_least(count);
  std::fill_n(dk, count, 0.0f);
  std::fill_n(dv, count, 0.0f);
  for (int64_t first = 0; first < head.context; first += kQueryBlock) {
    const Block block(head, first);
    multiply_keys(kernels, block, head.size, keys, turn_block(kernels, block, head, queries, s.turned), p);
    repeat_softmax(block, head.scale, head.slope, p, rows.top + first, rows.inverse + first);
    add_to_keys(kernels, block, head.size, p, gradient, dv);
    multiply_keys(kernels, block, head.size, values, turn_block(kernels, block, head, gradient, s.turned_gradient), g);
    softmax_keys_backward(block, head.scale, p, g);
    add_to_keys(kernels, block, head.size, g, queries, dk);
    mix_keys(kernels, block, head, keys, g, s.block, to.queries + first * head.query_step, head.query_step);
  }
  spread_rows(dk, head, to.add, to.keys, head.key_step);
  spread_rows(dv, head, to.add, to.values, head.key_step);
}

}  // namespace bitsweep::kernels
