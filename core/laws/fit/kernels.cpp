#include "fit/kernels.h"

#include <bit>
#include <cmath>
#include <limits>

#include "base/simd.h"

namespace bitsweep::fit {
namespace {

constexpr int64_t kLanes = 8;
constexpr double kRound = 6755399441055744.0;  // 1.5 · 2^52: adding it rounds to a whole number in the low bits

// Cody and Waite's reduction, then Taylor's series on |r| <= log(2)/2.
BITSWEEP_INLINE double exp_of(double x) {
  const double low = x < -708 ? -708.0 : x;
  const double clamped = low > 709 ? 709.0 : low;
  const double shifted = clamped * 1.4426950408889634 + kRound;
  const double n = shifted - kRound;
  const double r = (clamped - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
  double p = 1.0 / 6227020800;
  p = p * r + 1.0 / 479001600;
  p = p * r + 1.0 / 39916800;
  p = p * r + 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  const double y = (p * (r * r) + r) + 1.0;
  const double scaled = std::bit_cast<double>(std::bit_cast<uint64_t>(y) + (std::bit_cast<uint64_t>(shifted) << 52));
  return x < -708 ? 0.0 : scaled;
}

// m·2^e with m in [√½, √2), then 2 atanh((m − 1)/(m + 1)). For normal positive numbers.
BITSWEEP_INLINE double log_of(double x) {
  const uint64_t bits = std::bit_cast<uint64_t>(x);
  const uint64_t above = (bits & 0x000fffffffffffffULL) + 0x00095f619980c433ULL;  // carries into bit 52 when m >= √2
  const uint64_t carry = above & 0x0010000000000000ULL;
  const double e = std::bit_cast<double>(((bits >> 52) + (carry >> 52)) | 0x4330000000000000ULL) - 4503599627371519.0;
  const double m = std::bit_cast<double>(((bits & 0x000fffffffffffffULL) | 0x3ff0000000000000ULL) - carry);
  const double f = (m - 1) / (m + 1), s = f * f;
  double p = 1.0 / 21;
  p = p * s + 1.0 / 19;
  p = p * s + 1.0 / 17;
  p = p * s + 1.0 / 15;
  p = p * s + 1.0 / 13;
  p = p * s + 1.0 / 11;
  p = p * s + 1.0 / 9;
  p = p * s + 1.0 / 7;
  p = p * s + 1.0 / 5;
  p = p * s + 1.0 / 3;
  const double tail = 2 * f * s * p;
  return e * 6.93147180369123816490e-01 + (2 * f + (tail + e * 1.90821492927058770002e-10));
}

BITSWEEP_INLINE double size_of(double r) { return r < 0 ? -r : r; }
BITSWEEP_INLINE double lesser(double a, double b) { return a < b ? a : b; }

}  // namespace

BITSWEEP_CLONES void exp_scaled(const double* __restrict x, double factor, double* __restrict out, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = exp_of(factor * x[i]);
}

BITSWEEP_CLONES bool mix(const double* __restrict basis, const double* __restrict amplitudes, int terms,
                         const double* __restrict log_loss, double* __restrict loss, double* __restrict residual,
                         int64_t n) {
  const double first = amplitudes[0];
  for (int64_t i = 0; i < n; ++i) loss[i] = first * basis[i];
  for (int k = 1; k < terms; ++k) {
    const double a = amplitudes[k];
    const double* __restrict column = basis + k * n;
    for (int64_t i = 0; i < n; ++i) loss[i] += a * column[i];
  }
  for (int64_t i = 0; i < n; ++i) residual[i] = log_of(loss[i]) - log_loss[i];
  // NaN and infinity too have no place in the range of normal positive numbers.
  const double bad = lane_sum<kLanes>(n, [&](int64_t i) { return loss[i] >= 1e-300 && loss[i] <= 1e300 ? 0.0 : 1.0; });
  return bad == 0;
}

BITSWEEP_CLONES void add_share(const double* __restrict column, double amplitude, const double* __restrict loss,
                               bool add, double* __restrict out, int64_t n) {
  if (add) {
    for (int64_t i = 0; i < n; ++i) out[i] += amplitude * column[i] / loss[i];
  } else {
    for (int64_t i = 0; i < n; ++i) out[i] = amplitude * column[i] / loss[i];
  }
}

// ρ = m(|r| − m/2) with m = min(|r|, δ): both branches at once.
BITSWEEP_CLONES double huber_sum(const double* __restrict residual, const double* __restrict weight, double delta,
                                 int64_t n) {
  return lane_sum<kLanes>(n, [&](int64_t i) {
    const double size = size_of(residual[i]), clipped = lesser(size, delta);
    return weight[i] * clipped * (size - 0.5 * clipped);
  });
}

BITSWEEP_CLONES void huber_weights(const double* __restrict residual, const double* __restrict weight,
                                   const double* __restrict loss, double delta, double* __restrict pull,
                                   double* __restrict pull_share, double* __restrict flat, double* __restrict curved,
                                   int64_t n) {
  const double tiny = std::numeric_limits<double>::min();
  for (int64_t i = 0; i < n; ++i) {
    const double r = residual[i], w = weight[i], size = size_of(r);
    const double inside = size <= delta ? 1.0 : 0.0;
    const double clipped = lesser(size, delta);
    const double wide = size > tiny ? size : tiny;
    flat[i] = w * (inside + (1 - inside) * (clipped / wide));
    const double p = w * (r < 0 ? -clipped : clipped);
    pull[i] = p;
    pull_share[i] = p / loss[i];
    curved[i] = w * inside - p;
  }
}

BITSWEEP_CLONES double dot(const double* __restrict a, const double* __restrict b, int64_t n) {
  return lane_sum<kLanes>(n, [&](int64_t i) { return a[i] * b[i]; });
}

BITSWEEP_CLONES void two_grams(const double* __restrict jacobian, int p, const double* __restrict u,
                               const double* __restrict v, double* __restrict scaled, double* __restrict first,
                               double* __restrict second, int64_t n) {
  double* __restrict other = scaled + n;
  for (int a = 0; a < p; ++a) {
    const double* __restrict left = jacobian + a * n;
    for (int64_t i = 0; i < n; ++i) scaled[i] = u[i] * left[i], other[i] = v[i] * left[i];
    for (int b = a; b < p; ++b) {
      const double* __restrict right = jacobian + b * n;
      first[a * p + b] = lane_sum<kLanes>(n, [&](int64_t i) { return scaled[i] * right[i]; });
      second[a * p + b] = lane_sum<kLanes>(n, [&](int64_t i) { return other[i] * right[i]; });
    }
  }
}

}  // namespace bitsweep::fit
