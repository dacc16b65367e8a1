// The implementations of bit_attention.h by instruction set. Only this room's .cpp files include it.
#pragma once

#include "kernels/bit_attention.h"
#include "kernels/intrinsics.h"

namespace bitsweep::kernels {

// A group of keys of a query whose probabilities are made: its scores, in place, their random bits and the query's
// best.
struct KeyGroup {
  float* z;
  const uint32_t* bits;
  float top;
};

// A head with noise, and room for several queries of it at a time.
struct NoisyRows {
  const BitHead* head = nullptr;
  const ScoreRule* rule = nullptr;
  const float* biases = nullptr;  // [context + kLanes]: of query t and key j at context − 1 − (t − j); −∞ where j > t
  float *z = nullptr, *bounds = nullptr;  // of a row
  uint32_t* bits = nullptr;               // [kNoisyRows, bits_step]
  int64_t bits_step = 0;
  KeyGroup* groups = nullptr;  // of kNoisyRows, and one more
  // Keys whose noise is made for a choice, of all rows at once: a row's are in order.
  uint32_t* candidate_bits = nullptr;
  float* candidate_z = nullptr;
  int32_t* candidate_key = nullptr;
};
inline constexpr int64_t kNoisyRows = 8;

// choose_keys, and the probabilities of queries [first, first + queries) over their padded keys, rows `room` apart;
// null where pruned_rows.h serves.
struct NoisyKernels {
  void (*choose)(const NoisyRows& rows, int32_t* choice, float* top) = nullptr;
  void (*probabilities)(const NoisyRows& rows, const float* top, int64_t first, int64_t queries, int64_t room,
                        float* p) = nullptr;
};
NoisyKernels noisy_kernels(Isa isa);

#ifdef BITSWEEP_INTRINSICS
void choose_noisy_avx2(const NoisyRows& rows, int32_t* choice, float* top);
void probabilities_noisy_avx2(const NoisyRows& rows, const float* top, int64_t first, int64_t queries, int64_t room,
                              float* p);

void bit_scores_avx2(const SignBits& queries, int64_t t, const SignBits& keys, int64_t count, int64_t size, float* out);
void bit_scores_vpopcnt(const SignBits& queries, int64_t t, const SignBits& keys, int64_t count, int64_t size,
                        float* out);
#endif

}  // namespace bitsweep::kernels
