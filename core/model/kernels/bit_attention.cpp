#include "kernels/bit_attention.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/bit_attention_isas.h"
#include "kernels/head_products.h"
#include "kernels/pruned_rows.h"
#include "kernels/table_products.h"

namespace bitsweep::kernels {
namespace {

constexpr int64_t kQueryBlock = 32;  // queries whose scores stand at once, backward
constexpr int64_t kFarRows = 256;    // so far apart, a head's rows push each other out of the nearest cache

void bit_scores_plain(const SignBits& queries, int64_t t, const SignBits& keys, int64_t count, int64_t size,
                      float* out) {
  for (int64_t j = 0; j < count; ++j) {
    int32_t differ = 0;
    for (int64_t w = 0; w < queries.words(); ++w) differ += std::popcount(queries.word(w)[t] ^ keys.word(w)[j]);
    out[j] = static_cast<float>(size - 2 * differ);
  }
}

// From row to row of scores: whole vectors of keys, and an odd number of lines, since rows a power of 2 apart would
// push each other out of the nearest cache.
int64_t room_of(int64_t context) { return rounded_up(context, 2 * kLanes) + kLanes; }

BITSWEEP_CLONES void choose_keys_into(const BitHead& head, const ScoreRule& rule, BitScores scores,
                                      const RowNoise& noise, float* z, int32_t* choice, float* top) {
  const int64_t room = room_of(head.context);
  for (int64_t t = 0; t < head.context; ++t) {
    scores(*head.queries, t, *head.keys, t + 1, head.size, z);
    if (rule.noisy) {
      choice[t] = pruned_choice(z, t, rule, noise, top[t]);
    } else {
      top[t] = score_row(z, t, room, rule, noise);
      choice[t] = last_equal(z, t + 1, top[t]);
    }
  }
}

BITSWEEP_CLONES void choose_top_keys_into(const BitHead& head, const ScoreRule& rule, BitScores scores,
                                          const RowNoise& noise, int64_t keys, float* z, int32_t* index, float* p) {
  const int64_t room = room_of(head.context);
  for (int64_t t = 0; t < head.context; ++t) {
    scores(*head.queries, t, *head.keys, t + 1, head.size, z);
    top_keys_row(z, t, room, rule, noise, keys, index + t * keys, p + t * keys);
  }
}

// p of queries [first, first + queries), rows `room` apart.
BITSWEEP_CLONES void probabilities_of(const BitHead& head, const ScoreRule& rule, BitScores scores,
                                      const RowNoise& noise, const float* top, int64_t first, int64_t queries,
                                      int64_t room, float* p) {
  for (int64_t i = 0; i < queries; ++i) {
    const int64_t t = first + i;
    scores(*head.queries, t, *head.keys, t + 1, head.size, p + i * room);
    if (rule.noisy) {
      pruned_softmax_row(p + i * room, t, rule, noise, top[t]);
    } else {
      softmax_row(p + i * room, t, room, rule, noise, nullptr);
    }
  }
}

// dz in place of dA, 0 behind each query, up to whole lanes behind the last one.
BITSWEEP_CLONES void scores_backward(const float* p, float* da, int64_t first, int64_t queries, int64_t room,
                                     float factor) {
  const int64_t width = rounded_up(first + queries, kLanes);
  for (int64_t i = 0; i < queries; ++i) {
    const int64_t keys = first + i + 1;
    const float* weights = p + i * room;
    float* row = da + i * room;
    const float dot = lane_sum<kLanes>(keys, [&](int64_t j) { return weights[j] * row[j]; });
    for (int64_t j = 0; j < keys; j += kLanes)
      for (int64_t l = 0; l < kLanes; ++l) row[j + l] = weights[j + l] * (row[j + l] - dot) * factor;
    std::fill(row + keys, row + width, 0.0f);
  }
}

// Scratch of a thread.
struct Scratch {
  Buffer<float> row, probabilities, scores;
  SignBits queries, keys;              // transposed, [size, context]
  Buffer<float> query_rows, key_rows;  // as floats, of narrow heads
  Buffer<float> gradients;             // of rows that lie far apart, in one place: output, queries, keys, values
  Buffer<float> biases, bounds, candidate_z;
  Buffer<uint32_t> bits, candidate_bits;
  Buffer<int32_t> candidate_key;
  Buffer<KeyGroup> groups;
};
Scratch& scratch_of_thread() {
  thread_local Scratch scratch;
  return scratch;
}

NoisyRows noisy_rows_of(const NoisyKernels& kernels, const BitHead& head, const ScoreRule& rule, Scratch& scratch) {
  // An odd number of lines, as in room_of; a vector may be written behind the last candidate.
  const int64_t context = head.context, room = rounded_up(context, kNoiseBlock) + kLanes;
  const int64_t all = kNoisyRows * room;
  float* biases = scratch.biases.at_least(context + kLanes);
  for (int64_t j = 0; j < context; ++j) biases[j] = -rule.slope * static_cast<float>(context - 1 - j);
  std::fill_n(biases + context, kLanes, -kInfinity);
  return {.head = &head,
          .rule = &rule,
          .score = kernels.score,
          .biases = biases,
          .z = scratch.row.at_least(all),
          .bounds = scratch.bounds.at_least(all),
          .bits = scratch.bits.at_least(all),
          .step = room,
          .groups = scratch.groups.at_least(all / kLanes + kMostGroups),
          .candidate_bits = scratch.candidate_bits.at_least(all),
          .candidate_z = scratch.candidate_z.at_least(all + kMostGroups * kLanes),
          .candidate_key = scratch.candidate_key.at_least(all + kMostGroups * kLanes)};
}

void transposed(const SignBits& in, SignBits& out) {
  if (out.rows() != in.columns() || out.columns() != in.rows()) out = SignBits(in.columns(), in.rows());
  transpose_signs(in, out, 0, in.rows());
}

// Queries and keys as their gradients' products read them, and room for these.
void prepare(const BitHead& head, Scratch& scratch) {
  if (!narrow_head(head.size)) {
    transposed(*head.queries, scratch.queries);
    transposed(*head.keys, scratch.keys);
    return;
  }
  // Rows behind the last one are read with a weight of 0.
  const int64_t count = room_of(head.context) * head.size;
  unpack_signs_to(*head.queries, head.context, scratch.query_rows.at_least(count));
  unpack_signs_to(*head.keys, head.context, scratch.key_rows.at_least(count));
}

// dv, and dk 0.
void values_backward(const BitHead& head, const int32_t* choice, const HeadGradients& gradients) {
  const int64_t step = gradients.step, size = head.size;
  for (int64_t t = 0; t < head.context; ++t) {
    std::fill_n(gradients.keys + t * step, size, 0.0f);
    std::fill_n(gradients.values + t * step, size, 0.0f);
  }
  for (int64_t t = 0; t < head.context; ++t) {
    float* dv = gradients.values + choice[t] * step;
    for (int64_t i = 0; i < size; ++i) dv[i] += gradients.output[t * step + i];
  }
}

// dq of a block of queries, and its share of dk.
void keys_and_queries_backward(const BitHead& head, const Scratch& scratch, const float* dz, int64_t first,
                               int64_t queries, const HeadGradients& gradients) {
  const int64_t room = room_of(head.context), step = gradients.step, keys = first + queries;
  float* dq = gradients.queries + first * step;
  if (narrow_head(head.size)) {
    mix_keys(dz, room, first, queries, scratch.key_rows.data(), head.size, dq, step);
    mix_queries(dz, room, first, queries, scratch.query_rows.data(), head.size, gradients.keys, step);
    return;
  }
  table_product_rows(
      {.a = {dz, room, 1}, .index = &scratch.keys, .terms = keys, .columns = head.size, .c = dq, .c_step = step}, 0,
      queries);
  table_product_rows({.a = {dz, 1, room},
                      .index = &scratch.queries,
                      .index_term = first,
                      .terms = queries,
                      .columns = head.size,
                      .c = gradients.keys,
                      .c_step = step,
                      .add = true},
                     0, keys);
}

// Rows [0, rows) of `size` numbers. Of narrow heads the size is known, where a call for each row would cost more.
void copy_rows(const float* from, int64_t from_step, int64_t rows, int64_t size, float* to, int64_t to_step) {
  const auto copy = [&](int64_t count) __attribute__((always_inline)) {
    for (int64_t r = 0; r < rows; ++r) std::copy_n(from + r * from_step, count, to + r * to_step);
  };
  if (size == 16) return copy(16);
  if (size == 32) return copy(32);
  copy(size);
}

}  // namespace

float least_score(const NoisyRows& rows, int64_t t) {
  const float* biases = rows.biases + (rows.head->context - 1 - t);
  return -std::fabs(static_cast<float>(rows.head->size) * rows.rule->scale) + std::min(biases[0], biases[t]);
}

float best_candidates(const NoisyRows& rows, int32_t first_place, int64_t t, int64_t begin, int64_t end, int64_t keys,
                      int32_t* index, float* p) {
  float sums[kMaxTopKeys];
  std::fill_n(p, keys, -kInfinity);
  std::fill_n(sums, keys, -kInfinity);
  std::fill_n(index, keys, static_cast<int32_t>(t));
  for (int64_t c = begin; c < end; ++c) {
    const float sum = rows.candidate_z[c], value = sum * rows.rule->inverse_tau;
    if (!(value >= p[keys - 1])) continue;
    int64_t r = keys - 1;
    for (; r > 0 && value >= p[r - 1]; --r) {
      p[r] = p[r - 1];
      sums[r] = sums[r - 1];
      index[r] = index[r - 1];
    }
    p[r] = value;
    sums[r] = sum;
    index[r] = rows.candidate_key[c] - first_place;
  }
  return sums[keys - 1] - kSafeMargin;
}

BitScores bit_scores(Isa isa) {
#ifdef BITSWEEP_INTRINSICS
  if (isa == Isa::avx512_vpopcnt) return bit_scores_vpopcnt;
  if (isa == Isa::avx512 || isa == Isa::avx2) return bit_scores_avx2;
#endif
  return bit_scores_plain;
}

NoisyKernels noisy_kernels([[maybe_unused]] Isa isa) {
#ifdef BITSWEEP_INTRINSICS
  if (isa == Isa::avx512_vpopcnt) return kNoisyVpopcnt;
  if (isa == Isa::avx512) return kNoisyAvx512;
  if (isa == Isa::avx2)
    return {
        .choose = choose_noisy_avx2, .choose_top = choose_top_noisy_avx2, .probabilities = probabilities_noisy_avx2};
#endif
  return {};
}

void choose_keys(const BitHead& head, const ScoreRule& rule, int32_t* choice, float* top) {
  const NoisyKernels kernels = rule.noisy ? noisy_kernels(current_isa()) : NoisyKernels{};
  if (kernels.choose != nullptr)
    return kernels.choose(noisy_rows_of(kernels, head, rule, scratch_of_thread()), choice, top);
  float* z = scratch_of_thread().row.at_least(room_of(head.context));
  choose_keys_into(head, rule, bit_scores(current_isa()), row_noise(head.context), z, choice, top);
}

void choose_top_keys(const BitHead& head, const ScoreRule& rule, int64_t keys, int32_t* index, float* probabilities) {
  const NoisyKernels kernels = noisy_kernels(current_isa());  // with noise and without
  if (kernels.choose_top != nullptr)
    return kernels.choose_top(noisy_rows_of(kernels, head, rule, scratch_of_thread()), keys, index, probabilities);
  float* z = scratch_of_thread().row.at_least(room_of(head.context));
  choose_top_keys_into(head, rule, bit_scores(current_isa()), row_noise(head.context), keys, z, index, probabilities);
}

namespace {

void backward_of(const BitHead& head, const ScoreRule& rule, const int32_t* choice, const float* top, float factor,
                 const HeadGradients& gradients, Scratch& scratch) {
  const int64_t room = room_of(head.context), step = gradients.step;
  float* p = scratch.probabilities.at_least(kQueryBlock * room);
  float* dz = scratch.scores.at_least(kQueryBlock * room);
  prepare(head, scratch);
  const BitScores scores = bit_scores(current_isa());
  const RowNoise noise = row_noise(head.context);
  const NoisyKernels kernels = rule.noisy ? noisy_kernels(current_isa()) : NoisyKernels{};
  const NoisyRows rows = kernels.probabilities != nullptr ? noisy_rows_of(kernels, head, rule, scratch) : NoisyRows{};
  values_backward(head, choice, gradients);
  for (int64_t first = 0; first < head.context; first += kQueryBlock) {
    const int64_t queries = std::min(kQueryBlock, head.context - first);
    if (kernels.probabilities != nullptr) {
      kernels.probabilities(rows, top, first, queries, room, p);
    } else {
      probabilities_of(head, rule, scores, noise, top, first, queries, room, p);
    }
    table_product_rows({.a = {gradients.output + first * step, step, 1},
                        .index = head.values,
                        .terms = head.size,
                        .columns = first + queries,
                        .c = dz,
                        .c_step = room},
                       0, queries);
    scores_backward(p, dz, first, queries, room, factor);
    keys_and_queries_backward(head, scratch, dz, first, queries, gradients);
  }
}

}  // namespace

void choose_keys_backward(const BitHead& head, const ScoreRule& rule, const int32_t* choice, const float* top,
                          float factor, const HeadGradients& gradients) {
  Scratch& scratch = scratch_of_thread();
  const int64_t context = head.context, size = head.size, step = gradients.step;
  if (step < kFarRows) return backward_of(head, rule, choice, top, factor, gradients, scratch);
  float* room = scratch.gradients.at_least(4 * context * size);
  const auto at = [&](int64_t matrix) { return room + matrix * context * size; };
  copy_rows(gradients.output, step, context, size, at(0), size);
  backward_of(head, rule, choice, top, factor,
              {.output = at(0), .queries = at(1), .keys = at(2), .values = at(3), .step = size}, scratch);
  copy_rows(at(1), size, context, size, gradients.queries, step);
  copy_rows(at(2), size, context, size, gradients.keys, step);
  copy_rows(at(3), size, context, size, gradients.values, step);
}

}  // namespace bitsweep::kernels
