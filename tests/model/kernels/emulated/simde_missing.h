// Instructions that kernels use and SIMDe 0.7.4, which Debian 12 has, does not know yet, or computes otherwise than a
// CPU (it rounds a product before it adds, and reads what a mask leaves out): lane by lane.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

using __mmask8 = simde__mmask8;
using __mmask16 = simde__mmask16;
using __mmask32 = simde__mmask32;
using __mmask64 = simde__mmask64;

namespace bitsweep::kernels::emulated {

// out[i] = f(in[i]) of vectors with elements Out and In.
template <class Out, class In, class OutVector, class InVector, class F>
OutVector lanes(const InVector& in, const F& f) {
  constexpr size_t kCount = sizeof(OutVector) / sizeof(Out);
  In from[sizeof(InVector) / sizeof(In)];
  Out to[kCount];
  std::memcpy(from, &in, sizeof in);
  for (size_t i = 0; i < kCount; ++i) to[i] = f(from[i], i);
  OutVector out;
  std::memcpy(&out, to, sizeof out);
  return out;
}

template <class Vector>
Vector fused(const Vector& a, const Vector& b, const Vector& c) {
  constexpr size_t kCount = sizeof(Vector) / sizeof(float);
  float x[kCount], y[kCount], sum[kCount];
  std::memcpy(x, &a, sizeof a);
  std::memcpy(y, &b, sizeof b);
  std::memcpy(sum, &c, sizeof c);
  for (size_t i = 0; i < kCount; ++i) sum[i] = std::fma(x[i], y[i], sum[i]);
  Vector out;
  std::memcpy(&out, sum, sizeof out);
  return out;
}

inline simde__m512i widen_bytes(simde__m256i bytes) {
  return lanes<uint16_t, uint8_t, simde__m512i>(bytes, [](uint8_t x, size_t) { return uint16_t{x}; });
}
inline simde__m256i narrow_words(simde__m512i words) {
  return lanes<uint16_t, uint32_t, simde__m256i>(words, [](uint32_t x, size_t) { return static_cast<uint16_t>(x); });
}
inline simde__m512i widen_words(simde__m256i words) {
  return lanes<int32_t, int16_t, simde__m512i>(words, [](int16_t x, size_t) { return int32_t{x}; });
}
inline simde__m512i widen_bytes_to_ints(simde__m128i bytes) {
  return lanes<int32_t, int8_t, simde__m512i>(bytes, [](int8_t x, size_t) { return int32_t{x}; });
}
inline simde__mmask32 greater_words(simde__m512i a, simde__m512i b) {
  int16_t x[32], y[32];
  std::memcpy(x, &a, sizeof x);
  std::memcpy(y, &b, sizeof y);
  simde__mmask32 mask = 0;
  for (unsigned i = 0; i < 32; ++i) mask |= static_cast<simde__mmask32>(x[i] > y[i]) << i;
  return mask;
}
inline simde__m512 load_floats(simde__mmask16 mask, const float* from) {
  float x[16] = {};
  for (unsigned i = 0; i < 16; ++i)
    if (mask >> i & 1) x[i] = from[i];
  simde__m512 out;
  std::memcpy(&out, x, sizeof out);
  return out;
}
inline simde__m256 load_floats(const float* from, simde__m256i mask) {
  return lanes<float, int32_t, simde__m256>(mask, [&](int32_t live, size_t i) { return live < 0 ? from[i] : 0.0f; });
}
inline void store_floats(float* to, simde__mmask16 mask, simde__m512 value) {
  float x[16];
  std::memcpy(x, &value, sizeof x);
  for (unsigned i = 0; i < 16; ++i)
    if (mask >> i & 1) to[i] = x[i];
}

inline simde__m512 floats_of(simde__m512i integers) {
  return lanes<float, int32_t, simde__m512>(integers, [](int32_t x, size_t) { return static_cast<float>(x); });
}

// Towards 0; what an int32 has no room for becomes the least one.
inline simde__m512i truncated(simde__m512 floats) {
  return lanes<int32_t, float, simde__m512i>(floats, [](float x, size_t) {
    return x > -2147483904.0f && x < 2147483648.0f ? static_cast<int32_t>(x) : INT32_MIN;
  });
}
inline simde__m512i nearest(simde__m512 floats) {
  return lanes<int32_t, float, simde__m512i>(floats, [](float x, size_t) {
    return x > -2147483904.0f && x < 2147483648.0f ? static_cast<int32_t>(std::nearbyint(x)) : INT32_MIN;
  });
}
inline simde__m512i shifted_right(simde__m512i integers, int by) {
  return lanes<int32_t, int32_t, simde__m512i>(integers, [&](int32_t x, size_t) { return x >> by; });
}
inline simde__m512i gathered(simde__m512i places, const void* from, int scale) {
  return lanes<int32_t, int32_t, simde__m512i>(places, [&](int32_t place, size_t) {
    int32_t value;
    std::memcpy(&value, static_cast<const char*>(from) + int64_t{place} * scale, sizeof value);
    return value;
  });
}

}  // namespace bitsweep::kernels::emulated

// Named with the mask's arguments there.
#undef _mm512_madd_epi16
#define _mm512_madd_epi16(a, b) simde_mm512_madd_epi16(a, b)
#undef _mm256_fmadd_ps
#undef _mm512_fmadd_ps
#undef _mm256_maskload_ps
#define _mm256_fmadd_ps bitsweep::kernels::emulated::fused<simde__m256>
#define _mm512_fmadd_ps bitsweep::kernels::emulated::fused<simde__m512>
#define _mm256_maskload_ps bitsweep::kernels::emulated::load_floats
#define _mm512_cvtepu8_epi16 bitsweep::kernels::emulated::widen_bytes
#define _mm512_cvtepi8_epi32 bitsweep::kernels::emulated::widen_bytes_to_ints
#define _mm512_cvtepi16_epi32 bitsweep::kernels::emulated::widen_words
#define _mm512_cvtepi32_epi16 bitsweep::kernels::emulated::narrow_words
#define _mm512_cmpgt_epi16_mask bitsweep::kernels::emulated::greater_words
#define _mm512_maskz_loadu_ps bitsweep::kernels::emulated::load_floats
#define _mm512_mask_storeu_ps bitsweep::kernels::emulated::store_floats
#define _mm512_cvtepi32_ps bitsweep::kernels::emulated::floats_of
#define _mm512_cvttps_epi32 bitsweep::kernels::emulated::truncated
#define _mm512_cvtps_epi32 bitsweep::kernels::emulated::nearest
#define _mm512_srai_epi32 bitsweep::kernels::emulated::shifted_right
#define _mm512_i32gather_epi32 bitsweep::kernels::emulated::gathered
#define _mm512_shuffle_f32x4 simde_mm512_shuffle_f32x4
