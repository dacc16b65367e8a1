// The implementations of bit_attention.h by instruction set. Only this room's .cpp files include it.
#pragma once

#include "kernels/bit_attention.h"
#include "kernels/intrinsics.h"
#include "kernels/lanes.h"

namespace bitsweep::kernels {

// A group of keys of a query whose probabilities are made: its scores, in place, their random bits and the query's
// best.
struct KeyGroup {
  float* z;
  const uint32_t* bits;
  float top;
};

// Scores of query t of a head without noise and temperature, −∞ behind it, over its whole groups of keys: z.
struct NoisyRows;
using ScoreQuery = void (*)(const NoisyRows& rows, int64_t t, float* z);

// A head with noise, and room for several queries of it at a time.
struct NoisyRows {
  const BitHead* head = nullptr;
  const ScoreRule* rule = nullptr;
  ScoreQuery score = nullptr;
  const float* biases = nullptr;  // [context + kLanes]: of query t and key j at context − 1 − (t − j); −∞ where j > t
  float *z = nullptr, *bounds = nullptr;  // [kNoisyRows, step]
  uint32_t* bits = nullptr;               // [kNoisyRows, step]
  int64_t step = 0;
  KeyGroup* groups = nullptr;  // of kNoisyRows, rounded up to kMostGroups
  // Keys whose noise is made for a choice, of all rows at once: a row's are in order.
  uint32_t* candidate_bits = nullptr;
  float* candidate_z = nullptr;
  int32_t* candidate_key = nullptr;
};
inline constexpr int64_t kNoisyRows = 16;  // at most at a time
inline constexpr int64_t kMostGroups = 8;  // whose probabilities are made at once

// Keys of query t, whole groups.
inline int64_t grouped_keys(int64_t t) { return t / kLanes * kLanes + kLanes; }

// At most the z of every key that query t sees.
float least_score(const NoisyRows& rows, int64_t t);

// The best `keys` of candidates [begin, end), which are query t's, as best_of_row has them (score_rows.h), their z in
// p; first_place: that of key 0 in candidate_key. Returns what a key's bound must exceed to be among them.
float best_candidates(const NoisyRows& rows, int32_t first_place, int64_t t, int64_t begin, int64_t end, int64_t keys,
                      int32_t* index, float* p);

// choose_keys, choose_top_keys, and the probabilities of queries [first, first + queries) over their padded keys, rows
// `room` apart; null where pruned_rows.h and score_rows.h serve. choose_top takes rules without noise too.
struct NoisyKernels {
  ScoreQuery score = nullptr;  // what NoisyRows has; AVX2's brings its own
  void (*choose)(const NoisyRows& rows, int32_t* choice, float* top) = nullptr;
  void (*choose_top)(const NoisyRows& rows, int64_t keys, int32_t* index, float* p) = nullptr;
  void (*probabilities)(const NoisyRows& rows, const float* top, int64_t first, int64_t queries, int64_t room,
                        float* p) = nullptr;
};
NoisyKernels noisy_kernels(Isa isa);

#ifdef BITSWEEP_INTRINSICS
void choose_noisy_avx2(const NoisyRows& rows, int32_t* choice, float* top);
void choose_top_noisy_avx2(const NoisyRows& rows, int64_t keys, int32_t* index, float* p);
void probabilities_noisy_avx2(const NoisyRows& rows, const float* top, int64_t first, int64_t queries, int64_t room,
                              float* p);

void choose_noisy_avx512(const NoisyRows& rows, int32_t* choice, float* top);
void choose_top_noisy_avx512(const NoisyRows& rows, int64_t keys, int32_t* index, float* p);
// Of AVX-512, without instructions that count bits and with them.
extern const NoisyKernels kNoisyAvx512, kNoisyVpopcnt;

void bit_scores_avx2(const SignBits& queries, int64_t t, const SignBits& keys, int64_t count, int64_t size, float* out);
void bit_scores_vpopcnt(const SignBits& queries, int64_t t, const SignBits& keys, int64_t count, int64_t size,
                        float* out);
#endif

}  // namespace bitsweep::kernels
