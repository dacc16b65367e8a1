// The learning rate of every step. Pure.
#pragma once

#include <cstdint>

#include "spec/run_spec.h"

namespace bitsweep {

// The rate of step `step` (from 0) of `train.steps`. The first `warmup` steps rise linearly to lr, which the last of
// them has; then, with p the part of the remaining steps that lies behind, from 0 towards (never reaching) 1:
//   cosine    lr_final + (1 - lr_final) (1 + cos(pi p)) / 2     (Loshchilov, Hutter: SGDR, arXiv 1608.03983)
//   linear    1 - (1 - lr_final) p
//   constant  1
//   wsd       1, and over the last decay_fraction of all steps linear to lr_final
//             (warmup-stable-decay; Hu et al., MiniCPM, arXiv 2404.06395)
// as multiples of lr. Throws Error{input} for a schedule of another name.
double learning_rate(const TrainSpec& train, int64_t step);

}  // namespace bitsweep
