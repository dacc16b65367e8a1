// Weights that another program saved, into a model of ours.
#pragma once

#include "nn/model.h"
#include "weights/released_model.h"

namespace bitsweep::worker {

// Copies each tensor, as f32, into the parameter of its name. The model lies on the CPU. Throws Error{input} naming
// each parameter that the checkpoint has not in that shape, and each tensor that the model has not; no parameter is
// touched then.
void copy_released(const weights::ReleasedModel& from, const nn::Model& model);

}  // namespace bitsweep::worker
