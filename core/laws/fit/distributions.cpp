#include "fit/distributions.h"

#include <cmath>
#include <limits>
#include <numbers>

#include "base/rng.h"

namespace bitsweep::fit {
namespace {

template <int Count>
double polynomial(const double (&c)[Count], double x) {
  double sum = c[Count - 1];
  for (int i = Count - 2; i >= 0; --i) sum = sum * x + c[i];
  return sum;
}

// The regularised incomplete beta function by Lentz's continued fraction (Press et al., Numerical Recipes, 6.4).
double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incomplete_beta(b, a, 1 - x);
  constexpr double kTiny = 1e-300;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x)) / a;
  double c = 1, d = 1 - (a + b) * x / (a + 1);
  d = 1 / (std::abs(d) < kTiny ? kTiny : d);
  double h = d;
  const auto advance = [&](double numerator) {
    d = 1 + numerator * d;
    c = 1 + numerator / c;
    if (std::abs(d) < kTiny) d = kTiny;
    if (std::abs(c) < kTiny) c = kTiny;
    d = 1 / d;
    h *= d * c;
    return std::abs(d * c - 1);
  };
  for (int m = 1; m <= 10000; ++m) {
    advance(m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)));
    if (advance(-(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))) < 1e-15) break;
  }
  return front * h;
}

}  // namespace

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

double normal_quantile(double p) {
  static constexpr double a[] = {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                                 1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                                 3.3430575583588128105e4, 2.5090809287301226727e3};
  static constexpr double b[] = {1.0,
                                 4.2313330701600911252e1,
                                 6.8718700749205790830e2,
                                 5.3941960214247511077e3,
                                 2.1213794301586595867e4,
                                 3.9307895800092710610e4,
                                 2.8729085735721942674e4,
                                 5.2264952788528545610e3};
  static constexpr double c[] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                                 3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                                 2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr double d[] = {1.0,
                                 2.05319162663775882187e0,
                                 1.67638483018380384940e0,
                                 6.89767334985100004550e-1,
                                 1.48103976427480074590e-1,
                                 1.51986665636164571966e-2,
                                 5.47593808499534494600e-4,
                                 1.05075007164441684324e-9};
  static constexpr double e[] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                                 2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                 2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr double f[] = {1.0,
                                 5.99832206555887937690e-1,
                                 1.36929880922735805310e-1,
                                 1.48753612908506148525e-2,
                                 7.86869131145613259100e-4,
                                 1.84631831751005468180e-5,
                                 1.42151175831644588870e-7,
                                 2.04426310338993978564e-15};
  if (!(p > 0)) return -std::numeric_limits<double>::infinity();
  if (!(p < 1)) return std::numeric_limits<double>::infinity();
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(a, r) / polynomial(b, r);
  }
  const double r = std::sqrt(-std::log(q < 0 ? p : 1 - p));
  const double size =
      r <= 5 ? polynomial(c, r - 1.6) / polynomial(d, r - 1.6) : polynomial(e, r - 5) / polynomial(f, r - 5);
  return q < 0 ? -size : size;
}

double student_quantile(double p, double freedom) {
  if (p == 0.5) return 0;
  if (p < 0.5) return -student_quantile(1 - p, freedom);
  // P(T > t) = ½ I_x(ν/2, ½) with x = ν / (ν + t²); bisected in log t, in which the tail is all but a straight line.
  const double tail = 1 - p;
  double low = -40, high = 700;
  for (int i = 0; i < 200 && high - low > 1e-13; ++i) {
    const double middle = 0.5 * (low + high), t2 = std::exp(2 * middle);
    (0.5 * incomplete_beta(0.5 * freedom, 0.5, freedom / (freedom + t2)) > tail ? low : high) = middle;
  }
  return std::exp(0.5 * (low + high));
}

double chi_squared_draw(double freedom, uint64_t seed, uint64_t stream) {
  // Gamma(shape, 1) twice; a shape below 1 is drawn one higher and scaled down.
  const double shape = 0.5 * freedom, raised = shape < 1 ? shape + 1 : shape;
  const double d = raised - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (uint64_t i = 0;; i += 2) {
    const double z = normal_quantile(random_unit(seed, stream, i + 1) + 0x1p-54);
    const double v = std::pow(1 + c * z, 3);
    if (v <= 0) continue;
    const double u = random_unit(seed, stream, i + 2);
    if (std::log(u + 0x1p-54) >= 0.5 * z * z + d - d * v + d * std::log(v)) continue;
    const double lift = shape < 1 ? std::pow(random_unit(seed, stream, 0) + 0x1p-54, 1 / shape) : 1;
    return 2 * d * v * lift;
  }
}

}  // namespace bitsweep::fit
