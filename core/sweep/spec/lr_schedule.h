// The learning rate and the weight decay of every step. Pure.
#pragma once

#include <cstdint>

#include "spec/run_spec.h"

namespace bitsweep::spec {

// The rate of step `step` (from 0) of `train.steps`. The first `warmup` steps rise linearly to lr, which the last of
// them has; then, with p the part of the remaining steps that lies behind, from 0 towards (never reaching) 1:
//   cosine    lr_final + (1 - lr_final) (1 + cos(pi p)) / 2     (Loshchilov, Hutter: SGDR, arXiv 1608.03983)
//   linear    1 - (1 - lr_final) p
//   constant  1
//   wsd       1, and over the last decay_fraction of all steps linear to lr_final
//             (warmup-stable-decay; Hu et al., MiniCPM, arXiv 2404.06395)
//   two_stage linear; from the middle of the run on, of all its steps, two thirds of what is above lr_final
//             (BitNet b1.58's training tips: 1.5e-3 falling, then 5e-4 falling to 0)
// as multiples of lr. Throws Error{input} for a schedule of another name.
double learning_rate(const TrainSpec& train, int64_t step);

// weight_decay over the first weight_decay_until of the steps, then 0.
double weight_decay(const TrainSpec& train, int64_t step);

}  // namespace bitsweep::spec
