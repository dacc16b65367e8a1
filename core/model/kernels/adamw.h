// AdamW (Loshchilov, Hutter: Decoupled weight decay regularization, arXiv 1711.05101) in one pass over memory, and what
// clipping asks of gradients.
#pragma once

#include <cstdint>

namespace bitsweep::kernels {

// Of an update, its corrections of bias worked out:
//   m <- b1 m + (1 − b1) g        v <- b2 v + (1 − b2) g²
//   w <- (1 − lr wd) w − lr / (1 − b1^t) · m / (√v · 1 / √(1 − b2^t) + eps)
struct AdamWUpdate {
  float beta1 = 0, gradient_share = 0;  // b1, 1 − b1
  float beta2 = 0, square_share = 0;    // b2, 1 − b2
  float kept = 1;                       // 1 − lr wd
  float rate = 0;                       // lr / (1 − b1^t)
  float root_scale = 1, epsilon = 0;    // 1 / √(1 − b2^t), eps
  float gradient_scale = 1;             // of every gradient, before all else
};
// Of count elements each: values w, mean m, square v.
void adamw_range(const AdamWUpdate& update, const float* gradient, float* values, float* mean, float* square,
                 int64_t count);

// Σ x², made in doubles in one order.
double square_sum(const float* x, int64_t count);

}  // namespace bitsweep::kernels
