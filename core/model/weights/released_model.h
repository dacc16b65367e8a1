// A folder with a checkpoint that another program saved: config.json and its tensors, held against each other.
#pragma once

#include "weights/released_config.h"
#include "weights/released_names.h"
#include "weights/weight_folder.h"

namespace bitsweep::weights {

struct ReleasedModel {
  ReleasedConfig config;
  std::vector<ReleasedTensor> tensors;  // each in `weights`, in its shape, as F32, F16 or BF16
  WeightFolder weights;
};

// Whether a folder is one: it has a config.json.
bool is_released(const fs::path& folder);

// Throws Error{input} with all that is wrong: values of config.json that no option of ours says, files that cannot be
// read, tensors that are missing, not wanted, or of another shape or type.
ReleasedModel read_released(const fs::path& folder);

}  // namespace bitsweep::weights
