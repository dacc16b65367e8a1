// A checkpoint of a run into its model, for the verbs that look at one.
#pragma once

#include "nn/model.h"
#include "spec/run_spec.h"
#include "train/checkpoint.h"

namespace bitsweep::worker {

// Puts the checkpoint's weights into the model, after everything about it has been checked. Throws Error{input} for one
// that is damaged, of another run or of another shape.
train::Progress load_weights(const fs::path& checkpoint, const std::string& run, const spec::RunSpec& spec,
                             nn::Model& model);

}  // namespace bitsweep::worker
