#include "kernels/flips.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/flip_isas.h"
#include "kernels/isa.h"

namespace bitsweep::kernels {
namespace {

constexpr float kLeastSquare = 1e-30f;

// Four by four, which is what every CPU has; as arrays of sixteen they take a compiler half a minute.
typedef float Four __attribute__((vector_size(16)));
typedef int32_t FourWords __attribute__((vector_size(16)));
struct Sixteen {
  Four part[4];
};

template <class F>
BITSWEEP_INLINE Sixteen each(const F& f) {
  return {{f(0), f(1), f(2), f(3)}};
}
BITSWEEP_INLINE Four words_as_floats(FourWords words) { return std::bit_cast<Four>(words); }
BITSWEEP_INLINE FourWords floats_as_words(Four floats) { return std::bit_cast<FourWords>(floats); }

BITSWEEP_INLINE Sixteen load(const float* from) {
  Sixteen out;
  std::memcpy(&out, from, sizeof out);
  return out;
}
BITSWEEP_INLINE void store(float* to, const Sixteen& a) { std::memcpy(to, &a, sizeof a); }
BITSWEEP_INLINE Sixteen all(float a) {
  return each([&](int) { return Four{a, a, a, a}; });
}
BITSWEEP_INLINE Sixteen plus(const Sixteen& a, const Sixteen& b) {
  return each([&](int p) { return a.part[p] + b.part[p]; });
}
BITSWEEP_INLINE Sixteen times(const Sixteen& a, const Sixteen& b) {
  return each([&](int p) { return a.part[p] * b.part[p]; });
}
BITSWEEP_INLINE Sixteen floored(const Sixteen& a) {
  return each([&](int p) {
    const Four& x = a.part[p];
    return Four{std::floor(x[0]), std::floor(x[1]), std::floor(x[2]), std::floor(x[3])};
  });
}
BITSWEEP_INLINE Sixteen within(const Sixteen& a, const Sixteen& low, const Sixteen& high) {
  return each([&](int p) {
    const Four x = a.part[p] < low.part[p] ? low.part[p] : a.part[p];
    return x > high.part[p] ? high.part[p] : x;
  });
}
BITSWEEP_INLINE Sixteen sign_of(const Sixteen& a) {
  return each([&](int p) {
    const Four zero = {}, one = zero + 1.0f;
    return (a.part[p] > zero ? one : zero) - (a.part[p] < zero ? one : zero);
  });
}
BITSWEEP_INLINE Sixteen or_zero(const Sixteen& a) {
  return each([&](int p) { return a.part[p] == a.part[p] ? a.part[p] : Four{}; });
}
BITSWEEP_INLINE Sixteen negated_where(const Sixteen& a, uint32_t lanes) {
  return each([&](int p) {
    const auto word = static_cast<int32_t>(lanes >> 4 * p);
    const FourWords signs = {word << 31, (word & 2) << 30, (word & 4) << 29, (word & 8) << 28};
    return words_as_floats(floats_as_words(a.part[p]) ^ signs);
  });
}
BITSWEEP_INLINE uint32_t zero_above(Sixteen& a, const Sixteen& b, const Sixteen& limit, bool reset) {
  uint32_t lanes = 0;
  for (int p = 0; p < 4; ++p) {
    const FourWords above = b.part[p] > limit.part[p];
    for (int l = 0; l < 4; ++l) lanes |= static_cast<uint32_t>(above[l] & 1) << (4 * p + l);
    if (reset) a.part[p] = words_as_floats(floats_as_words(a.part[p]) & ~above);
  }
  return lanes;
}

template <int kBits>
BITSWEEP_INLINE float level_at(const uint8_t* from, int lane) {
  if constexpr (kBits == 4) {
    return static_cast<float>((from[lane / 2] >> 4 * (lane % 2) & 15) - 8);
  } else if constexpr (kBits == 8) {
    return static_cast<float>(static_cast<int8_t>(from[lane]));
  } else {
    int16_t level;
    std::memcpy(&level, from + 2 * lane, sizeof level);
    return static_cast<float>(level);
  }
}
template <int kBits>
BITSWEEP_INLINE Sixteen levels_at(const uint8_t* from) {
  return each([&](int p) {
    return Four{level_at<kBits>(from, 4 * p), level_at<kBits>(from, 4 * p + 1), level_at<kBits>(from, 4 * p + 2),
                level_at<kBits>(from, 4 * p + 3)};
  });
}
template <int kBits>
BITSWEEP_INLINE void put_levels(uint8_t* to, const Sixteen& a) {
  for (int l = 0; l < 16; ++l) {
    const auto level = static_cast<int>(a.part[l / 4][l % 4]);
    if constexpr (kBits == 4) {
      to[l / 2] = static_cast<uint8_t>(l % 2 == 0 ? level + 8 : to[l / 2] | (level + 8) << 4);
    } else if constexpr (kBits == 8) {
      to[l] = static_cast<uint8_t>(level);
    } else {
      const auto word = static_cast<int16_t>(level);
      std::memcpy(to + 2 * l, &word, sizeof word);
    }
  }
}

#include "kernels/flip_lanes.inc"

}  // namespace

void square_sums(const float* gradient, int64_t columns, int64_t first, int64_t last, float* of_rows,
                 float* of_columns) {
#ifdef BITSWEEP_INTRINSICS
  if (current_isa() >= Isa::avx512) return square_sums_avx512(gradient, columns, first, last, of_rows, of_columns);
  if (current_isa() == Isa::avx2) return square_sums_avx2(gradient, columns, first, last, of_rows, of_columns);
#endif
  square_sums_in_lanes(gradient, columns, first, last, of_rows, of_columns);
}

int64_t flip_rows(const FlipUpdate& update, int64_t first, int64_t last, Twister* votes, Twister* levels) {
#ifdef BITSWEEP_INTRINSICS
  if (current_isa() >= Isa::avx512) return flip_rows_avx512(update, first, last, votes, levels);
  if (current_isa() == Isa::avx2) return flip_rows_avx2(update, first, last, votes, levels);
#endif
  return flip_rows_in_lanes(update, first, last, votes, levels);
}

void follow_means(const float* sums, int64_t parts, int64_t count, int64_t terms, float share, float* means) {
  for (int64_t i = 0; i < count; ++i) {
    double sum = 0;
    for (int64_t part = 0; part < parts; ++part) sum += static_cast<double>(sums[part * count + i]);
    means[i] += share * (static_cast<float>(sum / static_cast<double>(terms)) - means[i]);
  }
}

void inverse_roots(const float* means, int64_t count, float unit, float* out) {
  const float divisor = unit < kLeastSquare ? kLeastSquare : unit;
  for (int64_t i = 0; i < count; ++i) {
    const float mean = means[i] / divisor;
    out[i] = 1.0f / std::sqrt(mean < kLeastSquare ? kLeastSquare : mean);
  }
}

}  // namespace bitsweep::kernels
