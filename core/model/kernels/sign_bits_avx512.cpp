// Masks are words of signs: a comparison gives sixteen of them, and sixteen columns of a block transposed take a row's
// bits as those that have the row's bit.
#include <algorithm>

#include "kernels/sign_bit_isas.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX512

namespace bitsweep::kernels {
namespace {

constexpr int64_t kHalfWord = kWordBits / 2;

// Of `count` numbers, or all of a register.
inline __attribute__((always_inline)) uint32_t signs_of_half(const float* x, int64_t count) {
  const auto live = static_cast<__mmask16>(count >= kHalfWord ? 0xffff : (1u << std::max<int64_t>(count, 0)) - 1);
  return _mm512_cmp_ps_mask(_mm512_maskz_loadu_ps(live, x), _mm512_setzero_ps(), _CMP_NGE_UQ);
}

}  // namespace

void pack_row_avx512(const float* row, SignBits& out, int64_t r) {
  for (int64_t w = 0, left = out.columns(); w < out.words(); ++w, left -= kWordBits, row += kWordBits)
    out.word(w)[r] = signs_of_half(row, left) | signs_of_half(row + kHalfWord, left - kHalfWord) << kHalfWord;
}

void transpose_signs_avx512(const SignBits& in, SignBits& out, int64_t first, int64_t last) {
  for (int64_t w = 0; w < in.words(); ++w) {
    for (int64_t r = first; r < last; r += kWordBits) {
      const uint32_t* rows = in.word(w) + r;
      const int64_t count = std::min(kWordBits, last - r);
      __m512i low = _mm512_setzero_si512(), high = low, bit = _mm512_set1_epi32(1);
      for (int64_t i = 0; i < count; ++i) {
        low = _mm512_mask_or_epi32(low, static_cast<__mmask16>(rows[i]), low, bit);
        high = _mm512_mask_or_epi32(high, static_cast<__mmask16>(rows[i] >> kHalfWord), high, bit);
        bit = _mm512_add_epi32(bit, bit);
      }
      // Behind the last column come zeros, for which there is room.
      uint32_t* to = out.word(r / kWordBits) + w * kWordBits;
      _mm512_storeu_si512(to, low);
      _mm512_storeu_si512(to + kHalfWord, high);
    }
  }
}

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
