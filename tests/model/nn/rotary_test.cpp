#include "nn/rotary.h"

#include <cmath>

#include "nn/tensors.h"

namespace bitsweep::nn {
namespace {

// As Hugging Face's Llama has it: cos and sin of [T, d_h], and rotate_half.
at::Tensor hugging_face(const at::Tensor& x, int64_t heads, double theta, int64_t first) {
  const int64_t batch = x.size(0), context = x.size(1), size = x.size(2) / heads;
  const at::Tensor q = x.view({batch, context, heads, size}).transpose(1, 2);  // [B, H, T, d_h]
  const at::Tensor frequencies = 1.0 / at::pow(theta, at::arange(0, size, 2, at::kFloat) / size);
  const at::Tensor freqs = at::arange(first, first + context, at::kFloat).unsqueeze(1) * frequencies.unsqueeze(0);
  const at::Tensor angles = at::cat({freqs, freqs}, 1),
                   half = at::cat({-q.narrow(3, size / 2, size / 2), q.narrow(3, 0, size / 2)}, 3);
  return (q * angles.cos() + half * angles.sin()).transpose(1, 2).reshape(x.sizes());
}

TEST(Rotary, IsHuggingFacesLlama) {
  for (const auto& [heads, size, theta, first] : {std::tuple<int64_t, int64_t, double, int64_t>{3, 8, 1e4, 0},
                                                  {1, 2, 1e4, 0},
                                                  {4, 16, 5e5, 7},
                                                  {2, 10, 100, 300}}) {
    Rotary rotary(size, theta);
    const at::Tensor x = normal({2, 21, heads * size}, 1);
    EXPECT_TRUE(near(rotary.forward(x, first), hugging_face(x, heads, theta, first), 1e-6));
  }
}

TEST(Rotary, TurnsPairsByTheAngleOfTheirPlace) {
  Rotary rotary(6, 50);
  const at::Tensor x = normal({1, 4, 6}, 2), y = rotary.forward(x);
  for (int64_t t = 0; t < 4; ++t)
    for (int64_t i = 0; i < 3; ++i) {
      const double angle = static_cast<double>(t) * std::pow(50, -2.0 * static_cast<double>(i) / 6);
      const double one = x[0][t][i].item<double>(), two = x[0][t][i + 3].item<double>();
      EXPECT_NEAR(y[0][t][i].item<double>(), one * std::cos(angle) - two * std::sin(angle), 1e-5);
      EXPECT_NEAR(y[0][t][i + 3].item<double>(), two * std::cos(angle) + one * std::sin(angle), 1e-5);
    }
}

// transformers' _compute_llama3_parameters, in double precision and with its three cases written out.
double llama3_frequency(double frequency, const RopeScaling& scaling) {
  const double pi = std::acos(-1.0), original = static_cast<double>(scaling.positions), wave = 2 * pi / frequency;
  if (wave < original / scaling.high) return frequency;
  if (wave > original / scaling.low) return frequency / scaling.factor;
  const double smooth = (original / wave - scaling.low) / (scaling.high - scaling.low);
  return (1 - smooth) * frequency / scaling.factor + smooth * frequency;
}

TEST(Rotary, LowFrequenciesTurnSlowerWhereTheyAreScaled) {
  for (const RopeScaling& scaling :
       {RopeScaling{32, 1, 4, 8192}, RopeScaling{8, 2, 5, 512}, RopeScaling{1, 1, 4, 64}}) {
    constexpr int64_t kSize = 64, kPlaces = 600;
    constexpr double kTheta = 5e5;
    Rotary rotary(kSize, kTheta, scaling);
    at::Tensor x = at::zeros({1, kPlaces, kSize});
    x.narrow(2, 0, kSize / 2).fill_(1);  // (1, 0) turns to (cos, sin)
    const at::Tensor y = rotary.forward(x);
    int kept = 0, slowed = 0, between = 0;
    for (int64_t i = 0; i < kSize / 2; ++i) {
      const double plain = std::pow(kTheta, -2.0 * static_cast<double>(i) / kSize),
                   frequency = llama3_frequency(plain, scaling);
      ++(frequency == plain ? kept : frequency == plain / scaling.factor ? slowed : between);
      for (const int64_t t : {1, 7, 599}) {
        // An f32 angle is known to its own rounding.
        const double angle = static_cast<double>(t) * frequency, within = 1e-6 + 2e-7 * angle;
        EXPECT_NEAR(y[0][t][i].item<double>(), std::cos(angle), within) << i << " " << t;
        EXPECT_NEAR(y[0][t][i + kSize / 2].item<double>(), std::sin(angle), within) << i << " " << t;
      }
    }
    if (scaling.factor == 1) continue;
    EXPECT_GT(kept, 3);
    EXPECT_GT(slowed, 3);
    EXPECT_GT(between, 0);
  }
}

TEST(Rotary, GradientIsTheCompositions) {
  Rotary rotary(8, 1e4);
  const at::Tensor x = leaf(normal({2, 9, 24}, 1)), plain = leaf(x);
  EXPECT_TRUE(
      near(gradients_of(rotary.forward(x), {x})[0], gradients_of(hugging_face(plain, 3, 1e4, 0), {plain})[0], 1e-6));
}

TEST(Rotary, ALaterPartIsThePartOfTheWhole) {
  Rotary rotary(8, 1e4), other(8, 1e4);
  const at::Tensor x = normal({2, 600, 16}, 1), whole = rotary.forward(x);
  EXPECT_TRUE(same(other.forward(x.narrow(1, 0, 3)), whole.narrow(1, 0, 3)));
  EXPECT_TRUE(same(other.forward(x.narrow(1, 257, 200), 257), whole.narrow(1, 257, 200)));
  EXPECT_TRUE(same(other.forward(x.narrow(1, 3, 1), 3), whole.narrow(1, 3, 1)));
}

TEST(Rotary, KeepsTheTypeAndComputesInF32) {
  Rotary rotary(8, 1e4);
  const at::Tensor x = normal({1, 30, 8}, 1).to(at::kBFloat16), y = rotary.forward(x);
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(same(y, rotary.forward(x.to(at::kFloat)).to(at::kBFloat16)));
}

}  // namespace
}  // namespace bitsweep::nn
