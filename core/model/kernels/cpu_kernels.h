// Element-wise and row-wise f32 loops for the CPU that LibTorch would need several passes over memory for. No LibTorch,
// no threads: callers cut the ranges (at::parallel_for). One source, compiled for AVX-512, AVX2 and the baseline,
// chosen by CPUID at load; contraction to FMA is off and sums keep a fixed order of 16 lanes, so every CPU and every
// number of threads gives the same bits. exp and log are Cephes' polynomials (about 2 ulp).
#pragma once

#include <cstdint>
#include <vector>

namespace bitsweep::kernels {

// out[i] = ±magnitude; +magnitude where x[i] >= 0.
void sign_range(const float* x, float* out, int64_t count, float magnitude);
// out[i] = sign(x[i]), inside[i] = |x[i]| <= 1.
void sign_mask_range(const float* x, float* out, uint8_t* inside, int64_t count);
// out[i] = inside[i] ? gradient[i] : 0.
void masked_range(const float* gradient, const uint8_t* inside, float* out, int64_t count);
// out[i] = sign(x[i] + a[i] + b[i]), summed from the left.
void residual_sign_range(const float* x, const float* a, const float* b, float* out, int64_t count);

// A linear's end, in place on sums [rows, columns]: y = sums · scale[c] − threshold[c]; then sign(y) if `sign`;
// inside (or null) [rows, columns] gets |y| <= 1.
void linear_end_rows(float* sums, const float* scale, const float* threshold, uint8_t* inside, bool sign, int64_t rows,
                     int64_t columns);
// Its backward over the columns [begin, end) of [rows, columns]: out = inside ? gradient : 0 (inside null: a copy is
// not made, out is not written), column_sums[c] = Σ_rows of it, rows in order.
void linear_end_backward(const float* gradient, const uint8_t* inside, float* out, float* column_sums, int64_t rows,
                         int64_t columns, int64_t begin, int64_t end);

// RMSNorm of rows [rows, d]: inverse[r] = 1/√(mean x² + epsilon), out = x · inverse · gamma.
void rms_norm_rows(const float* x, const float* gamma, float* out, float* inverse, int64_t rows, int64_t d,
                   float epsilon);
// dx = inverse · (gamma·g − x · inverse² · mean(gamma·g·x)).
void rms_norm_backward_rows(const float* x, const float* gamma, const float* inverse, const float* gradient, float* dx,
                            int64_t rows, int64_t d);
// dgamma[c] = Σ_rows g · x · inverse for the columns [begin, end), rows in order.
void rms_norm_backward_gamma(const float* x, const float* inverse, const float* gradient, float* dgamma, int64_t rows,
                             int64_t d, int64_t begin, int64_t end);

// out = silu(gate) · up, and its backward.
void swiglu_range(const float* gate, const float* up, float* out, int64_t count);
void swiglu_backward_range(const float* gate, const float* up, const float* gradient, float* dgate, float* dup,
                           int64_t count);

// One head of causal attention, [context, context], whose entry (t, j) is q_t·k_j.
struct ScoreRule {
  float scale = 1;  // 1/√d_h
  float slope = 0;  // ALiBi: − slope · (t − j)
  float inverse_tau = 1;
  bool noisy = false;
  uint64_t key = 0;        // of the noise, kernels/noise.h
  uint64_t first_row = 0;  // the noise's row of query 0
};
// In place: probabilities of z = (scores · scale − slope · (t − j) + noise) · inverse_tau, 0 above the diagonal.
// choice (or null) [context]: the argmax of z, the most recent of equals.
void softmax_head(float* scores, int64_t context, const ScoreRule& rule, int32_t* choice);
// choice alone; the scores are used up.
void choose_head(float* scores, int64_t context, const ScoreRule& rule, int32_t* choice);
// The `keys` best keys of each query, best first and the most recent of equals first: index [context, keys], and their
// softmax, probabilities [context, keys]. Query t has min(keys, t + 1) of them; the rest are 0. The scores are used up.
inline constexpr int64_t kMaxTopKeys = 64;
void top_keys_head(float* scores, int64_t context, const ScoreRule& rule, int64_t keys, int32_t* index,
                   float* probabilities);
// In place on dA [context, context]: p ⊙ (dA − Σ_j p dA) · factor, 0 above the diagonal.
void softmax_backward_head(const float* probabilities, float* gradient, int64_t context, float factor);

// What one head of top-K attention does with the chosen keys; rows are [context, size]. Query t has
// n = min(keys, t + 1) of them and weighs them by weights[n·keys, n·keys + n).
struct TopKeysHead {
  int64_t context = 0, size = 0, keys = 0;
  const int32_t* index = nullptr;  // [context, keys]
  const float* weights = nullptr;  // [keys + 1, keys]
};
// Such weights, 0 where there is no key: each rank's is rho times that of the one before, and they add up to 1.
std::vector<float> rank_weights(int64_t keys, double rho);
// Keys of all queries of a context together.
constexpr int64_t chosen_keys(int64_t context, int64_t keys) {
  const int64_t most = keys < context ? keys : context;
  return context * most - most * (most - 1) / 2;
}
// out[t] = Σ_r w_r value[index[t, r]]; its sign if `sign`.
void mix_values_head(const TopKeysHead& head, const float* values, bool sign, float* out);
// The gradient g of `out` through v by the weights, through q and k by the softmax p over the chosen keys:
//   dv[i_r] += w_r g      dA_r = g·v[i_r]      dz = p ⊙ (dA − Σ_r p dA) · factor      dq = Σ_r dz_r k[i_r]
//   dk[i_r] += dz_r q     dq is written, dk and dv are added to, queries in order.
struct TopKeysTensors {
  const float *queries, *keys, *values, *probabilities, *gradient;
  float *dq, *dk, *dv;
};
void mix_values_backward_head(const TopKeysHead& head, const TopKeysTensors& tensors, float factor);

// 8-bit rows: with m = max(1e-5, max |x|) of the row, codes = round(x · 127/m), ties to even, and step = m/127. A row
// that holds NaN or infinity gets a NaN step. bytes (or null) are the codes again.
void quantize_rows(const float* x, float* codes, int8_t* bytes, float* step, int64_t rows, int64_t d);
// codes = clamp(round(w · scale), −1, 1), ties to even.
void ternary_range(const float* w, float* codes, int64_t count, float scale);

}  // namespace bitsweep::kernels
