#include "kernels/bit_attention_isas.h"

#include <algorithm>

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX2

namespace bitsweep::kernels {
namespace {

// Words whose bits a byte can count, eight of each.
constexpr int64_t kByteWords = 31;

// Bits of the bytes of x.
inline __attribute__((always_inline)) __m256i bits_of_bytes(__m256i x) {
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i counts =
      _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  return _mm256_add_epi8(_mm256_shuffle_epi8(counts, _mm256_and_si256(x, nibble)),
                         _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(x, 4), nibble)));
}

}  // namespace

void bit_scores_avx2(const SignBits& queries, int64_t t, const SignBits& keys, int64_t count, int64_t size,
                     float* out) {
  const __m256i ones8 = _mm256_set1_epi8(1), ones16 = _mm256_set1_epi16(1);
  const __m256i depth = _mm256_set1_epi32(static_cast<int>(size));
  for (int64_t j = 0; j < count; j += 8) {
    __m256i differ = _mm256_setzero_si256();
    for (int64_t w = 0; w < queries.words();) {
      __m256i bytes = _mm256_setzero_si256();
      for (const int64_t end = std::min(w + kByteWords, queries.words()); w < end; ++w) {
        const __m256i query = _mm256_set1_epi32(static_cast<int>(queries.word(w)[t]));
        const __m256i key = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(keys.word(w) + j));
        bytes = _mm256_add_epi8(bytes, bits_of_bytes(_mm256_xor_si256(query, key)));
      }
      differ = _mm256_add_epi32(differ, _mm256_madd_epi16(_mm256_maddubs_epi16(bytes, ones8), ones16));
    }
    const __m256i dot = _mm256_sub_epi32(depth, _mm256_add_epi32(differ, differ));
    _mm256_storeu_ps(out + j, _mm256_cvtepi32_ps(dot));
  }
}

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA
BITSWEEP_BEGIN_AVX512_VPOPCNT

namespace bitsweep::kernels {

void bit_scores_vpopcnt(const SignBits& queries, int64_t t, const SignBits& keys, int64_t count, int64_t size,
                        float* out) {
  const __m512i depth = _mm512_set1_epi32(static_cast<int>(size));
  for (int64_t j = 0; j < count; j += 16) {
    __m512i differ = _mm512_setzero_si512();
    for (int64_t w = 0; w < queries.words(); ++w) {
      const __m512i query = _mm512_set1_epi32(static_cast<int>(queries.word(w)[t]));
      const __m512i other = _mm512_xor_si512(query, _mm512_loadu_si512(keys.word(w) + j));
      differ = _mm512_add_epi32(differ, _mm512_popcnt_epi32(other));
    }
    const __m512i dot = _mm512_sub_epi32(depth, _mm512_add_epi32(differ, differ));
    _mm512_storeu_ps(out + j, _mm512_cvtepi32_ps(dot));
  }
}

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
